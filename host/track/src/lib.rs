//! From text to a track: templates, dialects, schema, data sets.
//!
//! ```text
//! files ─▶ template ─▶ json ─▶ document ─▶ rally2017 ─▶ Track
//!          Jinja2      keys,    problems    schema,
//!                      places   with places contradictions
//! ```
//!
//! [`load`] takes that way. Whatever is wrong with a track ends in a [`TrackError`] that names the source file, the line
//! and the JSON pointer, and says what to do. Nothing in a track can reach files outside its directory, and no template
//! runs for ever.
//!
//! [`list`] shows what tracks there are.

pub mod data;

mod dialect;
mod document;
mod error;
mod excerpt;
mod files;
mod json;
mod listing;
mod load;
mod model;
mod rally2017;
mod reading;
mod source;
mod suggest;
mod template;

pub use error::{Location, Problem, TrackError};
pub use excerpt::Excerpt;
pub use listing::{ListedTrack, TrackSummary, human_size, list};
pub use load::load;
pub use model::*;
pub use rally2017::TRACK_2017_SCHEMA;
pub use source::{BuildFlavor, ExtensionNames, LoadOptions, TrackSource};
