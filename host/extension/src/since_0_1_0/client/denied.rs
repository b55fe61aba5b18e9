//! The client of param sources and schedulers: there, because their component may import it for its runners, and refusing.

use wasmtime::component::Resource;

use super::denied;
use crate::since_0_1_0::bindings::imports::types::Error;
use crate::since_0_1_0::bindings::sync;
use crate::since_0_1_0::bodies::Body;
use crate::since_0_1_0::state::HostState;

impl sync::rally::track::client::Host for HostState {
    fn send(
        &mut self,
        _: sync::rally::track::client::Request,
        _: sync::rally::track::client::Want,
    ) -> wasmtime::Result<Result<sync::rally::track::client::Response, Error>> {
        Ok(Err(denied()))
    }

    fn send_all(
        &mut self,
        requests: Vec<sync::rally::track::client::Request>,
        _: sync::rally::track::client::Want,
        _: u32,
    ) -> wasmtime::Result<Vec<Result<sync::rally::track::client::Response, Error>>> {
        Ok(requests.iter().map(|_| Err(denied())).collect())
    }

    fn submit(
        &mut self,
        _: sync::rally::track::client::Request,
        _: sync::rally::track::client::Want,
    ) -> wasmtime::Result<Result<u32, Error>> {
        Ok(Err(denied()))
    }

    fn wait(&mut self, _: Option<u64>) -> wasmtime::Result<Vec<sync::rally::track::client::Completion>> {
        Ok(Vec::new())
    }

    fn sleep(&mut self, _: u64) -> wasmtime::Result<()> {
        Err(wasmtime::format_err!("only runners can wait"))
    }

    fn builtin(
        &mut self,
        _: Option<String>,
        _: String,
        _: String,
        _: Option<Resource<Body>>,
    ) -> wasmtime::Result<Result<String, Error>> {
        Ok(Err(denied()))
    }
}
