//! Instances whose calls never wait: param sources, schedulers, processors.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rally_race::{More, Params};
use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre, Resource, ResourceAny};

use crate::Feedback;
use crate::batch::{BatchReader, RawBatch, RawItem};
use crate::context::RaceContext;
use crate::engine::ticks;
use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName};
use crate::extension::{Form, SourceInfo};
use crate::instance::{OpenScheduler, OpenSource};
use crate::json_size::parsed_size;
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::imports::types::Error;
use crate::since_0_1_0::bindings::sync::exports::rally::track as exports;
use crate::since_0_1_0::call::{Call, Caller, MOST_BYTES, body_kind, read_charged};
use crate::since_0_1_0::calls::{common_calls, guest_calls};
use crate::since_0_1_0::describe::description;
use crate::since_0_1_0::linking::Linked;
use crate::since_0_1_0::state::HostState;
use exports::extension::Description;
use exports::param_sources::{Batch, Extent, HostBody, Item, Lines};
use exports::runners::{Outcome, Params as WitParams, Progress, RequestBody};
use exports::schedulers::Feedback as WitFeedback;

/// Sources and runners of such instances share no objects.
const MAY_HOLD: bool = false;

guest_calls!(sync);
common_calls!(SyncInstance [] perform);

/// A component at work whose calls never wait.
pub(crate) struct SyncInstance {
    store: Store<HostState>,
    roles: Roles,
    caller: Caller,
}

/// Makes a call, with the guest's time armed again. A bug of ours in a host call must not end the race of all the others.
macro_rules! perform {
    ($instance:ident, $call:ident, $name:ident($($argument:expr),*)) => {{
        $instance.begin($call)?;
        let (roles, store) = (&$instance.roles, &mut $instance.store);
        let performed = catch_unwind(AssertUnwindSafe(|| roles.$name(store, $($argument),*)));
        $instance.caller.finished($call, $instance.store.data_mut(), performed)?
    }};
}
use perform;

impl SyncInstance {
    /// Makes an instance. Its start functions run, within the time to open.
    pub(crate) fn new(
        linked: &Linked,
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
        let made = linked.sync.instantiate(&mut store);
        match made.and_then(|instance| linked.sync_indices.load(&mut store, &instance)) {
            Ok(roles) => Ok(SyncInstance { store, roles, caller }),
            Err(error) => Err(caller.failed(Call::opens("instantiate", ""), store.data_mut(), &error)),
        }
    }

    /// What the component says of itself.
    pub(crate) fn describe(&mut self) -> Result<crate::Description, CallError> {
        let call = Call::opens("describe", "");
        let said = perform!(self, call, describe());
        let said = self.caller.guest(call, said)?;
        description(said).checked().map_err(|problem| self.caller.nonsense(call, problem))
    }

    /// Number of jobs of a processor's preparation. `None`: it has none.
    pub(crate) fn on_prepare(&mut self, name: &str, context: RaceContext) -> Result<Option<u32>, CallError> {
        let call = Call::opens("on-prepare", name);
        let context = self.push_context(call, context)?;
        let jobs = perform!(self, call, on_prepare(name, context));
        self.caller.guest(call, jobs)
    }

    /// Does a job of the preparation that was announced last.
    pub(crate) fn run_job(&mut self, name: &str, job: u32) -> Result<(), CallError> {
        let call = Call::opens("run-job", name);
        let done = perform!(self, call, run_job(job));
        self.caller.guest(call, done)
    }

    /// Checks track parameters.
    pub(crate) fn validate(&mut self, challenge: &str, track_params: &str) -> Result<(), CallError> {
        let call = Call::opens("validate", challenge);
        let valid = perform!(self, call, validate(challenge, track_params));
        self.caller.guest(call, valid)
    }

    /// Arms the guest's time.
    fn begin(&mut self, call: Call<'_>) -> Result<(), CallError> {
        self.caller.begin(call)?;
        self.store.set_epoch_deadline(ticks(self.caller.time(call)));
        Ok(())
    }
}
