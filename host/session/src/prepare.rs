//! The first phase: everything that a race needs but the target. Nothing on the target is changed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rally_extension::{Extensions, Folder, HostEnvironment, ProcessingError};
use rally_operations::DocumentSet;
use rally_race::{PlanOptions, RacePlan};
use rally_track::{Challenge, LoadOptions, Track};
use serde_json::Value;

use crate::bundle::{UnpackedBundle, open_bundle};
use crate::check::check;
use crate::components;
use crate::documents::{self, DocumentOptions};
use crate::error::SessionError;
use crate::find::{FoundTrack, TrackFinder};
use crate::observer::SessionEvent;
use crate::session::Session;
use crate::spec::{RaceSpec, TrackSpec};
use crate::target::{TargetFacts, TargetProvider};

/// A race that only lacks its target: the track is read, its own code has run, its data are there, the race is planned.
pub struct PreparedRace {
    pub(crate) spec: RaceSpec,
    pub(crate) target: Box<dyn TargetProvider>,
    pub(crate) track: Arc<Track>,
    pub(crate) challenge: Challenge,
    pub(crate) plan: RacePlan,
    pub(crate) documents: Vec<Arc<DocumentSet>>,
    pub(crate) extensions: Extensions,
    pub(crate) source: RaceSource,
}

impl PreparedRace {
    /// The track, as its own code leaves it.
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// What will be raced.
    pub fn plan(&self) -> &RacePlan {
        &self.plan
    }
}

/// Where the files of a track are.
pub(crate) struct RaceSource {
    /// The track's folder.
    pub(crate) folder: PathBuf,
    /// What its own code keeps, and the data of a bundle.
    pub(crate) data: PathBuf,
    /// Commit of the track repository.
    pub(crate) revision: Option<String>,
    /// The bundle that the folder was unpacked from. Dropped last: the folder goes with it.
    pub(crate) bundle: Option<UnpackedBundle>,
}

impl RaceSource {
    /// Where data files are kept.
    fn data_files(&self, session: &Session<'_>) -> PathBuf {
        match &self.bundle {
            Some(_) => self.data.clone(),
            None => session.home.corpora(),
        }
    }
}

/// The challenge is missing.
#[derive(Debug, thiserror::Error)]
#[error("the track has no such challenge; choose one with --challenge")]
struct NoChallenge;

/// Finds and reads the track, runs its processors, plans the race and makes its data ready. The specification is checked
/// before anything is read or asked; the target is only asked what it is.
///
/// # Errors
/// Where the specification contradicts itself, the target does not answer, the track cannot be raced, or data are missing.
pub fn prepare(
    session: &Session<'_>,
    spec: RaceSpec,
    mut target: Box<dyn TargetProvider>,
) -> Result<PreparedRace, SessionError> {
    spec.validate(&session.credentials)?;
    let connector = session.connector(&spec).map_err(SessionError::user)?;
    let facts = target.identify(&connector)?;
    let bundle = bundle(session, &spec)?;
    let found = found(session, &spec, bundle.as_ref(), &facts)?;
    let folder = found.source.folder();
    let data = data_place(session, &found, bundle.as_ref());
    let extensions = components::load(&folder, &found.source.name(), &spec.extension_limits, session.home)?;
    let options = load_options(&spec, &facts, &extensions);
    let (track, places) =
        rally_track::load_with_places(&found.source, &options).map_err(SessionError::user)?;
    let track = Arc::new(processed(&spec, track, &extensions, &folder, &data)?);
    // The race has read what it needs of the track repository: others may change it from here on.
    let FoundTrack { warnings, checkout, .. } = found;
    let revision = checkout.map(|checkout| checkout.revision);
    for warning in warnings.iter().chain(&track.warnings) {
        session.observer.event(SessionEvent::Warning(warning));
    }
    let source = RaceSource { folder, data, revision, bundle };
    let challenge =
        track.challenge(spec.challenge.as_deref()).ok_or(NoChallenge).map_err(SessionError::user)?.clone();
    let cache = source.data_files(session);
    check(&track, &[&challenge], &extensions, &places, &cache)?;
    if let Some(info) = &challenge.user_info {
        session.observer.event(SessionEvent::ChallengeInfo(info));
    }
    let plan = planned(&spec, &track, &challenge)?;
    let documents = documents(session, &spec, &track, &challenge, &extensions, &source)?;
    Ok(PreparedRace { spec, target, track, challenge, plan, documents, extensions, source })
}

fn bundle(session: &Session<'_>, spec: &RaceSpec) -> Result<Option<UnpackedBundle>, SessionError> {
    let TrackSpec::Bundle(bundle) = &spec.track else { return Ok(None) };
    let unpacked = open_bundle(bundle, spec.extension_limits.bounds(), session.home)?;
    session.observer.event(SessionEvent::Bundle(&unpacked));
    Ok(Some(unpacked))
}

fn found(
    session: &Session<'_>,
    spec: &RaceSpec,
    bundle: Option<&UnpackedBundle>,
    facts: &TargetFacts,
) -> Result<FoundTrack, SessionError> {
    match (&spec.track, bundle) {
        (_, Some(bundle)) => FoundTrack::at(bundle.folder()),
        (TrackSpec::Folder(path), _) => FoundTrack::at(path),
        (TrackSpec::Bundle(bundle), None) => FoundTrack::at(&bundle.file),
        (TrackSpec::Named(named), _) => {
            let on_step = session.observer.repository_step();
            let finder = TrackFinder { home: session.home, offline: spec.offline, on_step };
            finder.find(named, facts.version.as_deref())
        }
    }
}

/// Where a track's own code keeps files.
fn data_place(session: &Session<'_>, found: &FoundTrack, bundle: Option<&UnpackedBundle>) -> PathBuf {
    let name = found.source.name();
    session.home.data(&bundle.map_or(name.clone(), |bundle| bundle.data_name(&name)))
}

fn load_options(spec: &RaceSpec, facts: &TargetFacts, extensions: &Extensions) -> LoadOptions {
    LoadOptions {
        now: spec.now,
        seed: spec.seed,
        test_mode: spec.test_mode,
        include_tasks: spec.include_tasks.clone(),
        exclude_tasks: spec.exclude_tasks.clone(),
        extension_names: extensions.names(),
        any_names: false,
        strict: spec.strict,
        track_params: spec.track_params.clone(),
        ignore_unused_track_params: spec.ignore_unused_track_params,
        build_flavor: facts.build_flavor,
        serverless_operator: facts.serverless_operator,
        challenge: spec.challenge.clone(),
        ..LoadOptions::default()
    }
}

/// The track as its processors leave it, its parameters checked and its data prepared by them.
fn processed(
    spec: &RaceSpec,
    track: Track,
    extensions: &Extensions,
    folder: &Path,
    data: &Path,
) -> Result<Track, SessionError> {
    if extensions.is_empty() {
        return Ok(track);
    }
    let challenge = track.challenge(spec.challenge.as_deref());
    let challenge = challenge.map(|challenge| challenge.name.clone()).unwrap_or_default();
    let environment = Arc::new(HostEnvironment {
        data: components::data_folder(data, &spec.extension_limits)?,
        ..HostEnvironment::before_race(&track.name, Folder::open(folder).map_err(SessionError::failure)?)
    });
    let process = || {
        let track_params = Value::Object(spec.track_params.clone()).to_string();
        extensions.validate(&challenge, &track_params, &environment)?;
        let track = extensions.process(track, &challenge, spec.seed, &environment)?;
        extensions.prepare(&track, &challenge, spec.seed, &environment)?;
        Ok::<_, ProcessingError>(track)
    };
    process().map_err(SessionError::user)
}

fn planned(spec: &RaceSpec, track: &Track, challenge: &Challenge) -> Result<RacePlan, SessionError> {
    let options =
        PlanOptions { seed: spec.seed, laps: spec.laps, on_error: spec.on_error, timing: spec.timing() };
    RacePlan::new(track, challenge, options).map_err(SessionError::user)
}

fn documents(
    session: &Session<'_>,
    spec: &RaceSpec,
    track: &Track,
    challenge: &Challenge,
    extensions: &Extensions,
    source: &RaceSource,
) -> Result<Vec<Arc<DocumentSet>>, SessionError> {
    let options = DocumentOptions::new(spec.offline, spec.test_mode, session.home)?;
    let needed = documents::needed(track, challenge, extensions)?;
    if !needed.contains(&true) {
        return Ok(Vec::new());
    }
    documents::all(track, &needed, &source.data_files(session), &options, session.observer, session.cancel)
}
