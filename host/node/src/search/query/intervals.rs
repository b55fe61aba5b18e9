//! Intervals of a column, to tantivy's queries.

use super::columns;
use super::values::Interval;
use crate::mapping::MappedField;
use std::collections::HashSet;
use std::ops::Bound;
use tantivy::Term;
use tantivy::query::{BooleanQuery, EmptyQuery, Query as TantivyQuery, RangeQuery};

/// Documents with a value of `field` in `interval`.
pub(super) fn interval_query(field: &MappedField, interval: Interval) -> Box<dyn TantivyQuery> {
    let column = field.field();
    let range = |lower, upper| -> Box<dyn TantivyQuery> { Box::new(RangeQuery::new(lower, upper)) };
    match interval {
        Interval::Empty => Box::new(EmptyQuery),
        Interval::Integer(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_i64(column, value)), {
                term_bound(upper, |value| Term::from_field_i64(column, value))
            })
        }
        Interval::Float(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_f64(column, value)), {
                term_bound(upper, |value| Term::from_field_f64(column, value))
            })
        }
        Interval::Ip(lower, upper) => {
            range(term_bound(lower, |value| Term::from_field_ip_addr(column, value)), {
                term_bound(upper, |value| Term::from_field_ip_addr(column, value))
            })
        }
    }
}

fn term_bound<T>(bound: Bound<T>, term: impl Fn(T) -> Term) -> Bound<Term> {
    bound.map(term)
}

/// Documents with a value in any of `intervals`: single values in one pass, the others one by one.
pub(super) fn any_of(field: &MappedField, intervals: Vec<Interval>) -> Box<dyn TantivyQuery> {
    let (mut integers, mut floats, mut addresses) = (HashSet::new(), Vec::new(), HashSet::new());
    let mut queries: Vec<Box<dyn TantivyQuery>> = Vec::new();
    for interval in intervals {
        match interval {
            Interval::Empty => {}
            Interval::Integer(Bound::Included(low), Bound::Included(high)) if low == high => {
                integers.insert(low);
            }
            Interval::Float(Bound::Included(low), Bound::Included(high)) if low == high => floats.push(low),
            Interval::Ip(Bound::Included(low), Bound::Included(high)) if low == high => {
                addresses.insert(low);
            }
            other => queries.push(interval_query(field, other)),
        }
    }
    if !integers.is_empty() {
        queries.push(columns::any_integer(field.column(), integers));
    }
    if !floats.is_empty() {
        queries.push(columns::any_float(field.column(), floats));
    }
    if !addresses.is_empty() {
        queries.push(columns::any_address(field.column(), addresses));
    }
    match queries.len() {
        0 => Box::new(EmptyQuery),
        1 => queries.remove(0),
        _ => Box::new(BooleanQuery::union(queries)),
    }
}
