//! Merged results as JSON, in the shape of Elasticsearch 7.10.

use super::request::{
    Aggregation, Filters, FiltersShape, Kind, Metric, Order, OrderBy, Ranges, Terms, Values,
};
use super::tree::{Bucket, Key, Partial};
use super::write_histogram::{write_date_histogram, write_histogram};
use super::write_metric::{statistic, write_metric};
use crate::error::EsError;
use crate::mapping::date::{DEFAULT_FORMAT, DateFormat};
use crate::mapping::{FieldType, MappedField};
use crate::shard::ShardView;
use serde_json::{Map, Value};
use std::cell::Cell;
use std::cmp::Ordering;
use std::sync::Arc;
use tantivy::u64_to_f64;

/// Buckets of one answer, `search.max_buckets`.
pub(super) const MOST_BUCKETS: usize = 65_535;

/// Knows how the values of fields are written.
pub struct Formats<'s> {
    shards: &'s [ShardView],
    pub(super) now: i64,
    buckets: Cell<usize>,
}

/// How the values of a field are written.
#[derive(Debug, Clone)]
pub(super) enum Format {
    Plain,
    Boolean,
    Date(Arc<DateFormat>),
}

impl<'s> Formats<'s> {
    /// Formats of the fields of `shards`, at `now` (milliseconds since the epoch).
    pub fn new(shards: &'s [ShardView], now: i64) -> Self {
        Formats { shards, now, buckets: Cell::new(0) }
    }

    fn field(&self, values: &Values) -> Option<&MappedField> {
        self.shards.iter().find_map(|shard| shard.mapping.get(&values.field))
    }

    pub(super) fn of(&self, values: &Values) -> Result<Format, EsError> {
        let field = self.field(values);
        let kind = field.map(MappedField::field_type);
        match (&values.format, field) {
            (Some(format), Some(_)) if kind == Some(FieldType::Date) => {
                Ok(Format::Date(Arc::new(DateFormat::new(format)?)))
            }
            (Some(_), None) | (None, None) => Ok(Format::Plain),
            (Some(format), Some(_)) => {
                Err(EsError::unsupported(format_args!("[format] [{format}] of an aggregation of numbers")))
            }
            (None, Some(field)) => Ok(match field.field_type() {
                FieldType::Date => Format::Date(Arc::clone(&field.definition.format)),
                FieldType::Boolean => Format::Boolean,
                _ => Format::Plain,
            }),
        }
    }

    /// Takes note of buckets that will be in the answer.
    pub(super) fn add_buckets(&self, count: usize) -> Result<(), EsError> {
        let buckets = self.buckets.get().saturating_add(count);
        self.buckets.set(buckets);
        if buckets > MOST_BUCKETS {
            let reason = format!(
                "Trying to create too many buckets. Must be less than or equal to: [{MOST_BUCKETS}] but was [{buckets}]. \
                 This limit can be set by changing the [search.max_buckets] cluster level setting."
            );
            return Err(
                EsError::new(503, "too_many_buckets_exception", reason).detail("max_buckets", MOST_BUCKETS)
            );
        }
        Ok(())
    }
}

impl Format {
    /// A number as text; none where it has no other than its own.
    pub(super) fn text(&self, value: f64) -> Option<String> {
        match self {
            Format::Plain => None,
            Format::Boolean => Some((value != 0.0).to_string()),
            Format::Date(format) => Some(format.format(value as i64)),
        }
    }
}

/// The object behind `aggregations` of an answer.
///
/// # Errors
/// 503 `too_many_buckets_exception`, 400 where a bound or format is wrong.
pub fn write(
    aggregations: &[Aggregation],
    partials: Vec<Partial>,
    formats: &Formats<'_>,
) -> Result<Map<String, Value>, EsError> {
    let mut object = Map::new();
    for (aggregation, partial) in aggregations.iter().zip(partials) {
        let mut body = Map::new();
        if let Some(meta) = &aggregation.meta {
            body.insert("meta".to_string(), meta.clone());
        }
        write_one(aggregation, partial, formats, &mut body)?;
        object.insert(aggregation.name.clone(), Value::Object(body));
    }
    Ok(object)
}

fn write_one(
    aggregation: &Aggregation,
    partial: Partial,
    formats: &Formats<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), EsError> {
    match (&aggregation.kind, partial) {
        (Kind::Terms(terms), partial @ Partial::Keyed(_)) => {
            write_terms(aggregation, terms, partial, formats, body)
        }
        (Kind::Histogram(histogram), partial @ Partial::Keyed(_)) => {
            let buckets = write_histogram(aggregation, histogram, partial, formats)?;
            body.insert("buckets".to_string(), buckets);
            Ok(())
        }
        (Kind::DateHistogram(histogram), partial @ Partial::Keyed(_)) => {
            let buckets = write_date_histogram(aggregation, histogram, partial, formats)?;
            body.insert("buckets".to_string(), buckets);
            Ok(())
        }
        (Kind::Range(ranges), Partial::Fixed(buckets)) => {
            let buckets = write_ranges(aggregation, ranges, buckets, formats)?;
            body.insert("buckets".to_string(), buckets);
            Ok(())
        }
        (Kind::Filters(filters), Partial::Fixed(buckets)) => {
            write_filters(aggregation, filters, buckets, formats, body)
        }
        (Kind::Missing(_), Partial::Fixed(buckets)) => {
            for bucket in buckets {
                write_bucket(aggregation, bucket, formats, body)?;
            }
            Ok(())
        }
        (Kind::Metric(metric, values), Partial::Stats(stats)) => {
            write_metric(*metric, &stats, &formats.of(values)?, body);
            Ok(())
        }
        (Kind::Cardinality { .. }, Partial::Distinct(distinct)) => {
            body.insert("value".to_string(), distinct.count().into());
            Ok(())
        }
        (Kind::Percentiles { values, percents, keyed }, Partial::Digest(mut digest)) => {
            let format = formats.of(values)?;
            let mut object = Map::new();
            let mut list = Vec::new();
            for percent in percents {
                let value = digest.quantile(percent / 100.0);
                let key = java_double(*percent);
                let text = value.and_then(|value| format.text(value));
                if *keyed {
                    object.insert(key.clone(), number(value));
                    if let Some(text) = text {
                        object.insert(format!("{key}_as_string"), text.into());
                    }
                } else {
                    let mut entry = Map::new();
                    entry.insert("key".to_string(), (*percent).into());
                    entry.insert("value".to_string(), number(value));
                    if let Some(text) = text {
                        entry.insert("value_as_string".to_string(), text.into());
                    }
                    list.push(Value::Object(entry));
                }
            }
            let values = if *keyed { Value::Object(object) } else { Value::Array(list) };
            body.insert("values".to_string(), values);
            Ok(())
        }
        (kind, _) => {
            Err(EsError::internal(format!("aggregation [{}] has the result of another", kind.type_name())))
        }
    }
}

pub(super) fn number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

/// `doc_count` and the aggregations below a bucket.
pub(super) fn write_bucket(
    aggregation: &Aggregation,
    bucket: Bucket,
    formats: &Formats<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), EsError> {
    body.insert("doc_count".to_string(), bucket.count.into());
    body.extend(write(&aggregation.children, bucket.children, formats)?);
    Ok(())
}

fn write_terms(
    aggregation: &Aggregation,
    terms: &Terms,
    partial: Partial,
    formats: &Formats<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), EsError> {
    let Partial::Keyed(buckets) = partial else {
        return Ok(());
    };
    let format = formats.of(&terms.values)?;
    let found = buckets.len();
    let mut buckets: Vec<(Key, Bucket)> =
        buckets.into_iter().filter(|(_, bucket)| bucket.count >= terms.min_doc_count).collect();
    let mut other = 0;
    if buckets.len() > terms.size {
        buckets.select_nth_unstable_by(terms.size, |left, right| {
            compare(aggregation, &terms.order, left, right)
        });
        other = buckets.drain(terms.size..).map(|(_, bucket)| bucket.count).sum();
    }
    buckets.sort_by(|left, right| compare(aggregation, &terms.order, left, right));
    formats.add_buckets(buckets.len())?;
    // Elasticsearch says -1, unknown, where each shard sends only some buckets in an order that they cannot judge.
    let by_key = terms.order.first().is_some_and(|order| order.by == OrderBy::Key);
    let by_count = terms.order.first().is_some_and(|order| order.by == OrderBy::Count && order.descending);
    let shard_size = terms.shard_size.unwrap_or(terms.size + terms.size / 2 + 10).max(terms.size);
    let error = if by_key || by_count || found < shard_size { 0 } else { -1 };
    body.insert("doc_count_error_upper_bound".to_string(), error.into());
    body.insert("sum_other_doc_count".to_string(), u64::into(other));
    let mut list = Vec::with_capacity(buckets.len());
    for (key, bucket) in buckets {
        let mut entry = Map::new();
        let (key, text) = shown_key(&key, &format);
        entry.insert("key".to_string(), key);
        if let Some(text) = text {
            entry.insert("key_as_string".to_string(), text.into());
        }
        entry.insert("doc_count".to_string(), bucket.count.into());
        if terms.show_error {
            entry.insert("doc_count_error_upper_bound".to_string(), 0.into());
        }
        entry.extend(write(&aggregation.children, bucket.children, formats)?);
        list.push(Value::Object(entry));
    }
    body.insert("buckets".to_string(), Value::Array(list));
    Ok(())
}

fn shown_key(key: &Key, format: &Format) -> (Value, Option<String>) {
    match key {
        Key::Integer(number) => {
            ((*number).into(), format.text(*number as f64).map(|text| exact(*number, format, text)))
        }
        Key::Float(bits) => (u64_to_f64(*bits).into(), None),
        Key::Text(text) => (text.as_ref().into(), None),
        Key::Ip(address) => (shown_address(address).into(), None),
    }
}

/// Milliseconds beyond 2^53 are not exact as floating-point numbers.
fn exact(number: i64, format: &Format, text: String) -> String {
    match format {
        Format::Date(format) => format.format(number),
        _ => text,
    }
}

fn shown_address(address: &std::net::Ipv6Addr) -> String {
    match address.to_ipv4_mapped() {
        Some(address) => address.to_string(),
        None => address.to_string(),
    }
}

pub(super) fn compare(
    aggregation: &Aggregation,
    orders: &[Order],
    left: &(Key, Bucket),
    right: &(Key, Bucket),
) -> Ordering {
    for order in orders {
        let compared = match &order.by {
            OrderBy::Count => left.1.count.cmp(&right.1.count),
            OrderBy::Key => left.0.cmp(&right.0),
            OrderBy::Metric { path, number } => {
                let left = metric(aggregation, &left.1, path, number.as_deref());
                let right = metric(aggregation, &right.1, path, number.as_deref());
                match (left.is_nan(), right.is_nan()) {
                    (false, false) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
                    // Buckets without the metric are last, whatever the direction.
                    (missing_left, missing_right) => match missing_left.cmp(&missing_right) {
                        Ordering::Equal => Ordering::Equal,
                        other => return other,
                    },
                }
            }
        };
        let compared = if order.descending { compared.reverse() } else { compared };
        if compared != Ordering::Equal {
            return compared;
        }
    }
    left.0.cmp(&right.0)
}

/// The number that buckets are ordered by; NaN where there is none.
fn metric(aggregation: &Aggregation, bucket: &Bucket, path: &[String], wanted: Option<&str>) -> f64 {
    let Some((name, rest)) = path.split_first() else {
        return f64::NAN;
    };
    let found = aggregation.children.iter().zip(&bucket.children).find(|(child, _)| child.name == *name);
    let Some((child, partial)) = found else {
        return f64::NAN;
    };
    match (&child.kind, partial) {
        (_, Partial::Fixed(buckets)) => match (buckets.first(), rest.is_empty()) {
            (Some(bucket), true) => bucket.count as f64,
            (Some(bucket), false) => metric(child, bucket, rest, wanted),
            (None, _) => f64::NAN,
        },
        (Kind::Metric(metric, _), Partial::Stats(stats)) => {
            let name = match metric {
                Metric::Stats | Metric::ExtendedStats(_) => wanted.unwrap_or("avg"),
                simple => simple.name(),
            };
            let sigma =
                if let Metric::ExtendedStats(sigma) = metric { f64::from(*sigma) / 1000.0 } else { 2.0 };
            statistic(name, stats, sigma)
        }
        (Kind::Cardinality { .. }, Partial::Distinct(distinct)) => distinct.count() as f64,
        (Kind::Percentiles { .. }, Partial::Digest(digest)) => {
            let percent = wanted.and_then(|text| text.parse::<f64>().ok());
            percent.and_then(|percent| digest.clone().quantile(percent / 100.0)).unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

fn write_ranges(
    aggregation: &Aggregation,
    ranges: &Ranges,
    buckets: Vec<Bucket>,
    formats: &Formats<'_>,
) -> Result<Value, EsError> {
    let format = match (formats.of(&ranges.values)?, ranges.dates) {
        (Format::Plain, true) => Format::Date(Arc::new(DateFormat::new(
            ranges.values.format.as_deref().unwrap_or(DEFAULT_FORMAT),
        )?)),
        (format, _) => format,
    };
    let shard = formats.shards.first();
    let values = shard
        .map(|_| {
            let holder =
                formats.shards.iter().find(|shard| shard.mapping.get(&ranges.values.field).is_some());
            holder.map(|shard| {
                super::source::ValuesOf::new(&ranges.values, shard, aggregation.kind.type_name())
            })
        })
        .unwrap_or(None)
        .transpose()?;
    let bounds = super::fixed::bounds(ranges, values.as_ref(), &aggregation.name, formats.now)?;
    let mut rows: Vec<_> = ranges.ranges.iter().zip(bounds).zip(buckets).collect();
    rows.sort_by(|((_, left), _), ((_, right), _)| {
        left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1))
    });
    formats.add_buckets(rows.len())?;
    let (mut list, mut object) = (Vec::new(), Map::new());
    for ((range, (from, to)), bucket) in rows {
        let shown = |bound: f64| match (bound.is_finite(), format.text(bound)) {
            (false, _) => "*".to_string(),
            (true, Some(text)) => text,
            (true, None) => java_double(bound),
        };
        let key = range.key.clone().unwrap_or_else(|| format!("{}-{}", shown(from), shown(to)));
        let mut entry = Map::new();
        if !ranges.keyed {
            entry.insert("key".to_string(), key.clone().into());
        }
        for (name, bound) in [("from", from), ("to", to)] {
            if bound.is_finite() {
                entry.insert(name.to_string(), bound.into());
                if let Some(text) = format.text(bound) {
                    entry.insert(format!("{name}_as_string"), text.into());
                }
            }
        }
        write_bucket(aggregation, bucket, formats, &mut entry)?;
        if ranges.keyed {
            object.insert(key, Value::Object(entry));
        } else {
            list.push(Value::Object(entry));
        }
    }
    Ok(if ranges.keyed { Value::Object(object) } else { Value::Array(list) })
}

fn write_filters(
    aggregation: &Aggregation,
    filters: &Filters,
    buckets: Vec<Bucket>,
    formats: &Formats<'_>,
    body: &mut Map<String, Value>,
) -> Result<(), EsError> {
    formats.add_buckets(buckets.len())?;
    let mut written = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        let mut entry = Map::new();
        write_bucket(aggregation, bucket, formats, &mut entry)?;
        written.push(entry);
    }
    match &filters.shape {
        FiltersShape::Single => body.extend(written.into_iter().next().unwrap_or_default()),
        FiltersShape::List => {
            body.insert("buckets".to_string(), written.into_iter().map(Value::Object).collect());
        }
        FiltersShape::Named(names) => {
            let named: Map<String, Value> =
                names.iter().cloned().zip(written.into_iter().map(Value::Object)).collect();
            body.insert("buckets".to_string(), Value::Object(named));
        }
    }
    Ok(())
}

/// A number as Java writes it: `10.0`, `1.0E7`.
pub(super) fn java_double(value: f64) -> String {
    if value == 0.0 || (1e-3..1e7).contains(&value.abs()) || !value.is_finite() {
        return format!("{value:?}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => format!("{digits}E{exponent}"),
        Some((digits, exponent)) => format!("{digits}.0E{exponent}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_java() {
        for (value, text) in [
            (10.0, "10.0"),
            (0.0, "0.0"),
            (-2.5, "-2.5"),
            (99.9, "99.9"),
            (1e7, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (0.0001, "1.0E-4"),
        ] {
            assert_eq!(java_double(value), text);
        }
    }
}
