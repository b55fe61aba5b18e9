//! A plan whose tasks know who performs them.

use std::collections::HashMap;
use std::sync::Arc;

use rally_track::Task;
use serde::{Deserialize, Serialize};

use crate::plan::{Completing, Extent, RacePlan};
use crate::schedulers::BUILT_IN_SCHEDULERS;
use crate::seams::{Binding, Bindings, Cause, SchedulerBinding};

/// A plan and who performs its tasks: all that a load driver in this process needs.
#[derive(Clone)]
pub struct BoundRace {
    /// The plan; how long its tasks run is final.
    pub plan: RacePlan,
    /// Who performs them, by [`crate::PlannedTask::id`].
    pub bindings: Vec<Binding>,
}

/// Why a plan cannot be performed.
#[derive(Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BindError {
    /// Nobody can perform the task as it is.
    #[error("cannot prepare task '{task}'")]
    Task {
        /// Name of the task.
        task: String,
        /// The problem.
        #[source]
        #[serde(with = "crate::wire::cause")]
        source: Cause,
    },
    /// The scheduler is not known.
    #[error("task '{task}' has the unknown schedule '{name}'; built-in schedules: {}", BUILT_IN_SCHEDULERS.join(", "))]
    UnknownScheduler {
        /// Name of the task.
        task: String,
        /// Name of the scheduler.
        name: String,
    },
    /// The task would never end.
    #[error(
        "task '{task}' would never end: its parameters do not run out, and it has a 'warmup-time-period' but no 'time-period'; \
         add one, or let another task complete its 'parallel' element (\"completed-by\")"
    )]
    Endless {
        /// Name of the task.
        task: String,
    },
}

/// Binds a plan to those who perform it, once per task of the track, and settles how long each task runs. Nothing is sent
/// to the target.
///
/// # Errors
/// Where a task cannot be performed, or would never end.
pub fn bind(plan: &RacePlan, bindings: &dyn Bindings) -> Result<BoundRace, BindError> {
    let mut plan = plan.clone();
    // All laps share one binding per task.
    let mut known: HashMap<*const Task, Binding> = HashMap::new();
    let mut bound = Vec::new();
    for step in &mut plan.steps {
        // Which of its tasks come to an end by themselves.
        let mut ends = Vec::with_capacity(step.tasks.len());
        for planned in &mut step.tasks {
            let name = || planned.task.name.clone();
            let key = Arc::as_ptr(&planned.task);
            let binding = match known.get(&key) {
                Some(binding) => binding.clone(),
                None => {
                    bindings.bind(&planned.task).map_err(|source| BindError::Task { task: name(), source })?
                }
            };
            let schedule = planned.task.schedule.as_str();
            if matches!(binding.scheduler, SchedulerBinding::BuiltIn)
                && !BUILT_IN_SCHEDULERS.contains(&schedule)
            {
                return Err(BindError::UnknownScheduler { task: name(), name: schedule.to_owned() });
            }
            let finite = binding.params.finite();
            let completes = binding.runner.completes_task();
            planned.extent = Extent::of(plan.dialect, &planned.task, finite, completes);
            ends.push(!planned.extent.unbounded() || finite || completes);
            known.insert(key, binding.clone());
            bound.push(binding);
        }
        for (index, planned) in step.tasks.iter().enumerate() {
            let completed_by_another = match step.completed_by {
                None => false,
                Some(Completing::Task(completing)) => completing != index,
                Some(Completing::FirstClient) => ends.contains(&true),
            };
            if !(ends[index] || completed_by_another) {
                return Err(BindError::Endless { task: planned.task.name.clone() });
            }
        }
    }
    Ok(BoundRace { plan, bindings: bound })
}
