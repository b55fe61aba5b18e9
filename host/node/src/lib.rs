//! The embedded search node: enough of the REST API of Elasticsearch, on tantivy.

pub mod analysis;
pub mod document;
pub mod error;
pub mod mapping;
pub mod shard;
