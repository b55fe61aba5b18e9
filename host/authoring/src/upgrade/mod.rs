//! From a track of 2017 to one of the current dialect.
//!
//! ```text
//! Track (2017) ─▶ operations ─▶ schedule ─▶ track ─▶ Upgraded
//!                 renamed       what laps did becomes operations;
//!                               totals become counts per client
//! ```
//!
//! The track is written as it was rendered: what its templates decided is decided. Whatever cannot mean exactly the same
//! in the current dialect is said in a warning.

mod bodies;
mod operations;
mod schedule;
mod track;

pub use track::{UpgradeError, Upgraded, upgrade};
