//! Collecting the documents of an index, segment by segment.

use super::fixed::{FilterCollector, MissingCollector, RangeCollector};
use super::histogram::HistogramCollector;
use super::metric::{DigestCollector, DistinctCollector, StatsCollector};
use super::request::{Aggregation, Kind, OrderBy};
use super::source::ValuesOf;
use super::terms::TermsCollector;
use super::tree::Partial;
use crate::error::EsError;
use crate::search::query::compile::Compiler;
use crate::shard::ShardView;
use std::cell::Cell;
use std::rc::Rc;
use tantivy::query::{EnableScoring, Weight};
use tantivy::{DocId, SegmentReader};

/// Buckets that one search may hold in memory before they are merged and cut.
const MOST_BUCKETS_HELD: usize = 5_000_000;

/// Collects one aggregation over one segment, for any number of buckets above it at once.
pub trait Collector {
    /// Takes documents, in order; each belongs to the bucket above of the same place in `owners`.
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError>;

    /// The result for one bucket above. Asked once for each.
    fn take(&mut self, owner: u32) -> Result<Partial, EsError>;
}

/// Counts the buckets of a search.
#[derive(Debug, Clone, Default)]
pub struct Budget(Rc<Cell<usize>>);

impl Budget {
    /// Takes note of one more bucket.
    pub fn spend(&self) {
        self.0.set(self.0.get() + 1);
    }

    /// Whether that is still few enough.
    ///
    /// # Errors
    /// 429 `circuit_breaking_exception` where there are too many.
    pub fn check(&self) -> Result<(), EsError> {
        if self.0.get() > MOST_BUCKETS_HELD {
            let reason = format!("[request] the aggregations need more than {MOST_BUCKETS_HELD} buckets");
            return Err(EsError::new(429, "circuit_breaking_exception", reason));
        }
        Ok(())
    }
}

/// The aggregations of a search over one index.
pub struct Collection<'s> {
    shard: &'s ShardView,
    plans: Vec<Plan<'s>>,
    budget: Budget,
    collectors: Vec<Box<dyn Collector>>,
    owners: Vec<u32>,
    results: Vec<Partial>,
}

/// An aggregation with its field and queries found in one index.
pub struct Plan<'s> {
    /// The aggregation.
    pub aggregation: &'s Aggregation,
    /// Its values.
    pub values: Option<ValuesOf<'s>>,
    /// Its queries.
    pub weights: Vec<Rc<Box<dyn Weight>>>,
    /// Its ranges, `(from, to)`.
    pub ranges: Vec<(f64, f64)>,
    /// The aggregations below.
    pub children: Vec<Plan<'s>>,
}

impl<'s> Collection<'s> {
    /// Prepares `aggregations` for an index.
    ///
    /// # Errors
    /// 400 where a field does not fit its aggregation, 500 where an order names no metric, as in Elasticsearch.
    pub fn new(
        aggregations: &'s [Aggregation],
        compiler: Compiler<'s>,
        budget: Budget,
    ) -> Result<Self, EsError> {
        let plans =
            aggregations.iter().map(|each| Plan::new(each, compiler)).collect::<Result<Vec<_>, _>>()?;
        let results = aggregations.iter().map(Partial::empty).collect();
        Ok(Collection {
            shard: compiler.shard,
            plans,
            budget,
            collectors: Vec::new(),
            owners: Vec::new(),
            results,
        })
    }

    /// Begins segment `number` of the searcher.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn open(&mut self, number: usize) -> Result<(), EsError> {
        let segment = &self.shard.searcher.segment_readers()[number];
        self.collectors =
            self.plans.iter().map(|plan| plan.open(segment, true, &self.budget)).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Takes documents of the segment, in order.
    ///
    /// # Errors
    /// Where there are too many buckets, or the index cannot be read.
    pub fn collect(&mut self, documents: &[DocId]) -> Result<(), EsError> {
        if self.owners.len() < documents.len() {
            self.owners.resize(documents.len(), 0);
        }
        for collector in &mut self.collectors {
            collector.collect(documents, &self.owners[..documents.len()])?;
        }
        Ok(())
    }

    /// Ends the segment.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn close(&mut self) -> Result<(), EsError> {
        for (mut collector, result) in std::mem::take(&mut self.collectors).into_iter().zip(&mut self.results)
        {
            result.merge(collector.take(0)?);
        }
        Ok(())
    }

    /// The results over all segments, in the order of the request.
    pub fn finish(self) -> Vec<Partial> {
        self.results
    }
}

impl<'s> Plan<'s> {
    fn new(aggregation: &'s Aggregation, compiler: Compiler<'s>) -> Result<Self, EsError> {
        let kind = &aggregation.kind;
        let values = kind
            .values()
            .map(|values| ValuesOf::new(values, compiler.shard, kind.type_name()))
            .transpose()?;
        let (mut weights, mut ranges) = (Vec::new(), Vec::new());
        match kind {
            Kind::Filters(filters) => {
                let scoring = EnableScoring::disabled_from_searcher(&compiler.shard.searcher);
                for query in &filters.queries {
                    weights.push(Rc::new(compiler.compile(query)?.query.weight(scoring)?));
                }
            }
            Kind::Range(asked) => {
                ranges = super::fixed::bounds(asked, values.as_ref(), &aggregation.name, compiler.now)?
            }
            Kind::Histogram(histogram) if histogram.interval <= 0.0 => {
                return Err(EsError::illegal_argument("interval must be positive, got: 0.0"));
            }
            Kind::DateHistogram(histogram) if histogram.interval.is_none() => {
                return Err(EsError::illegal_argument(
                    "Invalid interval specified, must be non-null and non-empty",
                ));
            }
            Kind::Terms(terms) => {
                let textual = values
                    .as_ref()
                    .and_then(ValuesOf::field)
                    .is_none_or(|field| field.column().starts_with('k'));
                if !textual && (terms.include.is_some() || terms.exclude.is_some()) {
                    return Err(EsError::unsupported("[include] and [exclude] of numbers"));
                }
                if !textual && terms.min_doc_count == 0 {
                    return Err(EsError::unsupported("[min_doc_count] 0 of terms that are numbers"));
                }
            }
            _ => {}
        }
        for order in match kind {
            Kind::Terms(terms) => terms.order.as_slice(),
            Kind::Histogram(histogram) => histogram.order.as_slice(),
            Kind::DateHistogram(histogram) => histogram.order.as_slice(),
            _ => &[],
        } {
            if let OrderBy::Metric { path, number } = &order.by {
                check_order(&aggregation.children, path, number.as_deref())?;
            }
        }
        let children =
            aggregation.children.iter().map(|child| Plan::new(child, compiler)).collect::<Result<_, _>>()?;
        Ok(Plan { aggregation, values, weights, ranges, children })
    }

    /// Opens the aggregation for a segment; `top` where there is one bucket above, the search itself.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn open(
        &self,
        segment: &SegmentReader,
        top: bool,
        budget: &Budget,
    ) -> Result<Box<dyn Collector>, EsError> {
        let source = self.values.as_ref().map(|values| values.open(segment)).transpose()?;
        let source = source.unwrap_or(super::source::Source::Nothing);
        let missing = self.values.as_ref().and_then(|values| values.missing.clone());
        let children = self
            .children
            .iter()
            .map(|child| child.open(segment, false, budget))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match &self.aggregation.kind {
            Kind::Terms(terms) => {
                Box::new(TermsCollector::new(terms, source, missing, children, top, budget.clone()))
            }
            Kind::Histogram(histogram) => {
                let missing = missing.and_then(|stand| stand.number());
                Box::new(HistogramCollector::numbers(histogram, source, missing, children, budget.clone()))
            }
            Kind::DateHistogram(histogram) => {
                let missing = missing.and_then(|stand| stand.number());
                Box::new(HistogramCollector::dates(histogram, source, missing, children, budget.clone()))
            }
            Kind::Range(_) => {
                let missing = missing.and_then(|stand| stand.number());
                Box::new(RangeCollector::new(self.ranges.clone(), source, missing, children))
            }
            Kind::Filters(filters) => {
                let scorers = self
                    .weights
                    .iter()
                    .map(|weight| weight.scorer(segment, 1.0))
                    .collect::<Result<_, _>>()?;
                Box::new(FilterCollector::new(scorers, filters.other, children))
            }
            Kind::Missing(_) => Box::new(MissingCollector::new(source, missing.is_some(), children)),
            Kind::Metric(metric, _) => Box::new(StatsCollector::new(*metric, source, missing)),
            Kind::Cardinality { precision_threshold, .. } => {
                Box::new(DistinctCollector::new(source, missing, *precision_threshold, top))
            }
            Kind::Percentiles { .. } => {
                Box::new(DigestCollector::new(source, missing.and_then(|stand| stand.number())))
            }
        })
    }
}

/// Refuses orders that name no metric below the bucket.
fn check_order(children: &[Aggregation], path: &[String], number: Option<&str>) -> Result<(), EsError> {
    let whole = match number {
        Some(number) => format!("{}.{number}", path.join(">")),
        None => path.join(">"),
    };
    let wrong = |why: String| {
        let reason = format!("Invalid aggregation order path [{whole}]. {why}");
        Err(EsError::new(500, "aggregation_execution_exception", reason)
            .caused_by(EsError::illegal_argument(why)))
    };
    let mut level = children;
    for (place, name) in path.iter().enumerate() {
        let Some(child) = level.iter().find(|child| child.name == *name) else {
            return wrong(format!(
                "The provided aggregation [{name}] either does not exist, or is a pipeline aggregation and cannot be used \
                 to sort the buckets."
            ));
        };
        let last = place + 1 == path.len();
        match (&child.kind, number) {
            (Kind::Filters(filters), _) if filters.queries.len() == 1 && !filters.other && !last => {}
            (Kind::Missing(_), _) if !last => {}
            (Kind::Filters(_) | Kind::Missing(_), None | Some("doc_count")) if last => {}
            (
                Kind::Metric(super::request::Metric::Stats | super::request::Metric::ExtendedStats(_), _),
                None,
            ) => {
                return wrong(
                    "When ordering on a multi-value metrics aggregation a metric name must be specified."
                        .to_string(),
                );
            }
            (Kind::Percentiles { .. }, None) => {
                return wrong(
                    "When ordering on a multi-value metrics aggregation a metric name must be specified."
                        .to_string(),
                );
            }
            (Kind::Metric(..) | Kind::Cardinality { .. } | Kind::Percentiles { .. }, _) if last => {}
            (other, _) => {
                return wrong(format!(
                    "Buckets can only be sorted on a sub-aggregator path that is built out of zero or more single-bucket \
                     aggregations within the path and a final single-bucket or a metrics aggregation at the path end. \
                     [{name}] of type [{}] is not",
                    other.type_name()
                ));
            }
        }
        level = &child.children;
    }
    Ok(())
}
