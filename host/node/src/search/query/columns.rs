//! Queries over columns that tantivy does not have: membership in a set of numbers.

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::net::Ipv6Addr;
use std::sync::Arc;
use tantivy::columnar::{Column, DynamicColumn, HasAssociatedColumnType};
use tantivy::query::Query;
use tantivy::query::doc_predicate_query::{DocPredicateQuery, FunctionPredicate};
use tantivy::{DocId, SegmentReader};

/// Documents whose column has one of `values`. Costs the same however many there are.
pub fn any_integer(column: &str, values: HashSet<i64>) -> Box<dyn Query> {
    any(column, values, |value: i64| value)
}

/// Documents whose column has one of `values`; 0.0 and -0.0 are the same.
pub fn any_float(column: &str, values: impl IntoIterator<Item = f64>) -> Box<dyn Query> {
    let bits = values.into_iter().map(|value| (value + 0.0).to_bits()).collect();
    any(column, bits, |value: f64| (value + 0.0).to_bits())
}

/// Documents whose column has one of `values`.
pub fn any_address(column: &str, values: HashSet<Ipv6Addr>) -> Box<dyn Query> {
    any(column, values, |value: Ipv6Addr| value)
}

fn any<T, K>(column: &str, values: HashSet<K>, key: fn(T) -> K) -> Box<dyn Query>
where
    T: HasAssociatedColumnType + Debug + PartialOrd + Copy + Send + Sync + 'static,
    K: Hash + Eq + Send + Sync + 'static,
    DynamicColumn: Into<Option<Column<T>>>,
{
    let values = Arc::new(values);
    let column = column.to_string();
    let predicate = FunctionPredicate::from(move |reader: &SegmentReader| {
        let values = Arc::clone(&values);
        let column: Option<Column<T>> = reader.fast_fields().column_opt(&column)?;
        Ok(move |document: DocId| {
            let column = column.as_ref();
            column.is_some_and(|column| {
                column.values_for_doc(document).any(|value| values.contains(&key(value)))
            })
        })
    });
    Box::new(DocPredicateQuery::from(predicate))
}
