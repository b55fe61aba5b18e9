//! Rally's current dialect: from JSON to the model.
//!
//! ```text
//! JSON ─▶ schema ─▶ reader ─▶ task filter ─▶ names ─▶ serverless filter ─▶ test mode ─▶ Track
//!         shape     model
//! ```
//!
//! The schema (`resources/track-schema.json`) is as strict as Rally's, and no stricter: unknown keys pass. What
//! it cannot say is checked while the model is made. What Rally accepts is accepted; where Rally fails with an internal
//! error, there is a proper one. Keys that nothing reads are warnings.

mod challenges;
mod corpora;
mod indices;
mod names;
mod operations;
mod schema;
mod serverless;
mod tasks;
mod templates;
mod test_mode;
mod throughput;
mod track;
mod unknown_keys;
mod values;

pub use schema::TRACK_SCHEMA;

pub(crate) use track::read;
