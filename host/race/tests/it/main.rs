//! Tests of races.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod current_dialect;
mod failing_tasks;
mod golden_schedules;
mod in_turn;
mod properties;
mod races;
mod remote;
mod support;
mod wire;
