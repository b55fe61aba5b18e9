//! What a rendering depends on besides the files.

use serde_json::{Map, Value as Json};

/// What templates see of the world.
#[derive(Debug, Clone, Default)]
pub(crate) struct RenderOptions {
    /// Seconds since the epoch: the global `now`.
    pub(crate) now: f64,
    /// The track parameters: globals of every template. Rally's own names win.
    pub(crate) parameters: Map<String, Json>,
    /// What `random` and `lipsum` draw from.
    pub(crate) seed: u64,
    /// The global `build_flavor`: `default` or `serverless`.
    pub(crate) build_flavor: String,
    /// The global `serverless_operator`.
    pub(crate) serverless_operator: bool,
}

/// What is rendered, and by the rules of which Rally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A track. What `rally.collect` names is pasted into its text before anything is rendered.
    Track,
    /// A track as Rally rendered it in 2017: `rally.collect` renders each part on its own, with the variables that were
    /// there at the import of the helpers.
    TrackOf2017,
    /// Body of an index or a template: pasted together like a track, but without `now`, the filters for dates, `glob` and
    /// other files.
    Body,
}

/// Names of globals that a track parameter cannot have.
pub(crate) const RESERVED_PARAMETERS: [&str; 4] = ["build_flavor", "glob", "now", "serverless_operator"];
