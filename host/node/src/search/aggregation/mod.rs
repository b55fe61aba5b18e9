//! Aggregations: buckets and metrics over the documents that match.
//!
//! Every segment is collected on its own, with columns opened for it. What comes out is a tree of [`Partial`]s whose keys
//! mean the same everywhere; the trees of all segments and indices are merged and then written as JSON. All buckets are
//! kept until then, so that counts are exact.
//!
//! - `request`, `parse`: what is asked for; `interval`: the intervals of date histograms;
//! - `collect`: going through the documents; `source`: their values; `table`: numbering buckets;
//! - `terms`, `histogram`, `fixed`: buckets; `metric`: numbers, with `distinct` for cardinality and `digest` for
//!   percentiles;
//! - `tree`: results that can be merged; `write`, `write_histogram`, `write_metric`: the answer.

pub mod collect;
pub mod digest;
pub mod distinct;
pub mod fixed;
pub mod histogram;
pub mod interval;
pub mod metric;
pub mod parse;
pub mod request;
pub mod source;
mod table;
pub mod terms;
pub mod tree;
pub mod write;
mod write_histogram;
mod write_metric;

pub use collect::Collection;
pub use parse::parse;
pub use request::Aggregation;
pub use tree::Partial;
pub use write::{Formats, write};
