//! What a component is given, by what it is used for.

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::engine::Engine;
use crate::since_0_1_0::bindings::{async_, sync};
use crate::since_0_1_0::state::HostState;

/// A component, linked for both uses: no import is left open, and none is there that is not offered.
pub(crate) struct Linked {
    /// For param sources and schedulers: no call waits.
    pub(crate) sync: InstancePre<HostState>,
    /// For runners, and for instances that hold a runner beside other roles.
    pub(crate) async_: InstancePre<HostState>,
}

impl Linked {
    pub(crate) fn new(engine: &Engine, component: &Component) -> wasmtime::Result<Linked> {
        let mut plain = Linker::new(&engine.wasmtime);
        sync::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut plain, |state| state)?;
        let mut with_client = Linker::new(&engine.wasmtime);
        async_::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut with_client, |state| state)?;
        Ok(Linked {
            sync: plain.instantiate_pre(component)?,
            async_: with_client.instantiate_pre(component)?,
        })
    }
}
