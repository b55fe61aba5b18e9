//! Challenges, their elements and tasks, as they are shown.

use std::collections::BTreeMap;

use rally_track::{Challenge, Dialect, Element, Target, Task};
use serde::Serialize;
use serde_json::{Map, Number, Value};

use crate::allocation::{Allocation, any_completes_parent, clients_of, completes_parent};
use crate::canonical;
use crate::operations::Operations;

/// From here on a target throughput stands for "as fast as possible" (test mode).
pub(crate) const AS_GOOD_AS_UNTHROTTLED: f64 = 1e15;

/// A challenge.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedChallenge {
    /// Who does what when.
    pub allocation: Allocation,
    /// Whether the track has a schedule only, and no challenge.
    pub auto_generated: bool,
    /// Settings of the cluster (2017).
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub cluster_settings: Map<String, Value>,
    /// Whether it is raced when none is named.
    pub default: bool,
    /// What it measures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Settings of all indices (2017).
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub index_settings: Map<String, Value>,
    /// Properties of its records.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Its name.
    pub name: String,
    /// Its parameters over those of the track.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Its elements, in order.
    pub schedule: Vec<PlannedElement>,
    /// Whether it is the only one, or the one that `--challenge` names.
    pub selected: bool,
    /// What a serverless target does not offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub serverless_info: Vec<String>,
    /// A message for the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_info: Option<String>,
}

/// An element of a schedule.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedElement {
    /// Clients: as written, or the sum over the tasks.
    pub clients: u32,
    /// Clients as written at a parallel element.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients_explicit: Option<u32>,
    /// Whether its tasks run at the same time.
    pub parallel: bool,
    /// Its tasks.
    pub tasks: Vec<PlannedTask>,
}

/// A task.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTask {
    /// Whether the first of its clients that is done completes the parallel element.
    #[serde(skip_serializing_if = "is_false")]
    pub any_completes_parent: bool,
    /// Number of its clients.
    pub clients: u32,
    /// Whether the parallel element is complete once all its clients are done.
    #[serde(skip_serializing_if = "is_false")]
    pub completes_parent: bool,
    /// Measured iterations, its own or the parallel element's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iterations: Option<u64>,
    /// Properties of its records.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Its name.
    pub name: String,
    /// Its operation: index into the plan's operations.
    pub op: usize,
    /// Its own properties as written, without the operation.
    #[serde(serialize_with = "canonical::sorted_map")]
    pub params: Map<String, Value>,
    /// Seconds over which its clients start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ramp_up_time_period: Option<Number>,
    /// Its scheduler, if it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Its labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// How fast its clients are together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_throughput: Option<PlannedThroughput>,
    /// Measured seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_period: Option<Number>,
    /// Iterations before the measured ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_iterations: Option<u64>,
    /// Seconds before the measured ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup_time_period: Option<Number>,
}

/// A rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedThroughput {
    /// What is counted, per second.
    pub unit: String,
    /// How many.
    pub value: f64,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Makes a challenge of a track's.
pub(crate) fn challenge(
    challenge: &Challenge,
    selected: bool,
    dialect: Dialect,
    operations: &mut Operations,
) -> serde_json::Result<PlannedChallenge> {
    let schedule = challenge.schedule.iter().map(|element| planned_element(element, dialect, operations));
    let schedule = schedule.collect::<Result<_, _>>()?;
    Ok(PlannedChallenge {
        allocation: Allocation::of(&challenge.schedule)?,
        auto_generated: challenge.auto_generated,
        cluster_settings: challenge.cluster_settings.clone(),
        default: challenge.default,
        description: challenge.description.clone(),
        index_settings: challenge.index_settings.clone(),
        meta: challenge.meta.clone(),
        name: challenge.name.clone(),
        parameters: challenge.parameters.clone(),
        schedule,
        selected,
        serverless_info: challenge.serverless_info.clone(),
        user_info: challenge.user_info.clone(),
    })
}

fn planned_element(
    element: &Element,
    dialect: Dialect,
    operations: &mut Operations,
) -> serde_json::Result<PlannedElement> {
    let tasks = element.tasks().iter().map(|task| planned_task(element, task, dialect, operations));
    Ok(PlannedElement {
        clients: clients_of(element),
        clients_explicit: match element {
            Element::Parallel(parallel) => parallel.clients,
            Element::Task(_) => None,
        },
        parallel: matches!(element, Element::Parallel(_)),
        tasks: tasks.collect::<Result<_, _>>()?,
    })
}

fn planned_task(
    element: &Element,
    task: &Task,
    dialect: Dialect,
    operations: &mut Operations,
) -> serde_json::Result<PlannedTask> {
    let (completes_parent, any_completes_parent) = match element {
        Element::Parallel(parallel) => (completes_parent(parallel, task), any_completes_parent(parallel)),
        Element::Task(_) => (false, false),
    };
    let mut params: BTreeMap<_, _> = task.params.clone().into_iter().collect();
    params.remove("operation");
    // What is not said has a value in tracks of 2017, even where a time or the end of the documents counts.
    let unsaid = |iterations| (dialect == Dialect::Rally2017).then_some(iterations);
    Ok(PlannedTask {
        any_completes_parent,
        clients: task.clients,
        completes_parent,
        iterations: task.iterations.or(unsaid(1)),
        meta: task.meta.clone(),
        name: task.name.clone(),
        op: operations.index(&task.operation)?,
        params: params.into_iter().collect(),
        ramp_up_time_period: task.ramp_up_time_period.and_then(seconds),
        schedule: match dialect {
            // What the scheduler is called unless a task says something else is no part of a current track.
            Dialect::Current => task.params.contains_key("schedule").then(|| task.schedule.clone()),
            Dialect::Rally2017 => Some(task.schedule.clone()),
        },
        tags: task.tags.clone(),
        target_throughput: task.target.as_ref().map(throughput),
        time_period: task.time_period.and_then(seconds),
        warmup_iterations: task.warmup_iterations.or(unsaid(0)),
        warmup_time_period: task.warmup_time_period.and_then(seconds),
    })
}

fn throughput(target: &Target) -> PlannedThroughput {
    PlannedThroughput { unit: target.unit().to_owned(), value: target.per_second() }
}

/// Seconds as tracks have them: whole ones are integers.
fn seconds(seconds: f64) -> Option<Number> {
    if seconds.fract() == 0.0 && seconds.abs() < MOST_EXACT_SECONDS {
        Some(Number::from(seconds as i64))
    } else {
        Number::from_f64(seconds)
    }
}

/// Up to here every integer has a float of its own.
const MOST_EXACT_SECONDS: f64 = 9_007_199_254_740_992.0;
