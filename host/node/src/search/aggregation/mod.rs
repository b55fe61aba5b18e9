//! Aggregations: buckets and metrics over the documents that match.
//!
//! Every segment is collected on its own ([`collect`], [`bucket`], [`metric`]), with columns opened for it. What comes out
//! is a tree of [`tree::Partial`]s whose keys mean the same everywhere; the trees of all segments and indices are merged
//! and then written as JSON ([`write`]). All buckets are kept until then, so that counts are exact.
//!
//! - [`request`] and [`parse`]: what is asked for;
//! - [`interval`]: the intervals of date histograms;
//! - [`distinct`]: counting distinct values;
//! - [`digest`]: percentiles.

pub mod bucket;
pub mod collect;
pub mod digest;
pub mod distinct;
pub mod interval;
pub mod metric;
pub mod parse;
pub mod request;
pub mod source;
pub mod tree;
pub mod write;

pub use collect::Collection;
pub use parse::parse;
pub use request::Aggregation;
pub use tree::Partial;
pub use write::{Formats, write};
