//! Rally's throughput: the average since the task's start, warm-up included, taken once a second.
//!
//! Rally sorts the samples of a task by the start of their request and, at the first sample of each second, divides all work
//! so far by the time so far. Its clock starts at the first request's start less the time that this request's end
//! was after the task's start, so that a single request of 0.3 s that starts with its task has a rate of 1 / 0.3 s.
//!
//! What is needed of a [slot of time](rally_race::start_slot) is its first sample, its last start and its work in all, so nothing
//! grows with the number of requests. Where a second of Rally's clock begins within a slot that has more than two samples, before and
//! after that moment, the value is taken at the slot's last sample: at most 1/64 s or 1/256 of the time so far later than
//! Rally takes it. The figures are those of Rally looking once at all samples of a task. A running Rally
//! of today looks every 30 seconds and at times adds a value for what it has at that moment; which values those are depends on
//! when it looked, and they are not imitated.

use std::collections::BTreeMap;

use rally_race::{SampleType, StartedInSlot};

use crate::throughput::{Rates, plain_rates};

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

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
    /// Start of the request that it was taken at, in nanoseconds of Rally's clock.
    pub at: u64,
    /// Normal from the first measured request on.
    pub sample_type: SampleType,
    /// Work per second of Rally's clock.
    pub rate: f64,
}

/// The running average over the slots of a task.
///
/// `first_normal` is the start of the first measured request in nanoseconds since the task's start, `interval` the seconds
/// between two values (Rally: 1).
pub fn running_average(
    started: &BTreeMap<u32, StartedInSlot>,
    first_normal: Option<u64>,
    interval: u32,
    release: RallyRelease,
) -> Vec<RunningAverage> {
    let Some(first) = started.values().next() else { return Vec::new() };
    // Rally's clock: nanoseconds since the first request's start, and its end's distance from the task's start.
    let clock = |start: u64| start.saturating_sub(first.first_start) + first.first_end;
    let interval = u64::from(interval) * NANOSECONDS_PER_SECOND;
    let mut values: Vec<RunningAverage> = Vec::new();
    let mut total = 0.0;
    let mut next = match release {
        RallyRelease::Of2017 => 0,
        RallyRelease::Current => interval,
    };
    for bin in started.values() {
        // Of two requests both are known, of more the first and the last one.
        let first_is_normal = bin.first_type == SampleType::Normal;
        let last_is_normal = first_normal.is_some_and(|first| first <= bin.last_start);
        for (start, work, is_normal) in [
            (bin.first_start, bin.first_weight, first_is_normal),
            (bin.last_start, bin.weight, last_is_normal),
        ] {
            let now = clock(start);
            if now > 0 && now >= next {
                // Once a measured request was seen, all that follows counts as measured.
                let normal = is_normal || first_normal.is_some_and(|first| first < start);
                values.push(RunningAverage {
                    at: now,
                    sample_type: if normal { SampleType::Normal } else { SampleType::Warmup },
                    rate: per_second(total + work, now),
                });
                next = now - now % NANOSECONDS_PER_SECOND + interval;
            }
        }
        total += bin.weight;
    }
    let Some(last) = started.values().map(|bin| clock(bin.last_start)).max().filter(|last| *last > 0) else {
        return values;
    };
    // A short task, or one that ends soon after its warm-up, has a value nevertheless.
    let sample_type = if first_normal.is_some() { SampleType::Normal } else { SampleType::Warmup };
    if values.last().is_none_or(|value| value.sample_type < sample_type) {
        values.push(RunningAverage { at: last, sample_type, rate: per_second(total, last) });
    }
    values
}

fn per_second(work: f64, nanoseconds: u64) -> f64 {
    work / (nanoseconds as f64 / NANOSECONDS_PER_SECOND as f64)
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
