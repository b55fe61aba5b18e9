//! Random due times, in both forms that a scheduler has.

use rally_sdk::{Context, Error, FeedbackScheduler, Finished, Random, Result, Scheduler};

rally_sdk::track! {
    schedulers: ["random" => RandomScheduler, "random-full" => RandomFullScheduler],
}

/// The simple form: the next request is due 10 to 90 milliseconds after the one before.
struct RandomScheduler {
    random: Random,
}

impl Scheduler for RandomScheduler {
    fn open(context: &Context) -> Result<RandomScheduler> {
        Ok(RandomScheduler { random: context.random() })
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        Ok(current + self.random.between(10, 90) as f64 / 1_000.0)
    }
}

/// The full form: bounds come from the task and hold for all of its clients together, and what became of the requests is known
/// before the next due time is told.
struct RandomFullScheduler {
    lower_millis: i64,
    upper_millis: i64,
    random: Random,
    /// Requests that have failed in a row: each adds the upper bound once more, up to ten times.
    failures: u32,
}

impl FeedbackScheduler for RandomFullScheduler {
    fn open(context: &Context) -> Result<RandomFullScheduler> {
        let task = context.task_params();
        let clients: u32 = task.get_or("clients", 1)?;
        let bound = |name: &str, default: u32| -> Result<i64> {
            Ok(i64::from(clients) * i64::from(task.get_or(name, default)?))
        };
        let lower_millis = bound("lower-bound-millis", 10)?;
        let upper_millis = bound("upper-bound-millis", 900)?;
        if lower_millis > upper_millis {
            return Err(Error::config("'lower-bound-millis' is above 'upper-bound-millis'"));
        }
        Ok(RandomFullScheduler { lower_millis, upper_millis, random: context.random(), failures: 0 })
    }

    fn after_request(&mut self, _now: f64, request: &Finished) {
        self.failures = if request.success { 0 } else { (self.failures + 1).min(10) };
    }

    fn next(&mut self, current: f64) -> Result<f64> {
        let pause = self.random.between(self.lower_millis, self.upper_millis);
        let penalty = i64::from(self.failures) * self.upper_millis;
        Ok(current + (pause + penalty) as f64 / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use rally_sdk::testing::{TestFeedbackScheduler, TestScheduler};
    use rally_sdk::{ErrorClass, json, serde_json::Value};

    use super::*;

    fn pauses(times: &[f64]) -> Vec<i64> {
        let before = std::iter::once(&0.0).chain(times);
        times.iter().zip(before).map(|(time, before)| ((time - before) * 1_000.0).round() as i64).collect()
    }

    fn context(task: Value) -> Context {
        Context::for_test().task_params(task).seed(3).build()
    }

    #[test]
    fn the_simple_form_pauses_10_to_90_milliseconds() {
        let mut scheduler = TestScheduler::<RandomScheduler>::open(&context(json!({}))).unwrap();
        let pauses = pauses(&scheduler.take(500).unwrap());
        assert_eq!((pauses.iter().min(), pauses.iter().max()), (Some(&10), Some(&90)));
    }

    #[test]
    fn the_full_form_scales_its_bounds_with_the_clients() {
        let task = json!({"clients": 4, "lower-bound-millis": 5, "upper-bound-millis": 10});
        let mut scheduler = TestFeedbackScheduler::<RandomFullScheduler>::open(&context(task)).unwrap();
        let times: Vec<f64> = (0..500).map(|_| scheduler.next_time().unwrap()).collect();
        let pauses = pauses(&times);
        assert_eq!((pauses.iter().min(), pauses.iter().max()), (Some(&20), Some(&40)));
    }

    #[test]
    fn the_full_form_waits_longer_after_failures() {
        let task = json!({"lower-bound-millis": 10, "upper-bound-millis": 10});
        let mut scheduler = TestFeedbackScheduler::<RandomFullScheduler>::open(&context(task)).unwrap();
        let mut times = vec![scheduler.next_time().unwrap()];
        for success in [false, false, true] {
            scheduler.finished(&Finished::for_test(success));
            times.push(scheduler.next_time().unwrap());
        }
        assert_eq!(pauses(&times), [10, 20, 30, 10]);
    }

    #[test]
    fn bounds_in_the_wrong_order_are_refused() {
        let task = json!({"lower-bound-millis": 20, "upper-bound-millis": 10});
        let error = TestFeedbackScheduler::<RandomFullScheduler>::open(&context(task)).err().unwrap();
        assert_eq!(error.class(), ErrorClass::Config);
    }
}
