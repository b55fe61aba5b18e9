//! Term statistics as Lucene counts them.
//!
//! BM25 needs the number of documents and their average length. tantivy takes every document of the index; Lucene only
//! those with at least one token in the field, which moves scores by several percent where a field is often absent.
//! So each leaf of a scored query is wrapped, and the wrapper answers tantivy's questions with the field's own counts.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::LazyLock;
use tantivy::index::SegmentId;
use tantivy::query::{Bm25StatisticsProvider, EnableScoring, Query, Weight};
use tantivy::schema::Field;
use tantivy::{Searcher, SegmentReader, Term};

/// BM25's saturation of term frequency, as in Lucene and tantivy.
pub const K1: f32 = 1.2;
/// BM25's weight of the length, as in Lucene and tantivy.
pub const B: f32 = 0.75;

/// Counts kept at once. A count is of one field in one segment and never changes; a few bytes each.
const MOST_KEPT: usize = 16_384;

static COUNTS: LazyLock<Mutex<HashMap<(SegmentId, Field), u64>>> = LazyLock::new(Mutex::default);

/// What Lucene knows of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FieldStatistics {
    /// Documents with at least one token, deleted ones too until they are merged away.
    pub documents: u64,
    /// Tokens in all of them.
    pub tokens: u64,
}

impl FieldStatistics {
    /// Counts a text field, by its norms: a document without token has norm 0.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn of_text(searcher: &Searcher, field: Field) -> tantivy::Result<Self> {
        let mut statistics = FieldStatistics::default();
        for reader in searcher.segment_readers() {
            statistics.tokens += reader.inverted_index(field)?.total_num_tokens();
            statistics.documents += counted(reader, field, |reader| {
                let Some(norms) = reader.fieldnorms_readers().get_field(field)? else {
                    return Ok(0);
                };
                Ok((0..reader.max_doc()).filter(|document| norms.fieldnorm_id(*document) != 0).count() as u64)
            })?;
        }
        Ok(statistics)
    }

    /// Counts a field of whole values, by its column: `values` tells the documents with a value, and the values.
    ///
    /// # Errors
    /// Where the index cannot be read.
    pub fn of_column(searcher: &Searcher, field: Field, column: &str) -> tantivy::Result<Self> {
        let mut statistics = FieldStatistics::default();
        for reader in searcher.segment_readers() {
            let handles = reader.fast_fields().dynamic_column_handles(column)?;
            let Some(handle) = handles.first() else {
                continue;
            };
            let column = handle.open()?;
            let index = column.column_index();
            statistics.tokens += u64::from(index.docid_range_to_rowids(0..reader.max_doc()).len() as u32);
            statistics.documents += counted(reader, field, |reader| {
                Ok((0..reader.max_doc()).filter(|document| index.has_value(*document)).count() as u64)
            })?;
        }
        Ok(statistics)
    }

    /// Lucene's weight of a term that `documents` documents have.
    pub fn idf(&self, documents: u64) -> f32 {
        let others = self.documents.saturating_sub(documents) as f64;
        (1.0 + (others + 0.5) / (documents as f64 + 0.5)).ln() as f32
    }

    /// Tokens of a document on average.
    pub fn average_length(&self) -> f32 {
        (self.tokens as f64 / self.documents.max(1) as f64) as f32
    }

    /// The score of a term in a field without norms, where every length counts as 1 and every frequency is 1.
    pub fn score_without_norms(&self, documents: u64) -> f32 {
        let length = K1 * ((1.0 - B) + B / self.average_length().max(1.0));
        self.idf(documents) * (K1 + 1.0) / (1.0 + length)
    }
}

fn counted(
    reader: &SegmentReader,
    field: Field,
    count: impl FnOnce(&SegmentReader) -> tantivy::Result<u64>,
) -> tantivy::Result<u64> {
    let key = (reader.segment_id(), field);
    if let Some(known) = COUNTS.lock().get(&key) {
        return Ok(*known);
    }
    let documents = count(reader)?;
    let mut counts = COUNTS.lock();
    if counts.len() >= MOST_KEPT {
        // Mostly of segments that were merged away; what is still needed is soon counted again.
        counts.clear();
    }
    counts.insert(key, documents);
    Ok(documents)
}

/// A query on one text field whose scores are computed from [`FieldStatistics`].
#[derive(Debug)]
pub struct WithFieldStatistics {
    query: Box<dyn Query>,
    field: Field,
}

impl WithFieldStatistics {
    /// `query`, which has to be on `field` alone.
    pub fn new(query: Box<dyn Query>, field: Field) -> Self {
        WithFieldStatistics { query, field }
    }
}

impl Clone for WithFieldStatistics {
    fn clone(&self) -> Self {
        WithFieldStatistics { query: self.query.box_clone(), field: self.field }
    }
}

impl Query for WithFieldStatistics {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let EnableScoring::Enabled { searcher, .. } = scoring else {
            return self.query.weight(scoring);
        };
        let provider = Provider { searcher, statistics: FieldStatistics::of_text(searcher, self.field)? };
        self.query.weight(EnableScoring::enabled_from_statistics_provider(&provider, searcher))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        self.query.query_terms(visitor);
    }
}

struct Provider<'s> {
    searcher: &'s Searcher,
    statistics: FieldStatistics,
}

impl Bm25StatisticsProvider for Provider<'_> {
    fn total_num_tokens(&self, _field: Field) -> tantivy::Result<u64> {
        Ok(self.statistics.tokens)
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.statistics.documents)
    }

    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        // tantivy asserts that no term is in more documents than there are.
        Ok(self.searcher.doc_freq(term)?.min(self.statistics.documents))
    }
}
