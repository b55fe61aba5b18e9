//! Tests of components' files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod encode;
mod fuzz;
mod inspect;
mod support;
