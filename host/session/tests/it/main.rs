//! Tests of the session below the command line.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod phases;
mod spec;
mod support;
