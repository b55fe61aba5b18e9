//! Tests of what is sent to clusters.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod differential_http;
mod genuine_target;
mod given_parameters;
mod golden_operations;
mod lying_targets;
mod operations;
mod support;
mod tls;
mod versions;
