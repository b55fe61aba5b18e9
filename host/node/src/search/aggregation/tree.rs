//! What a segment found, in a form that can be merged.

use super::digest::Digest;
use super::distinct::Distinct;
use super::request::{Aggregation, Kind};
use std::collections::HashMap;
use std::net::Ipv6Addr;

/// The result of one aggregation so far.
#[derive(Debug, Clone)]
pub enum Partial {
    /// Buckets by key.
    Keyed(HashMap<Key, Bucket>),
    /// A fixed number of buckets.
    Fixed(Vec<Bucket>),
    /// Sums and extremes.
    Stats(Stats),
    /// Distinct values.
    Distinct(Distinct),
    /// The distribution of values.
    Digest(Digest),
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    /// Its documents.
    pub count: u64,
    /// The results of the aggregations below it, in the order of the request.
    pub children: Vec<Partial>,
}

/// What a bucket stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A whole number, date or Boolean.
    Integer(i64),
    /// A number, in tantivy's monotonic mapping to `u64`.
    Float(u64),
    /// A text.
    Text(Box<str>),
    /// An address.
    Ip(Ipv6Addr),
}

/// Sums and extremes of values.
#[derive(Debug, Clone, Copy)]
pub struct Stats {
    /// Number of values.
    pub count: u64,
    /// The sum of those that are not whole numbers of a column.
    pub sum: CompensatedSum,
    /// The sum of those that are: exact, and quicker.
    pub whole: i128,
    /// The sum of their squares.
    pub squares: CompensatedSum,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Default for Stats {
    fn default() -> Self {
        let sum = CompensatedSum::default();
        Stats { count: 0, sum, whole: 0, squares: sum, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Stats {
    /// Adds a value to the sum.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.sum.add(value);
    }

    /// Adds a whole number to the sum.
    pub fn add_whole(&mut self, value: i64) {
        self.count += 1;
        self.whole += i128::from(value);
    }

    /// The sum of all values.
    pub fn total(&self) -> f64 {
        self.sum.value() + self.whole as f64
    }

    /// Adds a value to the extremes.
    pub fn stretch(&mut self, value: f64) {
        self.min = if value < self.min { value } else { self.min };
        self.max = if value > self.max { value } else { self.max };
    }

    fn merge(&mut self, other: &Stats) {
        self.count += other.count;
        self.sum.add(other.sum.value());
        self.whole += other.whole;
        self.squares.add(other.squares.value());
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// A sum that keeps what rounding loses (Kahan), as Elasticsearch's.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompensatedSum {
    value: f64,
    lost: f64,
}

impl CompensatedSum {
    /// Adds a value.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() || !self.value.is_finite() {
            self.value += value;
            return;
        }
        let corrected = value + self.lost;
        let sum = self.value + corrected;
        self.lost = corrected - (sum - self.value);
        self.value = sum;
    }

    /// The sum.
    pub fn value(&self) -> f64 {
        self.value
    }
}

impl Partial {
    /// The result over no documents.
    pub fn empty(aggregation: &Aggregation) -> Self {
        match &aggregation.kind {
            Kind::Terms(_) | Kind::Histogram(_) | Kind::DateHistogram(_) => Partial::Keyed(HashMap::new()),
            Kind::Range(ranges) => Partial::fixed(ranges.ranges.len(), aggregation),
            Kind::Filters(filters) => {
                Partial::fixed(filters.queries.len() + usize::from(filters.other), aggregation)
            }
            Kind::Missing(_) => Partial::fixed(1, aggregation),
            Kind::Metric(..) => Partial::Stats(Stats::default()),
            Kind::Cardinality { precision_threshold, .. } => {
                Partial::Distinct(Distinct::new(*precision_threshold))
            }
            Kind::Percentiles { .. } => Partial::Digest(Digest::default()),
        }
    }

    fn fixed(count: usize, aggregation: &Aggregation) -> Self {
        Partial::Fixed(vec![Bucket::empty(&aggregation.children); count])
    }

    /// Adds the result over other documents.
    pub fn merge(&mut self, other: Partial) {
        match (self, other) {
            (Partial::Keyed(buckets), Partial::Keyed(others)) => {
                if buckets.is_empty() {
                    *buckets = others;
                    return;
                }
                for (key, bucket) in others {
                    match buckets.entry(key) {
                        std::collections::hash_map::Entry::Occupied(mut entry) => {
                            entry.get_mut().merge(bucket)
                        }
                        std::collections::hash_map::Entry::Vacant(entry) => {
                            entry.insert(bucket);
                        }
                    }
                }
            }
            (Partial::Fixed(buckets), Partial::Fixed(others)) => {
                for (bucket, other) in buckets.iter_mut().zip(others) {
                    bucket.merge(other);
                }
            }
            (Partial::Stats(stats), Partial::Stats(other)) => stats.merge(&other),
            (Partial::Distinct(distinct), Partial::Distinct(other)) => distinct.merge(other),
            (Partial::Digest(digest), Partial::Digest(other)) => digest.merge(other),
            // One aggregation has one kind of result.
            _ => {}
        }
    }
}

impl Bucket {
    /// A bucket without documents.
    pub fn empty(children: &[Aggregation]) -> Self {
        Bucket { count: 0, children: children.iter().map(Partial::empty).collect() }
    }

    fn merge(&mut self, other: Bucket) {
        self.count += other.count;
        for (child, other) in self.children.iter_mut().zip(other.children) {
            child.merge(other);
        }
    }
}
