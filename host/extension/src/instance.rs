//! Instances of components, whatever version of the interface they were built for: one enum of each kind dispatches to the
//! module of the version. A new version is one more module, and one more arm here.

use std::sync::Arc;

use bytes::Bytes;
use rally_cluster::Cluster;
use rally_cluster::http::Connection;
use rally_component::Facts;
use rally_race::{BodyKind, More, Params, Partition, Progress};
use rally_track::Track;
use wasmtime::component::{Component, ResourceAny};

use crate::batch::BatchReader;
use crate::context::RaceContext;
use crate::engine::Engine;
use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName, GuestError};
use crate::extension::{Description, Extent, Form, SourceInfo};
use crate::limits::Limits;
use crate::processing::TrackChangeError;
use crate::{Feedback, since_0_1_0};

/// A source of an instance.
pub(crate) struct OpenSource {
    pub(crate) handle: ResourceAny,
    pub(crate) form: Form,
    pub(crate) name: String,
    pub(crate) reader: BatchReader,
    /// Bytes of its parameters that are charged to the instance.
    pub(crate) charged: usize,
    pub(crate) extent: Extent,
}

/// A runner of an instance.
pub(crate) struct OpenRunner {
    pub(crate) handle: ResourceAny,
    pub(crate) name: String,
}

/// A scheduler of an instance.
pub(crate) struct OpenScheduler {
    pub(crate) handle: ResourceAny,
    pub(crate) name: String,
    /// What is wrong with the due time after those that were handed over.
    pub(crate) wrong: Option<String>,
}

/// Parameters on their way into the guest.
pub(crate) enum RunParams {
    /// JSON text.
    Json(String),
    /// Those of the call before.
    Same,
    /// An object of the guest's own.
    Held(u32),
}

/// What a run came to: as the guest says, or its own error.
pub(crate) struct RunOutcome {
    pub(crate) returned: Result<GuestOutcome, GuestError>,
    /// What went over its connections.
    pub(crate) traffic: Traffic,
}

/// What a guest says of a run.
pub(crate) struct GuestOutcome {
    pub(crate) weight: f64,
    pub(crate) unit: String,
    pub(crate) success: bool,
    pub(crate) failure: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) throughput: Option<f64>,
    /// A JSON object.
    pub(crate) meta: Option<String>,
}

/// What went over the connections of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    /// First byte sent and last byte received, if anything was sent.
    pub(crate) span: Option<(std::time::Instant, std::time::Instant)>,
    /// Whether the target refused a connection: what a guest says of it is not believed.
    pub(crate) refused: bool,
}

/// A component, linked to what the version of the interface offers that it was built for.
pub(crate) enum Linked {
    Since0_1_0(since_0_1_0::Linked),
}

/// An instance whose calls never wait: param sources, schedulers, processors.
pub(crate) enum SyncInstance {
    Since0_1_0(since_0_1_0::SyncInstance),
}

/// An instance whose calls may wait for the target: runners, and what shares an instance with them.
pub(crate) enum AsyncInstance {
    Since0_1_0(since_0_1_0::AsyncInstance),
}

/// The same call of each version.
macro_rules! each_version {
    ($kind:ident, $this:expr, $inner:ident => $call:expr) => {
        match $this {
            $kind::Since0_1_0($inner) => $call,
        }
    };
}

impl Linked {
    /// Links a component. Only versions that the inspection offers come here.
    pub(crate) fn new(engine: &Engine, component: &Component, facts: &Facts) -> wasmtime::Result<Linked> {
        let has = |interface: &str| facts.roles.iter().any(|role| role.interface() == interface);
        match (facts.wit_version.major, facts.wit_version.minor) {
            (0, 1) => since_0_1_0::Linked::new(engine, component, has).map(Linked::Since0_1_0),
            _ => Err(wasmtime::format_err!("this rally cannot run version {}", facts.wit_version)),
        }
    }

    /// Makes an instance whose calls never wait.
    pub(crate) fn sync_instance(
        &self,
        name: ComponentName,
        limits: &Arc<Limits>,
        environment: &Arc<HostEnvironment>,
    ) -> Result<SyncInstance, CallError> {
        match self {
            Linked::Since0_1_0(linked) => since_0_1_0::SyncInstance::new(linked, name, limits, environment)
                .map(SyncInstance::Since0_1_0),
        }
    }

    /// Makes an instance whose calls may wait.
    pub(crate) async fn async_instance(
        &self,
        name: ComponentName,
        limits: &Arc<Limits>,
        environment: &Arc<HostEnvironment>,
    ) -> Result<AsyncInstance, CallError> {
        match self {
            Linked::Since0_1_0(linked) => {
                let made = since_0_1_0::AsyncInstance::new(linked, name, limits, environment).await;
                made.map(AsyncInstance::Since0_1_0)
            }
        }
    }

    /// What `track` becomes when a processor of the component returns `text`.
    pub(crate) fn restore_track(&self, text: &str, track: &Track) -> Result<Track, TrackChangeError> {
        match self {
            Linked::Since0_1_0(_) => since_0_1_0::restore_track(text, track),
        }
    }
}

impl SyncInstance {
    /// What the component says of itself.
    pub(crate) fn describe(&mut self) -> Result<Description, CallError> {
        each_version!(SyncInstance, self, instance => instance.describe())
    }

    /// Opens a source.
    pub(crate) fn open_source(
        &mut self,
        info: &SourceInfo,
        context: RaceContext,
    ) -> Result<OpenSource, CallError> {
        each_version!(SyncInstance, self, instance => instance.open_source(info, context))
    }

    /// Appends at most `limit` requests.
    pub(crate) fn next(
        &mut self,
        source: &mut OpenSource,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, CallError> {
        each_version!(SyncInstance, self, instance => instance.next(source, limit, out))
    }

    /// Opens a scheduler.
    pub(crate) fn open_scheduler(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenScheduler, CallError> {
        each_version!(SyncInstance, self, instance => instance.open_scheduler(name, context))
    }

    /// The next due times, at least one and at most `limit`.
    pub(crate) fn due_times(
        &mut self,
        scheduler: &mut OpenScheduler,
        current: f64,
        finished: &[Feedback],
        limit: u32,
    ) -> Result<Vec<f64>, CallError> {
        each_version!(SyncInstance, self, instance => instance.due_times(scheduler, current, finished, limit))
    }

    /// Lets a processor change the track. `None`: it leaves it.
    pub(crate) fn on_load(&mut self, name: &str, context: RaceContext) -> Result<Option<String>, CallError> {
        each_version!(SyncInstance, self, instance => instance.on_load(name, context))
    }

    /// Number of jobs of a processor's preparation. `None`: it has none.
    pub(crate) fn on_prepare(&mut self, name: &str, context: RaceContext) -> Result<Option<u32>, CallError> {
        each_version!(SyncInstance, self, instance => instance.on_prepare(name, context))
    }

    /// Does a job of the preparation that was announced last.
    pub(crate) fn run_job(&mut self, name: &str, job: u32) -> Result<(), CallError> {
        each_version!(SyncInstance, self, instance => instance.run_job(name, job))
    }

    /// Checks track parameters.
    pub(crate) fn validate(&mut self, challenge: &str, track_params: &str) -> Result<(), CallError> {
        each_version!(SyncInstance, self, instance => instance.validate(challenge, track_params))
    }
}

impl AsyncInstance {
    /// Gives it a way to the target; from now on it lives on this thread.
    pub(crate) fn connect(&mut self, cluster: Arc<Cluster>, partition: Partition, connection: Connection) {
        each_version!(AsyncInstance, self, instance => instance.connect(cluster, partition, connection));
    }

    /// Lets a processor see the track, for the objects that it keeps.
    pub(crate) async fn on_load(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<Option<String>, CallError> {
        each_version!(AsyncInstance, self, instance => instance.on_load(name, context).await)
    }

    /// Opens a source.
    pub(crate) async fn open_source(
        &mut self,
        info: &SourceInfo,
        context: RaceContext,
    ) -> Result<OpenSource, CallError> {
        each_version!(AsyncInstance, self, instance => instance.open_source(info, context).await)
    }

    /// Appends at most `limit` requests.
    pub(crate) async fn next(
        &mut self,
        source: &mut OpenSource,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, CallError> {
        each_version!(AsyncInstance, self, instance => instance.next(source, limit, out).await)
    }

    /// Opens a scheduler.
    pub(crate) async fn open_scheduler(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenScheduler, CallError> {
        each_version!(AsyncInstance, self, instance => instance.open_scheduler(name, context).await)
    }

    /// The next due time.
    pub(crate) async fn due_time(
        &mut self,
        scheduler: &mut OpenScheduler,
        current: f64,
        finished: &[Feedback],
    ) -> Result<f64, CallError> {
        let times = each_version!(
            AsyncInstance, self, instance => instance.due_times(scheduler, current, finished, 1).await
        )?;
        Ok(times[0])
    }

    /// Opens a runner.
    pub(crate) async fn open_runner(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenRunner, CallError> {
        each_version!(AsyncInstance, self, instance => instance.open_runner(name, context).await)
    }

    /// Performs the operation once.
    pub(crate) async fn run(
        &mut self,
        runner: &OpenRunner,
        params: RunParams,
        body: Option<(BodyKind, Bytes)>,
    ) -> Result<RunOutcome, CallError> {
        each_version!(AsyncInstance, self, instance => instance.run(runner, params, body).await)
    }

    /// How far the task is.
    pub(crate) async fn progress(&mut self, runner: &OpenRunner) -> Result<Progress, CallError> {
        each_version!(AsyncInstance, self, instance => instance.progress(runner).await)
    }

    /// The error of a runner that returned what makes no sense.
    pub(crate) fn nonsense_of(&self, runner: &OpenRunner, problem: String) -> CallError {
        each_version!(AsyncInstance, self, instance => instance.nonsense_of(runner, problem))
    }

    /// The error of a runner that says itself that it cannot go on.
    pub(crate) fn guest_error_of(&self, runner: &OpenRunner, error: GuestError) -> CallError {
        each_version!(AsyncInstance, self, instance => instance.guest_error_of(runner, error))
    }
}
