//! The decisions of one client about its next request: whether there is one, when it is due, whether it counts. No clock
//! and no waiting in here: the loop asks, and whoever tests can ask too.

use crate::plan::{Extent, Timing};
use crate::recording::SampleType;
use crate::seams::{Cause, Finished, Scheduler};

/// A request that a client is to send.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scheduled {
    /// When it is due, in seconds since the client's start; `None`: at once, it is not throttled.
    pub due: Option<f64>,
    /// Whether it counts.
    pub sample_type: SampleType,
    /// How much of the client's work is done, 0 to 1: requests are counted including this one, time without it. `None`
    /// where nobody knows.
    pub fraction: Option<f64>,
}

/// The schedule of one client in one task.
pub struct ClientSchedule {
    extent: Extent,
    timing: Timing,
    scheduler: Option<Box<dyn Scheduler>>,
    /// Number of requests that the param source has, if known.
    size: Option<u64>,
    /// Due time of the request before.
    current: f64,
    /// Requests scheduled so far.
    count: u64,
}

impl ClientSchedule {
    /// The schedule of a client that has to do its share `extent`. `scheduler` is `None` where it is unthrottled, `size`
    /// the number of requests that its param source has, if known.
    pub fn new(
        extent: Extent,
        timing: Timing,
        scheduler: Option<Box<dyn Scheduler>>,
        size: Option<u64>,
    ) -> ClientSchedule {
        ClientSchedule { extent, timing, scheduler, size, current: 0.0, count: 0 }
    }

    /// The next request, `elapsed` seconds after the client's start (0 for the first one, else when the request before
    /// ended); `None` when the client is done. Whether it counts and whether there is one is decided now, before the wait
    /// for its due time, as in Rally.
    ///
    /// # Errors
    /// Where the scheduler fails or gives no usable time.
    pub fn next(&mut self, elapsed: f64) -> Result<Option<Scheduled>, Cause> {
        let Some(sample_type) = self.sample_type(elapsed) else { return Ok(None) };
        let due = self.due()?;
        let fraction = self.fraction(elapsed);
        self.count += 1;
        Ok(Some(Scheduled { due, sample_type, fraction }))
    }

    /// Tells the scheduler that a request has finished.
    pub fn after_request(&mut self, finished: &Finished<'_>) {
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.after_request(finished);
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

    fn due(&mut self) -> Result<Option<f64>, Cause> {
        let Some(scheduler) = &mut self.scheduler else { return Ok(None) };
        if self.timing == Timing::Rally && self.count == 0 {
            return Ok(None);
        }
        let due = scheduler.next(self.current)?;
        if !due.is_finite() || due < 0.0 {
            return Err(
                format!("the scheduler gave {due} seconds as the due time after {}", self.current).into()
            );
        }
        self.current = due;
        // Rally tells throttled requests by their due time, and takes 0 for "not throttled".
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
