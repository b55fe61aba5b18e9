//! Which track a command is about, and how it is read.
//!
//! ```text
//! --track, --track-path ─▶ find ─▶ TrackSource ─▶ options ─▶ LoadOptions ─▶ rally_track
//!                          shipped,                --track-params,
//!                          repositories            filters, flavour
//! ```

pub mod args;
mod find;
mod options;

pub use find::{FoundTrack, find, folders};
pub use options::{Reading, now};
