//! The race plan: which client does what in which step, and how long.

use std::sync::Arc;

use rally_support::hex::Hex;
use rally_track::{Dialect, Meta, Task};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::driver::PlanDigest;

/// Everything a load driver needs to know about a race, apart from who performs it.
#[derive(Debug, Clone, Serialize)]
pub struct RacePlan {
    /// The seed that every random choice derives from.
    pub seed: u64,
    /// The language of the track: what its numbers mean.
    pub dialect: Dialect,
    /// The steps, in order. All clients finish a step before the next one starts.
    pub steps: Vec<Step>,
    /// What a failed request does to the race.
    pub on_error: OnError,
    /// Whose timing.
    pub timing: Timing,
}

impl RacePlan {
    /// The digest of the plan: two load drivers that come to the same one do the same.
    pub fn digest(&self) -> PlanDigest {
        // All of a plan can be written as JSON: its maps have texts as keys.
        let text = serde_json::to_vec(self).unwrap_or_default();
        PlanDigest(Hex(Sha256::digest(text)).to_string())
    }
}

/// What a failed request, or a task that cannot go on, does to the race.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnError {
    /// It is recorded and the race goes on, unless the target refuses connections. A task that cannot go on is over, the others
    /// go on.
    Continue,
    /// As [`OnError::Continue`], even if the target refuses connections: rally waits for targets that restart.
    ContinueOnNetwork,
    /// As [`OnError::Continue`], but the race ends where an operation fails that prepares what the others measure
    /// ([`prepares`]): what came out then would be the figures of something else.
    #[default]
    AbortOnPreparation,
    /// The race ends.
    Abort,
}

/// Operation types that make what other tasks of a race work on. Statistics, health and deletions are not among them.
const PREPARING: [&str; 8] = [
    "create-index",
    "create-data-stream",
    "create-index-template",
    "create-composable-template",
    "create-component-template",
    "put-pipeline",
    "shrink-index",
    "restore-snapshot",
];

/// Whether the other tasks of a race work on what this one makes.
pub fn prepares(task: &Task) -> bool {
    PREPARING.contains(&task.operation.operation_type.as_str())
}

impl OnError {
    /// What a failed request of this task does: where errors end the race, the task may say that its own do not
    /// (`ignore-response-error-level`).
    pub fn for_task(self, task: &Task) -> OnError {
        match self {
            OnError::AbortOnPreparation if prepares(task) => OnError::Abort.for_task(task),
            OnError::AbortOnPreparation => OnError::Continue,
            OnError::Abort if task.ignores_non_fatal_errors => OnError::Continue,
            own => own,
        }
    }
}

/// Whose timing of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Timing {
    /// Deterministic clients are spread over the interval, and the first request is throttled like the others.
    Spread,
    /// As Rally does it: clients in lockstep, the first request unthrottled (its latency is its service time).
    Rally,
}

/// One element of the schedule, with its clients.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// The tasks of the element.
    pub tasks: Vec<PlannedTask>,
    /// For each client what it does, one after the other. A client that has nothing to do has an empty row.
    pub clients: Vec<Vec<Assignment>>,
    /// What ends the step before all its tasks are done.
    pub completed_by: Option<Completing>,
}

/// What ends a step before all its tasks are done. All other clients finish the request in flight and stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Completing {
    /// All clients of the task with this index within the step are done.
    Task(usize),
    /// The first client of any task is done.
    FirstClient,
}

/// A client's part in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Assignment {
    /// Index of the task within the step.
    pub task: usize,
    /// Index of the client within the task.
    pub client_index: u32,
}

/// A task with all that a race needs to know.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTask {
    /// Number of the task within the race, from 0: recordings carry it.
    pub id: usize,
    /// Lap that it belongs to, from 1.
    pub lap: u32,
    /// What the track says.
    pub task: Arc<Task>,
    /// Properties of its records: track < challenge < operation < task.
    pub meta: Meta,
    /// How long it runs.
    pub extent: Extent,
}

/// How long a task runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub enum Extent {
    /// A number of requests over all clients; each client gets its share, the remainder goes to the first ones.
    Iterations {
        /// Warm-up requests over all clients.
        warmup: u64,
        /// Measured requests over all clients; `None`: until the param source ends, the runner says
        /// so or the element is completed.
        measured: Option<u64>,
    },
    /// A number of seconds, or until the param source ends.
    Time {
        /// Seconds of warm-up.
        warmup: f64,
        /// Seconds of measurement after it; `None`: until the param source ends, the runner says
        /// so or the element is completed.
        measured: Option<f64>,
    },
}

impl Extent {
    /// How long a task runs according to a track of this dialect. Any time property decides for time, else iterations
    /// count. A task that says nothing runs to the end of a `finite` param source, until its runner says so where that
    /// `completes` the task, and else once: in the 2017 dialect over all clients, in the current one each client.
    pub fn of(dialect: Dialect, task: &Task, finite: bool, completes: bool) -> Extent {
        if task.warmup_time_period.is_some() || task.time_period.is_some() {
            return Extent::Time {
                warmup: task.warmup_time_period.unwrap_or(0.0),
                measured: task.time_period,
            };
        }
        // Iterations are a total in the 2017 dialect, those of each client in the current one.
        let over_all = |iterations: u64| match dialect {
            Dialect::Rally2017 => iterations,
            Dialect::Current => iterations.saturating_mul(u64::from(task.clients.max(1))),
        };
        let measured = match task.iterations {
            Some(iterations) if iterations > 0 => Some(over_all(iterations)),
            _ if finite => None,
            // As in Rally warm-up iterations make it a task of iterations.
            None if completes && task.warmup_iterations.is_none() => None,
            _ => Some(over_all(1)),
        };
        Extent::Iterations { warmup: over_all(task.warmup_iterations.unwrap_or(0)), measured }
    }

    /// Whether the task goes on until its param source ends, its runner completes it or the race stops it.
    pub fn unbounded(&self) -> bool {
        matches!(self, Extent::Iterations { measured: None, .. } | Extent::Time { measured: None, .. })
    }

    /// The part of one of `clients` clients: iterations are divided, the remainder goes to the first ones; time is the
    /// same for all.
    pub fn share(&self, index: u32, clients: u32) -> Extent {
        match *self {
            Extent::Iterations { warmup, measured } => Extent::Iterations {
                warmup: share_of(warmup, index, clients),
                measured: measured.map(|total| share_of(total, index, clients)),
            },
            time => time,
        }
    }

    /// Whether there is nothing to do at all: the share of a client that is left idle.
    pub fn is_empty(&self) -> bool {
        match *self {
            Extent::Iterations { warmup, measured } => warmup == 0 && measured == Some(0),
            Extent::Time { warmup, measured } => measured.is_some_and(|measured| warmup + measured <= 0.0),
        }
    }
}

/// The share of one of `clients` clients in `total`; the remainder goes to the first ones.
fn share_of(total: u64, index: u32, clients: u32) -> u64 {
    let clients = u64::from(clients.max(1));
    total / clients + u64::from(u64::from(index) < total % clients)
}
