//! Tests of data files.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod archives;
mod bzip2;
mod download;
mod golden;
mod lines;
mod links;
mod mirrors;
mod offsets;
mod prepare;
mod sha256;
mod sources;
mod support;
mod zstd;
