//! The traits at the seams: what a race calls and others implement. Built-in implementations are native, a track's own
//! are components; the race never knows which it has.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use rally_track::Task;
use serde_json::{Map, Value};

/// A cause that crossed a seam: the race shows it, it does not look into it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Which part of a task's work a client does, and its own stream of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partition {
    /// Index of the client within its task, from 0.
    pub index: u32,
    /// Number of clients of the task.
    pub total: u32,
    /// Seed of this client in this task and lap; the same race seed gives the same one on every machine.
    pub seed: u64,
}

/// The parameters of one request, as a param source hands them to a runner.
#[derive(Debug, Clone)]
pub struct Params {
    /// Named parameters. Requests that differ in nothing share one map, and a runner may keep what it derived from it
    /// for as long as it is handed the same one (`Arc::ptr_eq`).
    pub values: Arc<Map<String, Value>>,
    /// The body where it is too large or too hot for a JSON value: a bulk body.
    pub body: Bytes,
    /// Number of documents in `body`; 0 where the notion has no meaning.
    pub documents: u32,
}

/// Opens parameter sources: one per task and client.
pub trait ParamSourceFactory: Send + Sync {
    /// Opens the source of one client. Called before the step starts, off the sending threads.
    ///
    /// # Errors
    /// Where the parameters of the task make no sense, or its data cannot be read.
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause>;

    /// Whether the source ends by itself. A finite source without iterations and times runs to its end.
    fn finite(&self) -> bool;
}

/// Yields the parameters of a client's requests in order. Lives on a generator thread, or is asked once.
pub trait ParamSource: Send {
    /// The one request that this source yields for ever, if all are the same: then nobody asks again.
    fn constant(&self) -> Option<Params> {
        None
    }

    /// Appends at most `limit` requests to `out`, in order, and at least one unless the source is exhausted.
    ///
    /// # Errors
    /// Where the next request cannot be made; what was appended before stays valid.
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause>;

    /// Number of requests of this partition, if it is known and finite.
    fn size(&self) -> Option<u64>;
}

/// Whether a source has more to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// Ask again.
    Yes,
    /// What was appended is the last.
    Exhausted,
}

/// Opens runners: one per task and client.
pub trait RunnerFactory: Send + Sync {
    /// Opens the runner of one client, on the thread that it will live on, and makes it ready to send (connected), so that
    /// the first request measures a request.
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>>;
}

/// Performs one operation against the target. Lives on one thread.
pub trait Runner {
    /// Performs the operation once. An unsuccessful request is an outcome, not an error.
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Outcome>;
}

/// What one request came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// First byte of the first request sent, taken around the socket.
    pub sent: Instant,
    /// Last byte of the last answer received.
    pub received: Instant,
    /// How much work was done, in `unit`s. 0 where the request failed as a whole.
    pub weight: f64,
    /// Unit of the work: `docs`, `ops`, `pages`.
    pub unit: &'static str,
    /// Set where the request, or a part of it, failed.
    pub failure: Option<Failure>,
}

/// How a request failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What kind of failure: decides whether the race can go on.
    pub kind: FailureKind,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// A short description that is equal for equal causes: failures are counted by it.
    pub description: String,
    /// Number of failed parts (bulk items), 1 for a request that failed as a whole.
    pub count: u64,
}

/// What kind of failure a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The target answered, and the answer says that it failed.
    Answered,
    /// No or no whole answer: timeout, reset, malformed.
    Transport,
    /// Nobody listens there any more: with `--on-error continue` it still ends the race.
    Refused,
}

/// Opens schedulers: one per task and client.
pub trait SchedulerFactory: Send + Sync {
    /// Opens the scheduler of one client.
    ///
    /// # Errors
    /// Where the parameters of the task make no sense.
    fn open(&self, task: &Task, partition: Partition) -> Result<Box<dyn Scheduler>, Cause>;
}

/// Gives the due times of one client's requests.
pub trait Scheduler: Send {
    /// Due time of the next request in seconds since the client's own start, given that of the one before. The first call
    /// gets 0.
    ///
    /// # Errors
    /// Where the scheduler cannot tell.
    fn next(&mut self, current: f64) -> Result<f64, Cause>;

    /// Called when a request has finished, `now` seconds after the client's start.
    fn after_request(&mut self, _now: f64, _weight: f64, _unit: &str) {}
}

/// What a task is bound to before the race.
#[derive(Clone)]
pub struct Binding {
    /// Where the parameters come from.
    pub params: Arc<dyn ParamSourceFactory>,
    /// Who performs the operation.
    pub runner: Arc<dyn RunnerFactory>,
    /// Who gives the due times; `None`: the built-in scheduler that the task names.
    pub scheduler: Option<Arc<dyn SchedulerFactory>>,
}

/// Binds the tasks of a race to those who perform them.
pub trait Bindings {
    /// Finds param source, runner and scheduler for a task.
    ///
    /// # Errors
    /// Where a name is not known or the parameters are wrong: before anything is sent.
    fn bind(&self, task: &Task) -> Result<Binding, Cause>;
}
