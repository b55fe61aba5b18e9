//! What a component is given, by what it is used for.

use wasmtime::component::{Component, HasSelf, InstancePre, Linker};

use crate::engine::Engine;
use crate::since_0_1_0::bindings::{blocking, waiting};
use crate::since_0_1_0::state::HostState;

/// A component, linked for both uses: no import is left open, and none is there that is not offered.
pub(crate) struct Linked {
    /// For param sources and schedulers: no call waits.
    pub(crate) blocking: InstancePre<HostState>,
    /// For runners, and for instances that hold a runner beside other roles.
    pub(crate) waiting: InstancePre<HostState>,
}

impl Linked {
    pub(crate) fn new(engine: &Engine, component: &Component) -> wasmtime::Result<Linked> {
        let mut plain = Linker::new(&engine.wasmtime);
        blocking::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut plain, |state| state)?;
        let mut with_client = Linker::new(&engine.wasmtime);
        waiting::Track::add_to_linker::<HostState, HasSelf<HostState>>(&mut with_client, |state| state)?;
        Ok(Linked {
            blocking: plain.instantiate_pre(component)?,
            waiting: with_client.instantiate_pre(component)?,
        })
    }
}
