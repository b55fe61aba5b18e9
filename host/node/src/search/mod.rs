//! Searching: the request, the query DSL, hits, sorting, aggregations.
//!
//! ```text
//! body, URL ─▶ request ─▶ execute ─┬▶ query: tree ─▶ tantivy's queries, per index
//!                                  ├▶ hits: the best documents, in order ─▶ fetch: their sources
//!                                  └▶ aggregation: buckets and metrics per segment, merged, written
//! ```
//!
//! The reference is Elasticsearch 7.10.2 with one shard for each index: same hits in the same order, same totals, same
//! trees, same types of errors. What the node does not have is refused with a 400, never passed over.
//!
//! - `request`: body and URL parameters of a search;
//! - `query`: the query DSL;
//! - `sort`, `order`: what hits are ordered by, as asked for and at work;
//! - `hits`, `top`: finding the best documents of every segment;
//! - `fetch`, `source_filter`: what is shown of a hit;
//! - `percolate`: stored queries, found by documents;
//! - `aggregation`: buckets and metrics;
//! - `execute`: the whole search, [`count`], and the answer;
//! - `failure`: how errors of a shard are framed;
//! - `json`: reading bodies.

pub mod aggregation;
pub mod execute;
pub mod failure;
pub mod fetch;
pub mod hits;
pub mod json;
mod order;
pub mod percolate;
pub mod query;
pub mod request;
pub mod sort;
pub mod source_filter;
mod top;

pub use execute::{Answer, Cursor, count, execute};
pub use request::{CountRequest, SearchRequest};
