//! Rally's throughput: the average since the task's start, warm-up included, taken once a second.
//!
//! Rally sorts the samples of a task by the start of their request and, at the first sample of each second, divides all work
//! so far by the time so far. What it needs of a second is its first sample, its last start and its work in all, so nothing
//! grows with the number of requests. The figures are those of Rally looking once at all samples of a task. A running Rally
//! of today looks every 30 seconds and at times adds a value for what it has at that moment; which values those are depends on
//! when it looked, and they are not imitated. Rally's clock starts at the first request's start less the time that
//! the request's end was after the task's start; here it starts with the task.

use std::collections::BTreeMap;

use rally_race::{SampleType, StartedInSecond};

use crate::throughput::{Rates, plain_rates};

/// Whose running average: they differ in the first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RallyRelease {
    /// 0.7.2 of 2017: the very first sample gives a value.
    Of2017,
    /// Of today: the first value comes with the first full second.
    Current,
}

/// One value of the running average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunningAverage {
    /// Start of the request that it was taken at, nanoseconds since the task's start.
    pub at: u64,
    /// Normal from the first measured request on.
    pub sample_type: SampleType,
    /// Work per second since the task's start.
    pub rate: f64,
}

/// The running average over the seconds of a task.
///
/// `first_normal` is the start of the first measured request in nanoseconds since the task's start, `interval` the seconds
/// between two values (Rally: 1).
pub fn running_average(
    started: &BTreeMap<u32, StartedInSecond>,
    first_normal: Option<u64>,
    interval: u32,
    release: RallyRelease,
) -> Vec<RunningAverage> {
    let mut values: Vec<RunningAverage> = Vec::new();
    let mut total = 0.0;
    let mut next = match release {
        RallyRelease::Of2017 => 0,
        RallyRelease::Current => u64::from(interval),
    };
    for (&second, bin) in started {
        if bin.first_start > 0 && u64::from(second) >= next {
            // Once a measured request was seen, all that follows counts as measured.
            let normal = bin.first_type == SampleType::Normal
                || first_normal.is_some_and(|start| start < bin.first_start);
            values.push(RunningAverage {
                at: bin.first_start,
                sample_type: if normal { SampleType::Normal } else { SampleType::Warmup },
                rate: per_second(total + bin.first_weight, bin.first_start),
            });
            next = u64::from(second) + u64::from(interval);
        }
        total += bin.weight;
    }
    let Some(last_start) = started.values().map(|bin| bin.last_start).max().filter(|start| *start > 0) else {
        return values;
    };
    // A short task, or one that ends soon after its warm-up, has a value nevertheless.
    let sample_type = if first_normal.is_some() { SampleType::Normal } else { SampleType::Warmup };
    if values.last().is_none_or(|value| value.sample_type < sample_type) {
        values.push(RunningAverage { at: last_start, sample_type, rate: per_second(total, last_start) });
    }
    values
}

fn per_second(work: f64, nanoseconds: u64) -> f64 {
    work / (nanoseconds as f64 / 1e9)
}

/// What Rally reports of its running average: only values of the measurement. `None` where there are none, or none but zeros.
pub fn reported_rates(values: &[RunningAverage]) -> Option<Rates> {
    let rates: Vec<f64> = values
        .iter()
        .filter(|value| value.sample_type == SampleType::Normal)
        .map(|value| value.rate)
        .collect();
    plain_rates(&rates).filter(|rates| rates.mean != 0.0 && rates.median != 0.0)
}
