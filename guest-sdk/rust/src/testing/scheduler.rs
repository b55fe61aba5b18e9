//! Schedulers as rally asks them.

use crate::scheduler::{Ahead, AnyScheduler};
use crate::{Context, FeedbackScheduler, Finished, Result, Scheduler};

/// Drives a scheduler of the simple form through the code that drives it in rally.
pub struct TestScheduler<S> {
    scheduler: Ahead<S>,
    current: f64,
}

impl<S: Scheduler> TestScheduler<S> {
    /// Opens the scheduler of the context's client.
    ///
    /// # Errors
    /// What the scheduler's `open` returns.
    pub fn open(context: &Context) -> Result<TestScheduler<S>> {
        Ok(TestScheduler { scheduler: Ahead::new(S::open(context)?), current: 0.0 })
    }

    /// The next due times.
    ///
    /// # Errors
    /// What the scheduler's `next` returns.
    pub fn take(&mut self, count: usize) -> Result<Vec<f64>> {
        let mut times = Vec::with_capacity(count);
        while times.len() < count {
            let limit = u32::try_from(count - times.len()).unwrap_or(u32::MAX);
            times.extend(self.scheduler.next(self.current, Vec::new(), limit)?);
            self.current = times.last().copied().unwrap_or(self.current);
        }
        Ok(times)
    }
}

/// Drives a scheduler of the full form.
pub struct TestFeedbackScheduler<S> {
    /// The scheduler.
    pub scheduler: S,
    current: f64,
}

impl<S: FeedbackScheduler> TestFeedbackScheduler<S> {
    /// Opens the scheduler of the context's client.
    ///
    /// # Errors
    /// What the scheduler's `open` returns.
    pub fn open(context: &Context) -> Result<TestFeedbackScheduler<S>> {
        Ok(TestFeedbackScheduler { scheduler: S::open(context)?, current: 0.0 })
    }

    /// Lets a request begin and end.
    pub fn finished(&mut self, request: &Finished) {
        self.scheduler.before_request(request.started);
        self.scheduler.after_request(request.finished, request);
    }

    /// The next due time.
    ///
    /// # Errors
    /// What the scheduler's `next` returns.
    pub fn next_time(&mut self) -> Result<f64> {
        self.current = self.scheduler.next(self.current)?;
        Ok(self.current)
    }
}

impl Finished {
    /// A request of weight 1 `ops` that began and ended at once, for a test; its fields can be changed.
    pub fn for_test(success: bool) -> Finished {
        Finished { started: 0.0, finished: 0.0, weight: 1.0, unit: "ops".to_owned(), success, meta: None }
    }
}
