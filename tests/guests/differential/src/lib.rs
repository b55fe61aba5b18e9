//! The built-in parameter sources of `search` and `index` operations, written once more as an extension: tests hold their
//! requests against those of the built-in ones, byte by byte.

mod bulk;
mod search;

rally_sdk::track! {
    sources: ["search" => search::Search, "bulk" => bulk::Bulk],
}
