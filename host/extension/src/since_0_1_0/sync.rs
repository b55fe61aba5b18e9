//! Instances whose calls never wait: param sources, schedulers, processors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rally_race::{More, Params};
use wasmtime::Store;
use wasmtime::component::{Resource, ResourceAny};

use crate::Feedback;
use crate::batch::BatchReader;
use crate::context::RaceContext;
use crate::engine::ticks;
use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName};
use crate::extension::{
    Description, Extension, Extent, Form, RunnerInfo, SchedulerInfo, Sharing, SourceInfo,
};
use crate::json_size::parsed_size;
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::sync::exports::rally::track as exports;
use crate::since_0_1_0::call::{Call, Caller, missing, raw_batch, read_charged, wit_feedback};
use crate::since_0_1_0::linking::Linked;
use crate::since_0_1_0::state::HostState;

/// Bodies that one batch should have at most, bytes: a generator serves many clients.
pub(crate) const MOST_BYTES: u32 = 4 << 20;

/// A component at work whose calls never wait.
pub(crate) struct SyncInstance {
    store: Store<HostState>,
    roles: Roles,
    caller: Caller,
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
        let pre = &linked.sync;
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
    /// Bytes of its parameters that are charged to the instance.
    charged: usize,
    pub(crate) extent: Extent,
}

/// A scheduler of an instance.
pub(crate) struct OpenScheduler {
    handle: ResourceAny,
    name: String,
    /// What is wrong with the due time after those that were handed over.
    wrong: Option<String>,
}

impl SyncInstance {
    /// Makes an instance. Its start functions run, within the time to open.
    pub(crate) fn new(
        linked: &Linked,
        indices: &RoleIndices,
        component: ComponentName,
        limits: &Arc<Limits>,
        environment: &Arc<HostEnvironment>,
    ) -> Result<SyncInstance, CallError> {
        let mut caller = Caller::new(component.clone(), limits);
        let state = HostState::new(component, Arc::clone(limits), Arc::clone(environment));
        let mut store = Store::new(linked.sync.engine(), state);
        store.limiter(HostState::limiter);
        store.epoch_deadline_trap();
        store.set_epoch_deadline(ticks(limits.time_to_open));
        store.set_hostcall_fuel(limits.host_call_bytes);
        store.set_max_component_handles(limits.handles);
        let made = linked.sync.instantiate(&mut store).and_then(|instance| {
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
            Ok(roles) => Ok(SyncInstance { store, roles, caller }),
            Err(error) => Err(caller.failed(Call::opens("instantiate", ""), store.data_mut(), &error)),
        }
    }

    /// What the component says of itself.
    pub(crate) fn describe(&mut self) -> Result<Description, CallError> {
        let call = Call::opens("describe", "");
        let said = self.call(call, |roles, store| roles.extension.call_describe(store))?;
        let said = self.caller.guest(call, said)?;
        Description::checked(description(said)).map_err(|problem| self.caller.nonsense(call, problem))
    }

    /// Opens a source.
    pub(crate) fn open_source(
        &mut self,
        info: &SourceInfo,
        context: RaceContext,
        may_hold: bool,
    ) -> Result<OpenSource, CallError> {
        let call = Call::opens("source.open", &info.name);
        let context = self.push_context(call, context)?;
        let opened =
            self.call(call, |roles, store| sources(roles)?.source().call_open(store, &info.name, context))?;
        let handle = self.caller.guest(call, opened)?;
        let call = Call::opens("source.extent", &info.name);
        let extent = self.call(call, |roles, store| sources(roles)?.source().call_extent(store, handle))?;
        Ok(OpenSource {
            handle,
            form: info.form,
            name: info.name.clone(),
            reader: BatchReader::new(may_hold),
            charged: 0,
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
        let OpenSource { handle, form, name, reader, charged, .. } = source;
        let most = u32::try_from(limit).unwrap_or(u32::MAX);
        if *form == Form::Lines {
            let call = Call::works("source.next-lines", name);
            let lines = self.call(call, |roles, store| {
                sources(roles)?.source().call_next_lines(store, *handle, most, MOST_BYTES)
            })?;
            let lines = self.caller.guest(call, lines)?;
            let state = self.store.data_mut();
            let read = read_charged(state, reader, charged, |reader, memory| {
                reader.read_lines(&lines.text, lines.exhausted, limit, memory, out)
            });
            return self.caller.batch(call, read);
        }
        let call = Call::works("source.next", name);
        let batch = self.call(call, |roles, store| {
            sources(roles)?.source().call_next(store, *handle, most, MOST_BYTES)
        })?;
        let batch = self.caller.guest(call, batch)?;
        let state = self.store.data_mut();
        let raw = raw_batch!(state, batch);
        let raw = raw.map_err(|problem| self.caller.nonsense(call, problem))?;
        let read =
            read_charged(state, reader, charged, |reader, memory| reader.read(raw, limit, memory, out));
        self.caller.batch(call, read)
    }

    /// Opens a scheduler.
    pub(crate) fn open_scheduler(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenScheduler, CallError> {
        let call = Call::opens("scheduler.open", name);
        let context = self.push_context(call, context)?;
        let opened = self.call(call, |roles, store| {
            let role = roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_open(store, name, context)
        })?;
        let handle = self.caller.guest(call, opened)?;
        Ok(OpenScheduler { handle, name: name.to_owned(), wrong: None })
    }

    /// The next due times, at most `limit`.
    pub(crate) fn due_times(
        &mut self,
        scheduler: &mut OpenScheduler,
        current: f64,
        finished: &[Feedback],
        limit: u32,
    ) -> Result<Vec<f64>, CallError> {
        let OpenScheduler { handle, name, wrong } = scheduler;
        let call = Call::works("scheduler.next", name);
        if let Some(problem) = wrong.take() {
            return Err(self.caller.nonsense(call, problem));
        }
        let finished = wit_feedback!(exports::schedulers::Feedback, finished);
        let times = self.call(call, |roles, store| {
            let role = roles.schedulers.as_ref().ok_or_else(|| missing("schedulers"))?;
            role.scheduler().call_next(store, *handle, current, &finished, limit)
        })?;
        let mut times = self.caller.guest(call, times)?;
        match crate::due::first_wrong(current, &times, limit) {
            None => {}
            Some((0, problem)) => return Err(self.caller.nonsense(call, problem)),
            // Requests before it are made first: perhaps nobody asks for more.
            Some((good, problem)) => {
                times.truncate(good);
                *wrong = Some(problem);
            }
        }
        Ok(times)
    }

    /// Lets a processor change the track. `None`: it leaves it.
    pub(crate) fn on_load(&mut self, name: &str, context: RaceContext) -> Result<Option<String>, CallError> {
        let call = Call::opens("on-load", name);
        let context = self.push_context(call, context)?;
        let changed = self.call(call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_on_load(store, name, context)
        })?;
        let changed = self.caller.guest(call, changed)?;
        if changed.as_deref().is_some_and(|text| parsed_size(text) > self.store.data().room()) {
            return Err(self.caller.over_limit(call, LimitKind::Memory));
        }
        Ok(changed)
    }

    /// Number of jobs of a processor's preparation. `None`: it has none.
    pub(crate) fn on_prepare(&mut self, name: &str, context: RaceContext) -> Result<Option<u32>, CallError> {
        let call = Call::opens("on-prepare", name);
        let context = self.push_context(call, context)?;
        let jobs = self.call(call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_on_prepare(store, name, context)
        })?;
        self.caller.guest(call, jobs)
    }

    /// Does a job of the preparation that was announced last.
    pub(crate) fn run_job(&mut self, name: &str, job: u32) -> Result<(), CallError> {
        let call = Call::opens("run-job", name);
        let done = self.call(call, |roles, store| {
            let role = roles.processors.as_ref().ok_or_else(|| missing("processors"))?;
            role.call_run_job(store, job)
        })?;
        self.caller.guest(call, done)
    }

    /// Checks track parameters.
    pub(crate) fn validate(&mut self, challenge: &str, track_params: &str) -> Result<(), CallError> {
        let call = Call::opens("validate", challenge);
        let valid = self.call(call, |roles, store| {
            let role = roles.validators.as_ref().ok_or_else(|| missing("validators"))?;
            role.call_validate(store, challenge, track_params)
        })?;
        self.caller.guest(call, valid)
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

    /// Calls the guest, with its time armed anew. A guest that traps is over.
    fn call<T>(
        &mut self,
        call: Call<'_>,
        perform: impl FnOnce(&Roles, &mut Store<HostState>) -> wasmtime::Result<T>,
    ) -> Result<T, CallError> {
        self.caller.begin(call)?;
        self.store.set_epoch_deadline(ticks(self.caller.time(call)));
        // A bug of ours in a host call must not end the race of all the others.
        let performed = catch_unwind(AssertUnwindSafe(|| perform(&self.roles, &mut self.store)));
        self.caller.finished(call, self.store.data_mut(), performed)
    }
}

fn sources(roles: &Roles) -> wasmtime::Result<&exports::param_sources::Guest> {
    roles.sources.as_ref().ok_or_else(|| missing("param-sources"))
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
    pub(crate) fn sync_instance(
        &self,
        environment: &Arc<HostEnvironment>,
    ) -> Result<SyncInstance, CallError> {
        SyncInstance::new(&self.linked, &self.sync_indices, self.name.clone(), &self.limits, environment)
    }
}
