//! What a component is given, by what it is used for.

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::engine::Engine;
use crate::since_0_1_0::bindings::{async_ as async_bindings, sync as sync_bindings};
use crate::since_0_1_0::state::HostState;
use crate::since_0_1_0::{async_, sync};

/// A component, linked for both uses: no import is left open, and none is there that is not offered.
pub(crate) struct Linked {
    /// For param sources and schedulers: no call waits.
    pub(crate) sync: InstancePre<HostState>,
    pub(crate) sync_indices: sync::RoleIndices,
    /// For runners, and for instances that hold a runner beside other roles.
    pub(crate) async_: InstancePre<HostState>,
    pub(crate) async_indices: async_::RoleIndices,
}

impl Linked {
    /// Links a component, and finds the roles that it `has`.
    pub(crate) fn new(
        engine: &Engine,
        component: &Component,
        has: impl Fn(&str) -> bool,
    ) -> wasmtime::Result<Linked> {
        // Every component that says what it is has this one.
        let has = |interface: &str| interface == "extension" || has(interface);
        let mut plain = Linker::new(&engine.wasmtime);
        sync_bindings::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut plain, |state| state)?;
        let mut with_client = Linker::new(&engine.wasmtime);
        async_bindings::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut with_client, |state| {
            state
        })?;
        let sync = plain.instantiate_pre(component)?;
        let async_ = with_client.instantiate_pre(component)?;
        Ok(Linked {
            sync_indices: sync::RoleIndices::new(&sync, has)?,
            async_indices: async_::RoleIndices::new(&async_, has)?,
            sync,
            async_,
        })
    }
}
