//! Schedulers: when each request is due. Times are seconds since the client's own start.

use serde_json::Map;

use crate::bindings::schedulers::exports::rally::track::schedulers as wire;
use crate::{Context, Error, Result, Values};

/// Gives the due times of one client's requests without looking at what becomes of them: Rally's simple scheduler. Due times
/// are asked for many at a time.
pub trait Scheduler: Sized + 'static {
    /// Opens the scheduler of one client, before the race starts.
    ///
    /// # Errors
    /// Of class [`Config`](crate::ErrorClass::Config) where the properties of the task make no sense.
    fn open(context: &Context) -> Result<Self>;

    /// Due time of the next request, given that of the one before, which is 0 in the first call. Never before it.
    ///
    /// # Errors
    /// Where it cannot be told: the task cannot go on.
    fn next(&mut self, current: f64) -> Result<f64>;
}

/// A [`Scheduler`] that sees each request begin and end before it tells the next due time: Rally's full form.
pub trait FeedbackScheduler: Sized + 'static {
    /// As [`Scheduler::open`].
    ///
    /// # Errors
    /// As [`Scheduler::open`].
    fn open(context: &Context) -> Result<Self>;

    /// A request has begun.
    fn before_request(&mut self, _now: f64) {}

    /// The request has ended.
    fn after_request(&mut self, now: f64, request: &Finished);

    /// As [`Scheduler::next`].
    ///
    /// # Errors
    /// As [`Scheduler::next`].
    fn next(&mut self, current: f64) -> Result<f64>;
}

/// A request that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Finished {
    /// When it began.
    pub started: f64,
    /// When it ended.
    pub finished: f64,
    /// How much work was done.
    pub weight: f64,
    /// Unit of the work.
    pub unit: String,
    /// Whether it succeeded.
    pub success: bool,
    pub(crate) meta: Option<String>,
}

impl Finished {
    /// What the runner told beyond that; empty where it told nothing.
    ///
    /// # Errors
    /// Where it is no JSON object.
    pub fn meta(&self) -> Result<Values> {
        match &self.meta {
            Some(text) => Values::parse_object(text),
            None => Ok(Values::from(Map::new())),
        }
    }
}

impl From<wire::Feedback> for Finished {
    fn from(feedback: wire::Feedback) -> Finished {
        let wire::Feedback { started, finished, weight, unit, success, meta } = feedback;
        Finished { started, finished, weight, unit, success, meta }
    }
}

/// A scheduler whose type is forgotten.
pub(crate) trait AnyScheduler {
    fn next(&mut self, current: f64, finished: Vec<wire::Feedback>, limit: u32) -> Result<Vec<f64>>;
}

/// Most due times in one answer, whatever is asked for.
const MOST_TIMES: u32 = 1_024;

pub(crate) struct Ahead<S> {
    scheduler: S,
    /// What went wrong after some times were told: told by the next call.
    failure: Option<Error>,
}

impl<S> Ahead<S> {
    pub(crate) fn new(scheduler: S) -> Ahead<S> {
        Ahead { scheduler, failure: None }
    }
}

impl<S: Scheduler> AnyScheduler for Ahead<S> {
    fn next(&mut self, current: f64, _finished: Vec<wire::Feedback>, limit: u32) -> Result<Vec<f64>> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let count = limit.clamp(1, MOST_TIMES);
        let mut times = Vec::with_capacity(count as usize);
        let mut current = current;
        while (times.len() as u32) < count {
            match self.scheduler.next(current) {
                Ok(time) => current = time,
                Err(failure) if times.is_empty() => return Err(failure),
                Err(failure) => {
                    self.failure = Some(failure);
                    break;
                }
            }
            times.push(current);
        }
        Ok(times)
    }
}

pub(crate) struct WithFeedback<S>(pub(crate) S);

impl<S: FeedbackScheduler> AnyScheduler for WithFeedback<S> {
    fn next(&mut self, current: f64, finished: Vec<wire::Feedback>, _limit: u32) -> Result<Vec<f64>> {
        for feedback in finished {
            let request = Finished::from(feedback);
            self.0.before_request(request.started);
            self.0.after_request(request.finished, &request);
        }
        Ok(vec![self.0.next(current)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Doubling {
        calls: u32,
    }

    impl Scheduler for Doubling {
        fn open(_context: &Context) -> Result<Doubling> {
            Ok(Doubling { calls: 0 })
        }

        fn next(&mut self, current: f64) -> Result<f64> {
            self.calls += 1;
            if self.calls > 3 {
                return Err(Error::other("out of times"));
            }
            Ok(current * 2.0 + 1.0)
        }
    }

    #[test]
    fn many_due_times_follow_from_each_other() {
        let mut scheduler = Ahead::new(Doubling { calls: 0 });
        assert_eq!(scheduler.next(0.0, Vec::new(), 3).unwrap(), [1.0, 3.0, 7.0]);
    }

    #[test]
    fn times_before_a_failure_are_told_first() {
        let mut scheduler = Ahead::new(Doubling { calls: 0 });
        assert_eq!(scheduler.next(0.0, Vec::new(), 10).unwrap(), [1.0, 3.0, 7.0]);
        assert_eq!(scheduler.next(7.0, Vec::new(), 10).unwrap_err().message(), "out of times");
    }

    #[derive(Default)]
    struct Watching {
        seen: Vec<String>,
    }

    impl FeedbackScheduler for Watching {
        fn open(_context: &Context) -> Result<Watching> {
            Ok(Watching::default())
        }

        fn before_request(&mut self, now: f64) {
            self.seen.push(format!("before {now}"));
        }

        fn after_request(&mut self, now: f64, request: &Finished) {
            let took = request.meta().unwrap().get_or("took", 0_u64).unwrap();
            self.seen.push(format!("after {now} {} {} {took}", request.weight, request.unit));
        }

        fn next(&mut self, current: f64) -> Result<f64> {
            Ok(current + 1.0)
        }
    }

    #[test]
    fn a_scheduler_with_feedback_sees_requests_before_it_tells_one_time() {
        let feedback = |started: f64, meta: Option<&str>| wire::Feedback {
            started,
            finished: started + 0.5,
            weight: 2.0,
            unit: "docs".to_owned(),
            success: true,
            meta: meta.map(str::to_owned),
        };
        let mut scheduler = WithFeedback(Watching::default());
        let finished = vec![feedback(1.0, Some(r#"{"took":7}"#)), feedback(2.0, None)];
        assert_eq!(scheduler.next(5.0, finished, 64).unwrap(), [6.0]);
        assert_eq!(scheduler.0.seen, ["before 1", "after 1.5 2 docs 7", "before 2", "after 2.5 2 docs 0"]);
    }
}
