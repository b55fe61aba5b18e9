//! A plan for people.
//!
//! ```text
//! track ─▶ per challenge: tasks ─▶ clients ─▶ documents ─▶ rates
//! ```
//!
//! Whatever depends on the target is said to be unknown, never guessed.

mod clients;
mod documents;
mod rates;
mod style;
mod tasks;
mod text;

pub use text::text;
