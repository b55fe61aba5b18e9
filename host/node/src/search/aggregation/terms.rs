//! A bucket for each value of a field.

use super::collect::{Budget, Collector};
use super::request::Terms;
use super::source::{Source, Stand, each, is_multivalued};
use super::table::{Once, Table};
use super::tree::{Bucket, Key, Partial};
use crate::error::EsError;
use std::collections::HashMap;
use std::net::Ipv6Addr;
use tantivy::{DocId, f64_to_u64};

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

impl Collector for TermsCollector {
    fn collect(&mut self, documents: &[DocId], owners: &[u32]) -> Result<(), EsError> {
        let table = &mut self.table;
        let mut once = Once::default();
        let mut count = |several: bool, owner, document, value| {
            if !several || once.is_new(document, owner, value) {
                table.count(owner, document, value);
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
