//! What a search sees of an index.

use crate::mapping::Mapping;
use std::sync::Arc;

/// An index at one moment: what was refreshed then, and the mapping that goes with it. Keeps its files alive.
#[derive(Clone)]
pub struct ShardView {
    /// Name of the index, for the hits.
    pub index_name: Arc<str>,
    /// The documents.
    pub searcher: tantivy::Searcher,
    /// The fields, and where the search engine keeps them.
    pub mapping: Arc<Mapping>,
}
