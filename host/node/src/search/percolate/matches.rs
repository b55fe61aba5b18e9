//! Which stored queries match.

use super::{memory, stored};
use crate::error::EsError;
use crate::search::query::ast::Percolate;
use crate::search::query::compile::{Compiler, Similarity};
use crate::shard::ShardView;
use std::collections::HashMap;
use std::sync::Arc;
use tantivy::index::SegmentId;
use tantivy::query::{EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

/// A document whose stored query matches.
#[derive(Debug, Clone, PartialEq)]
struct Match {
    document: DocId,
    /// The best score of the query over the documents under percolation.
    score: f32,
    /// Which of these it matches.
    slots: Vec<u32>,
}

/// What a `percolate` found in one index. As a query of tantivy it matches just that, whatever it is boosted by.
#[derive(Debug, Clone)]
pub struct Percolated {
    slot_field: String,
    /// Matches of each segment, by document.
    segments: Arc<HashMap<SegmentId, Arc<[Match]>>>,
}

/// Asks every query stored in `shard` about the documents of `percolate`; `now` is what the word means in them.
///
/// # Errors
/// 400 where the field holds no queries, or a document does not fit the mapping.
pub fn percolate(shard: &ShardView, percolate: &Percolate, now: i64) -> Result<Percolated, EsError> {
    let failed = |reason: String| EsError::new(400, "query_shard_exception", reason);
    let path = &percolate.field;
    let Some(field) = shard.mapping.get(path) else {
        return Err(failed(format!("field [{path}] does not exist")));
    };
    if !field.is_percolator() {
        let kind = field.field_type().name();
        return Err(failed(format!(
            "expected field [{path}] to be of type [percolator], but is of type [{kind}]"
        )));
    }
    let documents = memory::shard(&shard.mapping, &percolate.documents)?;
    let compiler = Compiler { similarity: Similarity::Lucene, ..Compiler::new(&documents, now) };
    let mut segments = HashMap::new();
    // A mapping may have grown since the searcher was opened: then no document has a query yet.
    if (field.field().field_id() as usize) < shard.searcher.schema().num_fields() {
        for (number, reader) in (0..).zip(shard.searcher.segment_readers()) {
            let mut matches = Vec::new();
            for (document, query) in stored::queries(shard, number, field)?.iter() {
                if reader.is_deleted(*document) {
                    continue;
                }
                let compiled = compiler.compile(query)?;
                if let Some((score, slots)) = matching(compiled.query.as_ref(), &documents)? {
                    matches.push(Match { document: *document, score, slots });
                }
            }
            segments.insert(reader.segment_id(), matches.into());
        }
    }
    Ok(Percolated { slot_field: percolate.slot_field(), segments: Arc::new(segments) })
}

/// The best score of `query` over `documents`, and which of them it matches; None where it matches none.
fn matching(query: &dyn Query, documents: &ShardView) -> Result<Option<(f32, Vec<u32>)>, EsError> {
    let weight = query.weight(EnableScoring::enabled_from_searcher(&documents.searcher))?;
    let (mut best, mut slots) = (f32::NEG_INFINITY, Vec::new());
    // All documents are in one segment, in order: the number of a document is its slot.
    for reader in documents.searcher.segment_readers() {
        let mut scorer = weight.scorer(reader, 1.0)?;
        while scorer.doc() != TERMINATED {
            best = best.max(scorer.score());
            slots.push(scorer.doc());
            scorer.advance();
        }
    }
    Ok((!slots.is_empty()).then_some((best, slots)))
}

impl Percolated {
    /// Name of the field of a hit that tells which of the documents its query matches.
    pub fn slot_field(&self) -> &str {
        &self.slot_field
    }

    /// Which of the documents the query of `document` matches; None where it matches none.
    pub fn slots(&self, segment: SegmentId, document: DocId) -> Option<&[u32]> {
        let matches = self.segments.get(&segment)?;
        let place = matches.binary_search_by_key(&document, |each| each.document).ok()?;
        Some(&matches[place].slots)
    }
}

impl Query for Percolated {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(PercolatedWeight { segments: Arc::clone(&self.segments) }))
    }

    fn query_terms<'a>(&'a self, _: &mut dyn FnMut(&'a Term, bool)) {}
}

struct PercolatedWeight {
    segments: Arc<HashMap<SegmentId, Arc<[Match]>>>,
}

impl Weight for PercolatedWeight {
    fn scorer(&self, reader: &SegmentReader, _boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        match self.segments.get(&reader.segment_id()) {
            Some(matches) => Ok(Box::new(Matches { matches: Arc::clone(matches), next: 0 })),
            None => Ok(Box::new(EmptyScorer)),
        }
    }

    fn explain(&self, reader: &SegmentReader, document: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > document || scorer.seek(document) != document {
            return Err(TantivyError::InvalidArgument(format!("document {document} does not match")));
        }
        Ok(Explanation::new("percolate", scorer.score()))
    }
}

struct Matches {
    matches: Arc<[Match]>,
    next: usize,
}

impl DocSet for Matches {
    fn advance(&mut self) -> DocId {
        self.next = (self.next + 1).min(self.matches.len());
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.next += self.matches[self.next..].partition_point(|each| each.document < target);
        self.doc()
    }

    fn doc(&self) -> DocId {
        self.matches.get(self.next).map_or(TERMINATED, |each| each.document)
    }

    fn size_hint(&self) -> u32 {
        self.matches.len() as u32
    }
}

impl Scorer for Matches {
    fn score(&mut self) -> Score {
        self.matches.get(self.next).map_or(0.0, |each| each.score)
    }
}
