//! The decisions of one client about its next request: whether there is one, when it is due, whether it counts. No clock
//! in here, and no waiting but for schedulers that are asked in turn: the loop asks, and whoever tests can ask too.

use crate::plan::{Extent, Timing};
use crate::recording::SampleType;
use crate::seams::{Cause, Finished, InTurnScheduler, Scheduler};
use crate::unit_aware::{UnitAware, UnitMismatch};

/// A request that a client is to send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheduled {
    /// When it is due, in seconds since the client's own start, after ramp-up; `None`: at once, it is not throttled.
    pub due: Option<f64>,
    /// Whether it counts.
    pub sample_type: SampleType,
    /// How much of the client's work is done, 0 to 1: requests are counted including this one, time without it. `None`
    /// if unknown.
    pub fraction: Option<f64>,
}

/// Who gives a client its due times.
pub enum DueTimes {
    /// Nobody: requests go out as fast as possible.
    Unthrottled,
    /// A scheduler that answers at once.
    AtOnce(Box<dyn Scheduler>),
    /// A target that counts work.
    UnitAware(Box<UnitAware>),
    /// A scheduler that may have to wait for its turn.
    InTurn(Box<dyn InTurnScheduler>),
}

impl From<Option<Box<dyn Scheduler>>> for DueTimes {
    fn from(scheduler: Option<Box<dyn Scheduler>>) -> Self {
        scheduler.map_or(DueTimes::Unthrottled, DueTimes::AtOnce)
    }
}

/// The schedule of one client in one task.
pub struct ClientSchedule {
    extent: Extent,
    timing: Timing,
    due_times: DueTimes,
    /// Number of requests that the param source has, if known.
    size: Option<u64>,
    /// Due time of the request before.
    current: f64,
    /// Time between the last two due times.
    gap: f64,
    /// Requests scheduled so far.
    count: u64,
}

impl ClientSchedule {
    /// The schedule of a client that has to do its share `extent`. `size` is the number of requests that its param source
    /// has, if known.
    pub fn new(
        extent: Extent,
        timing: Timing,
        due_times: impl Into<DueTimes>,
        size: Option<u64>,
    ) -> ClientSchedule {
        ClientSchedule { extent, timing, due_times: due_times.into(), size, current: 0.0, gap: 0.0, count: 0 }
    }

    /// The next request, `elapsed` seconds after the start of the client's part in the task (for the first one as many as it
    /// waits for ramp-up, else when the request before ended); `None` when the client is done. Whether it counts and whether there is one is decided now, before the wait
    /// for its due time, as in Rally.
    ///
    /// # Errors
    /// Where the scheduler fails or gives no usable time.
    pub async fn next(&mut self, elapsed: f64) -> Result<Option<Scheduled>, Cause> {
        let Some(sample_type) = self.sample_type(elapsed) else { return Ok(None) };
        let due = self.due().await?;
        let fraction = self.fraction(elapsed);
        self.count += 1;
        Ok(Some(Scheduled { due, sample_type, fraction }))
    }

    /// Tells the scheduler, if there is one, that a request has finished.
    ///
    /// # Errors
    /// Where the target of the task counts other work than the request did.
    pub fn after_request<'a>(&mut self, finished: impl FnOnce() -> Finished<'a>) -> Result<(), UnitMismatch> {
        match &mut self.due_times {
            DueTimes::Unthrottled => {}
            DueTimes::AtOnce(scheduler) => scheduler.after_request(&finished()),
            DueTimes::UnitAware(scheduler) => scheduler.after_request(&finished())?,
            DueTimes::InTurn(scheduler) => scheduler.after_request(&finished()),
        }
        Ok(())
    }

    /// Mean time between two requests of this client in seconds, after what the last one did; `None` where nothing is throttled.
    /// A scheduler that does not know it is judged by its last two due times.
    pub fn mean_interval(&self) -> Option<f64> {
        match &self.due_times {
            DueTimes::Unthrottled => None,
            DueTimes::AtOnce(scheduler) => Some(scheduler.mean_interval().unwrap_or(self.gap)),
            DueTimes::UnitAware(scheduler) => scheduler.mean_interval(),
            DueTimes::InTurn(_) => Some(self.gap),
        }
    }

    fn sample_type(&self, elapsed: f64) -> Option<SampleType> {
        let (over, warm) = match self.extent {
            Extent::Iterations { warmup, measured } => {
                let total = measured.map(|measured| warmup.saturating_add(measured));
                (total.is_some_and(|total| self.count >= total), self.count >= warmup)
            }
            Extent::Time { warmup, measured } => {
                (measured.is_some_and(|measured| elapsed >= warmup + measured), elapsed >= warmup)
            }
        };
        match (over, warm) {
            (true, _) => None,
            (false, false) => Some(SampleType::Warmup),
            (false, true) => Some(SampleType::Normal),
        }
    }

    async fn due(&mut self) -> Result<Option<f64>, Cause> {
        if self.timing == Timing::Rally && self.count == 0 {
            return Ok(None);
        }
        let due = match &mut self.due_times {
            DueTimes::Unthrottled => return Ok(None),
            DueTimes::AtOnce(scheduler) => scheduler.next(self.current)?,
            DueTimes::UnitAware(scheduler) => match scheduler.next(self.current) {
                Some(due) => due,
                None => return Ok(None),
            },
            DueTimes::InTurn(scheduler) => scheduler.next(self.current).await?,
        };
        if !due.is_finite() || due < 0.0 {
            return Err(
                format!("the scheduler gave {due} seconds as the due time after {}", self.current).into()
            );
        }
        self.gap = (due - self.current).max(0.0);
        self.current = due;
        // Rally recognises throttled requests by their due time, and takes 0 for "not throttled".
        Ok((self.timing == Timing::Spread || due > 0.0).then_some(due))
    }

    fn fraction(&self, elapsed: f64) -> Option<f64> {
        let of = |total: u64| ((self.count + 1) as f64 / total.max(1) as f64).min(1.0);
        match self.extent {
            Extent::Iterations { warmup, measured: Some(measured) } => {
                Some(of(warmup.saturating_add(measured)))
            }
            Extent::Time { warmup, measured: Some(measured) } => {
                Some((elapsed / (warmup + measured)).min(1.0))
            }
            Extent::Iterations { measured: None, .. } | Extent::Time { measured: None, .. } => {
                self.size.map(of)
            }
        }
    }
}
