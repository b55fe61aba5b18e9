//! Tests of the embedded node.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod indices;
mod mapping_growth;
mod percolate;
mod percolate_golden;
mod protocol;
mod search_golden;
mod search_paging;
mod search_properties;
mod search_support;
mod support;
mod writing;
