//! Loading tracks: golden cases of Rally, bad input, filters, properties.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

mod bad_tracks;
mod current_dialect;
mod dialect_2017;
mod golden_2017;
mod golden_current;
mod properties;
mod read_parameters;
mod shape;
mod support;
mod task_filters;
mod template_errors;
mod tutorial;
