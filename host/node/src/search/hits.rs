//! Finding the best documents.
//!
//! Three ways, from the cheapest:
//!
//! - *in order*: all matches score the same and nothing else is asked for, so the first ones are the best; the rest is at
//!   most counted;
//! - *pruned*: by the score alone, where the total is known or does not matter any more: tantivy passes over blocks of
//!   documents that cannot be good enough;
//! - *in full*: every match is visited, its key compared, and handed to the aggregations.

use super::aggregation::Collection;
use super::order::{KeyReader, KeyValue, Level};
use super::query::compile::Compiled;
use super::request::TotalHits;
use super::top::{Behind, SegmentTop};
use crate::error::EsError;
use crate::mapping::System;
use crate::shard::ShardView;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use tantivy::columnar::Column;
use tantivy::query::{EnableScoring, Scorer, Weight};
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, SegmentReader, TERMINATED};

/// A document found.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Which of the indices searched.
    pub shard: usize,
    /// Segment within the searcher.
    pub segment: u32,
    /// Document within the segment.
    pub document: DocId,
    /// Its score; NaN where none was computed.
    pub score: f32,
    /// Its sequence number, which breaks ties.
    pub sequence: u64,
    /// Its sort keys.
    pub keys: Vec<KeyValue>,
}

/// How many documents match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// The number.
    pub value: usize,
    /// Whether there are no more.
    pub exact: bool,
}

/// Where the next page begins.
#[derive(Debug, Clone)]
pub enum After {
    /// Behind these keys; with the index and sequence number of a hit, behind that very hit.
    Keys(Vec<KeyValue>, Option<(usize, u64)>),
    /// For hits in order of the index: the next document of each segment of each index.
    Documents(Vec<Vec<DocId>>),
}

/// What to find.
pub struct Search<'s> {
    /// The indices.
    pub shards: &'s [ShardView],
    /// The query for each index.
    pub queries: &'s [Compiled],
    /// The order for each index; the first level of a search by score is the score.
    pub levels: &'s [Vec<Level>],
    /// Whether the order is by score alone, best first.
    pub by_score: bool,
    /// Whether the order is that of the index alone.
    pub by_document: bool,
    /// Hits wanted.
    pub count: usize,
    /// Where they begin.
    pub after: Option<&'s After>,
    /// How far to count.
    pub total_hits: TotalHits,
    /// Whether hits need scores although the order does not.
    pub scores: bool,
    /// Lowest score.
    pub min_score: Option<f32>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The best, in order.
    pub hits: Vec<Hit>,
    /// How many match; none where nobody asked.
    pub total: Option<Total>,
    /// The best score of all matches, where scores were computed.
    pub max_score: Option<f32>,
    /// Where hits in order of the index go on.
    pub next: Option<Vec<Vec<DocId>>>,
}

impl Search<'_> {
    /// Finds the best documents, and hands every match to `collections`, one for each index, if there are any.
    ///
    /// # Errors
    /// Where the index cannot be read, or an aggregation has too many buckets.
    pub fn run(&self, collections: Option<&mut [Collection<'_>]>) -> Result<Found, EsError> {
        if let Some(score) = self.same_score() {
            return self.in_order(score, collections);
        }
        self.by_key(collections)
    }

    /// The score of all matches, where order and score are settled without looking at any.
    fn same_score(&self) -> Option<f32> {
        let plain = self.by_score || self.by_document;
        if !plain || self.min_score.is_some() || matches!(self.after, Some(After::Keys(..))) {
            return None;
        }
        if self.by_document && !self.scores {
            return Some(f32::NAN);
        }
        let first = self.queries.first()?.constant_score?;
        self.queries.iter().all(|query| query.constant_score == Some(first)).then_some(first)
    }

    fn needs_scores(&self) -> bool {
        let level = self.count > 0 && self.levels.iter().flatten().any(Level::is_score);
        level || self.scores || self.min_score.is_some()
    }

    fn weight(&self, shard: usize, scoring: bool) -> Result<Box<dyn Weight>, EsError> {
        let searcher = &self.shards[shard].searcher;
        let scoring = if scoring {
            EnableScoring::enabled_from_searcher(searcher)
        } else {
            EnableScoring::disabled_from_searcher(searcher)
        };
        Ok(self.queries[shard].query.weight(scoring)?)
    }

    fn in_order(&self, score: f32, mut collections: Option<&mut [Collection<'_>]>) -> Result<Found, EsError> {
        let mut found = Found { hits: Vec::new(), total: None, max_score: None, next: None };
        let mut counter = Counter::new(self.total_hits);
        let mut positions = Vec::with_capacity(self.shards.len());
        for shard in 0..self.shards.len() {
            let weight = self.weight(shard, false)?;
            let from = match self.after {
                Some(After::Documents(positions)) => positions.get(shard).map(Vec::as_slice),
                _ => None,
            };
            positions.push(self.first_of_shard(shard, weight.as_ref(), from, score, &mut found.hits)?);
            let segments = self.shards[shard].searcher.segment_readers();
            for (number, segment) in segments.iter().enumerate() {
                if let Some(collections) = &mut collections {
                    collections[shard].open(number)?;
                    let collection = &mut collections[shard];
                    visit(weight.as_ref(), segment, false, &mut |documents, _| {
                        counter.add(documents.len());
                        collection.collect(documents)
                    })?;
                    collections[shard].close()?;
                } else if counter.wants_more() {
                    if self.queries[shard].counts_cheaply {
                        counter.add(weight.count(segment)? as usize);
                    } else {
                        counter.count(weight.as_ref(), segment)?;
                    }
                }
            }
        }
        found.total = counter.total();
        found.max_score = found.hits.first().map(|_| score).filter(|score| !score.is_nan());
        found.next = Some(positions);
        Ok(found)
    }

    /// Adds the first matches of an index to `hits` until there are enough: the segments are merged by sequence number,
    /// so that documents come as they were indexed. Gives where each segment goes on.
    fn first_of_shard(
        &self,
        shard: usize,
        weight: &dyn Weight,
        from: Option<&[DocId]>,
        score: f32,
        hits: &mut Vec<Hit>,
    ) -> Result<Vec<DocId>, EsError> {
        let segments = self.shards[shard].searcher.segment_readers();
        let mut positions: Vec<DocId> = (0..segments.len())
            .map(|number| from.and_then(|from| from.get(number).copied()).unwrap_or(0))
            .collect();
        if hits.len() >= self.count {
            return Ok(positions);
        }
        let mut streams = Vec::with_capacity(segments.len());
        let mut heads = BinaryHeap::with_capacity(segments.len());
        let mut base = 0;
        for (number, segment) in segments.iter().enumerate() {
            let mut stream = Stream {
                scorer: weight.scorer(segment, 1.0)?,
                segment,
                sequences: sequences(segment)?,
                readers: self.levels[shard]
                    .iter()
                    .map(|level| level.reader(segment, base))
                    .collect::<Result<_, _>>()?,
            };
            base += u64::from(segment.max_doc());
            if positions[number] > stream.scorer.doc() {
                stream.scorer.seek(positions[number]);
            }
            if let Some(sequence) = stream.head() {
                heads.push(std::cmp::Reverse((sequence, number)));
            } else {
                positions[number] = TERMINATED;
            }
            streams.push(stream);
        }
        while hits.len() < self.count {
            let Some(std::cmp::Reverse((sequence, number))) = heads.pop() else {
                break;
            };
            let stream = &mut streams[number];
            let document = stream.scorer.doc();
            let mut keys = Vec::with_capacity(stream.readers.len());
            for reader in &stream.readers {
                keys.push(reader.value(reader.key(document, score))?);
            }
            hits.push(Hit { shard, segment: number as u32, document, score, sequence, keys });
            stream.scorer.advance();
            if let Some(sequence) = stream.head() {
                heads.push(std::cmp::Reverse((sequence, number)));
            }
            positions[number] = stream.scorer.doc();
        }
        Ok(positions)
    }

    fn by_key(&self, mut collections: Option<&mut [Collection<'_>]>) -> Result<Found, EsError> {
        let scoring = self.needs_scores();
        let prunable = self.by_score
            && self.count > 0
            && self.min_score.is_none()
            && self.after.is_none()
            && collections.is_none();
        let mut counter = Counter::new(self.total_hits);
        let mut max_score = f32::NEG_INFINITY;
        let mut hits: Vec<Hit> = Vec::new();
        for shard in 0..self.shards.len() {
            let weight = self.weight(shard, scoring)?;
            let mut base = 0;
            for (number, segment) in self.shards[shard].searcher.segment_readers().iter().enumerate() {
                let mut top = self.open(shard, number, segment, base)?;
                base += u64::from(segment.max_doc());
                let cheap = prunable && self.queries[shard].counts_cheaply;
                if prunable && (cheap || !counter.wants_more()) {
                    if cheap && counter.wants_more() {
                        counter.add(weight.count(segment)? as usize);
                    }
                    // Equal scores may still win by their sequence number.
                    let enough = (hits.len() >= self.count).then(|| hits[self.count - 1].score.next_down());
                    top.prune(weight.as_ref(), segment, enough.unwrap_or(f32::NEG_INFINITY))?;
                } else if self.count == 0 && collections.is_none() && self.min_score.is_none() {
                    if counter.wants_more() {
                        counter.count(weight.as_ref(), segment)?;
                    }
                } else {
                    if let Some(collections) = &mut collections {
                        collections[shard].open(number)?;
                    }
                    let mut collection =
                        collections.as_deref_mut().map(|collections| &mut collections[shard]);
                    let mut kept = Vec::new();
                    visit(weight.as_ref(), segment, scoring, &mut |documents, scores| {
                        let (mut documents, mut scores) = (documents, scores);
                        let mut kept_scores = Vec::new();
                        if let Some(least) = self.min_score {
                            kept.clear();
                            for (document, score) in documents.iter().zip(scores) {
                                if *score >= least {
                                    kept.push(*document);
                                    kept_scores.push(*score);
                                }
                            }
                            (documents, scores) = (&kept, &kept_scores);
                        }
                        counter.add(documents.len());
                        for score in scores {
                            max_score = max_score.max(*score);
                        }
                        top.offer_all(documents, scores);
                        match &mut collection {
                            Some(collection) => collection.collect(documents),
                            None => Ok(()),
                        }
                    })?;
                    if let Some(collection) = collection {
                        collection.close()?;
                    }
                }
                top.finish(&mut hits)?;
                self.keep_best(&mut hits);
            }
        }
        if prunable {
            max_score = hits.first().map_or(max_score, |hit| hit.score);
        }
        let max_score = (scoring && max_score.is_finite()).then_some(max_score);
        Ok(Found { hits, total: counter.total(), max_score, next: None })
    }

    /// Sorts `hits` and drops what is too much.
    fn keep_best(&self, hits: &mut Vec<Hit>) {
        let levels = &self.levels[0];
        hits.sort_by(|left, right| {
            for (level, (left, right)) in levels.iter().zip(left.keys.iter().zip(&right.keys)) {
                let order = level.compare(left, right);
                if order != Ordering::Equal {
                    return order;
                }
            }
            (left.shard, left.sequence).cmp(&(right.shard, right.sequence))
        });
        hits.truncate(self.count);
    }

    fn open(
        &self,
        shard: usize,
        number: usize,
        segment: &SegmentReader,
        base: u64,
    ) -> Result<SegmentTop, EsError> {
        let readers = self.levels[shard]
            .iter()
            .map(|level| level.reader(segment, base))
            .collect::<Result<Vec<_>, _>>()?;
        let after = match self.after {
            Some(After::Keys(keys, tie)) => {
                let places = readers.iter().zip(keys).map(|(reader, key)| reader.place(key));
                // Among equal keys those of earlier indices are all before, those of later ones all behind.
                let tie = tie.map(|(of, sequence)| match shard.cmp(&of) {
                    Ordering::Less => u64::MAX,
                    Ordering::Equal => sequence,
                    Ordering::Greater => 0,
                });
                let open = matches!(self.after, Some(After::Keys(_, Some((of, _)))) if shard > *of);
                Some(Behind { places: places.collect::<Result<_, _>>()?, tie, open })
            }
            _ => None,
        };
        Ok(SegmentTop {
            shard,
            segment: number as u32,
            readers,
            sequences: sequences(segment)?,
            count: self.count,
            after,
            heap: BinaryHeap::new(),
        })
    }
}

pub(super) fn sequences(segment: &SegmentReader) -> tantivy::Result<Column<u64>> {
    let column = segment.fast_fields().column_opt(System::SEQUENCE_NAME)?;
    Ok(column.unwrap_or_else(|| Column::build_empty_column(segment.max_doc())))
}

/// Takes matches in blocks: documents, and their scores or nothing.
pub type Sink<'s> = dyn FnMut(&[DocId], &[f32]) -> Result<(), EsError> + 's;

/// Calls `sink` with every live match of a segment, in blocks; the scores are empty unless asked for.
///
/// # Errors
/// Where the index cannot be read, or the first error of `sink`.
pub fn visit(
    weight: &dyn Weight,
    segment: &SegmentReader,
    scoring: bool,
    sink: &mut Sink<'_>,
) -> Result<(), EsError> {
    let alive = segment.alive_bitset();
    let mut outcome = Ok(());
    let mut documents = Vec::with_capacity(COLLECT_BLOCK_BUFFER_LEN);
    if scoring {
        let mut scores = Vec::with_capacity(COLLECT_BLOCK_BUFFER_LEN);
        weight.for_each(segment, &mut |document, score| {
            if alive.is_none_or(|alive| alive.is_alive(document)) {
                documents.push(document);
                scores.push(score);
                if documents.len() == COLLECT_BLOCK_BUFFER_LEN {
                    if outcome.is_ok() {
                        outcome = sink(&documents, &scores);
                    }
                    documents.clear();
                    scores.clear();
                }
            }
        })?;
        outcome?;
        return if documents.is_empty() { Ok(()) } else { sink(&documents, &scores) };
    }
    weight.for_each_no_score(segment, &mut |block| {
        if outcome.is_err() || block.is_empty() {
            return;
        }
        outcome = match alive {
            None => sink(block, &[]),
            Some(alive) => {
                documents.clear();
                documents.extend(block.iter().copied().filter(|document| alive.is_alive(*document)));
                sink(&documents, &[])
            }
        };
    })?;
    outcome
}

struct Stream<'s> {
    scorer: Box<dyn Scorer>,
    segment: &'s SegmentReader,
    sequences: Column<u64>,
    readers: Vec<KeyReader>,
}

impl Stream<'_> {
    /// Goes to the next live document, if it does not stand on one, and gives its sequence number.
    fn head(&mut self) -> Option<u64> {
        let mut document = self.scorer.doc();
        while document != TERMINATED && self.segment.is_deleted(document) {
            document = self.scorer.advance();
        }
        (document != TERMINATED).then(|| self.sequences.first(document).unwrap_or(0))
    }
}

/// Counts as far as somebody wants to know.
struct Counter {
    wanted: TotalHits,
    count: usize,
}

impl Counter {
    fn new(wanted: TotalHits) -> Self {
        Counter { wanted, count: 0 }
    }

    fn add(&mut self, count: usize) {
        self.count += count;
    }

    fn wants_more(&self) -> bool {
        match self.wanted {
            TotalHits::Off => false,
            TotalHits::Exact => true,
            TotalHits::Up(threshold) => self.count <= threshold,
        }
    }

    fn count(&mut self, weight: &dyn Weight, segment: &SegmentReader) -> Result<(), EsError> {
        if self.wanted == TotalHits::Exact {
            self.count += weight.count(segment)? as usize;
            return Ok(());
        }
        let mut scorer = weight.scorer(segment, 1.0)?;
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        while self.wants_more() {
            let filled = scorer.fill_buffer(&mut buffer);
            self.count += match segment.alive_bitset() {
                None => filled,
                Some(alive) => buffer[..filled].iter().filter(|document| alive.is_alive(**document)).count(),
            };
            if filled < buffer.len() {
                break;
            }
        }
        Ok(())
    }

    fn total(&self) -> Option<Total> {
        match self.wanted {
            TotalHits::Off => None,
            TotalHits::Exact => Some(Total { value: self.count, exact: true }),
            TotalHits::Up(threshold) if self.count > threshold => {
                Some(Total { value: threshold, exact: false })
            }
            TotalHits::Up(_) => Some(Total { value: self.count, exact: true }),
        }
    }
}
