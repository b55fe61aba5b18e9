//! Collectors that sort documents into buckets.

use super::collect::{Budget, Collector};
use super::interval::Interval;
use super::request::{DateHistogram, Histogram, Ranges, Terms};
use super::source::{Source, Stand, ValuesOf, each, is_multivalued};
use super::tree::{Bucket, Key, Partial};
use crate::error::EsError;
use crate::mapping::date::{DEFAULT_FORMAT, DateFormat};
use crate::search::json;
use crate::search::query::date_math;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::net::Ipv6Addr;
use std::sync::Arc;
use tantivy::query::Scorer;
use tantivy::{DocId, TERMINATED, f64_to_u64, u64_to_f64};

/// Hashes numbers by one multiplication: the keys are a bucket's number and a value, from nobody who could attack them.
#[derive(Debug, Default, Clone, Copy)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(u64::from(value));
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517C_C1B7_2722_0A95);
    }
}

type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Numbers the buckets of one aggregation in one segment; a bucket is a value below a bucket above.
struct Table {
    /// For each dictionary entry its bucket, where there is only one bucket above.
    dense: Option<Vec<u32>>,
    index: NumberMap<(u32, u64), u32>,
    /// Bucket above and value of each bucket.
    ids: Vec<(u32, u64)>,
    counts: Vec<u64>,
    children: Vec<Box<dyn Collector>>,
    /// Documents and buckets to hand to the children.
    documents: Vec<DocId>,
    owners: Vec<u32>,
    by_owner: Option<Vec<Vec<u32>>>,
    budget: Budget,
}

const NO_BUCKET: u32 = u32::MAX;

impl Table {
    fn new(entries: Option<usize>, children: Vec<Box<dyn Collector>>, budget: Budget) -> Self {
        Table {
            dense: entries.map(|entries| vec![NO_BUCKET; entries]),
            index: NumberMap::default(),
            ids: Vec::new(),
            counts: Vec::new(),
            children,
            documents: Vec::new(),
            owners: Vec::new(),
            by_owner: None,
            budget,
        }
    }

    fn bucket(&mut self, owner: u32, value: u64) -> Result<u32, EsError> {
        let next = self.ids.len() as u32;
        let bucket = match &mut self.dense {
            Some(dense) => {
                let bucket = &mut dense[value as usize];
                if *bucket != NO_BUCKET {
                    return Ok(*bucket);
                }
                *bucket = next;
                next
            }
            None => *self.index.entry((owner, value)).or_insert(next),
        };
        if bucket == next {
            self.budget.spend()?;
            self.ids.push((owner, value));
            self.counts.push(0);
        }
        Ok(bucket)
    }

    fn count(&mut self, owner: u32, document: DocId, value: u64) -> Result<(), EsError> {
        let bucket = self.bucket(owner, value)?;
        self.counts[bucket as usize] += 1;
        if !self.children.is_empty() {
            self.documents.push(document);
            self.owners.push(bucket);
        }
        Ok(())
    }

    /// Hands what came since the last time to the aggregations below.
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

    /// The buckets below `owner`.
    fn below(&mut self, owner: u32) -> Vec<u32> {
        let ids = &self.ids;
        let by_owner = self.by_owner.get_or_insert_with(|| {
            let mut by_owner: Vec<Vec<u32>> = Vec::new();
            for (bucket, (owner, _)) in ids.iter().enumerate() {
                let owner = *owner as usize;
                if by_owner.len() <= owner {
                    by_owner.resize_with(owner + 1, Vec::new);
                }
                by_owner[owner].push(bucket as u32);
            }
            by_owner
        });
        by_owner.get_mut(owner as usize).map(std::mem::take).unwrap_or_default()
    }

    fn harvest(&mut self, bucket: u32) -> Result<Bucket, EsError> {
        let children = self.children.iter_mut().map(|child| child.take(bucket)).collect::<Result<_, _>>()?;
        Ok(Bucket { count: self.counts[bucket as usize], children })
    }
}

/// A bucket for each value.
pub struct TermsCollector {
    table: Table,
    source: Source,
    missing: Option<Stand>,
    terms: Terms,
    /// Addresses by the number that stands for them in the table.
    addresses: Vec<Ipv6Addr>,
    numbers: HashMap<Ipv6Addr, u64>,
}

impl TermsCollector {
    /// Collects `terms` over `source`; `top` where there is only one bucket above.
    pub fn new(
        terms: &Terms,
        source: Source,
        missing: Option<Stand>,
        children: Vec<Box<dyn Collector>>,
        top: bool,
        budget: Budget,
    ) -> Self {
        let entries = match &source {
            // One more for documents without a value.
            Source::Text(column) if top => Some(column.num_terms() + 1),
            _ => None,
        };
        TermsCollector {
            table: Table::new(entries, children, budget),
            source,
            missing,
            terms: terms.clone(),
            addresses: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn stand_key(&self) -> Option<Key> {
        Some(match self.missing.as_ref()? {
            Stand::Integer(number) => Key::Integer(*number),
            Stand::Float(number) => Key::Float(f64_to_u64(*number)),
            Stand::Text(text) => Key::Text(text.as_str().into()),
            Stand::Ip(address) => Key::Ip(*address),
        })
    }

    fn selected(&self, text: &str) -> bool {
        self.terms.include.as_ref().is_none_or(|selection| selection.has(text))
            && self.terms.exclude.as_ref().is_none_or(|selection| !selection.has(text))
    }

    fn texts(
        &mut self,
        owner: u32,
        buckets: Vec<u32>,
        keyed: &mut HashMap<Key, Bucket>,
    ) -> Result<(), EsError> {
        let Source::Text(column) = self.source.clone() else {
            return Ok(());
        };
        let stand = column.num_terms() as u64;
        let mut numbered: Vec<(u64, u32)> =
            buckets.into_iter().map(|bucket| (self.table.ids[bucket as usize].1, bucket)).collect();
        numbered.sort_unstable();
        if let Some((_, bucket)) = numbered.last().copied().filter(|(number, _)| *number == stand) {
            numbered.pop();
            if let Some(key @ Key::Text(_)) = self.stand_key() {
                keyed.insert(key, self.table.harvest(bucket)?);
            }
        }
        let mut texts = Vec::with_capacity(numbered.len());
        let numbers: Vec<u64> = numbered.iter().map(|(number, _)| *number).collect();
        column.dictionary().sorted_ords_to_term_cb(&numbers, |bytes| {
            texts.push(String::from_utf8_lossy(bytes).into_owned());
        })?;
        for (text, (_, bucket)) in texts.into_iter().zip(numbered) {
            if self.selected(&text) {
                let bucket = self.table.harvest(bucket)?;
                match keyed.entry(Key::Text(text.into())) {
                    // The stand-in may be a value of its own.
                    std::collections::hash_map::Entry::Occupied(mut entry) => {
                        let mut both = Partial::Fixed(vec![entry.get().clone()]);
                        both.merge(Partial::Fixed(vec![bucket]));
                        if let Partial::Fixed(mut merged) = both
                            && let Some(merged) = merged.pop()
                        {
                            entry.insert(merged);
                        }
                    }
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        entry.insert(bucket);
                    }
                }
            }
        }
        if self.terms.min_doc_count == 0 {
            let mut all = column.dictionary().stream()?;
            while all.advance() {
                let text = String::from_utf8_lossy(all.key()).into_owned();
                let key = Key::Text(text.as_str().into());
                if self.selected(&text) && !keyed.contains_key(&key) {
                    let bucket = self.table.bucket_without_documents(owner)?;
                    keyed.insert(key, self.table.harvest(bucket)?);
                }
            }
        }
        Ok(())
    }
}

impl Table {
    /// A bucket of its own that no document is in.
    fn bucket_without_documents(&mut self, owner: u32) -> Result<u32, EsError> {
        self.budget.spend()?;
        self.ids.push((owner, u64::MAX));
        self.counts.push(0);
        Ok((self.ids.len() - 1) as u32)
    }
}

/// Remembers the values of one document, so that each counts once.
#[derive(Default)]
struct Once {
    place: Option<(DocId, u32)>,
    seen: Vec<u64>,
}

impl Once {
    fn is_new(&mut self, document: DocId, owner: u32, value: u64) -> bool {
        if self.place != Some((document, owner)) {
            self.place = Some((document, owner));
            self.seen.clear();
        } else if self.seen.contains(&value) {
            return false;
        }
        self.seen.push(value);
        true
    }
}

impl Collector for TermsCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let table = &mut self.table;
        let mut outcome = Ok(());
        let mut once = Once::default();
        let mut count = |several: bool, owner, document, value| {
            if outcome.is_ok() && (!several || once.is_new(document, owner, value)) {
                outcome = table.count(owner, document, value);
            }
        };
        match &self.source {
            Source::Text(column) => {
                let several = is_multivalued(column.ords());
                let stand = self.missing.as_ref().map(|_| column.num_terms() as u64);
                each(
                    column.ords(),
                    documents,
                    owners,
                    stand,
                    |value| value,
                    |owner, document, value| {
                        count(several, owner, document, value);
                    },
                );
            }
            Source::Integer(column) => {
                let several = is_multivalued(column);
                let stand = match &self.missing {
                    Some(Stand::Integer(number)) => Some(*number as u64),
                    Some(Stand::Float(number)) => Some(*number as i64 as u64),
                    _ => None,
                };
                each(
                    column,
                    documents,
                    owners,
                    stand,
                    |value| value as u64,
                    |owner, document, value| {
                        count(several, owner, document, value);
                    },
                );
            }
            Source::Boolean(column) => {
                let several = is_multivalued(column);
                let stand = match &self.missing {
                    Some(Stand::Integer(number)) => Some(*number as u64),
                    _ => None,
                };
                each(column, documents, owners, stand, u64::from, |owner, document, value| {
                    count(several, owner, document, value);
                });
            }
            Source::Float(column) => {
                let several = is_multivalued(column);
                let stand = self.missing.as_ref().and_then(Stand::number).map(f64_to_u64);
                each(column, documents, owners, stand, f64_to_u64, |owner, document, value| {
                    count(several, owner, document, value);
                });
            }
            Source::Ip(column) => {
                let several = is_multivalued(column);
                let stand = match &self.missing {
                    Some(Stand::Ip(address)) => Some(*address),
                    _ => None,
                };
                let (numbers, addresses) = (&mut self.numbers, &mut self.addresses);
                each(
                    column,
                    documents,
                    owners,
                    stand,
                    |value| value,
                    |owner, document, address| {
                        let number = *numbers.entry(address).or_insert_with(|| {
                            addresses.push(address);
                            addresses.len() as u64 - 1
                        });
                        count(several, owner, document, number);
                    },
                );
            }
            Source::Nothing => {
                if self.missing.is_some() {
                    for (document, owner) in documents.iter().zip(owners) {
                        count(false, *owner, *document, 0);
                    }
                }
            }
        }
        outcome?;
        self.table.pass_on()
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        let buckets = self.table.below(owner);
        let mut keyed = HashMap::with_capacity(buckets.len());
        match &self.source {
            Source::Text(_) => self.texts(owner, buckets, &mut keyed)?,
            Source::Nothing => {
                for bucket in buckets {
                    if let Some(key) = self.stand_key() {
                        keyed.insert(key, self.table.harvest(bucket)?);
                    }
                }
            }
            source => {
                let floats = matches!(source, Source::Float(_));
                let addresses = matches!(source, Source::Ip(_));
                for bucket in buckets {
                    let value = self.table.ids[bucket as usize].1;
                    let key = if floats {
                        Key::Float(value)
                    } else if addresses {
                        Key::Ip(self.addresses[value as usize])
                    } else {
                        Key::Integer(value as i64)
                    };
                    keyed.insert(key, self.table.harvest(bucket)?);
                }
            }
        }
        Ok(Partial::Keyed(keyed))
    }
}

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
        let mut outcome = Ok(());
        let mut once = Once::default();
        let several = match &self.source {
            Source::Integer(column) => is_multivalued(column),
            Source::Float(column) => is_multivalued(column),
            Source::Boolean(column) => is_multivalued(column),
            _ => false,
        };
        let mut count = |owner, document, value| {
            if outcome.is_ok() && (!several || once.is_new(document, owner, value)) {
                outcome = table.count(owner, document, value);
            }
        };
        match &mut self.width {
            Width::Number { interval, offset } => {
                self.source.numbers(documents, owners, self.missing, |owner, document, value| {
                    let place = ((value - *offset) / *interval).floor();
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
        outcome?;
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

/// The number that stands for a bucket of a histogram as its key is shown.
pub fn histogram_key(place: u64, histogram: &Histogram) -> f64 {
    u64_to_f64(place) * histogram.interval + histogram.offset
}
