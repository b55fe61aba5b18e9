//! The dialect of 2017: from JSON to the model.
//!
//! ```text
//! JSON ─▶ schema ─▶ reader ─▶ checks ─▶ filter ─▶ test mode ─▶ Track
//!         shape     model     contradictions
//! ```
//!
//! The schema (`resources/track-2017-schema.json`) says what keys there are and what their values look like. What it
//! cannot say (names that must exist, properties that exclude each other) is checked afterwards, on the model. Rally
//! of that time found most of this only when a task started, or never.

mod challenges;
mod checks;
mod indices;
mod operations;
mod schema;
mod track;

pub use schema::TRACK_2017_SCHEMA;

pub(crate) use track::read;
