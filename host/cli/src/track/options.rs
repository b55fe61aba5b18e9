//! From options of the command line to those of the track's reader.

use std::time::{SystemTime, UNIX_EPOCH};

use rally_track::{BuildFlavor, LoadOptions, TrackParameters};
use serde_json::{Map, Value};

use super::args::{FlavorArgs, TaskFilterArgs, TrackParamArgs};
use crate::ending::CommandError;

/// How a track is read, as the user asks for it.
#[derive(Debug, Clone)]
pub struct Reading(LoadOptions);

impl Reading {
    /// With the parameters that the user gives. Names of an extension are taken as they are: nothing of it is run.
    ///
    /// # Errors
    /// Where the parameters cannot be read.
    pub fn with(arguments: &TrackParamArgs) -> Result<Reading, CommandError> {
        let track_params = match arguments.track_params.as_deref() {
            Some(text) => TrackParameters::parse(text).map_err(CommandError::user)?,
            None => Map::new(),
        };
        Ok(Reading(LoadOptions {
            now: now(),
            any_names: true,
            track_params,
            ignore_unused_track_params: arguments.ignore_unused_track_params,
            ..LoadOptions::default()
        }))
    }

    /// Only these tasks.
    pub fn filtered(mut self, filters: &TaskFilterArgs) -> Reading {
        self.0.include_tasks = listed(filters.include_tasks.as_deref());
        self.0.exclude_tasks = listed(filters.exclude_tasks.as_deref());
        self
    }

    /// For a challenge, or for all.
    pub fn challenge(mut self, challenge: Option<&str>) -> Reading {
        self.0.challenge = challenge.map(str::to_owned);
        self
    }

    /// For a kind of target.
    pub fn flavor(self, flavor: &FlavorArgs) -> Reading {
        self.for_target(flavor.build_flavor.into(), flavor.serverless_operator)
    }

    /// For a target that has answered.
    pub fn for_target(mut self, build_flavor: BuildFlavor, serverless_operator: bool) -> Reading {
        self.0.build_flavor = build_flavor;
        self.0.serverless_operator = serverless_operator;
        self
    }

    /// In test mode or not.
    pub fn test_mode(mut self, test_mode: bool) -> Reading {
        self.0.test_mode = test_mode;
        self
    }

    /// The parameters that the user gives.
    pub fn track_params(&self) -> &Map<String, Value> {
        &self.0.track_params
    }

    /// For the reader.
    pub fn options(self) -> LoadOptions {
        self.0
    }
}

/// Seconds since the epoch, for templates.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Without any text there is no filter, as in Elastic Rally.
fn listed(text: Option<&str>) -> Vec<String> {
    text.into_iter()
        .filter(|text| !text.trim().is_empty())
        .flat_map(|text| text.split(','))
        .map(|filter| filter.trim().to_owned())
        .collect()
}
