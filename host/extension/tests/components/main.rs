//! Components as a race uses them, through the public interface of this crate: what each part of the interface does, that
//! requests depend on the seed alone, and that an extension can send what the built-in sources send, byte by byte.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod assets;
mod clock;
mod course;
mod determinism;
mod differential;
mod documents;
mod isolated;
mod limits;
mod processing;
#[path = "../../../../tests/it/support/recorder.rs"]
mod recorder;
mod runners;
mod schedulers;
mod sharing;
mod sources;
mod tracks;
