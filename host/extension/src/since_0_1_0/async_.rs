//! Instances whose calls may wait for the target: runners, and what shares an instance with them.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::FutureExt;
use rally_cluster::Cluster;
use rally_cluster::http::{Connection, Deadline};
use rally_race::{BodyKind, More, Params, Partition};
use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};

use crate::Feedback;
use crate::batch::BatchReader;
use crate::context::RaceContext;
use crate::environment::HostEnvironment;
use crate::error::{CallError, CallErrorKind, ComponentName};
use crate::extension::{Extension, Extent, Form, SourceInfo};
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::async_::exports::rally::track as exports;
use crate::since_0_1_0::bindings::imports::bodies::Kind;
use crate::since_0_1_0::bindings::imports::types;
use crate::since_0_1_0::call::{Call, Caller, missing, raw_batch, read_charged, wit_feedback};
use crate::since_0_1_0::client::Traffic;
use crate::since_0_1_0::linking::Linked;
use crate::since_0_1_0::state::{HostState, at_tick};
use crate::since_0_1_0::sync::MOST_BYTES;

/// A component at work whose calls may wait.
pub(crate) struct AsyncInstance {
    store: Store<HostState>,
    roles: Roles,
    caller: Caller,
    /// Until when a run may take.
    deadline: Deadline,
}

struct Roles {
    sources: Option<exports::param_sources::Guest>,
    runners: Option<exports::runners::Guest>,
    schedulers: Option<exports::schedulers::Guest>,
    processors: Option<exports::processors::Guest>,
}

/// Where the roles are in the component.
pub(crate) struct RoleIndices {
    sources: Option<exports::param_sources::GuestIndices>,
    runners: Option<exports::runners::GuestIndices>,
    schedulers: Option<exports::schedulers::GuestIndices>,
    processors: Option<exports::processors::GuestIndices>,
}

impl RoleIndices {
    pub(crate) fn new(linked: &Linked, has: impl Fn(&str) -> bool) -> wasmtime::Result<RoleIndices> {
        let pre = &linked.async_;
        Ok(RoleIndices {
            sources: has("param-sources")
                .then(|| exports::param_sources::GuestIndices::new(pre))
                .transpose()?,
            runners: has("runners").then(|| exports::runners::GuestIndices::new(pre)).transpose()?,
            schedulers: has("schedulers").then(|| exports::schedulers::GuestIndices::new(pre)).transpose()?,
            processors: has("processors").then(|| exports::processors::GuestIndices::new(pre)).transpose()?,
        })
    }
}

/// A source of an instance.
pub(crate) struct OpenSource {
    handle: ResourceAny,
    form: Form,
    name: String,
    reader: BatchReader,
    /// Bytes of its parameters that are charged to the instance.
    charged: usize,
    pub(crate) extent: Extent,
}

/// A runner of an instance.
pub(crate) struct OpenRunner {
    handle: ResourceAny,
    pub(crate) name: String,
}

/// A scheduler of an instance.
pub(crate) struct OpenScheduler {
    handle: ResourceAny,
    name: String,
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
    pub(crate) returned: Result<exports::runners::Outcome, types::Error>,
    /// What went over its connections.
    pub(crate) traffic: Traffic,
}

impl AsyncInstance {
    async fn new(
        linked: &Linked,
        indices: &RoleIndices,
        component: ComponentName,
        limits: &Arc<Limits>,
        environment: &Arc<HostEnvironment>,
    ) -> Result<AsyncInstance, CallError> {
        let mut caller = Caller::new(component.clone(), limits);
        let call = Call::opens("instantiate", "");
        let state = HostState::new(component, Arc::clone(limits), Arc::clone(environment));
        let mut store = Store::new(linked.async_.engine(), state);
        store.limiter(HostState::limiter);
        store.set_hostcall_fuel(limits.host_call_bytes);
        store.set_max_component_handles(limits.handles);
        store.epoch_deadline_callback(at_tick);
        arm(&mut store, &caller, call);
        let made = async {
            let instance = linked.async_.instantiate_async(&mut store).await?;
            Ok::<_, wasmtime::Error>(Roles {
                sources: indices.sources.as_ref().map(|role| role.load(&mut store, &instance)).transpose()?,
                runners: indices.runners.as_ref().map(|role| role.load(&mut store, &instance)).transpose()?,
                schedulers: indices
                    .schedulers
                    .as_ref()
                    .map(|role| role.load(&mut store, &instance))
                    .transpose()?,
                processors: indices
                    .processors
                    .as_ref()
                    .map(|role| role.load(&mut store, &instance))
                    .transpose()?,
            })
        };
        match made.await {
            Ok(roles) => {
                Ok(AsyncInstance { store, roles, caller, deadline: Deadline::new(limits.time_to_run) })
            }
            Err(error) => Err(caller.failed(call, store.data_mut(), &error)),
        }
    }

    /// Gives it a way to the target; from now on it lives on this thread.
    pub(crate) fn connect(&mut self, cluster: Arc<Cluster>, partition: Partition, connection: Connection) {
        let client = &mut self.store.data_mut().client;
        if !client.is_open() {
            client.open(cluster, partition, connection);
        }
    }

    /// Lets a processor see the track, for the objects that it keeps; what it makes of it is not used.
    pub(crate) async fn on_load(&mut self, name: &str, context: RaceContext) -> Result<(), CallError> {
        let call = Call::opens("on-load", name);
        let context = self.push_context(call, context)?;
        self.begin(call)?;
        let result = async {
            let role = self.roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_on_load(&mut self.store, name, context).await
        };
        let seen = guarded(result).await;
        let seen = self.end(call, seen)?;
        self.caller.guest(call, seen).map(drop)
    }

    /// Opens a source.
    pub(crate) async fn open_source(
        &mut self,
        info: &SourceInfo,
        context: RaceContext,
    ) -> Result<OpenSource, CallError> {
        let call = Call::opens("source.open", &info.name);
        let context = self.push_context(call, context)?;
        self.begin(call)?;
        let result = async {
            let role = self.roles.sources.as_ref().ok_or_else(|| missing("param-sources"))?;
            role.source().call_open(&mut self.store, &info.name, context).await
        };
        let opened = guarded(result).await;
        let handle = self.end(call, opened)?;
        let handle = self.caller.guest(call, handle)?;
        let call = Call::opens("source.extent", &info.name);
        self.begin(call)?;
        let result = async {
            let role = self.roles.sources.as_ref().ok_or_else(|| missing("param-sources"))?;
            role.source().call_extent(&mut self.store, handle).await
        };
        let extent = guarded(result).await;
        let extent = match self.end(call, extent)? {
            exports::param_sources::Extent::Infinite => Extent::Infinite,
            exports::param_sources::Extent::Finite(requests) => Extent::Finite(requests),
        };
        let reader = BatchReader::new(true);
        Ok(OpenSource { handle, form: info.form, name: info.name.clone(), reader, charged: 0, extent })
    }

    /// Appends at most `limit` requests.
    pub(crate) async fn next(
        &mut self,
        source: &mut OpenSource,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, CallError> {
        let OpenSource { handle, form, name, reader, charged, .. } = source;
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        if *form == Form::Lines {
            let call = Call::works("source.next-lines", name);
            self.begin(call)?;
            let result = async {
                let role = self.roles.sources.as_ref().ok_or_else(|| missing("param-sources"))?;
                role.source().call_next_lines(&mut self.store, *handle, most, MOST_BYTES).await
            };
            let lines = guarded(result).await;
            let lines = self.end(call, lines)?;
            let lines = self.caller.guest(call, lines)?;
            let state = self.store.data_mut();
            let read = read_charged(state, reader, charged, |reader, memory| {
                reader.read_lines(&lines.text, lines.exhausted, limit, memory, out)
            });
            return self.caller.batch(call, read);
        }
        let call = Call::works("source.next", name);
        self.begin(call)?;
        let result = async {
            let role = self.roles.sources.as_ref().ok_or_else(|| missing("param-sources"))?;
            role.source().call_next(&mut self.store, *handle, most, MOST_BYTES).await
        };
        let batch = guarded(result).await;
        let batch = self.end(call, batch)?;
        let batch = self.caller.guest(call, batch)?;
        let state = self.store.data_mut();
        let raw = raw_batch!(state, batch);
        let raw = raw.map_err(|problem| self.caller.nonsense(call, problem))?;
        let read =
            read_charged(state, reader, charged, |reader, memory| reader.read(raw, limit, memory, out));
        self.caller.batch(call, read)
    }

    /// Opens a runner.
    pub(crate) async fn open_runner(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenRunner, CallError> {
        let call = Call::opens("runner.open", name);
        let context = self.push_context(call, context)?;
        self.begin(call)?;
        let result = async {
            let role = self.roles.runners.as_ref().ok_or_else(|| missing("runners"))?;
            role.runner().call_open(&mut self.store, name, context).await
        };
        let opened = guarded(result).await;
        let handle = self.end(call, opened)?;
        let handle = self.caller.guest(call, handle)?;
        Ok(OpenRunner { handle, name: name.to_owned() })
    }

    /// Performs the operation once.
    pub(crate) async fn run(
        &mut self,
        runner: &OpenRunner,
        params: RunParams,
        body: Option<(BodyKind, Bytes)>,
    ) -> Result<RunOutcome, CallError> {
        let call = Call::works("runner.run", &runner.name);
        let params = match params {
            RunParams::Json(text) => exports::runners::Params::Json(text),
            RunParams::Same => exports::runners::Params::Same,
            RunParams::Held(number) => exports::runners::Params::Held(number),
        };
        let body = match body {
            None => None,
            Some((kind, bytes)) => {
                let content = self.store.data_mut().push_body(bytes, 0);
                let content =
                    content.map_err(|error| self.caller.failed(call, self.store.data_mut(), &error))?;
                let kind = match kind {
                    BodyKind::Json => Kind::Json,
                    BodyKind::Text => Kind::Text,
                    BodyKind::Bytes => Kind::Bytes,
                };
                Some(exports::runners::RequestBody { kind, content })
            }
        };
        self.begin(call)?;
        self.store.data_mut().client.begin();
        // Should time run out, the call is dropped half-way: the instance cannot be used again.
        self.caller.ended = true;
        let performed = {
            let run = async {
                let role = self.roles.runners.as_ref().ok_or_else(|| missing("runners"))?;
                role.runner().call_run(&mut self.store, runner.handle, &params, body).await
            };
            let mut run = pin!(guarded(run));
            let deadline = &mut self.deadline;
            deadline.start();
            poll_fn(|context| match run.as_mut().poll(context) {
                Poll::Ready(performed) => Poll::Ready(Some(performed)),
                Poll::Pending => deadline.poll_passed(context).map(|()| None),
            })
            .await
        };
        self.caller.ended = false;
        let traffic = self.store.data_mut().client.end();
        let Some(performed) = performed else {
            self.caller.ended = true;
            let limit = self.caller.limits.exceeded(LimitKind::TimeToRun);
            return Err(self.caller.error(call, CallErrorKind::Limit { limit, backtrace: None }));
        };
        let returned = self.end(call, performed)?;
        Ok(RunOutcome { returned, traffic })
    }

    /// How far the task is.
    pub(crate) async fn progress(&mut self, runner: &OpenRunner) -> Result<rally_race::Progress, CallError> {
        let call = Call::works("runner.progress", &runner.name);
        self.begin(call)?;
        let result = async {
            let role = self.roles.runners.as_ref().ok_or_else(|| missing("runners"))?;
            role.runner().call_progress(&mut self.store, runner.handle).await
        };
        let progress = guarded(result).await;
        let progress = self.end(call, progress)?;
        let fraction = progress.fraction.filter(|fraction| (0.0..=1.0).contains(fraction));
        Ok(rally_race::Progress { completed: progress.completed, fraction })
    }

    /// Opens a scheduler.
    pub(crate) async fn open_scheduler(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenScheduler, CallError> {
        let call = Call::opens("scheduler.open", name);
        let context = self.push_context(call, context)?;
        self.begin(call)?;
        let result = async {
            let role = self.roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_open(&mut self.store, name, context).await
        };
        let opened = guarded(result).await;
        let handle = self.end(call, opened)?;
        let handle = self.caller.guest(call, handle)?;
        Ok(OpenScheduler { handle, name: name.to_owned() })
    }

    /// The next due time.
    pub(crate) async fn due_time(
        &mut self,
        scheduler: &OpenScheduler,
        current: f64,
        finished: &[Feedback],
    ) -> Result<f64, CallError> {
        let call = Call::works("scheduler.next", &scheduler.name);
        let finished = wit_feedback!(exports::schedulers::Feedback, finished);
        self.begin(call)?;
        let result = async {
            let role = self.roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_next(&mut self.store, scheduler.handle, current, &finished, 1).await
        };
        let times = guarded(result).await;
        let times = self.end(call, times)?;
        let times = self.caller.guest(call, times)?;
        crate::due::checked(current, &times, 1).map_err(|problem| self.caller.nonsense(call, problem))?;
        Ok(times[0])
    }

    fn push_context(
        &mut self,
        call: Call<'_>,
        context: RaceContext,
    ) -> Result<Resource<RaceContext>, CallError> {
        let state = self.store.data_mut();
        match state.table.push(context) {
            Ok(handle) => Ok(handle),
            Err(error) => Err(self.caller.failed(call, state, &error.into())),
        }
    }

    /// Arms the guest's time.
    fn begin(&mut self, call: Call<'_>) -> Result<(), CallError> {
        self.caller.begin(call)?;
        arm(&mut self.store, &self.caller, call);
        Ok(())
    }

    /// A guest that trapped is over.
    fn end<T>(
        &mut self,
        call: Call<'_>,
        result: std::thread::Result<wasmtime::Result<T>>,
    ) -> Result<T, CallError> {
        self.caller.finished(call, self.store.data_mut(), result)
    }

    /// The error of a runner that returned what makes no sense.
    pub(crate) fn nonsense_of(&self, runner: &OpenRunner, problem: String) -> CallError {
        self.caller.nonsense(Call::works("runner.run", &runner.name), problem)
    }

    /// The error of a runner that says itself that it cannot go on.
    pub(crate) fn guest_error_of(&self, runner: &OpenRunner, error: types::Error) -> CallError {
        self.caller.error(Call::works("runner.run", &runner.name), CallErrorKind::Guest(error.into()))
    }
}

/// A call whose panics end it alone: a bug of ours in a host call must not end the race of all the others.
fn guarded<T>(call: impl Future<Output = T>) -> impl Future<Output = std::thread::Result<T>> {
    AssertUnwindSafe(call).catch_unwind()
}

/// Gives the guest the time of a call.
fn arm(store: &mut Store<HostState>, caller: &Caller, call: Call<'_>) {
    let state = store.data_mut();
    state.computing.begin(state.born.elapsed(), caller.time(call), call.time);
    store.set_epoch_deadline(1);
}

impl Extension {
    pub(crate) async fn async_instance(
        &self,
        environment: &Arc<HostEnvironment>,
    ) -> Result<AsyncInstance, CallError> {
        let name = self.name.clone();
        AsyncInstance::new(&self.linked, &self.async_indices, name, &self.limits, environment).await
    }
}
