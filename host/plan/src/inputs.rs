//! What a plan was made from.

use rally_track::{BuildFlavor, LoadOptions};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::canonical;

/// What a track was read with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inputs {
    /// `default` or `serverless`.
    pub build_flavor: &'static str,
    /// What `now` is in templates: seconds since the epoch.
    pub now: f64,
    /// What changed the track after it was read.
    pub processors: Vec<Processor>,
    /// Whether the user operates the serverless target.
    pub serverless_operator: bool,
    /// What the templates were given.
    #[serde(serialize_with = "canonical::sorted_map")]
    pub track_params: Map<String, Value>,
}

/// What changes a track after it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Processor {
    /// Takes away what a serverless target does not offer.
    Serverless,
    /// Makes everything short.
    TestMode,
}

impl From<&LoadOptions> for Inputs {
    fn from(options: &LoadOptions) -> Inputs {
        let filtered = options.build_flavor == BuildFlavor::Serverless && !options.keep_unavailable;
        let processors = [(filtered, Processor::Serverless), (options.test_mode, Processor::TestMode)];
        Inputs {
            build_flavor: options.build_flavor.name(),
            now: options.now,
            processors: processors
                .into_iter()
                .filter(|(runs, _)| *runs)
                .map(|(_, processor)| processor)
                .collect(),
            serverless_operator: options.serverless_operator,
            track_params: options.track_params.clone(),
        }
    }
}
