//! What an aggregation asks for.

use super::interval::Interval;
use crate::search::query::Query;
use serde_json::Value;

/// A named aggregation.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregation {
    /// Its name in the answer.
    pub name: String,
    /// What it computes.
    pub kind: Kind,
    /// What is computed for each of its buckets.
    pub children: Vec<Aggregation>,
    /// Given back as it came.
    pub meta: Option<Value>,
}

/// The values that an aggregation takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Path of the field.
    pub field: String,
    /// Stands in for documents without a value.
    pub missing: Option<Value>,
    /// How dates are written, if not as the mapping says.
    pub format: Option<String>,
}

/// The kinds of aggregations.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A bucket for each value.
    Terms(Terms),
    /// Buckets of the same width.
    Histogram(Histogram),
    /// Buckets of the same time.
    DateHistogram(DateHistogram),
    /// A bucket for each range; ranges may overlap.
    Range(Ranges),
    /// A bucket for each query.
    Filters(Filters),
    /// One bucket: documents without a value.
    Missing(Values),
    /// One number, or a few.
    Metric(Metric, Values),
    /// The number of distinct values.
    Cardinality {
        /// The values.
        values: Values,
        /// Up to here the number is exact.
        precision_threshold: usize,
    },
    /// Values below which a share of all lie.
    Percentiles {
        /// The values.
        values: Values,
        /// The shares, in percent.
        percents: Vec<f64>,
        /// Whether the answer is an object, not a list.
        keyed: bool,
    },
}

/// Metrics that a few sums are enough for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Mean.
    Average,
    /// Least value.
    Minimum,
    /// Greatest value.
    Maximum,
    /// Sum.
    Sum,
    /// The four above and the number of values.
    Stats,
    /// Those and variance and standard deviation, `sigma` of which make the bounds; in thousandths.
    ExtendedStats(u32),
    /// Number of values.
    ValueCount,
}

impl Metric {
    /// Its name in a request.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Average => "avg",
            Metric::Minimum => "min",
            Metric::Maximum => "max",
            Metric::Sum => "sum",
            Metric::Stats => "stats",
            Metric::ExtendedStats(_) => "extended_stats",
            Metric::ValueCount => "value_count",
        }
    }
}

/// `terms`.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// The values.
    pub values: Values,
    /// Buckets to answer.
    pub size: usize,
    /// Buckets that Elasticsearch would take from each shard, if given.
    pub shard_size: Option<usize>,
    /// Fewest documents of a bucket.
    pub min_doc_count: u64,
    /// What buckets are ordered by.
    pub order: Vec<Order>,
    /// Values to keep; all if none.
    pub include: Option<Selection>,
    /// Values to leave out.
    pub exclude: Option<Selection>,
    /// Whether each bucket shows its error, which is 0.
    pub show_error: bool,
}

/// Values that `include` or `exclude` name.
#[derive(Debug, Clone)]
pub enum Selection {
    /// These.
    Exactly(Vec<String>),
    /// Those that match as a whole.
    Pattern(regex::Regex),
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Selection::Exactly(left), Selection::Exactly(right)) => left == right,
            (Selection::Pattern(left), Selection::Pattern(right)) => left.as_str() == right.as_str(),
            _ => false,
        }
    }
}

impl Selection {
    /// Whether it names `text`.
    pub fn has(&self, text: &str) -> bool {
        match self {
            Selection::Exactly(texts) => texts.iter().any(|each| each == text),
            Selection::Pattern(regex) => regex.is_match(text),
        }
    }
}

/// One level of the order of buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// What is compared.
    pub by: OrderBy,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// What buckets are ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderBy {
    /// The number of documents.
    Count,
    /// The key.
    Key,
    /// A metric below the bucket, by the names that lead to it, and which of its numbers.
    Metric {
        /// Names of aggregations, the last one the metric.
        path: Vec<String>,
        /// `max` in `price.max`.
        number: Option<String>,
    },
}

/// `histogram`.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The values.
    pub values: Values,
    /// Width of a bucket; 0 where the request has none, which is an error of the shard.
    pub interval: f64,
    /// Where buckets start.
    pub offset: f64,
    /// Fewest documents of a bucket.
    pub min_doc_count: u64,
    /// Whether the answer is an object, not a list.
    pub keyed: bool,
    /// What buckets are ordered by.
    pub order: Vec<Order>,
    /// Empty buckets go from here to here at least.
    pub extended_bounds: Option<(Option<f64>, Option<f64>)>,
}

/// `date_histogram`.
#[derive(Debug, Clone, PartialEq)]
pub struct DateHistogram {
    /// The values.
    pub values: Values,
    /// Time of a bucket; none where the request has none, which is an error of the shard.
    pub interval: Option<Interval>,
    /// Milliseconds by which buckets start later.
    pub offset: i64,
    /// Fewest documents of a bucket.
    pub min_doc_count: u64,
    /// Whether the answer is an object, not a list.
    pub keyed: bool,
    /// What buckets are ordered by.
    pub order: Vec<Order>,
    /// Empty buckets go from here to here at least.
    pub extended_bounds: Option<(Option<Value>, Option<Value>)>,
}

/// `range` and `date_range`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges {
    /// The values.
    pub values: Values,
    /// The ranges as given.
    pub ranges: Vec<RangeOf>,
    /// Whether the answer is an object, not a list.
    pub keyed: bool,
    /// Whether bounds are dates.
    pub dates: bool,
}

/// One range, `from` being part of it, `to` not.
#[derive(Debug, Clone, PartialEq)]
pub struct RangeOf {
    /// Its name, if it has one.
    pub key: Option<String>,
    /// Lower end.
    pub from: Option<Value>,
    /// Upper end.
    pub to: Option<Value>,
}

/// `filter` and `filters`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filters {
    /// The queries.
    pub queries: Vec<Query>,
    /// How the buckets are shown.
    pub shape: FiltersShape,
    /// Whether documents that no query fits have a bucket, the last.
    pub other: bool,
}

/// How the buckets of queries are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiltersShape {
    /// The bucket itself is the answer (`filter`).
    Single,
    /// A list.
    List,
    /// An object, with these names; the last may be that of the other documents.
    Named(Vec<String>),
}

impl Kind {
    /// The type in a request.
    pub fn type_name(&self) -> &'static str {
        match self {
            Kind::Terms(_) => "terms",
            Kind::Histogram(_) => "histogram",
            Kind::DateHistogram(_) => "date_histogram",
            Kind::Range(ranges) if ranges.dates => "date_range",
            Kind::Range(_) => "range",
            Kind::Filters(filters) if filters.shape == FiltersShape::Single => "filter",
            Kind::Filters(_) => "filters",
            Kind::Missing(_) => "missing",
            Kind::Metric(metric, _) => metric.name(),
            Kind::Cardinality { .. } => "cardinality",
            Kind::Percentiles { .. } => "percentiles",
        }
    }

    /// The values it takes; queries take none.
    pub fn values(&self) -> Option<&Values> {
        match self {
            Kind::Terms(terms) => Some(&terms.values),
            Kind::Histogram(histogram) => Some(&histogram.values),
            Kind::DateHistogram(histogram) => Some(&histogram.values),
            Kind::Range(ranges) => Some(&ranges.values),
            Kind::Filters(_) => None,
            Kind::Missing(values) | Kind::Metric(_, values) => Some(values),
            Kind::Cardinality { values, .. } | Kind::Percentiles { values, .. } => Some(values),
        }
    }

    /// Whether it has buckets, and so may have aggregations below it.
    pub fn has_buckets(&self) -> bool {
        !matches!(self, Kind::Metric(..) | Kind::Cardinality { .. } | Kind::Percentiles { .. })
    }
}
