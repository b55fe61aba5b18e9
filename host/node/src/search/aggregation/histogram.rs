//! Buckets of the same width, or of the same time.

use super::collect::{Budget, Collector};
use super::interval::Interval;
use super::request::{DateHistogram, Histogram};
use super::source::{Source, each, is_multivalued};
use super::table::{Once, Table};
use super::tree::{Key, Partial};
use crate::error::EsError;
use std::collections::HashMap;
use tantivy::{DocId, f64_to_u64, u64_to_f64};

/// Buckets of the same width, or of the same time.
pub struct HistogramCollector {
    table: Table,
    source: Source,
    missing: Option<f64>,
    width: Width,
}

enum Width {
    Number { interval: f64, offset: f64 },
    Time { interval: Interval, offset: i64, start: i64, end: i64 },
}

impl HistogramCollector {
    /// Buckets of numbers; a key is the number of the bucket from `offset` on.
    pub fn numbers(
        histogram: &Histogram,
        source: Source,
        missing: Option<f64>,
        children: Vec<Box<dyn Collector>>,
        budget: Budget,
    ) -> Self {
        let width = Width::Number { interval: histogram.interval, offset: histogram.offset };
        HistogramCollector { table: Table::new(None, children, budget), source, missing, width }
    }

    /// Buckets of time; a key is the first millisecond.
    pub fn dates(
        histogram: &DateHistogram,
        source: Source,
        missing: Option<f64>,
        children: Vec<Box<dyn Collector>>,
        budget: Budget,
    ) -> Self {
        let interval = histogram.interval.unwrap_or(Interval::Fixed(1));
        let width = Width::Time { interval, offset: histogram.offset, start: 0, end: 0 };
        HistogramCollector { table: Table::new(None, children, budget), source, missing, width }
    }
}

impl Collector for HistogramCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let table = &mut self.table;
        let mut once = Once::default();
        let several = match &self.source {
            Source::Integer(column) => is_multivalued(column),
            Source::Float(column) => is_multivalued(column),
            Source::Boolean(column) => is_multivalued(column),
            _ => false,
        };
        let mut count = |owner, document, value| {
            if !several || once.is_new(document, owner, value) {
                table.count(owner, document, value);
            }
        };
        match &mut self.width {
            Width::Number { interval, offset } => {
                self.source.numbers(documents, owners, self.missing, |owner, document, value| {
                    let place = floor((value - *offset) / *interval);
                    count(owner, document, f64_to_u64(place + 0.0));
                });
            }
            Width::Time { interval, offset, start, end } => {
                let mut time = |owner, document, value: i64| {
                    // Neighbours are often of the same bucket.
                    if value < *start || value >= *end {
                        *start = interval.floor(value.saturating_sub(*offset)).saturating_add(*offset);
                        *end = interval.next(start.saturating_sub(*offset)).saturating_add(*offset);
                    }
                    count(owner, document, *start as u64);
                };
                match &self.source {
                    Source::Integer(column) => {
                        let missing = self.missing.map(|missing| missing as i64);
                        each(column, documents, owners, missing, |value| value, time);
                    }
                    source => source.numbers(documents, owners, self.missing, |owner, document, value| {
                        time(owner, document, value.floor() as i64);
                    }),
                }
            }
        }
        self.table.pass_on()
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        let buckets = self.table.below(owner);
        let mut keyed = HashMap::with_capacity(buckets.len());
        for bucket in buckets {
            let value = self.table.ids[bucket as usize].1;
            let key = match self.width {
                Width::Number { .. } => Key::Float(value),
                Width::Time { .. } => Key::Integer(value as i64),
            };
            keyed.insert(key, self.table.harvest(bucket)?);
        }
        Ok(Partial::Keyed(keyed))
    }
}

/// The number that stands for a bucket of a histogram as its key is shown.
pub fn histogram_key(place: u64, histogram: &Histogram) -> f64 {
    u64_to_f64(place) * histogram.interval + histogram.offset
}

/// `number` rounded down. Without the call that `f64::floor` is on processors that have no instruction for it for sure.
fn floor(number: f64) -> f64 {
    const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52: from here on there are no fractions
    if number.abs() >= WHOLE || number.is_nan() {
        return number;
    }
    let cut = number as i64 as f64;
    if cut > number { cut - 1.0 } else { cut }
}

#[cfg(test)]
mod tests {
    use super::floor;

    #[test]
    fn rounding_down_agrees_with_the_standard_library() {
        for number in [0.0, 0.5, -0.5, 1.0, -1.0, -1.5, 1e15 + 0.5, -1e15 - 0.5, 1e300, -1e300, f64::INFINITY]
        {
            assert_eq!(floor(number), number.floor(), "{number}");
        }
    }
}
