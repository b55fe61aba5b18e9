//! Tests of plans.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod golden_allocator;
mod golden_plan;
mod rally2017;
mod table;
