//! Tests of what operations mean.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod every_document_once;
mod golden_bulk;
mod golden_bulk_current;
mod golden_param_sources;
mod support;
