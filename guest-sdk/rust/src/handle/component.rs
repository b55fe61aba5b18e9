//! In a component: the bindings.

use crate::bindings::host::rally::track as rally;
use crate::client::{Call, Want};

pub(crate) use rally::bodies::{Body, Builder, Slice, of_bytes, of_slice};
pub(crate) use rally::corpora::Reader;
pub(crate) use rally::log::emit as log;
pub(crate) use rally::race::Context;
pub(crate) use rally::{assets, clock, data};

use rally::client as wire;
use rally::types;

/// The target of the race.
pub(crate) struct Target;

impl Target {
    pub(crate) fn send(&self, call: Call, want: &Want) -> Result<wire::Response, types::Error> {
        wire::send(request(call), want)
    }

    pub(crate) fn send_all(
        &self,
        calls: Vec<Call>,
        want: &Want,
        width: u32,
    ) -> Vec<Result<wire::Response, types::Error>> {
        wire::send_all(calls.into_iter().map(request).collect(), want, width)
    }

    pub(crate) fn submit(&self, call: Call, want: &Want) -> Result<u32, types::Error> {
        wire::submit(request(call), want)
    }

    pub(crate) fn wait(&self, timeout_nanoseconds: Option<u64>) -> Vec<wire::Completion> {
        wire::wait(timeout_nanoseconds)
    }

    pub(crate) fn sleep(&self, nanoseconds: u64) {
        wire::sleep(nanoseconds);
    }

    pub(crate) fn builtin(
        &self,
        cluster: Option<&str>,
        operation_type: &str,
        params: &str,
        body: Option<Body>,
    ) -> Result<String, types::Error> {
        wire::builtin(cluster, operation_type, params, body)
    }
}

fn request(call: Call) -> wire::Request {
    let Call { cluster, method, target, headers, body, timeout_milliseconds } = call;
    wire::Request {
        cluster,
        method,
        target,
        headers,
        body: body.map(|body| body.handle),
        timeout_milliseconds,
    }
}
