//! A shard in memory, made for one request.

use crate::analysis;
use crate::document;
use crate::error::EsError;
use crate::mapping::{Layout, Mapping, System};
use crate::shard::ShardView;
use serde_json::Value;
use std::cell::RefCell;
use std::sync::Arc;
use tantivy::directory::RamDirectory;
use tantivy::indexer::SingleSegmentIndexWriter;
use tantivy::store::Compressor;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{Index, IndexSettings, ReloadPolicy, Searcher};

/// The id of documents under percolation, as in Elasticsearch; it shows in errors.
const ID: &str = "_temp_id";

/// Memory the writer begins with. It takes more where the documents need more.
const WRITER_MEMORY: usize = 1 << 20;

/// `documents` as an index with `mapping`: one segment, the documents in order. Members that the mapping does not have are
/// passed over, for no stored query can ask for them.
///
/// # Errors
/// 400 where a document does not fit the mapping.
pub fn shard(mapping: &Arc<Mapping>, documents: &[Value]) -> Result<ShardView, EsError> {
    let mut writer = writer(mapping.layout())?;
    for (number, document) in (0_u64..).zip(documents) {
        let mut parsed = document::parse(mapping, ID, document.to_string().as_bytes())?.document;
        parsed.add_u64(System::SEQUENCE, number);
        parsed.add_u64(System::VERSION, 1);
        writer.add_document(parsed)?;
    }
    let searcher = searcher(&writer.finalize()?)?;
    Ok(ShardView { index_name: Arc::from(""), searcher, mapping: Arc::clone(mapping) })
}

/// An index with `layout` that has no document: to find out whether a query can be built.
///
/// # Errors
/// Where tantivy makes none, which does not happen.
pub fn empty(layout: &Layout) -> Result<Searcher, EsError> {
    // Many queries are checked one after another, nearly always against the same layout.
    thread_local! {
        static LAST: RefCell<Option<(Layout, Searcher)>> = const { RefCell::new(None) };
    }
    let last = LAST.with_borrow(|last| {
        last.as_ref().filter(|(of, _)| of == layout).map(|(_, searcher)| searcher.clone())
    });
    if let Some(searcher) = last {
        return Ok(searcher);
    }
    let index = Index::create(RamDirectory::create(), layout.schema(), settings())?;
    analysis::register(&index);
    let searcher = searcher(&index)?;
    LAST.set(Some((layout.clone(), searcher.clone())));
    Ok(searcher)
}

fn writer(layout: &Layout) -> Result<SingleSegmentIndexWriter, EsError> {
    let tokenizers = TokenizerManager::default();
    analysis::register_with(&tokenizers);
    let builder = Index::builder().schema(layout.schema()).settings(settings()).tokenizers(tokenizers);
    Ok(builder.single_segment_index_writer(RamDirectory::create(), WRITER_MEMORY)?)
}

fn settings() -> IndexSettings {
    // Nobody reads the stored fields: no thread and no time to compress them.
    IndexSettings {
        docstore_compress_dedicated_thread: false,
        docstore_compression: Compressor::None,
        ..IndexSettings::default()
    }
}

fn searcher(index: &Index) -> Result<Searcher, EsError> {
    let reader: tantivy::IndexReader =
        index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok(reader.searcher())
}
