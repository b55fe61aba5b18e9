//! Queries stored in documents.

use super::memory;
use crate::error::EsError;
use crate::mapping::{MappedField, Mapping, System};
use crate::search::query::compile::{Compiler, Unmapped};
use crate::search::query::{self, Query};
use crate::shard::ShardView;
use parking_lot::Mutex;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use tantivy::index::SegmentId;
use tantivy::schema::{Field, IndexRecordOption, Value as _};
use tantivy::{DocAddress, DocId, DocSet, TERMINATED, TantivyDocument, Term};

/// Queries kept read at once; a few hundred bytes each.
const MOST_KEPT: usize = 200_000;

static KEPT: LazyLock<Mutex<Kept>> = LazyLock::new(Mutex::default);

/// The queries of a segment, by document.
pub type Stored = Arc<[(DocId, Query)]>;

/// Stored queries by segment, which never changes, and field.
#[derive(Default)]
struct Kept {
    segments: HashMap<(SegmentId, Field), Stored>,
    queries: usize,
}

/// Checks that `value` is a query that can be asked with `mapping`.
///
/// # Errors
/// 400 in the words of Elasticsearch, without the frame of a document that cannot be indexed; so for a field that is not
/// mapped, and for a query that the node does not have.
pub fn check(mapping: &Arc<Mapping>, value: &Value) -> Result<(), EsError> {
    let query = query::parse::query(value)?;
    let shard = ShardView {
        index_name: Arc::from(""),
        searcher: memory::empty(mapping.layout())?,
        mapping: Arc::clone(mapping),
    };
    let now = jiff::Timestamp::now().as_millisecond();
    let compiler = Compiler { unmapped: Unmapped::Refused, ..Compiler::new(&shard, now) };
    match compiler.compile(&query) {
        Ok(_) => Ok(()),
        // No shard is searched: the frame of its failure falls away.
        Err(EsError { kind: "query_shard_exception", cause: Some(cause), .. }) => Err(*cause),
        Err(error) => Err(error),
    }
}

/// The queries in `field` of a segment, by document, deleted documents too.
///
/// # Errors
/// Where the segment cannot be read.
pub fn queries(shard: &ShardView, segment: u32, field: &MappedField) -> Result<Stored, EsError> {
    let reader = shard.searcher.segment_reader(segment);
    let key = (reader.segment_id(), field.field());
    if let Some(known) = KEPT.lock().segments.get(&key) {
        return Ok(Arc::clone(known));
    }
    let mut queries = Vec::new();
    let having = Term::from_field_text(System::NAMES, &field.path);
    let postings = reader.inverted_index(System::NAMES)?.read_postings(&having, IndexRecordOption::Basic)?;
    if let Some(mut postings) = postings {
        let mut document = postings.doc();
        while document != TERMINATED {
            let stored: TantivyDocument = shard.searcher.doc(DocAddress::new(segment, document))?;
            if let Some(text) = stored.get_first(field.field()).and_then(|value| value.as_bytes()) {
                let value: Value = serde_json::from_slice(text)
                    .map_err(|error| EsError::internal(format!("a stored query is no JSON: {error}")))?;
                queries.push((document, query::parse::query(&value)?));
            }
            document = postings.advance();
        }
    }
    let queries: Stored = queries.into();
    let mut kept = KEPT.lock();
    if kept.queries + queries.len() > MOST_KEPT {
        // Mostly of segments that were merged away; what is still needed is soon read again.
        *kept = Kept::default();
    }
    if queries.len() <= MOST_KEPT && kept.segments.insert(key, Arc::clone(&queries)).is_none() {
        kept.queries += queries.len();
    }
    Ok(queries)
}
