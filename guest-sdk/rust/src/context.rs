//! What an extension may know about the race.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::bindings::host::rally::track::types;
use crate::{Random, Track, Values, handle};

pub use types::Partition;

/// The race as one client of one task sees it. Cloning it is cheap, and it may be kept.
#[derive(Clone)]
pub struct Context {
    inner: Rc<Inner>,
}

struct Inner {
    handle: handle::Context,
    params: OnceCell<Values>,
    task_params: OnceCell<Values>,
    track: OnceCell<Track>,
}

impl Context {
    pub(crate) fn new(handle: handle::Context) -> Context {
        let inner =
            Inner { handle, params: OnceCell::new(), task_params: OnceCell::new(), track: OnceCell::new() };
        Context { inner: Rc::new(inner) }
    }

    pub(crate) fn handle(&self) -> &handle::Context {
        &self.inner.handle
    }

    /// All properties of the operation as track.json has them.
    pub fn params(&self) -> &Values {
        self.inner.params.get_or_init(|| object(&self.inner.handle.params(), "parameters"))
    }

    /// All properties of the task as track.json has them.
    pub fn task_params(&self) -> &Values {
        self.inner.task_params.get_or_init(|| object(&self.inner.handle.task_params(), "a task"))
    }

    /// The whole track.
    pub fn track(&self) -> &Track {
        self.inner.track.get_or_init(|| Track::new(object(&self.inner.handle.track(), "a track")))
    }

    /// Name of the track.
    pub fn track_name(&self) -> String {
        self.inner.handle.track_name()
    }

    /// Name of the challenge that is raced.
    pub fn challenge(&self) -> String {
        self.inner.handle.challenge()
    }

    /// Name of the task; empty for processors and validators.
    pub fn task(&self) -> String {
        self.inner.handle.task()
    }

    /// Number of clients of the task and which of them this is.
    pub fn partition(&self) -> Partition {
        self.inner.handle.partition()
    }

    /// Requests per second of this client, if the task is throttled.
    pub fn target_throughput(&self) -> Option<f64> {
        self.inner.handle.target_throughput()
    }

    /// Names of the target clusters, the default one first.
    pub fn clusters(&self) -> Vec<String> {
        self.inner.handle.clusters()
    }

    /// The only entropy there is: stable for race seed, lap, task and client.
    pub fn seed(&self) -> u64 {
        self.inner.handle.seed()
    }

    /// Random numbers of this client, from [`seed`](Context::seed). Each call begins them anew.
    pub fn random(&self) -> Random {
        Random::from_seed(self.seed())
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Partition { index, total } = self.partition();
        write!(formatter, "Context(client {index} of {total} of task {:?})", self.task())
    }
}

/// Rally promises an object here; anything else is a fault of rally's, not of the track.
fn object(text: &str, what: &str) -> Values {
    match Values::parse_object(text) {
        Ok(values) => values,
        Err(error) => panic!("rally handed over {what} that are no JSON object: {error}"),
    }
}
