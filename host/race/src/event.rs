//! Events of a running race.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::driver::PlanDigest;
use crate::error::RaceError;
use crate::plan::Step;
use crate::recording::{DriverLoad, Recording};
use crate::seams::Cause;

/// Follows a race, and prepares what has to stand before a lap or step starts.
pub trait Observer {
    /// Called before the first step of each lap: indices are created here.
    ///
    /// # Errors
    /// Ends the race.
    fn before_lap(&mut self, _lap: u32) -> Result<(), Cause> {
        Ok(())
    }

    /// Called before each step; `index` counts over all laps, from 0.
    ///
    /// # Errors
    /// Ends the race.
    fn before_step(&mut self, _index: usize, _step: &Step) -> Result<(), Cause> {
        Ok(())
    }

    /// Something happened. The race goes on meanwhile; an observer that takes its time gets fewer, larger batches.
    fn event(&mut self, event: RaceEvent);
}

/// What happens in a race, in order.
#[derive(Debug)]
pub enum RaceEvent {
    /// All clients are connected and have their first requests; they start now.
    StepStarted {
        /// Index of the step over all laps, from 0.
        step: usize,
        /// Lap of the step, from 1.
        lap: u32,
    },
    /// How far a task is, about once per second.
    TaskProgress(TaskProgress),
    /// What was measured since the last batch of the same thread.
    Recording {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// The figures.
        recording: Box<Recording>,
    },
    /// A task cannot go on: its clients stop after the requests in flight, its figures until then stand. The race goes on
    /// without it.
    TaskFailed {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// Why: the first reason of several.
        error: Arc<RaceError>,
    },
    /// All clients of a task are done and all its recordings have been delivered.
    TaskFinished {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// What the load driver knows of itself over the time of the task.
        load: DriverLoad,
        /// From the task's start to its end.
        elapsed: Duration,
    },
    /// All clients have reached the end of the step.
    StepFinished {
        /// Index of the step over all laps, from 0.
        step: usize,
    },
}

/// How far a task is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TaskProgress {
    /// [`crate::PlannedTask::id`].
    pub task: usize,
    /// Part that is done, 0 to 1; `None` if unknown.
    pub fraction: Option<f64>,
    /// Time since the step's start.
    pub elapsed: Duration,
    /// Estimated time until its end.
    pub remaining: Option<Duration>,
}

/// How a race ended.
#[derive(Debug)]
pub struct RaceEnd {
    /// Why.
    pub reason: EndReason,
    /// Number of steps that ran to their end.
    pub steps_finished: usize,
    /// Tasks that could not go on while the race did.
    pub failed_tasks: Vec<FailedTask>,
}

/// A task that could not go on.
#[derive(Debug, Clone)]
pub struct FailedTask {
    /// [`crate::PlannedTask::id`].
    pub task: usize,
    /// Why.
    pub error: Arc<RaceError>,
}

/// Why a race ended.
#[derive(Debug)]
pub enum EndReason {
    /// All steps ran to their end, though tasks of them may have failed.
    Completed,
    /// Somebody cancelled it.
    Cancelled,
    /// It could not go on.
    Failed(RaceError),
}

/// Events of the step that a load driver performs.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverEvent {
    /// The race has been loaded, planned and bound.
    Loaded {
        /// The plan that the driver came to.
        plan: PlanDigest,
    },
    /// All clients are connected and have their first requests.
    Ready,
    /// Figures of a task.
    Recording {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// The figures.
        recording: Box<Recording>,
        /// To be acknowledged ([`crate::DriverCommand::Acknowledge`]): until then the sender keeps its next figures of the task,
        /// so that whoever is slow gets fewer, larger batches. Counts over the whole race.
        number: u64,
    },
    /// How far some of a task's clients are.
    Progress {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// Which part of the driver speaks.
        part: usize,
        /// For how many clients.
        clients: u32,
        /// How far they are on average; `None` if unknown.
        fraction: Option<f64>,
    },
    /// What a part of the driver measured of itself since its last report.
    Load(DriverLoad),
    /// All clients of this driver are done with the task, and its recordings have been sent.
    TaskDone {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// From the task's start to its end.
        elapsed: Duration,
    },
    /// A task cannot go on, the step does. Told once per task.
    TaskFailed {
        /// [`crate::PlannedTask::id`].
        task: usize,
        /// Why.
        error: RaceError,
    },
    /// A client of this driver has completed the element: all other clients are to finish the request in flight and stop.
    /// Those of this driver do so by themselves.
    ElementCompleted,
    /// The step cannot go on; what is in flight is given a short time.
    Failed(RaceError),
    /// All clients are done. The last event of a step.
    StepDone,
}
