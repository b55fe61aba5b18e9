//! Numbering the buckets of one aggregation in one segment.

use super::collect::{Budget, Collector};
use super::tree::Bucket;
use crate::error::EsError;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use tantivy::DocId;

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
pub(super) struct Table {
    /// For each dictionary entry its bucket, where there is only one bucket above.
    dense: Option<Vec<u32>>,
    index: NumberMap<(u32, u64), u32>,
    /// Buckets looked up before, at the place that a few bits of their hash give: most documents find theirs here.
    recent: Vec<(u32, u64, u32)>,
    /// Bucket above and value of each bucket.
    pub(super) ids: Vec<(u32, u64)>,
    counts: Vec<u64>,
    children: Vec<Box<dyn Collector>>,
    /// Documents and buckets to hand to the children.
    documents: Vec<DocId>,
    owners: Vec<u32>,
    by_owner: Option<Vec<Vec<u32>>>,
    budget: Budget,
}

const NO_BUCKET: u32 = u32::MAX;
/// A power of two.
const RECENT: usize = 1024;

impl Table {
    pub(super) fn new(entries: Option<usize>, children: Vec<Box<dyn Collector>>, budget: Budget) -> Self {
        Table {
            dense: entries.map(|entries| vec![NO_BUCKET; entries]),
            index: NumberMap::default(),
            recent: vec![(0, 0, NO_BUCKET); if entries.is_some() { 0 } else { RECENT }],
            ids: Vec::new(),
            counts: Vec::new(),
            children,
            documents: Vec::new(),
            owners: Vec::new(),
            by_owner: None,
            budget,
        }
    }

    fn bucket(&mut self, owner: u32, value: u64) -> u32 {
        let next = self.ids.len() as u32;
        let bucket = match &mut self.dense {
            Some(dense) => {
                let bucket = &mut dense[value as usize];
                if *bucket != NO_BUCKET {
                    return *bucket;
                }
                *bucket = next;
                next
            }
            None => {
                let mut hasher = NumberHasher::default();
                hasher.write_u32(owner);
                hasher.write_u64(value);
                let recent = &mut self.recent[hasher.finish() as usize % RECENT];
                if recent.0 == owner && recent.1 == value && recent.2 != NO_BUCKET {
                    return recent.2;
                }
                let bucket = *self.index.entry((owner, value)).or_insert(next);
                *recent = (owner, value, bucket);
                bucket
            }
        };
        if bucket == next {
            self.budget.spend();
            self.ids.push((owner, value));
            self.counts.push(0);
        }
        bucket
    }

    pub(super) fn count(&mut self, owner: u32, document: DocId, value: u64) {
        let bucket = self.bucket(owner, value);
        self.counts[bucket as usize] += 1;
        if !self.children.is_empty() {
            self.documents.push(document);
            self.owners.push(bucket);
        }
    }

    /// Hands what came since the last time to the aggregations below; an error where there are too many buckets.
    pub(super) fn pass_on(&mut self) -> Result<(), EsError> {
        self.budget.check()?;
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
    pub(super) fn below(&mut self, owner: u32) -> Vec<u32> {
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

    pub(super) fn harvest(&mut self, bucket: u32) -> Result<Bucket, EsError> {
        let children = self.children.iter_mut().map(|child| child.take(bucket)).collect::<Result<_, _>>()?;
        Ok(Bucket { count: self.counts[bucket as usize], children })
    }
}

impl Table {
    /// A bucket of its own that no document is in.
    pub(super) fn bucket_without_documents(&mut self, owner: u32) -> Result<u32, EsError> {
        self.budget.spend();
        self.budget.check()?;
        self.ids.push((owner, u64::MAX));
        self.counts.push(0);
        Ok((self.ids.len() - 1) as u32)
    }
}

/// Remembers the values of one document, so that each counts once.
#[derive(Default)]
pub(super) struct Once {
    place: Option<(DocId, u32)>,
    seen: Vec<u64>,
}

impl Once {
    pub(super) fn is_new(&mut self, document: DocId, owner: u32, value: u64) -> bool {
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
