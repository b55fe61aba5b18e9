//! The built-in schedulers: when the requests of one client are due.

use rally_track::{Dialect, Task};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use crate::plan::Timing;
use crate::schedule::DueTimes;
use crate::seams::{Cause, Partition, Scheduler};
use crate::unit_aware::UnitAware;

/// Names of the built-in schedulers.
pub const BUILT_IN_SCHEDULERS: [&str; 2] = ["deterministic", "poisson"];

/// ChaCha stream of the due times, so that they do not repeat the numbers that a param source draws from the same seed.
pub(crate) const DUE_TIMES_STREAM: u64 = 1;

/// Requests in equal intervals.
#[derive(Debug, Clone)]
pub struct Deterministic {
    interval: f64,
    /// When the first request is due, until it has been asked for.
    first: Option<f64>,
}

impl Deterministic {
    /// A client of Rally: one request every `interval` seconds, all clients in lockstep.
    pub fn lockstep(interval: f64) -> Deterministic {
        Deterministic { interval, first: None }
    }

    /// One of `clients` clients that together send one request every `interval / clients` seconds: the first requests are
    /// spread over the interval.
    pub fn spread(interval: f64, index: u32, clients: u32) -> Deterministic {
        Deterministic { interval, first: Some(interval * f64::from(index) / f64::from(clients.max(1))) }
    }
}

impl Scheduler for Deterministic {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        Ok(self.first.take().unwrap_or(current + self.interval))
    }

    fn mean_interval(&self) -> Option<f64> {
        Some(self.interval)
    }
}

/// Requests as independent users send them: intervals are exponentially distributed.
pub struct Poisson<Draw> {
    mean_interval: f64,
    draw: Draw,
}

impl<Draw: FnMut() -> f64> Poisson<Draw> {
    /// Intervals of `mean_interval` seconds on average; `draw` gives exponentially distributed numbers of mean 1.
    pub fn new(mean_interval: f64, draw: Draw) -> Poisson<Draw> {
        Poisson { mean_interval, draw }
    }
}

impl<Draw: FnMut() -> f64 + Send> Scheduler for Poisson<Draw> {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        Ok(current + self.mean_interval * (self.draw)())
    }

    fn mean_interval(&self) -> Option<f64> {
        Some(self.mean_interval)
    }
}

/// Who gives one client of a task its due times, where the task names a scheduler that is built in. In the 2017 dialect
/// targets count requests, in the current one work; `documents`: see [`UnitAware::new`].
///
/// # Errors
/// Where the task names a scheduler that is not built in, or a target that cannot be reached.
pub fn built_in_due_times(
    dialect: Dialect,
    task: &Task,
    timing: Timing,
    partition: Partition,
    documents: Option<f64>,
) -> Result<DueTimes, Cause> {
    let scheduler = built_in_scheduler(task, timing, partition)?;
    Ok(match (dialect, scheduler, &task.target) {
        (Dialect::Current, Some(_), Some(target)) => {
            DueTimes::UnitAware(Box::new(UnitAware::new(task, target, timing, partition, documents)))
        }
        (_, scheduler, _) => scheduler.into(),
    })
}

/// The built-in scheduler of one client of a task whose target counts requests; `None` where the task has no target: as fast
/// as possible.
///
/// # Errors
/// Where the task names a scheduler that is not built in, or a target that cannot be reached.
pub fn built_in_scheduler(
    task: &Task,
    timing: Timing,
    partition: Partition,
) -> Result<Option<Box<dyn Scheduler>>, Cause> {
    if !BUILT_IN_SCHEDULERS.contains(&task.schedule.as_str()) {
        return Err(format!("unknown scheduler '{}'", task.schedule).into());
    }
    let Some(target) = &task.target else { return Ok(None) };
    let interval = f64::from(task.clients) / target.per_second();
    if !(interval.is_finite() && interval > 0.0) {
        return Err(
            format!("a target of {} {} cannot be scheduled", target.per_second(), target.unit()).into()
        );
    }
    Ok(Some(match (task.schedule.as_str(), timing) {
        ("poisson", _) => {
            let mut random = ChaCha8Rng::seed_from_u64(partition.seed);
            random.set_stream(DUE_TIMES_STREAM);
            Box::new(Poisson::new(interval, move || Exp1.sample(&mut random)))
        }
        (_, Timing::Rally) => Box::new(Deterministic::lockstep(interval)),
        (_, Timing::Spread) => Box::new(Deterministic::spread(interval, partition.index, partition.total)),
    }))
}
