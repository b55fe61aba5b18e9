//! The embedded search node: enough of the REST API of Elasticsearch, on tantivy.
//!
//! ```text
//! socket ─▶ http: read whole, find the route ─▶ pool ─▶ api: one handler for each call
//!                                                        │
//!                     cluster: indices, templates ◀──────┤
//!                     shard: writes, refreshes, merges ◀─┤
//!                     search: queries, aggregations ◀────┘
//! ```
//!
//! Answers follow Elasticsearch 7.10.2; what the node does not have it refuses with an error of Elasticsearch's shape.
//! Every figure in its statistics is counted, none is made up. Whatever `number_of_shards` says, an index is one shard,
//! and replicas are never assigned. There is no transaction log: a crash loses what came since the last refresh.

pub mod analysis;
mod api;
pub mod cluster;
pub mod document;
pub mod error;
mod http;
pub mod mapping;
mod node;
mod pool;
mod scroll;
pub mod search;
pub mod shard;

pub use api::VERSION as ELASTICSEARCH_VERSION;
pub use node::{Node, NodeConfig, RunningNode, StartError, run};
