//! The way to the target, for runners.

mod request;
mod response;

pub(crate) use request::Call;
pub use request::ClientRequest;
pub use response::{BulkAnswer, Response, SearchAnswer};

use std::cell::RefCell;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::bindings::host::rally::track::client as wire;
use crate::bodies::{Body, IntoBody};
use crate::{Error, Outcome, Result, handle};
use request::{Check, path_segments};

pub use wire::{Method, Want};

/// Sends requests to the target of the race, and nowhere else.
///
/// An answer with a status of 400 or more is an error of class `api`, unless the request says that it
/// [accepts](ClientRequest::ignore_status) it.
pub struct Client {
    pub(crate) target: handle::Target,
    /// How to judge the answers of requests that were submitted and not yet waited for.
    submitted: RefCell<Vec<(u32, Check)>>,
}

/// A request that was [submitted](Client::submit) and has ended.
#[derive(Debug)]
pub struct Completion {
    /// What `submit` returned.
    pub id: u32,
    /// What came of it.
    pub outcome: Result<Response>,
}

impl Client {
    pub(crate) fn new(target: handle::Target) -> Client {
        Client { target, submitted: RefCell::new(Vec::new()) }
    }

    /// A request; `target` is path and query, encoded, beginning with a slash.
    pub fn request(&self, method: Method, target: impl Into<String>) -> ClientRequest<'_> {
        ClientRequest::new(self, method, target.into())
    }

    /// A `GET` request.
    pub fn get(&self, target: impl Into<String>) -> ClientRequest<'_> {
        self.request(Method::Get, target)
    }

    /// A `POST` request.
    pub fn post(&self, target: impl Into<String>) -> ClientRequest<'_> {
        self.request(Method::Post, target)
    }

    /// A `PUT` request.
    pub fn put(&self, target: impl Into<String>) -> ClientRequest<'_> {
        self.request(Method::Put, target)
    }

    /// A `DELETE` request.
    pub fn delete(&self, target: impl Into<String>) -> ClientRequest<'_> {
        self.request(Method::Delete, target)
    }

    /// Searches `index` (a name, a pattern, or several with commas; empty: all).
    ///
    /// # Errors
    /// Where there is no answer, or it says that the search failed.
    pub fn search(&self, index: &str, body: impl IntoBody) -> Result<SearchAnswer> {
        SearchAnswer::of(self.post(target_of(index, "_search")).body(body)?.pick(&SearchAnswer::POINTERS)?)
    }

    /// Sends a bulk body; `index`, where it is not empty, is that of lines that name none.
    ///
    /// # Errors
    /// Where there is no answer, or it says that the bulk failed as a whole.
    pub fn bulk(&self, index: &str, body: impl IntoBody) -> Result<BulkAnswer> {
        let request = self.post(target_of(index, "_bulk")).header("content-type", "application/x-ndjson");
        BulkAnswer::of(request.body(body)?.pick(&BulkAnswer::POINTERS)?)
    }

    /// Sends all, with at most `width` in flight; answers in the order of the requests.
    ///
    /// # Errors
    /// Where a request cannot be made: then none is sent.
    pub fn send_all(
        &self,
        requests: Vec<ClientRequest<'_>>,
        want: &Want,
        width: u32,
    ) -> Result<Vec<Result<Response>>> {
        let mut checks = Vec::with_capacity(requests.len());
        let mut calls = Vec::with_capacity(requests.len());
        for request in requests {
            let (call, check) = request.into_call()?;
            calls.push(call);
            checks.push(check);
        }
        let answers = self.target.send_all(calls, want, width);
        Ok(answers.into_iter().zip(checks).map(|(answer, check)| check.judge(answer)).collect())
    }

    /// Sends without waiting; [`wait`](Client::wait) tells what came of it, under the id that this returns.
    ///
    /// # Errors
    /// Where the request cannot be made, or too many are in flight.
    pub fn submit(&self, request: ClientRequest<'_>, want: &Want) -> Result<u32> {
        let (call, check) = request.into_call()?;
        let id = self.target.submit(call, want).map_err(Error::from_wire)?;
        self.submitted.borrow_mut().push((id, check));
        Ok(id)
    }

    /// Waits for at least one submitted request, or so long. Empty: time is up, or nothing is in flight.
    pub fn wait(&self, timeout: Option<Duration>) -> Vec<Completion> {
        let completions = self.target.wait(timeout.map(nanoseconds));
        let mut submitted = self.submitted.borrow_mut();
        completions
            .into_iter()
            .map(|completion| {
                let place = submitted.iter().position(|(id, _)| *id == completion.id);
                let check = place.map(|place| submitted.swap_remove(place).1).unwrap_or_default();
                Completion { id: completion.id, outcome: check.judge(completion.outcome) }
            })
            .collect()
    }

    /// Waits; counts as part of the operation.
    pub fn sleep(&self, duration: Duration) {
        self.target.sleep(nanoseconds(duration));
    }

    /// Performs a built-in operation, such as `bulk`, on the default cluster.
    ///
    /// # Errors
    /// Where there is no such operation, its parameters make no sense, or it failed.
    pub fn builtin(
        &self,
        operation_type: &str,
        params: &Map<String, Value>,
        body: Option<Body>,
    ) -> Result<Outcome> {
        self.builtin_on(None, operation_type, params, body)
    }

    /// The same on a cluster by its name.
    ///
    /// # Errors
    /// As [`builtin`](Client::builtin), and where there is no such cluster.
    pub fn builtin_on(
        &self,
        cluster: Option<&str>,
        operation_type: &str,
        params: &Map<String, Value>,
        body: Option<Body>,
    ) -> Result<Outcome> {
        let params = serde_json::to_string(params)?;
        let body = body.map(|body| body.handle);
        let text = self.target.builtin(cluster, operation_type, &params, body).map_err(Error::from_wire)?;
        Outcome::from_map(serde_json::from_str(&text)?)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn target_of(index: &str, endpoint: &str) -> String {
    let mut target = String::with_capacity(index.len() + endpoint.len() + 2);
    target.push('/');
    if !index.is_empty() {
        path_segments(index, &mut target);
        target.push('/');
    }
    target.push_str(endpoint);
    target
}
