//! From a challenge to the plan of a race.

use std::sync::Arc;

use rally_track::{Challenge, Dialect, Element, Task, Track, merged_meta};

use crate::allocation::{allocate, completing};
use crate::plan::{Extent, OnError, PlannedTask, RacePlan, Step, Timing};

/// What the user decides about a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanOptions {
    /// The seed that every random choice derives from.
    pub seed: u64,
    /// How often the schedule is raced, at least once.
    pub laps: u32,
    /// What a failed request does to the race.
    pub on_error: OnError,
    /// Whose timing.
    pub timing: Timing,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions { seed: 0, laps: 1, on_error: OnError::Continue, timing: Timing::Spread }
    }
}

/// Why a challenge cannot be raced.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The schedule is empty, possibly because filters left nothing of it.
    #[error(
        "challenge '{challenge}' has no tasks to race; check its schedule and --include-tasks/--exclude-tasks"
    )]
    NothingToDo {
        /// Name of the challenge.
        challenge: String,
    },
    /// No lap was asked for.
    #[error("a race has at least one lap; give --laps a number above 0")]
    NoLaps,
    /// A task without any client.
    #[error("task '{task}' has no clients; set 'clients' to at least 1")]
    NoClients {
        /// Name of the task.
        task: String,
    },
    /// A task that would measure nothing.
    #[error("task '{task}' must run for at least one iteration or some time, but its '{property}' is 0")]
    NothingMeasured {
        /// Name of the task.
        task: String,
        /// The property that is 0.
        property: &'static str,
    },
    /// A time that is negative or not a number.
    #[error("task '{task}' has a '{property}' of {value} seconds; give it a number of 0 or more")]
    InvalidTime {
        /// Name of the task.
        task: String,
        /// The property.
        property: &'static str,
        /// Its value.
        value: f64,
    },
    /// `completed-by` names no task of its element.
    #[error("'completed-by' names the task '{name}', but the tasks of this 'parallel' element are {}", tasks.join(", "))]
    UnknownCompletedBy {
        /// The name as written.
        name: String,
        /// The tasks of the element.
        tasks: Vec<String>,
    },
    /// `completed-by` names several tasks of its element.
    #[error(
        "'completed-by' names '{name}', but several tasks of this 'parallel' element have that name; give each a name of its own"
    )]
    AmbiguousCompletedBy {
        /// The name as written.
        name: String,
    },
}

impl RacePlan {
    /// Plans the race of a challenge: the steps of all laps, who does what in them, and how long.
    ///
    /// How long a task runs may depend on whether its param source ends by itself. That is known once the race is bound
    /// ([`crate::bind`]); until then sources count as endless.
    ///
    /// # Errors
    /// Where the challenge contradicts itself.
    pub fn new(track: &Track, challenge: &Challenge, options: PlanOptions) -> Result<RacePlan, PlanError> {
        if options.laps == 0 {
            return Err(PlanError::NoLaps);
        }
        if challenge.schedule.iter().all(|element| element.tasks().is_empty()) {
            return Err(PlanError::NothingToDo { challenge: challenge.name.clone() });
        }
        let mut steps = Vec::with_capacity(challenge.schedule.len() * options.laps as usize);
        let mut next_id = 0;
        for lap in 1..=options.laps {
            for element in challenge.schedule.iter().filter(|element| !element.tasks().is_empty()) {
                let tasks = plan_tasks(track, challenge, element, lap, &mut next_id)?;
                let completed_by = completing(element)?;
                steps.push(Step { tasks, clients: allocate(element), completed_by });
            }
        }
        Ok(RacePlan {
            seed: options.seed,
            dialect: track.dialect,
            steps,
            on_error: options.on_error,
            timing: options.timing,
        })
    }

    /// All tasks of all laps, in the order of their ids.
    pub fn tasks(&self) -> impl Iterator<Item = &PlannedTask> {
        self.steps.iter().flat_map(|step| &step.tasks)
    }

    /// Number of clients of the largest step.
    pub fn most_clients(&self) -> usize {
        self.steps.iter().map(|step| step.clients.len()).max().unwrap_or(0)
    }
}

impl Step {
    /// The lap that this step belongs to, from 1.
    pub fn lap(&self) -> u32 {
        self.tasks.first().map_or(1, |task| task.lap)
    }
}

fn plan_tasks(
    track: &Track,
    challenge: &Challenge,
    element: &Element,
    lap: u32,
    next_id: &mut usize,
) -> Result<Vec<PlannedTask>, PlanError> {
    let mut planned = Vec::with_capacity(element.tasks().len());
    for task in element.tasks() {
        check(track.dialect, task)?;
        planned.push(PlannedTask {
            id: *next_id,
            lap,
            task: Arc::clone(task),
            meta: merged_meta(track, challenge, task),
            extent: Extent::of(track.dialect, task, false, false),
        });
        *next_id += 1;
    }
    Ok(planned)
}

/// Refuses what would run for an impossible time, and in the 2017 dialect for none. The current one takes 0 iterations as
/// if none were given, and a task of 0 seconds does nothing.
fn check(dialect: Dialect, task: &Task) -> Result<(), PlanError> {
    let name = || task.name.clone();
    if task.clients == 0 {
        return Err(PlanError::NoClients { task: name() });
    }
    let times = [
        ("ramp-up-time-period", task.ramp_up_time_period),
        ("warmup-time-period", task.warmup_time_period),
        ("time-period", task.time_period),
    ];
    for (property, value) in times {
        if let Some(value) = value.filter(|value| !value.is_finite() || *value < 0.0) {
            return Err(PlanError::InvalidTime { task: name(), property, value });
        }
    }
    if dialect == Dialect::Current {
        return Ok(());
    }
    if task.time_period == Some(0.0) {
        return Err(PlanError::NothingMeasured { task: name(), property: "time-period" });
    }
    let timed = task.time_period.is_some() || task.warmup_time_period.is_some();
    if task.iterations == Some(0) && !timed {
        return Err(PlanError::NothingMeasured { task: name(), property: "iterations" });
    }
    Ok(())
}
