//! Instances whose calls never wait: param sources, schedulers, processors.

use std::sync::Arc;

use rally_race::{BodyKind, More, Params};
use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};

use crate::Feedback;
use crate::batch::{BatchReader, RawBatch, RawItem};
use crate::engine::ticks;
use crate::error::{CallError, CallErrorKind, ComponentName};
use crate::extension::{
    Description, Extension, Extent, Form, RunnerInfo, SchedulerInfo, Sharing, SourceInfo,
};
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::blocking::exports::rally::track as exports;
use crate::since_0_1_0::bindings::imports::bodies::Kind;
use crate::since_0_1_0::bindings::imports::types;
use crate::since_0_1_0::linking::Linked;
use crate::since_0_1_0::state::{HostState, RaceContext};
use crate::surroundings::Surroundings;

/// Bodies that one batch should have at most, bytes: a generator serves many clients.
pub(crate) const MOST_BYTES: u32 = 4 << 20;

/// A component at work whose calls never wait.
pub(crate) struct BlockingInstance {
    store: Store<HostState>,
    roles: Roles,
    component: ComponentName,
    limits: Arc<Limits>,
    ended: bool,
}

/// The roles that the component has.
struct Roles {
    extension: exports::extension::Guest,
    sources: Option<exports::param_sources::Guest>,
    schedulers: Option<exports::schedulers::Guest>,
    processors: Option<exports::processors::Guest>,
    validators: Option<exports::validators::Guest>,
}

/// Where the roles are in the component.
pub(crate) struct RoleIndices {
    extension: exports::extension::GuestIndices,
    sources: Option<exports::param_sources::GuestIndices>,
    schedulers: Option<exports::schedulers::GuestIndices>,
    processors: Option<exports::processors::GuestIndices>,
    validators: Option<exports::validators::GuestIndices>,
}

impl RoleIndices {
    pub(crate) fn new(linked: &Linked, has: impl Fn(&str) -> bool) -> wasmtime::Result<RoleIndices> {
        let pre = &linked.blocking;
        Ok(RoleIndices {
            extension: exports::extension::GuestIndices::new(pre)?,
            sources: has("param-sources")
                .then(|| exports::param_sources::GuestIndices::new(pre))
                .transpose()?,
            schedulers: has("schedulers").then(|| exports::schedulers::GuestIndices::new(pre)).transpose()?,
            processors: has("processors").then(|| exports::processors::GuestIndices::new(pre)).transpose()?,
            validators: has("validators").then(|| exports::validators::GuestIndices::new(pre)).transpose()?,
        })
    }
}

/// A source of an instance.
pub(crate) struct OpenSource {
    handle: ResourceAny,
    form: Form,
    name: String,
    reader: BatchReader,
    pub(crate) extent: Extent,
}

/// A scheduler of an instance.
pub(crate) struct OpenScheduler {
    handle: ResourceAny,
    name: String,
}

/// A call of a guest: its name, and what time it has.
struct Call<'a> {
    name: &'a str,
    of: &'a str,
    time: LimitKind,
}

impl Call<'_> {
    fn show(&self) -> String {
        if self.of.is_empty() { self.name.to_owned() } else { format!("{} of {:?}", self.name, self.of) }
    }
}

impl BlockingInstance {
    /// Makes an instance. Its start functions run, within the time to open.
    pub(crate) fn new(
        linked: &Linked,
        indices: &RoleIndices,
        component: ComponentName,
        limits: &Arc<Limits>,
        surroundings: &Arc<Surroundings>,
    ) -> Result<BlockingInstance, CallError> {
        let state = HostState::new(component.clone(), Arc::clone(limits), Arc::clone(surroundings));
        let mut store = Store::new(linked.blocking.engine(), state);
        store.limiter(HostState::limiter);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(ticks(limits.time_to_open));
        store.set_hostcall_fuel(limits.host_call_bytes);
        store.set_max_component_handles(limits.handles);
        let made = linked.blocking.instantiate(&mut store).and_then(|instance| {
            let roles = Roles {
                extension: indices.extension.load(&mut store, &instance)?,
                sources: indices.sources.as_ref().map(|role| role.load(&mut store, &instance)).transpose()?,
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
                validators: indices
                    .validators
                    .as_ref()
                    .map(|role| role.load(&mut store, &instance))
                    .transpose()?,
            };
            Ok(roles)
        });
        match made {
            Ok(roles) => {
                Ok(BlockingInstance { store, roles, component, limits: Arc::clone(limits), ended: false })
            }
            Err(error) => {
                let words = store.data_mut().take_last_words();
                let kind = CallErrorKind::from_wasmtime(&error, limits, LimitKind::TimeToOpen, words);
                Err(CallError { component, call: "instantiate".to_owned(), kind: Box::new(kind) })
            }
        }
    }

    /// What the component says of itself.
    pub(crate) fn describe(&mut self) -> Result<Description, CallError> {
        let call = Call { name: "describe", of: "", time: LimitKind::TimeToOpen };
        let said = self.call(&call, |roles, store| roles.extension.call_describe(store))?;
        let said = self.guest(&call, said)?;
        Description::checked(description(said)).map_err(|problem| self.nonsense(&call, problem))
    }

    /// Opens a source.
    pub(crate) fn open_source(
        &mut self,
        info: &SourceInfo,
        context: RaceContext,
        may_hold: bool,
    ) -> Result<OpenSource, CallError> {
        let call = Call { name: "source.open", of: &info.name, time: LimitKind::TimeToOpen };
        let context = self.push_context(&call, context)?;
        let opened =
            self.call(&call, |roles, store| sources(roles)?.source().call_open(store, &info.name, context))?;
        let handle = self.guest(&call, opened)?;
        let call = Call { name: "source.extent", ..call };
        let extent = self.call(&call, |roles, store| sources(roles)?.source().call_extent(store, handle))?;
        Ok(OpenSource {
            handle,
            form: info.form,
            name: info.name.clone(),
            reader: BatchReader::new(may_hold),
            extent: match extent {
                exports::param_sources::Extent::Infinite => Extent::Infinite,
                exports::param_sources::Extent::Finite(requests) => Extent::Finite(requests),
            },
        })
    }

    /// Appends at most `limit` requests.
    pub(crate) fn next(
        &mut self,
        source: &mut OpenSource,
        limit: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, CallError> {
        let OpenSource { handle, form, name, reader, .. } = source;
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        if *form == Form::Lines {
            let call = Call { name: "source.next-lines", of: name, time: LimitKind::TimePerCall };
            let lines = self.call(&call, |roles, store| {
                sources(roles)?.source().call_next_lines(store, *handle, most, MOST_BYTES)
            })?;
            let lines = self.guest(&call, lines)?;
            return reader
                .read_lines(&lines.text, lines.exhausted, limit, out)
                .map_err(|problem| self.nonsense(&call, problem));
        }
        let call = Call { name: "source.next", of: name, time: LimitKind::TimePerCall };
        let batch = self.call(&call, |roles, store| {
            sources(roles)?.source().call_next(store, *handle, most, MOST_BYTES)
        })?;
        let batch = self.guest(&call, batch)?;
        let raw = self.raw(&call, batch)?;
        reader.read(raw, limit, out).map_err(|problem| self.nonsense(&call, problem))
    }

    fn raw(&mut self, call: &Call<'_>, batch: exports::param_sources::Batch) -> Result<RawBatch, CallError> {
        let mut bodies = Vec::with_capacity(batch.bodies.len());
        for given in batch.bodies {
            match self.store.data_mut().take_body(given.body) {
                Ok(body) => bodies.push((given.position, body_kind(given.kind), body)),
                Err(problem) => return Err(self.nonsense(call, format!("a body that is none: {problem}"))),
            }
        }
        Ok(RawBatch {
            new_shapes: batch.new_shapes.into_iter().map(|shape| (shape.slot, shape.params)).collect(),
            items: batch
                .items
                .iter()
                .map(|item| RawItem {
                    shape: item.shape,
                    arena_end: item.arena_end,
                    body_kind: body_kind(item.body_kind),
                    documents: item.documents,
                    held: item.held,
                })
                .collect(),
            arena: batch.arena,
            bodies,
            exhausted: batch.exhausted,
        })
    }

    /// Opens a scheduler.
    pub(crate) fn open_scheduler(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenScheduler, CallError> {
        let call = Call { name: "scheduler.open", of: name, time: LimitKind::TimeToOpen };
        let context = self.push_context(&call, context)?;
        let opened = self.call(&call, |roles, store| {
            let role = roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_open(store, name, context)
        })?;
        let handle = self.guest(&call, opened)?;
        Ok(OpenScheduler { handle, name: name.to_owned() })
    }

    /// The next due times, at most `limit`.
    pub(crate) fn due_times(
        &mut self,
        scheduler: &OpenScheduler,
        current: f64,
        finished: &[Feedback],
        limit: u32,
    ) -> Result<Vec<f64>, CallError> {
        let call = Call { name: "scheduler.next", of: &scheduler.name, time: LimitKind::TimePerCall };
        let finished: Vec<_> = finished
            .iter()
            .map(|feedback| exports::schedulers::Feedback {
                started: feedback.started,
                finished: feedback.finished,
                weight: feedback.weight,
                unit: feedback.unit.clone(),
                success: feedback.success,
                meta: feedback.meta.clone(),
            })
            .collect();
        let times = self.call(&call, |roles, store| {
            let role = roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_next(store, scheduler.handle, current, &finished, limit)
        })?;
        let times = self.guest(&call, times)?;
        crate::due::checked(current, &times, limit).map_err(|problem| self.nonsense(&call, problem))?;
        Ok(times)
    }

    /// Lets a processor change the track. `None`: it leaves it.
    pub(crate) fn on_load(&mut self, name: &str, context: RaceContext) -> Result<Option<String>, CallError> {
        let call = Call { name: "on-load", of: name, time: LimitKind::TimeToOpen };
        let context = self.push_context(&call, context)?;
        let changed = self.call(&call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_on_load(store, name, context)
        })?;
        self.guest(&call, changed)
    }

    /// Number of jobs of a processor's preparation. `None`: it has none.
    pub(crate) fn on_prepare(&mut self, name: &str, context: RaceContext) -> Result<Option<u32>, CallError> {
        let call = Call { name: "on-prepare", of: name, time: LimitKind::TimeToOpen };
        let context = self.push_context(&call, context)?;
        let jobs = self.call(&call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_on_prepare(store, name, context)
        })?;
        self.guest(&call, jobs)
    }

    /// Does a job of the preparation that was announced last.
    pub(crate) fn run_job(&mut self, name: &str, job: u32) -> Result<(), CallError> {
        let call = Call { name: "run-job", of: name, time: LimitKind::TimeToOpen };
        let done = self.call(&call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_run_job(store, job)
        })?;
        self.guest(&call, done)
    }

    /// Checks track parameters.
    pub(crate) fn validate(&mut self, challenge: &str, track_params: &str) -> Result<(), CallError> {
        let call = Call { name: "validate", of: challenge, time: LimitKind::TimeToOpen };
        let valid = self.call(&call, |roles, store| {
            let role = roles.validators.as_ref().ok_or_else(|| missing("validators"))?;
            role.call_validate(store, challenge, track_params)
        })?;
        self.guest(&call, valid)
    }

    fn push_context(
        &mut self,
        call: &Call<'_>,
        context: RaceContext,
    ) -> Result<Resource<RaceContext>, CallError> {
        self.store.data_mut().table.push(context).map_err(|error| {
            let error = wasmtime::Error::from(error);
            self.failed(call, &error)
        })
    }

    /// Calls the guest, with its time armed anew. A guest that traps is over.
    fn call<T>(
        &mut self,
        call: &Call<'_>,
        perform: impl FnOnce(&Roles, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        if self.ended {
            return Err(self.error(call, CallErrorKind::Ended));
        }
        let time = match call.time {
            LimitKind::TimePerCall => self.limits.time_per_call,
            _ => self.limits.time_to_open,
        };
        self.store.set_epoch_deadline(ticks(time));
        perform(&self.roles, &mut self.store).map_err(|error| self.failed(call, &error))
    }

    fn failed(&mut self, call: &Call<'_>, error: &wasmtime::Error) -> CallError {
        self.ended = true;
        let words = self.store.data_mut().take_last_words();
        let kind = CallErrorKind::from_wasmtime(error, &self.limits, call.time, words);
        self.error(call, kind)
    }

    fn guest<T>(&self, call: &Call<'_>, returned: Result<T, types::Error>) -> Result<T, CallError> {
        returned.map_err(|error| self.error(call, CallErrorKind::Guest(error.into())))
    }

    fn nonsense(&self, call: &Call<'_>, problem: String) -> CallError {
        self.error(call, CallErrorKind::Nonsense(problem))
    }

    fn error(&self, call: &Call<'_>, kind: CallErrorKind) -> CallError {
        CallError { component: self.component.clone(), call: call.show(), kind: Box::new(kind) }
    }
}

fn sources(roles: &Roles) -> wasmtime::Result<&exports::param_sources::Guest> {
    roles.sources.as_ref().ok_or_else(|| missing("param-sources"))
}

pub(crate) fn missing(role: &str) -> wasmtime::Error {
    wasmtime::format_err!("the component exports no {role}")
}

pub(crate) fn body_kind(kind: Kind) -> BodyKind {
    match kind {
        Kind::Json => BodyKind::Json,
        Kind::Text => BodyKind::Text,
        Kind::Bytes => BodyKind::Bytes,
    }
}

fn description(said: exports::extension::Description) -> Description {
    use exports::extension as wit;
    Description {
        name: said.name,
        version: said.version,
        sharing: match said.sharing {
            wit::Sharing::Isolated => Sharing::Isolated,
            wit::Sharing::PerClient => Sharing::PerClient,
            wit::Sharing::PerWorker => Sharing::PerWorker,
        },
        sources: said
            .sources
            .into_iter()
            .map(|info| SourceInfo {
                name: info.name,
                form: match info.form {
                    wit::BatchForm::Arena => Form::Arena,
                    wit::BatchForm::Lines => Form::Lines,
                },
                prefetch: info.prefetch,
            })
            .collect(),
        runners: said
            .runners
            .into_iter()
            .map(|info| RunnerInfo {
                name: info.name,
                multi_cluster: info.multi_cluster,
                completes_task: info.completes_task,
            })
            .collect(),
        schedulers: said
            .schedulers
            .into_iter()
            .map(|info| SchedulerInfo { name: info.name, feedback: info.feedback })
            .collect(),
        processors: said.processors,
        validators: said.validators,
    }
}

/// An extension's instance that never waits.
impl Extension {
    pub(crate) fn blocking(&self, surroundings: &Arc<Surroundings>) -> Result<BlockingInstance, CallError> {
        BlockingInstance::new(&self.linked, &self.indices, self.name.clone(), &self.limits, surroundings)
    }
}
