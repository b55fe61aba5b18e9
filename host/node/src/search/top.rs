//! The best documents of one segment.

use super::hits::Hit;
use super::order::KeyReader;
use crate::error::EsError;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use tantivy::columnar::Column;
use tantivy::query::Weight;
use tantivy::{DocId, SegmentReader};

/// Keys behind which hits begin, in one segment.
pub(super) struct Behind {
    pub(super) places: Vec<u64>,
    /// The sequence number behind which hits with equal keys begin; none where they are all passed over.
    pub(super) tie: Option<u64>,
    /// Whether all hits with equal keys count.
    pub(super) open: bool,
}

/// The best documents of a segment.
pub(super) struct SegmentTop {
    pub(super) shard: usize,
    pub(super) segment: u32,
    pub(super) readers: Vec<KeyReader>,
    pub(super) sequences: Column<u64>,
    pub(super) count: usize,
    pub(super) after: Option<Behind>,
    /// The worst on top.
    pub(super) heap: BinaryHeap<Entry>,
}

pub(super) struct Entry {
    first: u64,
    rest: Vec<u64>,
    sequence: u64,
    document: DocId,
    score: f32,
}

impl Entry {
    fn order(&self, other: &Self) -> Ordering {
        self.first
            .cmp(&other.first)
            .then_with(|| self.rest.cmp(&other.rest))
            .then_with(|| (self.sequence, self.document).cmp(&(other.sequence, other.document)))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.order(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order(other)
    }
}

impl SegmentTop {
    pub(super) fn offer_all(&mut self, documents: &[DocId], scores: &[f32]) {
        if self.count == 0 {
            return;
        }
        for (index, document) in documents.iter().enumerate() {
            self.offer(*document, scores.get(index).copied().unwrap_or(f32::NAN));
        }
    }

    fn offer(&mut self, document: DocId, score: f32) {
        let Some((first_reader, others)) = self.readers.split_first() else {
            return;
        };
        let first = first_reader.key(document, score);
        let full = self.heap.len() >= self.count;
        if full && self.heap.peek().is_some_and(|worst| first > worst.first) {
            return;
        }
        let rest: Vec<u64> = others.iter().map(|reader| reader.key(document, score)).collect();
        let sequence = self.sequences.first(document).unwrap_or(0);
        let entry = Entry { first, rest, sequence, document, score };
        if self.after.as_ref().is_some_and(|after| !after.is_before(&entry)) {
            return;
        }
        if !full {
            self.heap.push(entry);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && entry < *worst
        {
            *worst = entry;
        }
    }

    /// Takes the best documents of a segment by score alone, passing over blocks that cannot have any.
    pub(super) fn prune(
        &mut self,
        weight: &dyn Weight,
        segment: &SegmentReader,
        enough: f32,
    ) -> Result<(), EsError> {
        let alive = segment.alive_bitset();
        weight.for_each_pruning(enough, segment, &mut |document, score| {
            if alive.is_none_or(|alive| alive.is_alive(document)) {
                self.offer(document, score);
            }
            if self.heap.len() < self.count {
                return enough;
            }
            self.heap.peek().map_or(enough, |worst| worst.score.next_down().max(enough))
        })?;
        Ok(())
    }

    pub(super) fn finish(self, hits: &mut Vec<Hit>) -> Result<(), EsError> {
        for entry in self.heap {
            let mut keys = Vec::with_capacity(self.readers.len());
            for (reader, key) in self.readers.iter().zip(std::iter::once(&entry.first).chain(&entry.rest)) {
                keys.push(reader.value(*key)?);
            }
            hits.push(Hit {
                shard: self.shard,
                segment: self.segment,
                document: entry.document,
                score: entry.score,
                sequence: entry.sequence,
                keys,
            });
        }
        Ok(())
    }
}

impl Behind {
    fn is_before(&self, entry: &Entry) -> bool {
        let keys = std::iter::once(&entry.first).chain(&entry.rest);
        for (place, key) in self.places.iter().zip(keys) {
            match place.cmp(key) {
                Ordering::Less => return true,
                Ordering::Greater => return false,
                Ordering::Equal => {}
            }
        }
        self.open || self.tie.is_some_and(|tie| entry.sequence > tie)
    }
}
