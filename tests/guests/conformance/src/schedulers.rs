//! Schedulers.

use rally_sdk::{Context, FeedbackScheduler, Finished, Result, Scheduler};

/// Steps of `step-millis`, a hundredth of a second by default.
pub struct Steps {
    step: f64,
}

impl Scheduler for Steps {
    fn open(context: &Context) -> Result<Steps> {
        Ok(Steps { step: context.task_params().get_or("step-millis", 10.0)? / 1_000.0 })
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(current + self.step)
    }
}

/// Writes what it sees to the log: requests that began and ended, in order.
pub struct Watching {
    seen: u64,
    began: f64,
}

impl FeedbackScheduler for Watching {
    fn open(_context: &Context) -> Result<Watching> {
        Ok(Watching { seen: 0, began: 0.0 })
    }

    fn before_request(&mut self, now: f64) {
        self.began = now;
    }

    fn after_request(&mut self, now: f64, request: &Finished) {
        self.seen += 1;
        let order = self.began <= now && request.started == self.began && request.finished == now;
        let meta = request.meta().map(|meta| meta.as_map().len()).unwrap_or(usize::MAX);
        rally_sdk::info!(
            "request {}: weight {} {}, success {}, {meta} meta, times in order: {order}",
            self.seen,
            request.weight,
            request.unit,
            request.success,
        );
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(current + 0.01)
    }
}
