//! The REST calls, a file for each group of them. The table is [`routes`].

mod bulk;
mod bulk_body;
mod cat;
mod cluster;
mod document;
mod indices;
mod nodes;
mod routes;
mod search;
mod stats;
mod templates;

pub use routes::routes;

/// The version of Elasticsearch that answers follow.
pub const VERSION: &str = "7.10.2";
