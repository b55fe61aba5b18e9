//! The plan of a track.

use std::collections::BTreeSet;
use std::sync::Arc;

use rally_track::{LoadOptions, Loaded, Track, TrackSource};
use serde::Serialize;
use serde_json::Value;

use crate::allocation;
use crate::bodies::Bodies;
use crate::canonical::{self, Sorted};
use crate::error::PlanError;
use crate::inputs::Inputs;
use crate::operations::{Operations, PlannedOperation};
use crate::param_sources::{self, ParamSources};
use crate::track::{self, PlannedTrack};

/// More cells than this are not planned: a track could ask for billions.
const MOST_CELLS: u64 = 4_000_000;

/// All that a race of a track would send, as far as that is known before.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// What the track was read with.
    pub inputs: Inputs,
    /// True: the track can be raced.
    pub ok: bool,
    /// The operations that tasks refer to, in the order of first use.
    pub operations: Vec<PlannedOperation>,
    /// What the built-in parameter sources yield. Left out where something changed the track after it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param_sources: Option<Arc<ParamSources>>,
    /// The track's JSON as its templates came out. Left out where something changed the track after it was read.
    #[serde(serialize_with = "canonical::sorted_optional", skip_serializing_if = "Option::is_none")]
    pub rendered: Option<Value>,
    /// Digest of the canonical JSON of `rendered`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendered_sha256: Option<String>,
    /// The track as it is understood.
    pub track: PlannedTrack,
    /// The parameters that the templates read.
    pub track_defined_params: BTreeSet<String>,
    /// Name of the track.
    pub track_name: String,
    /// What the user calls these inputs.
    pub variant: String,
}

/// A track that cannot be raced.
#[derive(Debug, Clone, Serialize)]
pub struct RejectedTrack {
    /// The problem.
    pub error: Rejection,
    /// What it was read with.
    pub inputs: Inputs,
    /// False: the track cannot be raced.
    pub ok: bool,
    /// Name of the track.
    pub track_name: String,
    /// What the user calls these inputs.
    pub variant: String,
}

/// Why a track cannot be raced.
#[derive(Debug, Clone, Serialize)]
pub struct Rejection {
    /// For people.
    pub message: String,
    /// Kind of the error.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// A plan with what it was made of.
#[derive(Debug, Clone)]
pub struct Made {
    /// The plan.
    pub plan: Plan,
    /// The bodies that it refers to.
    pub bodies: Bodies,
    /// What the built-in parameter sources yield, whatever changed the track.
    pub param_sources: Arc<ParamSources>,
    /// The track.
    pub track: Track,
}

/// Reads a track and plans all its challenges. Nothing is sent, no data file is needed and nothing of the track's own code is
/// run.
///
/// # Errors
/// Where the track cannot be raced, or asks for more clients than can be shown.
pub fn plan(source: &TrackSource, options: &LoadOptions, variant: &str) -> Result<Made, PlanError> {
    let Loaded { track, rendered, parameters, .. } = rally_track::read(source, options)?;
    for challenge in &track.challenges {
        let cells = allocation::cells(&challenge.schedule);
        if cells > MOST_CELLS {
            return Err(PlanError::TooManyClients {
                challenge: challenge.name.clone(),
                cells,
                most: MOST_CELLS,
            });
        }
    }
    let inputs = Inputs::from(options);
    let unchanged = inputs.processors.is_empty();
    let mut operations = Operations::default();
    let mut bodies = Bodies::default();
    let planned = track::planned(&track, options.challenge.as_deref(), &mut operations, &mut bodies)?;
    // A plan that does not show them does not refer to their bodies.
    let mut not_shown = Bodies::default();
    let bodies_of_sources = if unchanged { &mut bodies } else { &mut not_shown };
    let param_sources = Arc::new(param_sources::planned(&track, &mut operations, bodies_of_sources)?);
    let rendered_sha256 = unchanged.then(|| canonical::sha256(&Sorted(&rendered))).transpose()?;
    let plan = Plan {
        inputs,
        ok: true,
        operations: operations.finish(),
        param_sources: unchanged.then(|| Arc::clone(&param_sources)),
        rendered: unchanged.then_some(rendered),
        rendered_sha256,
        track_name: track.name.clone(),
        track: planned,
        track_defined_params: parameters,
        variant: variant.to_owned(),
    };
    Ok(Made { plan, bodies, param_sources, track })
}

impl Plan {
    /// As canonical JSON.
    ///
    /// # Errors
    /// Where something cannot be JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, PlanError> {
        Ok(canonical::to_vec(self)?)
    }
}

impl RejectedTrack {
    /// A track that cannot be raced, with the reason.
    pub fn new(
        source: &TrackSource,
        options: &LoadOptions,
        variant: &str,
        error: &PlanError,
    ) -> RejectedTrack {
        RejectedTrack {
            error: Rejection { message: error.to_string(), kind: error.kind() },
            inputs: Inputs::from(options),
            ok: false,
            track_name: source.name(),
            variant: variant.to_owned(),
        }
    }

    /// As canonical JSON.
    ///
    /// # Errors
    /// Where something cannot be JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, PlanError> {
        Ok(canonical::to_vec(self)?)
    }
}

impl PlanError {
    /// Kind of the error, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            PlanError::Track(_) => "TrackError",
            PlanError::TooManyClients { .. } | PlanError::TooManyReaders { .. } => "PlanError",
            PlanError::Json(_) => "JsonError",
        }
    }
}
