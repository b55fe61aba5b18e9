//! The second phase: the target is there, and every task knows who performs it. Nothing has been sent but questions.

use std::sync::Arc;

use rally_cluster::{ClusterHealth, TargetBindings, TargetHost};
use rally_extension::{ExtensionBindings, Extensions, Folder, HostEnvironment, RaceInfo, Target};
use rally_operations::DocumentSet;
use rally_race::BoundRace;
use rally_track::{Challenge, Track};
use serde_json::{Map, Value};

use crate::components;
use crate::error::SessionError;
use crate::prepare::{PreparedRace, RaceSource};
use crate::record;
use crate::session::Session;
use crate::spec::{ClientShare, RaceSpec, RepositorySpec, TargetSpec, TrackSpec};
use crate::target::RunningTarget;

/// A race that can begin.
///
/// Fields are dropped in this order: who performs the tasks, the target, the files of the track.
pub struct ReadyRace {
    pub(crate) race: BoundRace,
    pub(crate) spec: RaceSpec,
    pub(crate) track: Arc<Track>,
    pub(crate) challenge: Challenge,
    /// How healthy the target must be before a lap.
    pub(crate) health: ClusterHealth,
    /// Name of the pipeline.
    pub(crate) pipeline: &'static str,
    /// How rally talks to the target, without secrets, for the record.
    pub(crate) client_options: Map<String, Value>,
    /// What the record says of the track's components.
    pub(crate) components: Vec<Value>,
    pub(crate) target: RunningTarget,
    pub(crate) source: RaceSource,
}

impl ReadyRace {
    /// The race, for a load driver: clones share their tasks' performers. It is of use only as long as this is there.
    pub fn race(&self) -> &BoundRace {
        &self.race
    }

    /// What was asked for.
    pub fn spec(&self) -> &RaceSpec {
        &self.spec
    }

    /// The addresses of the target.
    pub fn hosts(&self) -> &[TargetHost] {
        &self.target.hosts
    }

    /// The specification for a load driver that performs some clients of this very race: it names the running target and the
    /// state of the track that were found, so that the driver does not choose for itself.
    pub fn driver_spec(&self, clients: ClientShare) -> RaceSpec {
        let mut spec = self.spec.clone();
        spec.clients = clients;
        spec.target = TargetSpec::Hosts(self.target.hosts.clone());
        spec.health = Some(self.health);
        spec.challenge = Some(self.challenge.name.clone());
        match &mut spec.track {
            TrackSpec::Folder(path) => {
                if let Ok(absolute) = std::path::absolute(&*path) {
                    *path = absolute;
                }
            }
            TrackSpec::Named(named) => {
                if let Some(revision) = &self.source.revision {
                    named.repository =
                        RepositorySpec { revision: Some(revision.clone()), ..named.repository.clone() };
                }
            }
            TrackSpec::Bundle(bundle) => {
                bundle.digest = self.source.bundle.as_ref().map(|unpacked| unpacked.digest());
            }
        }
        spec
    }
}

/// Brings up the target and finds who performs each task.
///
/// # Errors
/// Where the target does not start, or a task cannot be performed.
pub fn bind(session: &Session<'_>, prepared: PreparedRace) -> Result<ReadyRace, SessionError> {
    let PreparedRace { spec, mut target, track, challenge, plan, documents, extensions, source } = prepared;
    let connector = session.connector(&spec).map_err(SessionError::user)?;
    let running = target.start(&connector)?;
    let health = spec.health.unwrap_or_else(|| target.default_health());
    let client_options = connector.client_options.without_secrets();
    let components = extensions.iter().map(|extension| record::component(extension)).collect();
    let built_in =
        Arc::new(TargetBindings::new(Arc::clone(&track), documents.clone(), Arc::clone(&running.cluster)));
    let bound = if extensions.is_empty() {
        rally_race::bind(&plan, built_in.as_ref())
    } else {
        let race = Parts { spec: &spec, track: &track, challenge: &challenge, source: &source };
        let bindings = race.extension_bindings(extensions, documents, &running, built_in)?;
        rally_race::bind(&plan, &bindings)
    };
    let race = bound.map_err(SessionError::user)?;
    let pipeline = target.pipeline();
    Ok(ReadyRace {
        race,
        spec,
        track,
        challenge,
        health,
        pipeline,
        client_options,
        components,
        target: running,
        source,
    })
}

/// What extensions are given of a race.
struct Parts<'a> {
    spec: &'a RaceSpec,
    track: &'a Arc<Track>,
    challenge: &'a Challenge,
    source: &'a RaceSource,
}

impl Parts<'_> {
    fn extension_bindings(
        &self,
        extensions: Extensions,
        documents: Vec<Arc<DocumentSet>>,
        running: &RunningTarget,
        built_in: Arc<TargetBindings>,
    ) -> Result<ExtensionBindings, SessionError> {
        let folder = Folder::open(&self.source.folder).map_err(SessionError::failure)?;
        let target = Target { cluster: Arc::clone(&running.cluster), built_in: Arc::clone(&built_in) };
        let environment = HostEnvironment {
            data: components::data_folder(&self.source.data, &self.spec.extension_limits)?,
            documents,
            target: Some(target),
            ..HostEnvironment::before_race(&self.track.name, folder)
        };
        let info = RaceInfo {
            track: Arc::clone(self.track),
            challenge: self.challenge.name.clone(),
            seed: self.spec.seed,
        };
        Ok(ExtensionBindings::new(extensions, built_in, Arc::new(environment), info))
    }
}
