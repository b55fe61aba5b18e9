//! What a race came to, task by task, per lap and over all laps.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rally_race::{
    DriverLoad, Ending, GivenThroughput, Kind, LagAt, Metric, RanOut, RequestMeta, SampleType, Unit, Verdict,
    verdict,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::collector::{Collector, TaskInfo, TaskRecord, add_example, add_failures};
use crate::distribution::{Distribution, Figures};
use crate::percentiles::percentiles_for_sample_size;
use crate::running_average::{RallyRelease, reported_rates, running_average};
use crate::throughput::{Rates, Window, given_rates, true_rates, windows};

/// How a race ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RaceStatus {
    /// It goes on.
    Running,
    /// Its process ended without a word: it was killed. There are no figures but those of the histogram log.
    Killed,
    /// All tasks of all laps were run.
    Complete,
    /// The user ended it: figures are partial.
    Interrupted,
    /// It could not go on: figures are partial.
    Failed,
    /// All tasks were run, but some could not go on, or not one of their requests succeeded. The figures of the others are whole.
    TasksFailed,
}

/// What a figure is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lap {
    /// One lap, from 1.
    Number(u32),
    /// All laps together.
    All,
}

impl fmt::Display for Lap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lap::Number(number) => number.fmt(formatter),
            Lap::All => formatter.write_str("All"),
        }
    }
}

impl Serialize for Lap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Lap::Number(number) => serializer.serialize_u32(*number),
            Lap::All => serializer.serialize_str("All"),
        }
    }
}

/// What a race came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// How it ended.
    pub status: RaceStatus,
    /// Each lap in order; the last entry is over all laps where there are several.
    pub laps: Vec<LapSummary>,
    /// Figures that the cluster did not provide, and why.
    pub missing: Vec<String>,
}

/// What a lap, or all of them, came to.
#[derive(Debug, Clone, PartialEq)]
pub struct LapSummary {
    /// Which lap.
    pub lap: Lap,
    /// Its tasks in the order of the schedule.
    pub tasks: Vec<TaskSummary>,
    /// What the cluster said of itself, one list per lap.
    pub metrics: Vec<Vec<Metric>>,
}

/// What a task came to. Only measured requests count, except where it says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSummary {
    /// Name, operation and so on; number and lap are those of its first lap.
    pub info: TaskInfo,
    /// Number of requests.
    pub requests: u64,
    /// Number of warm-up requests.
    pub warmup_requests: u64,
    /// Number of those that failed.
    pub warmup_failures: u64,
    /// Failed requests by all, 0 to 1; 0 without requests.
    pub error_rate: f64,
    /// Work that failed, in `unit`s: documents that the target rejected.
    pub failed_work: f64,
    /// Unit of the work: `docs`, `ops`, `pages`; empty where no request was made.
    pub unit: Unit,
    /// True rate per second; `None` where no measured work was done. What the runner gives, where it gives a throughput.
    pub throughput: Option<Rates>,
    /// Rally's running average, warm-up included; `None` where Rally reports none. As in Rally what the runner gives, where it
    /// gives a throughput.
    pub rally_throughput: Option<Rates>,
    /// Whether throughput is what the runner gives.
    pub throughput_given: bool,
    /// From the due time, or the service time for unthrottled tasks.
    pub latency: Times,
    /// First byte sent to last byte received.
    pub service_time: Times,
    /// Around the whole runner.
    pub processing_time: Times,
    /// Due time to first byte sent; throttled tasks only.
    pub send_lateness: Option<Figures>,
    /// The driver's own part of the send lateness.
    pub driver_lag: Option<Figures>,
    /// Start of the last request (warm-up included) in milliseconds since the task's start: Rally's `duration`. The
    /// sum over all laps.
    pub duration: Option<f64>,
    /// Failures by cause (warm-up included), most frequent first.
    pub failures: Vec<FailureCount>,
    /// How often a request was due and the param source had none ready (warm-up included).
    pub param_source_stalls: u64,
    /// What the driver saw of itself, once the task is over.
    pub driver: Option<DriverObservation>,
    /// Numbers that the runner reported for successful requests.
    pub request_meta: RequestMeta,
    /// Clients whose parameters ran out before the time of the task was up.
    pub ran_out: Option<RanOut>,
    /// Number of clients that took part, those of each lap counted.
    pub clients_of_all_laps: u32,
    /// Why the task could not go on, with all causes; `None`: it could.
    pub failed: Option<String>,
}

/// A task of a lap that could not go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailedTaskRecord {
    /// Its lap, from 1.
    pub lap: u32,
    /// Its name.
    pub task: String,
    /// Why, with all causes; may have several lines.
    pub reason: String,
}

/// What the driver saw of itself over a task, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DriverObservation {
    /// Its load.
    pub load: DriverLoad,
    /// Whether the driver or its machine, not the target, set the figures.
    pub verdict: Verdict,
}

/// Times of requests by how they ended, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Times {
    /// All requests, as Rally reports them.
    pub all: Option<Figures>,
    /// Successful ones.
    pub success: Option<Figures>,
    /// Failed ones.
    pub failure: Option<Figures>,
}

/// A cause of failure and how often it occurred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureCount {
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What happened.
    pub description: String,
    /// How often.
    pub count: u64,
    /// What the target itself said, in full, once; `None` where it said no more than `description`.
    pub example: Option<String>,
}

impl Summary {
    /// The entry over the whole race: that over all laps, or that of the only lap.
    pub fn whole_race(&self) -> Option<&LapSummary> {
        self.laps.last()
    }

    /// The tasks that could not go on, lap by lap.
    pub fn failed_tasks(&self) -> Vec<FailedTaskRecord> {
        let tasks = self.laps.iter().filter(|lap| lap.lap != Lap::All).flat_map(|lap| &lap.tasks);
        tasks
            .filter_map(|task| {
                let (lap, name) = (task.info.lap, task.info.name.clone());
                task.failed.clone().map(|reason| FailedTaskRecord { lap, task: name, reason })
            })
            .collect()
    }

    /// Names of the tasks of which not one request succeeded, although that was not expected of them: their figures say nothing.
    pub fn tasks_without_success(&self) -> Vec<String> {
        let laps = self.laps.iter().filter(|lap| lap.lap != Lap::All);
        let mut names: Vec<String> = Vec::new();
        for task in laps.flat_map(|lap| &lap.tasks).filter(|task| task.nothing_succeeded()) {
            if !names.contains(&task.info.name) {
                names.push(task.info.name.clone());
            }
        }
        names
    }

    /// Whether there are several laps.
    pub fn has_laps(&self) -> bool {
        self.laps.len() > 1
    }
}

impl Collector {
    /// What was collected so far.
    pub fn summary(&self, status: RaceStatus) -> Summary {
        let mut numbers: Vec<u32> = self.tasks.iter().map(|task| task.info.lap).collect();
        numbers.extend(self.metrics.keys());
        numbers.sort_unstable();
        numbers.dedup();
        let mut laps: Vec<LapSummary> = numbers
            .iter()
            .map(|&number| LapSummary {
                lap: Lap::Number(number),
                tasks: self
                    .tasks
                    .iter()
                    .filter(|task| task.info.lap == number)
                    .map(|task| summarize(&[task]))
                    .collect(),
                metrics: self.metrics.get(&number).cloned().into_iter().collect(),
            })
            .collect();
        if laps.len() > 1 {
            laps.push(LapSummary {
                lap: Lap::All,
                tasks: self.over_laps().iter().map(|records| summarize(records)).collect(),
                metrics: self.metrics.values().cloned().collect(),
            });
        }
        let mut summary = Summary { status, laps, missing: self.missing.clone() };
        if status == RaceStatus::Complete && !summary.tasks_without_success().is_empty() {
            summary.status = RaceStatus::TasksFailed;
        }
        summary
    }

    /// The records of each task over all laps, in the order in which the tasks first occur.
    fn over_laps(&self) -> Vec<Vec<&TaskRecord>> {
        let mut tasks: Vec<Vec<&TaskRecord>> = Vec::new();
        for record in &self.tasks {
            // Within a lap every task is its own, even where two bear the same name.
            let same = |laps: &&mut Vec<&TaskRecord>| {
                laps[0].info.name == record.info.name
                    && laps.iter().all(|other| other.info.lap != record.info.lap)
            };
            match tasks.iter_mut().find(same) {
                Some(laps) => laps.push(record),
                None => tasks.push(vec![record]),
            }
        }
        tasks
    }
}

fn summarize(laps: &[&TaskRecord]) -> TaskSummary {
    let service_time = Outcomes::of(laps, Kind::ServiceTime);
    let requests = service_time.success.count() + service_time.failure.count();
    let error_rate = if requests == 0 { 0.0 } else { service_time.failure.count() as f64 / requests as f64 };
    let windows: Vec<Window> = laps
        .iter()
        .flat_map(|lap| {
            let requests = lap.distribution(Kind::ServiceTime, SampleType::Normal, BOTH).count();
            windows(&lap.seconds, lap.measured_span(), requests)
        })
        .collect();
    let averages: Vec<_> = laps
        .iter()
        .flat_map(|lap| running_average(&lap.started, lap.first_measured_start, 1, RallyRelease::Current))
        .collect();
    let durations: Vec<u64> =
        laps.iter().filter_map(|lap| lap.started.values().map(|bin| bin.last_start).max()).collect();
    let mut causes = BTreeMap::new();
    for (cause, count) in laps.iter().flat_map(|lap| &lap.failures) {
        add_failures(&mut causes, cause, *count);
    }
    let mut examples = BTreeMap::new();
    for (cause, example) in laps.iter().flat_map(|lap| &lap.examples) {
        add_example(&mut examples, cause, example);
    }
    let mut failures: Vec<FailureCount> = causes
        .into_iter()
        .map(|(cause, count)| {
            let example = examples.remove(&cause).filter(|example| *example != cause.description);
            FailureCount { status: cause.status, description: cause.description, count, example }
        })
        .collect();
    failures.sort_by_key(|failure| std::cmp::Reverse(failure.count));
    let mut given = GivenThroughput::default();
    let mut request_meta = RequestMeta::default();
    for lap in laps {
        given.merge(&lap.given_throughput);
        request_meta.merge(&lap.request_meta);
    }
    let given = given_rates(&given);
    let lag = merged(laps, Kind::DriverLag, SampleType::Normal, BOTH);
    let latencies = Outcomes::of(laps, Kind::Latency);
    let latency = latencies.all();
    let param_source_stalls = laps.iter().map(|lap| lap.param_source_stalls).sum();
    TaskSummary {
        info: laps[0].info.clone(),
        requests,
        warmup_failures: merged(laps, Kind::ServiceTime, SampleType::Warmup, &[Ending::Failure]).count(),
        warmup_requests: merged(laps, Kind::ServiceTime, SampleType::Warmup, BOTH).count(),
        error_rate,
        failed_work: laps.iter().map(|lap| lap.failed_work).sum(),
        unit: laps.iter().map(|lap| lap.unit.clone()).find(|unit| !unit.is_empty()).unwrap_or_default(),
        throughput: given.or_else(|| true_rates(&windows)),
        rally_throughput: given.or_else(|| reported_rates(&averages)),
        throughput_given: given.is_some(),
        latency: latencies.times(),
        service_time: service_time.times(),
        processing_time: Outcomes::of(laps, Kind::ProcessingTime).times(),
        send_lateness: merged(laps, Kind::SendLateness, SampleType::Normal, BOTH).figures(),
        driver_lag: lag.figures(),
        duration: (!durations.is_empty()).then(|| durations.iter().sum::<u64>() as f64 / 1e6),
        failures,
        param_source_stalls,
        driver: observe(laps, &lag, &latency, param_source_stalls),
        request_meta,
        ran_out: laps.iter().filter_map(|lap| lap.ran_out).reduce(|mut sum, early| {
            sum.merge(&early);
            sum
        }),
        clients_of_all_laps: laps.iter().map(|lap| lap.info.clients).sum(),
        failed: laps.iter().find_map(|lap| lap.failed.clone()),
    }
}

/// The verdict over the driver; `None` if it did not report about itself.
fn observe(
    laps: &[&TaskRecord],
    lag: &Distribution,
    latency: &Distribution,
    stalls: u64,
) -> Option<DriverObservation> {
    let load = laps.iter().filter_map(|lap| lap.driver).reduce(|mut sum, load| {
        sum.merge(&load);
        sum
    })?;
    // Of fewer requests than carry a 99th percentile the slowest one would decide: too little to blame anything.
    let lags: Vec<LagAt> = percentiles_for_sample_size(lag.count())
        .iter()
        .filter(|percentile| **percentile < 100.0)
        .filter_map(|&percentile| {
            let at = |of: &Distribution| Some(Duration::from_nanos(of.percentile(percentile)? as u64));
            Some(LagAt { percentile, lag: at(lag)?, latency: at(latency)? })
        })
        .collect();
    Some(DriverObservation { load, verdict: verdict(&load, lag.count(), stalls, &lags) })
}

const BOTH: &[Ending] = &[Ending::Success, Ending::Failure];

fn merged(laps: &[&TaskRecord], kind: Kind, sample_type: SampleType, endings: &[Ending]) -> Distribution {
    let mut all = Distribution::default();
    for lap in laps {
        all.merge(&lap.distribution(kind, sample_type, endings));
    }
    all
}

/// Measured times by how the request ended.
struct Outcomes {
    success: Distribution,
    failure: Distribution,
}

impl Outcomes {
    fn of(laps: &[&TaskRecord], kind: Kind) -> Self {
        Outcomes {
            success: merged(laps, kind, SampleType::Normal, &[Ending::Success]),
            failure: merged(laps, kind, SampleType::Normal, &[Ending::Failure]),
        }
    }

    fn all(&self) -> Distribution {
        let mut all = self.success.clone();
        all.merge(&self.failure);
        all
    }

    fn times(&self) -> Times {
        let all = self.all();
        Times { all: all.figures(), success: self.success.figures(), failure: self.failure.figures() }
    }
}
