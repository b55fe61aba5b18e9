//! Tests of what is sent to clusters.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod every_document_once;
mod genuine_target;
mod given_parameters;
mod golden_bulk;
mod golden_bulk_current;
mod golden_operations;
mod golden_param_sources;
mod lying_targets;
mod operations;
mod support;
mod tls;
mod versions;
