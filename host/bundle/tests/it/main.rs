//! Tests of bundles.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fuzz;
mod open;
mod pack;
mod support;
