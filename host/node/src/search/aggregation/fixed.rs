//! Buckets whose number is known beforehand: ranges, queries, documents without a value.

use super::collect::Collector;
use super::request::Ranges;
use super::source::{Source, ValuesOf};
use super::table::Once;
use super::tree::{Bucket, Partial};
use crate::error::EsError;
use crate::mapping::date::{DEFAULT_FORMAT, DateFormat};
use crate::search::json;
use crate::search::query::date_math;
use std::sync::Arc;
use tantivy::query::Scorer;
use tantivy::{DocId, TERMINATED};

/// Buckets whose number is fixed: `owner * width + place`.
struct FixedTable {
    width: usize,
    counts: Vec<u64>,
    children: Vec<Box<dyn Collector>>,
    documents: Vec<DocId>,
    owners: Vec<u32>,
}

impl FixedTable {
    fn new(width: usize, children: Vec<Box<dyn Collector>>) -> Self {
        FixedTable { width, counts: Vec::new(), children, documents: Vec::new(), owners: Vec::new() }
    }

    fn count(&mut self, owner: u32, document: DocId, place: usize) {
        let bucket = owner as usize * self.width + place;
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        if !self.children.is_empty() {
            self.documents.push(document);
            self.owners.push(bucket as u32);
        }
    }

    fn pass_on(&mut self) -> Result<(), EsError> {
        if !self.documents.is_empty() {
            for child in &mut self.children {
                child.collect(&self.documents, &self.owners)?;
            }
            self.documents.clear();
            self.owners.clear();
        }
        Ok(())
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        let first = owner as usize * self.width;
        let mut buckets = Vec::with_capacity(self.width);
        for bucket in first..first + self.width {
            let children =
                self.children.iter_mut().map(|child| child.take(bucket as u32)).collect::<Result<_, _>>()?;
            buckets.push(Bucket { count: self.counts.get(bucket).copied().unwrap_or(0), children });
        }
        Ok(Partial::Fixed(buckets))
    }
}

/// A bucket for each range.
pub struct RangeCollector {
    table: FixedTable,
    ranges: Vec<(f64, f64)>,
    source: Source,
    missing: Option<f64>,
}

impl RangeCollector {
    /// Collects into `ranges`, from the first bound on, up to but without the second.
    pub fn new(
        ranges: Vec<(f64, f64)>,
        source: Source,
        missing: Option<f64>,
        children: Vec<Box<dyn Collector>>,
    ) -> Self {
        RangeCollector { table: FixedTable::new(ranges.len(), children), ranges, source, missing }
    }
}

impl Collector for RangeCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let (table, ranges) = (&mut self.table, &self.ranges);
        let mut once = Once::default();
        self.source.numbers(documents, owners, self.missing, |owner, document, value| {
            for (place, (from, to)) in ranges.iter().enumerate() {
                if *from <= value && value < *to && once.is_new(document, owner, place as u64) {
                    table.count(owner, document, place);
                }
            }
        });
        self.table.pass_on()
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        self.table.take(owner)
    }
}

/// The bounds of ranges as numbers; dates as milliseconds since the epoch.
///
/// # Errors
/// 400 where there is no range, or a bound is no number or date.
pub fn bounds(
    asked: &Ranges,
    values: Option<&ValuesOf<'_>>,
    name: &str,
    now: i64,
) -> Result<Vec<(f64, f64)>, EsError> {
    if asked.ranges.is_empty() {
        return Err(EsError::illegal_argument(format!("No [ranges] specified for the [{name}] aggregation")));
    }
    let field = values.and_then(ValuesOf::field);
    let format = match (&asked.values.format, field) {
        (Some(format), _) => Arc::new(DateFormat::new(format)?),
        (None, Some(field)) => Arc::clone(&field.definition.format),
        (None, None) => Arc::new(DateFormat::new(DEFAULT_FORMAT)?),
    };
    let read = |bound: &serde_json::Value| -> Result<f64, EsError> {
        match (asked.dates, bound.as_str()) {
            (true, Some(text)) => Ok(date_math::milliseconds(text, &format, false, now)? as f64),
            _ => json::float(bound),
        }
    };
    let mut bounds = Vec::with_capacity(asked.ranges.len());
    for range in &asked.ranges {
        let from = range.from.as_ref().map(read).transpose()?.unwrap_or(f64::NEG_INFINITY);
        let to = range.to.as_ref().map(read).transpose()?.unwrap_or(f64::INFINITY);
        bounds.push((from, to));
    }
    Ok(bounds)
}

/// A bucket for each query.
pub struct FilterCollector {
    table: FixedTable,
    scorers: Vec<Box<dyn Scorer>>,
    other: bool,
}

impl FilterCollector {
    /// Collects the documents of each of `scorers`, and where `other` is true those of none.
    pub fn new(scorers: Vec<Box<dyn Scorer>>, other: bool, children: Vec<Box<dyn Collector>>) -> Self {
        let table = FixedTable::new(scorers.len() + usize::from(other), children);
        FilterCollector { table, scorers, other }
    }
}

impl Collector for FilterCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        for (document, owner) in documents.iter().zip(owners) {
            let mut any = false;
            for (place, scorer) in self.scorers.iter_mut().enumerate() {
                // Documents come in order, so a scorer is never behind.
                if scorer.doc() < *document && scorer.doc() != TERMINATED {
                    scorer.seek(*document);
                }
                if scorer.doc() == *document {
                    any = true;
                    self.table.count(*owner, *document, place);
                }
            }
            if self.other && !any {
                self.table.count(*owner, *document, self.scorers.len());
            }
        }
        self.table.pass_on()
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        self.table.take(owner)
    }
}

/// One bucket: documents without a value.
pub struct MissingCollector {
    table: FixedTable,
    source: Source,
    stands: bool,
}

impl MissingCollector {
    /// Collects the documents without a value in `source`; where something `stands` in for none there are no such.
    pub fn new(source: Source, stands: bool, children: Vec<Box<dyn Collector>>) -> Self {
        MissingCollector { table: FixedTable::new(1, children), source, stands }
    }
}

impl Collector for MissingCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        for (document, owner) in documents.iter().zip(owners) {
            if !self.stands && !self.source.has_value(*document) {
                self.table.count(*owner, *document, 0);
            }
        }
        self.table.pass_on()
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        self.table.take(owner)
    }
}
