//! Percolation: searching the other way round. Queries are stored, and found by a document that they would match.
//!
//! - `stored`: queries in documents: checked when they are indexed, read back to be asked;
//! - `memory`: the documents under percolation, as a shard of their own in memory;
//! - `matches`: which stored queries match, and that as a query of tantivy.
//!
//! Every stored query is asked; Elasticsearch first leaves out those whose terms the documents do not have. Scores are
//! those of Elasticsearch: the stored query's best over the documents, which it computes with Lucene's own similarity
//! there, 2.2 times less than elsewhere.

mod matches;
mod memory;
mod stored;

pub use matches::{Percolated, percolate};
pub use stored::check;
