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
use wasmtime::component::{Instance, InstancePre, Resource, ResourceAny};

use crate::Feedback;
use crate::batch::{BatchReader, RawBatch, RawItem};
use crate::context::RaceContext;
use crate::environment::HostEnvironment;
use crate::error::{CallError, CallErrorKind, ComponentName, GuestError};
use crate::extension::{Form, SourceInfo};
use crate::instance::{GuestOutcome, OpenRunner, OpenScheduler, OpenSource, RunOutcome, RunParams};
use crate::json_size::parsed_size;
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::async_::exports::rally::track as exports;
use crate::since_0_1_0::bindings::imports::bodies::Kind;
use crate::since_0_1_0::bindings::imports::types::Error;
use crate::since_0_1_0::call::{Call, Caller, MOST_BYTES, body_kind, read_charged};
use crate::since_0_1_0::calls::{common_calls, guest_calls};
use crate::since_0_1_0::linking::Linked;
use crate::since_0_1_0::state::{HostState, at_tick};
use exports::extension::Description;
use exports::param_sources::{Batch, Extent, HostBody, Item, Lines};
use exports::runners::{Outcome, Params as WitParams, Progress, RequestBody};
use exports::schedulers::Feedback as WitFeedback;

/// Sources and runners of such instances may share objects.
const MAY_HOLD: bool = true;

guest_calls!(async);
common_calls!(AsyncInstance [async] perform);

/// A component at work whose calls may wait.
pub(crate) struct AsyncInstance {
    store: Store<HostState>,
    roles: Roles,
    caller: Caller,
    /// For one run after the other.
    deadline: Deadline,
}

/// Makes a call, with the guest's time armed again.
macro_rules! perform {
    ($instance:ident, $call:ident, $name:ident($($argument:expr),*)) => {{
        $instance.begin($call)?;
        let performed = guarded($instance.roles.$name(&mut $instance.store, $($argument),*)).await;
        $instance.caller.finished($call, $instance.store.data_mut(), performed)?
    }};
}
use perform;

impl AsyncInstance {
    /// Makes an instance. Its start functions run, within the time to open.
    pub(crate) async fn new(
        linked: &Linked,
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
        let made = linked.async_.instantiate_async(&mut store).await;
        match made.and_then(|instance| linked.async_indices.load(&mut store, &instance)) {
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

    /// Opens a runner.
    pub(crate) async fn open_runner(
        &mut self,
        name: &str,
        context: RaceContext,
    ) -> Result<OpenRunner, CallError> {
        let call = Call::opens("runner.open", name);
        let context = self.push_context(call, context)?;
        let opened = perform!(self, call, open_runner(name, context));
        let handle = self.caller.guest(call, opened)?;
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
            RunParams::Json(text) => WitParams::Json(text),
            RunParams::Same => WitParams::Same,
            RunParams::Held(number) => WitParams::Held(number),
        };
        let body = body.map(|body| self.push_body(call, body)).transpose()?;
        self.begin(call)?;
        self.store.data_mut().client.begin();
        // Should time run out, the call is dropped half-way: the instance cannot be used again.
        self.caller.ended = true;
        let performed = {
            let mut run = pin!(guarded(self.roles.run(&mut self.store, runner.handle, &params, body)));
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
            return Err(self.caller.over_limit(call, LimitKind::TimeToRun));
        };
        let returned = self.caller.finished(call, self.store.data_mut(), performed)?;
        let returned = returned.map(guest_outcome).map_err(GuestError::from);
        Ok(RunOutcome { returned, traffic })
    }

    fn push_body(
        &mut self,
        call: Call<'_>,
        (kind, bytes): (BodyKind, Bytes),
    ) -> Result<RequestBody, CallError> {
        let content = self.store.data_mut().push_body(bytes, 0);
        let content = content.map_err(|error| self.caller.failed(call, self.store.data_mut(), &error))?;
        let kind = match kind {
            BodyKind::Json => Kind::Json,
            BodyKind::Text => Kind::Text,
            BodyKind::Bytes => Kind::Bytes,
        };
        Ok(RequestBody { kind, content })
    }

    /// How far the task is.
    pub(crate) async fn progress(&mut self, runner: &OpenRunner) -> Result<rally_race::Progress, CallError> {
        let call = Call::works("runner.progress", &runner.name);
        let progress = perform!(self, call, progress(runner.handle));
        let fraction = progress.fraction.filter(|fraction| (0.0..=1.0).contains(fraction));
        Ok(rally_race::Progress { completed: progress.completed, fraction })
    }

    /// Arms the guest's time.
    fn begin(&mut self, call: Call<'_>) -> Result<(), CallError> {
        self.caller.begin(call)?;
        arm(&mut self.store, &self.caller, call);
        Ok(())
    }

    /// The error of a runner that returned what makes no sense.
    pub(crate) fn nonsense_of(&self, runner: &OpenRunner, problem: String) -> CallError {
        self.caller.nonsense(Call::works("runner.run", &runner.name), problem)
    }

    /// The error of a runner that says itself that it cannot go on.
    pub(crate) fn guest_error_of(&self, runner: &OpenRunner, error: GuestError) -> CallError {
        self.caller.error(Call::works("runner.run", &runner.name), CallErrorKind::Guest(error))
    }
}

fn guest_outcome(outcome: Outcome) -> GuestOutcome {
    GuestOutcome {
        weight: outcome.weight,
        unit: outcome.unit,
        success: outcome.success,
        failure: outcome.failure,
        status: outcome.status,
        throughput: outcome.throughput,
        meta: outcome.meta,
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
