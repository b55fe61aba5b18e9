//! Tests of track repositories.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checking_out;
mod fetching;
mod fetching_over_http;
mod golden_updates;
mod golden_versions;
mod rally_ini;
mod support;
