//! From text to a track: templates, dialects, schema, data sets.

mod model;

pub use model::*;
