//! Which track a command is about, and how it is read.
//!
//! ```text
//! --track, --track-path ─▶ find ─▶ TrackSource ─▶ options ─▶ LoadOptions ─▶ rally_track
//!                          shipped,                --track-params,
//!                          repositories            filters, flavour
//! ```

pub mod args;
mod options;
mod selection;

pub use options::{Reading, announce, find, finder, listed, now, track_params};
pub use selection::{OpenedTrack, TrackSelection};
