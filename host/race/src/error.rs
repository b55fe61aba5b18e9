//! Why a race ended before its time.

use serde::{Deserialize, Serialize};

use crate::binding::BindError;
use crate::driver::PlanDigest;
use crate::seams::{Cause, Failure};
use crate::unit_aware::UnitMismatch;

/// Why a race ended before its time. The figures measured until then stand.
/// On the wire: which of these kinds it is, what it concerns, and the texts of its causes.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RaceError {
    /// The plan cannot be performed.
    #[error("the race cannot start")]
    Bind(#[from] BindError),
    /// What had to be done before a lap or a step failed.
    #[error("cannot prepare lap {lap}")]
    Preparation {
        /// The lap, from 1.
        lap: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// The parameters of a client could not be opened.
    #[error("cannot open the param source of task '{task}' for client {client}")]
    OpenParamSource {
        /// Name of the task.
        task: String,
        /// Index of the client in its task.
        client: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// The next parameters could not be made.
    #[error("the param source of task '{task}' failed for client {client}")]
    ParamSource {
        /// Name of the task.
        task: String,
        /// Index of the client in its task.
        client: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// A client could not be made ready to send.
    #[error("cannot prepare client {client} of task '{task}'")]
    OpenRunner {
        /// Name of the task.
        task: String,
        /// Index of the client in its task.
        client: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// The scheduler gave no due time.
    #[error("the schedule of task '{task}' failed for client {client}")]
    Scheduler {
        /// Name of the task.
        task: String,
        /// Index of the client in its task.
        client: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// The target of the task counts other work than its requests do.
    #[error("task '{task}' cannot be throttled")]
    Unit {
        /// Name of the task.
        task: String,
        /// Both units.
        #[source]
        source: UnitMismatch,
    },
    /// The runner itself is broken; a failed request is not such an error.
    #[error("the runner of task '{task}' failed for client {client}")]
    Runner {
        /// Name of the task.
        task: String,
        /// Index of the client in its task.
        client: u32,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// A request failed, and failures end the race.
    #[error("a request of task '{task}' failed: {}{}", failure.description, status(failure))]
    RequestFailed {
        /// Name of the task.
        task: String,
        /// How it failed.
        failure: Failure,
    },
    /// What the other tasks work on could not be made.
    #[error(
        "task '{task}' failed: {}{}; later tasks would measure something else. Remove the cause, or continue with \
         --on-error=continue",
        failure.description,
        status(failure)
    )]
    PreparationFailed {
        /// Name of the task.
        task: String,
        /// How it failed.
        failure: Failure,
    },
    /// Nobody listens at the target any more.
    #[error("the target no longer accepts connections (task '{task}'): {}", failure.description)]
    TargetGone {
        /// Name of the task.
        task: String,
        /// How it failed.
        failure: Failure,
    },
    /// Code of the driver or of an extension panicked.
    #[error("a client of task '{task}' panicked: {message}")]
    Panicked {
        /// Name of the task.
        task: String,
        /// What the panic said.
        message: String,
    },
    /// The load driver itself failed.
    #[error("the load driver failed")]
    Driver(
        #[source]
        #[serde(with = "crate::wire::cause")]
        Cause,
    ),
    /// The load driver cannot perform the race.
    #[error("the load driver cannot prepare the race")]
    Load(
        #[source]
        #[serde(with = "crate::wire::cause")]
        Cause,
    ),
    /// The load driver comes to another plan than the one that is raced.
    #[error(
        "the load driver would race another plan ({found}) than this one ({expected}); \
         give it the same track, data, options and version of rally"
    )]
    OtherPlan {
        /// The plan that is raced.
        expected: PlanDigest,
        /// The plan that the driver comes to.
        found: PlanDigest,
    },
}

impl RaceError {
    /// Whether it concerns one task only: the others could go on.
    pub fn concerns_one_task(&self) -> bool {
        matches!(self, RaceError::ParamSource { .. } | RaceError::Runner { .. } | RaceError::Scheduler { .. })
    }
}

fn status(failure: &Failure) -> String {
    failure.status.map_or(String::new(), |status| format!(" (HTTP status {status})"))
}

/// What a panic said, as far as it said anything.
pub(crate) fn panic_message(payload: Box<dyn std::any::Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload
            .downcast_ref::<&str>()
            .map_or_else(|| "no message".to_owned(), |message| (*message).to_owned()),
    }
}
