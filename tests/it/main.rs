//! End-to-end tests: they run the built command.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod bundle;
mod current_dialect;
mod driver;
mod extension_commands;
mod extensions;
mod failed_work;
mod figures;
mod help;
mod lying_targets;
mod race;
mod refusals;
mod support;
mod track_authoring;
mod track_commands;
