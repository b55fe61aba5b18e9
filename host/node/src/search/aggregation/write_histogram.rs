//! Histograms as JSON: gaps filled, small buckets dropped, in order.

use super::histogram::histogram_key;
use super::interval::Interval;
use super::request::{Aggregation, DateHistogram, Histogram, Order};
use super::tree::{Bucket, Key, Partial};
use super::write::{Format, Formats, MOST_BUCKETS, compare, java_double, write_bucket};
use crate::error::EsError;
use crate::mapping::date::{DEFAULT_FORMAT, DateFormat};
use crate::search::json;
use crate::search::query::date_math;
use serde_json::{Map, Value};
use tantivy::{f64_to_u64, u64_to_f64};

/// How far too many buckets are counted.
const COUNTED_BUCKETS: usize = 10_000_000;

/// Adds empty buckets between `first` and `last` where there are none; `next` gives the key behind another.
fn fill(
    buckets: &mut Vec<(Key, Bucket)>,
    bounds: (Option<Key>, Option<Key>),
    next: impl Fn(&Key) -> Key,
    aggregation: &Aggregation,
    formats: &Formats<'_>,
) -> Result<(), EsError> {
    let first = buckets.first().map(|(key, _)| key.clone());
    let last = buckets.last().map(|(key, _)| key.clone());
    let (Some(first), Some(last)) =
        ([first, bounds.0].into_iter().flatten().min(), [last, bounds.1].into_iter().flatten().max())
    else {
        return Ok(());
    };
    let mut filled = Vec::with_capacity(buckets.len());
    let mut count = 0;
    let mut key = first;
    let mut old = std::mem::take(buckets).into_iter().peekable();
    while key <= last && count < COUNTED_BUCKETS {
        let following = next(&key);
        count += 1;
        // Too many are still counted, for the message, but not made.
        if count <= MOST_BUCKETS {
            match old.next_if(|(old, _)| *old == key) {
                Some(bucket) => filled.push(bucket),
                None => filled.push((key, Bucket::empty(&aggregation.children))),
            }
        }
        key = following;
    }
    if count > MOST_BUCKETS {
        formats.add_buckets(count)?;
    }
    *buckets = filled;
    Ok(())
}

/// Sorts by key, fills gaps or drops small buckets, and orders as asked.
fn arrange(
    aggregation: &Aggregation,
    buckets: &mut Vec<(Key, Bucket)>,
    min_doc_count: u64,
    order: &[Order],
    bounds: (Option<Key>, Option<Key>),
    next: impl Fn(&Key) -> Key,
    formats: &Formats<'_>,
) -> Result<(), EsError> {
    buckets.sort_by(|left, right| left.0.cmp(&right.0));
    if min_doc_count == 0 {
        fill(buckets, bounds, next, aggregation, formats)?;
    } else {
        buckets.retain(|(_, bucket)| bucket.count >= min_doc_count);
    }
    formats.add_buckets(buckets.len())?;
    if !order.is_empty() {
        buckets.sort_by(|left, right| compare(aggregation, order, left, right));
    }
    Ok(())
}

pub(super) fn write_histogram(
    aggregation: &Aggregation,
    histogram: &Histogram,
    partial: Partial,
    formats: &Formats<'_>,
) -> Result<Value, EsError> {
    let Partial::Keyed(buckets) = partial else {
        return Ok(Value::Null);
    };
    let format = formats.of(&histogram.values)?;
    let mut buckets: Vec<(Key, Bucket)> = buckets.into_iter().collect();
    let place = |bound: Option<f64>| {
        bound.map(|bound| {
            Key::Float(f64_to_u64(((bound - histogram.offset) / histogram.interval).floor() + 0.0))
        })
    };
    let bounds =
        histogram.extended_bounds.map_or((None, None), |(least, greatest)| (place(least), place(greatest)));
    let next = |key: &Key| match key {
        Key::Float(bits) => Key::Float(f64_to_u64(u64_to_f64(*bits) + 1.0)),
        other => other.clone(),
    };
    arrange(aggregation, &mut buckets, histogram.min_doc_count, &histogram.order, bounds, next, formats)?;
    let buckets = buckets.into_iter().map(|(key, bucket)| {
        let key = if let Key::Float(bits) = key { histogram_key(bits, histogram) } else { f64::NAN };
        let text = format.text(key);
        (text.clone().unwrap_or_else(|| java_double(key)), text, Value::from(key), bucket)
    });
    write_keyed(aggregation, buckets, histogram.keyed, formats)
}

pub(super) fn write_date_histogram(
    aggregation: &Aggregation,
    histogram: &DateHistogram,
    partial: Partial,
    formats: &Formats<'_>,
) -> Result<Value, EsError> {
    let Partial::Keyed(buckets) = partial else {
        return Ok(Value::Null);
    };
    let format = formats.of(&histogram.values)?;
    let interval = histogram.interval.unwrap_or(Interval::Fixed(1));
    let offset = histogram.offset;
    let mut buckets: Vec<(Key, Bucket)> = buckets.into_iter().collect();
    let bound = |bound: &Option<Value>| -> Result<Option<Key>, EsError> {
        let Some(bound) = bound else {
            return Ok(None);
        };
        let time = match (bound, &format) {
            (Value::String(text), Format::Date(format)) => {
                date_math::milliseconds(text, format, false, formats.now)?
            }
            (Value::String(text), _) => {
                date_math::milliseconds(text, &DateFormat::new(DEFAULT_FORMAT)?, false, formats.now)?
            }
            (other, _) => json::integer(other)?,
        };
        Ok(Some(Key::Integer(interval.floor(time - offset) + offset)))
    };
    let bounds = match &histogram.extended_bounds {
        Some((least, greatest)) => (bound(least)?, bound(greatest)?),
        None => (None, None),
    };
    let next = |key: &Key| match key {
        Key::Integer(start) => Key::Integer(interval.next(start - offset) + offset),
        other => other.clone(),
    };
    arrange(aggregation, &mut buckets, histogram.min_doc_count, &histogram.order, bounds, next, formats)?;
    let buckets = buckets.into_iter().map(|(key, bucket)| {
        let start = if let Key::Integer(start) = key { start } else { 0 };
        let text = match &format {
            Format::Date(format) => Some(format.format(start)),
            _ => None,
        };
        (text.clone().unwrap_or_else(|| start.to_string()), text, Value::from(start), bucket)
    });
    write_keyed(aggregation, buckets, histogram.keyed, formats)
}

/// Buckets as list or object: name, `key_as_string`, `key`.
fn write_keyed(
    aggregation: &Aggregation,
    buckets: impl Iterator<Item = (String, Option<String>, Value, Bucket)>,
    keyed: bool,
    formats: &Formats<'_>,
) -> Result<Value, EsError> {
    let (mut list, mut object) = (Vec::new(), Map::new());
    for (name, text, key, bucket) in buckets {
        let mut entry = Map::new();
        if let Some(text) = text {
            entry.insert("key_as_string".to_string(), text.into());
        }
        entry.insert("key".to_string(), key);
        write_bucket(aggregation, bucket, formats, &mut entry)?;
        if keyed {
            object.insert(name, Value::Object(entry));
        } else {
            list.push(Value::Object(entry));
        }
    }
    Ok(if keyed { Value::Object(object) } else { Value::Array(list) })
}
