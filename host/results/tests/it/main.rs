//! Tests of results.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod collecting;
mod common;
mod golden_meta;
mod golden_percentiles;
mod golden_results;
mod golden_throughput;
mod reporting;
mod storing;
mod telling;
mod throttled;
mod user_tags;
