//! From text to a track: templates, dialects, schema, listing.
//!
//! ```text
//! files ─▶ template ─▶ json ─▶ document ─▶ dialect ─┬▶ current ───┬▶ Track
//!          Jinja2      keys,    problems              └▶ rally2017 ─┘
//!                      places   with places               schema, contradictions
//! ```
//!
//! [`load`] takes that way, and so does [`read`], which also returns what it came across. Whatever is wrong with a track ends
//! in a [`TrackError`] that names the source file, the line and the JSON pointer, and says what to do. Nothing in a track
//! can reach files outside its directory, and no template runs forever.
//!
//! [`list`] shows what tracks there are.

mod current;
mod dialect;
mod document;
mod error;
mod excerpt;
mod files;
mod invisible;
mod json;
mod listing;
mod load;
mod model;
mod operation_types;
mod parameters;
mod rally2017;
mod reading;
mod source;
mod template;

pub use current::TRACK_SCHEMA;
pub use error::{Location, Problem, TrackError};
pub use excerpt::Excerpt;
pub use listing::{ListedTrack, TrackSummary, list};
pub use load::{Loaded, load, load_with_places, read, render};
pub use model::*;
pub use parameters::{ParameterError, TrackParameters};
pub use rally_operation_table::{OperationType, ServerlessStatus, Source};
pub use rally2017::TRACK_2017_SCHEMA;
pub use reading::Places;
pub use source::{BuildFlavor, ExtensionNames, LoadOptions, TrackSource};
