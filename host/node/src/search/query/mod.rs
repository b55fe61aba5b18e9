//! The query DSL.
//!
//! - `ast`: what a query says, independent of any index;
//! - `parse`, `full_text`: JSON to the tree, with the errors of Elasticsearch 7.10;
//! - `percolate`: the parts of a `percolate`;
//! - `minimum`: `minimum_should_match`;
//! - `compile`: the tree over one index's mapping, to tantivy's queries;
//! - `values`: the words of a query as values of a field;
//! - `intervals`: intervals of a column, to tantivy's queries;
//! - `date_math`: `now-1d/d`, `2015-01||+1M`;
//! - `patterns`: prefixes and wildcards;
//! - `statistics`: term statistics as Lucene counts them;
//! - `sloppy`: phrases with slop, scored as Lucene scores them;
//! - `columns`: queries over columns that tantivy does not have;
//! - `exclude`: what `must_not` leaves out.

pub mod ast;
pub mod columns;
pub mod compile;
pub mod date_math;
pub mod exclude;
mod full_text;
mod intervals;
pub mod minimum;
pub mod parse;
pub mod patterns;
mod percolate;
pub mod sloppy;
pub mod statistics;
pub mod values;

pub use ast::{Query, QueryKind};
