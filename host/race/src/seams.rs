//! The traits at the seams: what a race calls and others implement. Built-in implementations are native, a track's own
//! are components; the race never knows which it has.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use rally_track::Task;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::units::Unit;

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
    /// What `body` is, for runners that look into it.
    pub body_kind: BodyKind,
    /// Number of documents in `body`; 0 where the notion has no meaning.
    pub documents: u32,
    /// An object that the extension keeps for its own runner, in place of `values`.
    pub held: Option<NonZeroU32>,
}

/// What the body of a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyKind {
    /// JSON text.
    Json,
    /// Text, such as the lines of a bulk.
    Text,
    /// Anything.
    #[default]
    Bytes,
}

impl Params {
    /// Parameters without a body of their own.
    pub fn of(values: Arc<Map<String, Value>>) -> Params {
        Params { values, body: Bytes::new(), body_kind: BodyKind::default(), documents: 0, held: None }
    }
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
    /// The request that this source yields forever, if all are the same: it is asked only once.
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

/// Opens parameter sources that are asked when a request's turn comes, not ahead: what they say may depend on the time, or
/// on the outcome of earlier requests.
pub trait InTurnSourceFactory: Send + Sync {
    /// Opens the source of one client on the thread that the client lives on, before the step starts.
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn InTurnSource>, Cause>>;

    /// Whether the source ends by itself.
    fn finite(&self) -> bool;
}

/// Yields the parameters of a client's requests, one when its turn comes. Its time is outside all measurements but
/// lateness, as in Rally. Lives on the client's thread.
pub trait InTurnSource {
    /// The next request, `None` once the source is exhausted. Asked before the wait for its due time.
    fn next<'a>(&'a mut self) -> LocalBoxFuture<'a, Result<Option<Params>, Cause>>;

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

    /// Whether its runners say themselves when the task is complete. Then a task without iterations and times runs until
    /// they do.
    fn completes_task(&self) -> bool {
        false
    }
}

/// Performs one operation against the target. Lives on one thread.
pub trait Runner {
    /// Performs the operation once. An unsuccessful request is an outcome, not an error.
    ///
    /// # Errors
    /// Where the runner itself is broken: the task cannot go on.
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>>;

    /// How far the task is, if the runner decides that. Asked after each request.
    fn progress(&self) -> Option<Progress> {
        None
    }
}

/// How far a task is whose runner decides when it is complete.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The client has nothing more to do.
    pub completed: bool,
    /// From 0 to 1, if the runner knows.
    pub fraction: Option<f64>,
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
    /// What the work is counted in.
    pub unit: Unit,
    /// Set where the request, or a part of it, failed.
    pub failure: Option<Failure>,
    /// How much work failed, in `unit`s, where `failure` is set: documents that the target rejected, or all that a failed request
    /// would have done. `None`: all of `weight`.
    pub failed_work: Option<f64>,
    /// What the target itself said of the failure, in full; an example where several parts failed.
    pub example: Option<String>,
    /// Throughput to report instead of the measured one, `unit`s per second: Rally's `throughput`.
    pub throughput: Option<f64>,
    /// Further metadata of this request from the runner, such as `took` or `hits`.
    pub meta: Option<Box<Map<String, Value>>>,
    /// How many values of `meta` no figure can be made of, where the runner should know of it.
    pub dropped_meta: u64,
}

impl Outcome {
    /// A request without further metadata.
    pub fn new(sent: Instant, received: Instant, weight: f64, unit: impl Into<Unit>) -> Outcome {
        Outcome {
            sent,
            received,
            weight,
            unit: unit.into(),
            failure: None,
            failed_work: None,
            example: None,
            throughput: None,
            meta: None,
            dropped_meta: 0,
        }
    }
}

/// How a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
    /// Where the scheduler cannot decide.
    fn next(&mut self, current: f64) -> Result<f64, Cause>;

    /// Called when a request has finished.
    fn after_request(&mut self, _finished: &Finished<'_>) {}

    /// Mean time between two of the client's requests in seconds, where the scheduler knows it.
    fn mean_interval(&self) -> Option<f64> {
        None
    }
}

/// A request that has finished, as its scheduler sees it. Times are seconds since the client's start.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a> {
    /// When the runner was called.
    pub started: f64,
    /// When it returned.
    pub finished: f64,
    /// How much work was done.
    pub weight: f64,
    /// Unit of the work.
    pub unit: &'a str,
    /// Whether the request succeeded.
    pub success: bool,
    /// Further metadata from the runner.
    pub meta: Option<&'a Map<String, Value>>,
}

/// Opens schedulers that share an instance with their client's runner.
pub trait InTurnSchedulerFactory: Send + Sync {
    /// Opens the scheduler of one client on the thread that the client lives on.
    fn open<'a>(
        &'a self,
        task: &'a Task,
        partition: Partition,
    ) -> LocalBoxFuture<'a, Result<Box<dyn InTurnScheduler>, Cause>>;
}

/// A [`Scheduler`] that is asked asynchronously: others may be using what it shares with them.
pub trait InTurnScheduler {
    /// As [`Scheduler::next`].
    fn next<'a>(&'a mut self, current: f64) -> LocalBoxFuture<'a, Result<f64, Cause>>;

    /// As [`Scheduler::after_request`].
    fn after_request(&mut self, finished: &Finished<'_>);
}

/// Where the parameters of a task come from.
#[derive(Clone)]
pub enum SourceBinding {
    /// From a source that makes requests ahead of their due times, on generator threads.
    Ahead(Arc<dyn ParamSourceFactory>),
    /// From a source that is asked when a request's turn comes.
    InTurn(Arc<dyn InTurnSourceFactory>),
}

impl SourceBinding {
    /// Whether the source ends by itself.
    pub fn finite(&self) -> bool {
        match self {
            SourceBinding::Ahead(factory) => factory.finite(),
            SourceBinding::InTurn(factory) => factory.finite(),
        }
    }
}

/// Who gives the due times of a task.
#[derive(Clone)]
pub enum SchedulerBinding {
    /// The built-in scheduler that the task names.
    BuiltIn,
    /// A scheduler of its own.
    Own(Arc<dyn SchedulerFactory>),
    /// A scheduler that shares an instance with others.
    InTurn(Arc<dyn InTurnSchedulerFactory>),
}

/// What a task is bound to before the race.
#[derive(Clone)]
pub struct Binding {
    /// Where the parameters come from.
    pub params: SourceBinding,
    /// Who performs the operation.
    pub runner: Arc<dyn RunnerFactory>,
    /// Who gives the due times.
    pub scheduler: SchedulerBinding,
}

/// Binds the tasks of a race to those who perform them.
pub trait Bindings {
    /// Finds param source, runner and scheduler for a task.
    ///
    /// # Errors
    /// Where a name is not known or the parameters are wrong: before anything is sent.
    fn bind(&self, task: &Task) -> Result<Binding, Cause>;
}
