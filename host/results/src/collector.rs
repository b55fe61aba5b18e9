//! Takes what load drivers send back and adds it up, task by task.
//!
//! Recordings add up exactly, in any order and any grouping: the same samples over one or many threads and machines give
//! the same figures. Memory depends on the length of the race and the spread of its times, not on the number of requests.

use std::collections::{BTreeMap, HashMap};

use hdrhistogram::Histogram;
use rally_race::{
    DriverLoad, Ending, FailureKey, GivenThroughput, Key, Kind, MOST_FAILURE_KEYS, Metric, PlannedTask,
    RacePlan, RanOut, Recording, RequestMeta, SampleType, SecondOfWork, StartedInSlot, Unit,
};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::distribution::Distribution;

/// What the results need to know of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskInfo {
    /// Number of the task within the race: its recordings carry it.
    pub id: usize,
    /// Lap that it belongs to, from 1.
    pub lap: u32,
    /// Name of the task.
    pub name: String,
    /// Name of its operation.
    pub operation: String,
    /// Type of its operation.
    pub operation_type: String,
    /// Number of clients.
    pub clients: u32,
    /// Target rate of all clients in requests per second; `None`: as fast as possible.
    pub target_throughput: Option<f64>,
    /// Properties of its records: track < challenge < operation < task.
    pub meta: Map<String, Value>,
    /// Whether its failures are expected: `ignore-response-error-level` of the task.
    pub may_fail: bool,
    /// Whether the report shows it although nothing of it failed: `include-in-reporting` of its operation.
    pub reported: bool,
}

impl From<&PlannedTask> for TaskInfo {
    fn from(planned: &PlannedTask) -> Self {
        TaskInfo {
            id: planned.id,
            lap: planned.lap,
            name: planned.task.name.clone(),
            operation: planned.task.operation.name.clone(),
            operation_type: planned.task.operation.operation_type.clone(),
            clients: planned.task.clients,
            target_throughput: planned.task.target.as_ref().map(|target| target.per_second()),
            meta: planned.meta.clone(),
            may_fail: planned.task.ignores_non_fatal_errors,
            reported: planned.task.operation.params.get("include-in-reporting") != Some(&Value::Bool(false)),
        }
    }
}

/// A recording that belongs to no task of the race.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "the load driver sent a recording of task number {id}, which the race does not have: it runs another plan"
)]
pub struct UnknownTask {
    /// Number that the recording carried.
    pub id: usize,
}

/// A recording whose histogram does not fit into those of the race, or the task is unknown.
#[derive(Debug, Error)]
pub enum CollectError {
    /// No such task.
    #[error(transparent)]
    UnknownTask(#[from] UnknownTask),
    /// A histogram could not be added.
    #[error("cannot add up the times of task '{task}': {reason}")]
    Histogram {
        /// Name of the task.
        task: String,
        /// What the histogram library says.
        reason: String,
    },
}

/// Adds up the recordings of a race.
#[derive(Debug, Default)]
pub struct Collector {
    pub(crate) tasks: Vec<TaskRecord>,
    by_id: HashMap<usize, usize>,
    pub(crate) metrics: BTreeMap<u32, Vec<Metric>>,
    pub(crate) missing: Vec<String>,
}

/// All that is known of one task of one lap.
#[derive(Debug)]
pub(crate) struct TaskRecord {
    pub(crate) info: TaskInfo,
    running: BTreeMap<Key, Histogram<u64>>,
    finished: BTreeMap<Key, Distribution>,
    pub(crate) seconds: BTreeMap<u32, SecondOfWork>,
    pub(crate) started: BTreeMap<u32, StartedInSlot>,
    pub(crate) failures: BTreeMap<FailureKey, u64>,
    pub(crate) examples: BTreeMap<FailureKey, String>,
    pub(crate) failed_work: f64,
    pub(crate) unit: Unit,
    /// Whether the unit is that of a request that succeeded.
    unit_is_certain: bool,
    pub(crate) normal_span: Option<(u64, u64)>,
    pub(crate) first_measured_start: Option<u64>,
    measured_intervals: u64,
    pub(crate) param_source_stalls: u64,
    pub(crate) driver: Option<DriverLoad>,
    pub(crate) given_throughput: GivenThroughput,
    pub(crate) request_meta: RequestMeta,
    pub(crate) ran_out: Option<RanOut>,
    pub(crate) failed: Option<String>,
}

impl Collector {
    /// A collector for these tasks. They are reported in this order.
    pub fn new(tasks: impl IntoIterator<Item = TaskInfo>) -> Self {
        let tasks: Vec<TaskRecord> = tasks.into_iter().map(TaskRecord::new).collect();
        let by_id = tasks.iter().enumerate().map(|(index, task)| (task.info.id, index)).collect();
        Collector { tasks, by_id, metrics: BTreeMap::new(), missing: Vec::new() }
    }

    /// A collector for the tasks of a plan.
    pub fn for_plan(plan: &RacePlan) -> Self {
        Collector::new(plan.steps.iter().flat_map(|step| &step.tasks).map(TaskInfo::from))
    }

    /// Adds a part of a task's recording.
    ///
    /// # Errors
    /// Where the race has no such task, or the histograms cannot be added. Nothing else is lost.
    pub fn add(&mut self, id: usize, recording: &Recording) -> Result<(), CollectError> {
        self.task(id)?.add(recording)
    }

    /// Says that a task is over, and what the driver saw of itself meanwhile. Its histograms are kept in less room from now on;
    /// what comes later is still added.
    ///
    /// # Errors
    /// Where the race has no such task.
    pub fn finish(&mut self, id: usize, load: DriverLoad) -> Result<(), CollectError> {
        let task = self.task(id)?;
        task.compact();
        task.driver.get_or_insert_default().merge(&load);
        Ok(())
    }

    /// Says that a task could not go on, and why, with all causes. What was measured of it stands; the first reason is kept.
    ///
    /// # Errors
    /// Where the race has no such task.
    pub fn fail(&mut self, id: usize, reason: String) -> Result<(), CollectError> {
        self.task(id)?.failed.get_or_insert(reason);
        Ok(())
    }

    /// Adds what the cluster says of itself over a lap.
    pub fn add_metrics(&mut self, lap: u32, metrics: impl IntoIterator<Item = Metric>) {
        self.metrics.entry(lap).or_default().extend(metrics);
    }

    /// Records a figure that the cluster did not provide, and why; the report warns about it.
    pub fn miss(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.missing.contains(&what) {
            self.missing.push(what);
        }
    }

    fn task(&mut self, id: usize) -> Result<&mut TaskRecord, UnknownTask> {
        let index = *self.by_id.get(&id).ok_or(UnknownTask { id })?;
        Ok(&mut self.tasks[index])
    }
}

impl TaskRecord {
    fn new(info: TaskInfo) -> Self {
        TaskRecord {
            info,
            running: BTreeMap::new(),
            finished: BTreeMap::new(),
            seconds: BTreeMap::new(),
            started: BTreeMap::new(),
            failures: BTreeMap::new(),
            examples: BTreeMap::new(),
            failed_work: 0.0,
            unit: Unit::default(),
            unit_is_certain: false,
            normal_span: None,
            first_measured_start: None,
            measured_intervals: 0,
            param_source_stalls: 0,
            driver: None,
            given_throughput: GivenThroughput::default(),
            request_meta: RequestMeta::default(),
            ran_out: None,
            failed: None,
        }
    }

    fn add(&mut self, recording: &Recording) -> Result<(), CollectError> {
        let failed = |task: &TaskRecord, reason: &dyn std::fmt::Display| CollectError::Histogram {
            task: task.info.name.clone(),
            reason: reason.to_string(),
        };
        for (&key, histogram) in recording.histograms.iter().filter(|(_, histogram)| !histogram.is_empty()) {
            let added = match self.running.get_mut(&key) {
                Some(sum) => sum.add(histogram),
                None => {
                    let mut sum = histogram.clone();
                    sum.auto(true);
                    self.running.insert(key, sum);
                    Ok(())
                }
            };
            added.map_err(|error| failed(self, &error))?;
        }
        for (&second, work) in &recording.seconds {
            let sum = self.seconds.entry(second).or_default();
            sum.warmup_weight += work.warmup_weight;
            sum.normal_weight += work.normal_weight;
            sum.requests += work.requests;
            sum.failures += work.failures;
        }
        for (&slot, bin) in &recording.started {
            self.started.entry(slot).and_modify(|sum| merge_started(sum, bin)).or_insert(*bin);
        }
        for (cause, count) in &recording.failures {
            add_failures(&mut self.failures, cause, *count);
        }
        for (cause, example) in &recording.examples {
            add_example(&mut self.examples, cause, example);
        }
        self.failed_work += recording.failed_work;
        let certain = recording.histograms.keys().any(|(.., ending)| *ending == Ending::Success);
        if !recording.unit.is_empty() && (certain || !self.unit_is_certain) {
            self.unit = recording.unit.clone();
            self.unit_is_certain = certain;
        }
        self.first_measured_start =
            self.first_measured_start.into_iter().chain(recording.first_measured_start).min();
        self.measured_intervals += recording.measured_intervals;
        self.normal_span = match (self.normal_span, recording.normal_span) {
            (Some((start, end)), Some((other_start, other_end))) => {
                Some((start.min(other_start), end.max(other_end)))
            }
            (known, other) => known.or(other),
        };
        self.param_source_stalls += recording.param_source_stalls;
        self.given_throughput.merge(&recording.given_throughput);
        self.request_meta.merge(&recording.request_meta);
        if let Some(early) = recording.ran_out {
            match &mut self.ran_out {
                Some(known) => known.merge(&early),
                None => self.ran_out = Some(early),
            }
        }
        Ok(())
    }

    fn compact(&mut self) {
        for (key, histogram) in std::mem::take(&mut self.running) {
            self.finished.entry(key).or_default().add_histogram(&histogram);
        }
    }

    /// The span over which the true rate is taken, nanoseconds since the task's start: from the beginning of the measurement to the
    /// end of the last measured request, and of a throttled task at least as long as its requests fill at their target rate.
    pub(crate) fn measured_span(&self) -> Option<(u64, u64)> {
        let (start, end) = self.normal_span?;
        let filled = self.measured_intervals / u64::from(self.info.clients.max(1));
        Some((start, end.max(start + filled)))
    }

    /// All samples of a kind and type with one of these endings.
    pub(crate) fn distribution(
        &self,
        kind: Kind,
        sample_type: SampleType,
        endings: &[Ending],
    ) -> Distribution {
        let mut all = Distribution::default();
        for &ending in endings {
            let key = (kind, sample_type, ending);
            if let Some(finished) = self.finished.get(&key) {
                all.merge(finished);
            }
            if let Some(running) = self.running.get(&key) {
                all.add_histogram(running);
            }
        }
        all
    }
}

/// The earlier request is the first one of the slot. Of two at the same moment it is the one that sorts first, so that
/// the order of merging does not matter.
fn merge_started(sum: &mut StartedInSlot, other: &StartedInSlot) {
    let earlier = other
        .first_start
        .cmp(&sum.first_start)
        .then(other.first_type.cmp(&sum.first_type))
        .then(other.first_weight.total_cmp(&sum.first_weight))
        .then(other.first_end.cmp(&sum.first_end))
        .is_lt();
    if earlier {
        sum.first_start = other.first_start;
        sum.first_end = other.first_end;
        sum.first_weight = other.first_weight;
        sum.first_type = other.first_type;
    }
    sum.last_start = sum.last_start.max(other.last_start);
    sum.weight += other.weight;
}

/// Counts a cause of failure. At most [`MOST_FAILURE_KEYS`] are kept apart, further ones are counted together, so that a target that makes up
/// a new message for each request cannot fill the memory.
pub(crate) fn add_failures(failures: &mut BTreeMap<FailureKey, u64>, cause: &FailureKey, count: u64) {
    if let Some(known) = failures.get_mut(cause) {
        *known += count;
    } else if failures.len() + 1 < MOST_FAILURE_KEYS {
        failures.insert(cause.clone(), count);
    } else {
        *failures.entry(other_failures()).or_default() += count;
    }
}

/// Keeps one whole text of the target for each of the first [`MOST_FAILURE_KEYS`] causes: of several the one that sorts first, so
/// that the order in which they come does not matter.
pub(crate) fn add_example(examples: &mut BTreeMap<FailureKey, String>, cause: &FailureKey, example: &str) {
    if let Some(known) = examples.get_mut(cause) {
        if example < known.as_str() {
            example.clone_into(known);
        }
    } else if examples.len() < MOST_FAILURE_KEYS {
        examples.insert(cause.clone(), example.to_owned());
    }
}

fn other_failures() -> FailureKey {
    FailureKey { status: None, description: "other failures".to_owned() }
}
