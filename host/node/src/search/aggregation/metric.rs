//! Collectors that compute numbers.

use super::collect::Collector;
use super::digest::Digest;
use super::distinct::{Distinct, hash_bits, hash_bytes};
use super::request::Metric;
use super::source::{Source, Stand, each};
use super::tree::{Partial, Stats};
use crate::error::EsError;
use std::collections::HashSet;
use tantivy::DocId;

/// Element `owner` of `states`, which grows as needed.
fn state<S: Default>(states: &mut Vec<S>, owner: u32) -> &mut S {
    let owner = owner as usize;
    if states.len() <= owner {
        states.resize_with(owner + 1, S::default);
    }
    &mut states[owner]
}

/// Sums and extremes.
pub struct StatsCollector {
    metric: Metric,
    source: Source,
    missing: Option<Stand>,
    states: Vec<Stats>,
}

impl StatsCollector {
    /// Collects `metric` over `source`.
    pub fn new(metric: Metric, source: Source, missing: Option<Stand>) -> Self {
        StatsCollector { metric, source, missing, states: Vec::new() }
    }
}

impl Collector for StatsCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let states = &mut self.states;
        if self.metric == Metric::ValueCount {
            for (document, owner) in documents.iter().zip(owners) {
                let count = match self.source.value_count(*document) {
                    0 => u64::from(self.missing.is_some()),
                    count => count,
                };
                state(states, *owner).count += count;
            }
            return Ok(());
        }
        let missing = self.missing.as_ref().and_then(Stand::number);
        let source = &self.source;
        // Each step of a compensated sum waits for the one before: whole numbers are summed as such, and nothing is summed
        // that nobody asked for.
        if let (Source::Integer(column), None) = (source, missing) {
            match self.metric {
                Metric::Average | Metric::Sum => {
                    each(
                        column,
                        documents,
                        owners,
                        None,
                        |value| value,
                        |owner, _, value| {
                            state(states, owner).add_whole(value);
                        },
                    );
                    return Ok(());
                }
                Metric::Stats => {
                    each(
                        column,
                        documents,
                        owners,
                        None,
                        |value| value,
                        |owner, _, value| {
                            let stats = state(states, owner);
                            stats.add_whole(value);
                            stats.stretch(value as f64);
                        },
                    );
                    return Ok(());
                }
                _ => {}
            }
        }
        match self.metric {
            Metric::Average | Metric::Sum => {
                source.numbers(documents, owners, missing, |owner, _, value| state(states, owner).add(value));
            }
            Metric::Minimum | Metric::Maximum => {
                source.numbers(documents, owners, missing, |owner, _, value| {
                    let stats = state(states, owner);
                    stats.count += 1;
                    stats.stretch(value);
                })
            }
            Metric::Stats | Metric::ValueCount => {
                source.numbers(documents, owners, missing, |owner, _, value| {
                    let stats = state(states, owner);
                    stats.add(value);
                    stats.stretch(value);
                })
            }
            Metric::ExtendedStats(_) => source.numbers(documents, owners, missing, |owner, _, value| {
                let stats = state(states, owner);
                stats.add(value);
                stats.stretch(value);
                stats.squares.add(value * value);
            }),
        }
        Ok(())
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        Ok(Partial::Stats(self.states.get(owner as usize).copied().unwrap_or_default()))
    }
}

/// The distribution of values.
pub struct DigestCollector {
    source: Source,
    missing: Option<f64>,
    states: Vec<Digest>,
}

impl DigestCollector {
    /// Collects the values of `source`.
    pub fn new(source: Source, missing: Option<f64>) -> Self {
        DigestCollector { source, missing, states: Vec::new() }
    }
}

impl Collector for DigestCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let states = &mut self.states;
        self.source
            .numbers(documents, owners, self.missing, |owner, _, value| state(states, owner).insert(value));
        Ok(())
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        Ok(Partial::Digest(self.states.get_mut(owner as usize).map(std::mem::take).unwrap_or_default()))
    }
}

/// Distinct values. Texts are collected by their numbers in the dictionary and looked up once, at the end of the segment.
pub struct DistinctCollector {
    source: Source,
    missing: Option<Stand>,
    threshold: usize,
    numbers: Vec<Numbers>,
    hashes: Vec<Option<Distinct>>,
    /// Whether a document without a value was seen, for each bucket above.
    stands: Vec<bool>,
}

/// Dictionary numbers: a bit for each entry where there is one bucket above, else a set.
enum Numbers {
    Few(HashSet<u64>),
    Bits(Vec<u64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers::Few(HashSet::new())
    }
}

impl DistinctCollector {
    /// Collects the values of `source`; exact up to `threshold`; `top` where there is one bucket above.
    pub fn new(source: Source, missing: Option<Stand>, threshold: usize, top: bool) -> Self {
        let mut numbers = Vec::new();
        if let (true, Source::Text(column)) = (top, &source) {
            numbers.push(Numbers::Bits(vec![0; column.num_terms() / 64 + 1]));
        }
        DistinctCollector { source, missing, threshold, numbers, hashes: Vec::new(), stands: Vec::new() }
    }
}

fn hash_of(stand: &Stand) -> u64 {
    match stand {
        Stand::Integer(number) => hash_bits(*number as u64),
        Stand::Float(number) => hash_bits(number.to_bits()),
        Stand::Text(text) => hash_bytes(text.as_bytes()),
        Stand::Ip(address) => hash_bytes(&address.octets()),
    }
}

impl Collector for DistinctCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        if self.missing.is_some() {
            for (document, owner) in documents.iter().zip(owners) {
                if !self.source.has_value(*document) {
                    *state(&mut self.stands, *owner) = true;
                }
            }
        }
        let (hashes, threshold) = (&mut self.hashes, self.threshold);
        let mut insert = |owner, _, hash| {
            state(hashes, owner).get_or_insert_with(|| Distinct::new(threshold)).insert(hash);
        };
        match &self.source {
            Source::Text(column) => {
                let numbers = &mut self.numbers;
                each(
                    column.ords(),
                    documents,
                    owners,
                    None,
                    |number| number,
                    |owner, _, number| match state(numbers, owner) {
                        Numbers::Few(set) => {
                            set.insert(number);
                        }
                        Numbers::Bits(bits) => bits[number as usize / 64] |= 1 << (number % 64),
                    },
                );
            }
            Source::Integer(column) => {
                each(column, documents, owners, None, |value| hash_bits(value as u64), insert);
            }
            Source::Float(column) => {
                each(column, documents, owners, None, |value| hash_bits((value + 0.0).to_bits()), insert);
            }
            Source::Boolean(column) => {
                each(column, documents, owners, None, |value| hash_bits(u64::from(value)), insert);
            }
            Source::Ip(column) => {
                each(
                    column,
                    documents,
                    owners,
                    None,
                    |value| value,
                    |owner, document, value| {
                        insert(owner, document, hash_bytes(&value.octets()));
                    },
                );
            }
            Source::Nothing => {}
        }
        Ok(())
    }

    fn take(&mut self, owner: u32) -> Result<Partial, EsError> {
        let known = self.hashes.get_mut(owner as usize).and_then(Option::take);
        let mut distinct = known.unwrap_or_else(|| Distinct::new(self.threshold));
        if let (Source::Text(column), Some(numbers)) = (&self.source, self.numbers.get_mut(owner as usize)) {
            let sorted: Vec<u64> = match std::mem::take(numbers) {
                Numbers::Few(set) => {
                    let mut numbers: Vec<u64> = set.into_iter().collect();
                    numbers.sort_unstable();
                    numbers
                }
                Numbers::Bits(bits) => (0_u64..)
                    .zip(bits)
                    .flat_map(|(word, bits)| {
                        (0..64).filter(move |bit| bits & (1 << bit) != 0).map(move |bit| word * 64 + bit)
                    })
                    .collect(),
            };
            column
                .dictionary()
                .sorted_ords_to_term_cb(&sorted, |bytes| distinct.insert(hash_bytes(bytes)))?;
        }
        if let (Some(true), Some(stand)) = (self.stands.get(owner as usize), &self.missing) {
            distinct.insert(hash_of(stand));
        }
        Ok(Partial::Distinct(distinct))
    }
}
