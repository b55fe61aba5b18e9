//! Operations of the current dialect: what they send for Rally's parameters, and what comes of the answers.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod bulk;
mod composite;
mod indices;
mod performing;
mod requests;
mod searches;
mod waiting;
