//! The true rate of a task: what was completed, second by second, warm-up excluded.
//!
//! The measured span ([`Recording::normal_span`](rally_race::Recording::normal_span)) reaches from the beginning of the
//! measurement to the end of the last measured request. In a throttled task it lasts at least as long as the measured requests fill at
//! their target rate ([`Recording::measured_intervals`](rally_race::Recording::measured_intervals)): ten requests at
//! 5/s are ten intervals of 0.2 s, although the last one is over shortly after the ninth interval. Only what succeeded counts.
//! The span is cut at whole
//! seconds of the task's time; what is left over at its two ends belongs to the first and the last window, so that every
//! piece of work and every moment is in exactly one window and the mean is work by time. A span without a whole
//! second in it is one window. Where requests take so long that less than one ends per second, windows are wide enough
//! that one ends in each on average: a force-merge of a minute has one rate, not 59 zeros.

use std::collections::BTreeMap;

use rally_race::{GivenThroughput, SecondOfWork};

use crate::percentiles::median;

const NANOSECONDS_PER_SECOND: u64 = 1_000_000_000;

/// A stretch of time and the work completed in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Work of the measured requests that ended in it.
    pub work: f64,
    /// Its length in seconds, above 0.
    pub seconds: f64,
}

/// Least, mean, median and greatest throughput, in work per second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Least.
    pub min: f64,
    /// Mean: of the true rate all work by all time, of Rally's running average the mean of its values.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Greatest.
    pub max: f64,
}

/// Cuts the measured span (nanoseconds since the task's start) of `requests` measured requests into windows. Empty where
/// nothing was measured.
pub fn windows(
    seconds: &BTreeMap<u32, SecondOfWork>,
    measured_span: Option<(u64, u64)>,
    requests: u64,
) -> Vec<Window> {
    let Some((start, end)) = measured_span.filter(|(start, end)| end > start) else { return Vec::new() };
    let first_whole = start.div_ceil(NANOSECONDS_PER_SECOND);
    let last_whole = end / NANOSECONDS_PER_SECOND;
    let whole_seconds = last_whole.saturating_sub(first_whole);
    let width = (end - start).div_ceil(NANOSECONDS_PER_SECOND).div_ceil(requests.max(1));
    let count = (whole_seconds / width).max(1);

    let mut windows = Vec::with_capacity(count as usize);
    let mut from = start;
    let mut work = seconds.iter().map(|(&second, work)| (u64::from(second), work.normal_weight)).peekable();
    for index in 1..=count {
        let last = index == count;
        let to_second = first_whole + index * width;
        let to = if last { end } else { to_second * NANOSECONDS_PER_SECOND };
        let mut done = 0.0;
        while let Some((_, weight)) = work.next_if(|(second, _)| last || *second < to_second) {
            done += weight;
        }
        windows.push(Window { work: done, seconds: (to - from) as f64 / NANOSECONDS_PER_SECOND as f64 });
        from = to;
    }
    windows
}

/// The rates of some windows; `None` where no work was done at all, as Rally reports no throughput then.
pub fn true_rates(windows: &[Window]) -> Option<Rates> {
    let work: f64 = windows.iter().map(|window| window.work).sum();
    let seconds: f64 = windows.iter().map(|window| window.seconds).sum();
    let rates: Vec<f64> = windows.iter().map(|window| window.work / window.seconds).collect();
    if work <= 0.0 {
        return None;
    }
    Some(Rates { mean: work / seconds, ..plain_rates(&rates)? })
}

/// The rates that a runner gives itself, each counting as much as any other, as in Rally; `None` where it gives none.
pub fn given_rates(given: &GivenThroughput) -> Option<Rates> {
    let all = given.all()?;
    Some(Rates { min: all.min, mean: all.mean(), median: given.median()?, max: all.max })
}

/// Least, mean, median and greatest of some rates; `None` without any.
pub(crate) fn plain_rates(rates: &[f64]) -> Option<Rates> {
    Some(Rates {
        min: rates.iter().copied().min_by(f64::total_cmp)?,
        mean: rates.iter().sum::<f64>() / rates.len() as f64,
        median: median(rates)?,
        max: rates.iter().copied().max_by(f64::total_cmp)?,
    })
}
