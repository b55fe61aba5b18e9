//! Due times of tasks whose target is a rate of work: how long a client waits depends on how much its requests do.

use std::fmt;

use rally_track::{Target, Task};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

use crate::plan::Timing;
use crate::schedulers::DUE_TIMES_STREAM;
use crate::seams::{Finished, Partition};

/// What requests are counted in where the target says nothing else.
const OPS: &str = "ops";

/// The target of a task counts something else than its requests do. This ends the race: whatever came out would be the
/// figures of another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[error(
    "its 'target-throughput' is in '{expected}', but its requests are measured in '{actual}/s'; set the target in '{actual}/s' or 'ops/s'"
)]
pub struct UnitMismatch {
    /// Unit of the target, e.g. `docs/s`.
    pub expected: String,
    /// Unit of the work that requests do, e.g. `pages`.
    pub actual: String,
}

/// The due times of one client of a task: from the weight of its last successful request follows how long it takes until the
/// next one is due. Targets in `ops/s` count requests of all other units as one each.
pub struct UnitAware {
    /// Unit of the target without the `/s`.
    unit: String,
    /// Work per second of this client.
    rate: f64,
    /// Weight of the requests, once it is known.
    weight: Option<f64>,
    /// Part of the first interval that the client waits, where clients are spread over it.
    phase: Option<f64>,
    /// Makes an interval of a mean one.
    interval: Box<dyn FnMut(f64) -> f64 + Send>,
    /// A request went out before its weight was known.
    unthrottled: bool,
}

impl fmt::Debug for UnitAware {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UnitAware")
            .field("unit", &self.unit)
            .field("rate", &self.rate)
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

impl UnitAware {
    /// The due times of one client of `task` with the target `target`. `documents`: how many documents its first request
    /// has, if that is known, so that the first request can wait for its time as well; with [`Timing::Rally`] it never does.
    pub fn new(
        task: &Task,
        target: &Target,
        timing: Timing,
        partition: Partition,
        documents: Option<f64>,
    ) -> UnitAware {
        let unit = target.unit().strip_suffix("/s").unwrap_or(target.unit()).to_owned();
        let weight = match (timing, unit.as_str()) {
            (Timing::Rally, _) => None,
            (Timing::Spread, OPS) => Some(1.0),
            (Timing::Spread, "docs") => documents,
            (Timing::Spread, _) => None,
        };
        let poisson = task.schedule == "poisson";
        let interval: Box<dyn FnMut(f64) -> f64 + Send> = if poisson {
            let mut random = ChaCha8Rng::seed_from_u64(partition.seed);
            random.set_stream(DUE_TIMES_STREAM);
            Box::new(move |mean| {
                let draw: f64 = Exp1.sample(&mut random);
                mean * draw
            })
        } else {
            Box::new(|mean| mean)
        };
        let spread = timing == Timing::Spread && !poisson;
        UnitAware {
            unit,
            rate: target.per_second() / f64::from(task.clients.max(1)),
            weight,
            phase: spread.then(|| f64::from(partition.index) / f64::from(partition.total.max(1))),
            interval,
            unthrottled: false,
        }
    }

    /// Due time of the next request after that of the one before (0 at first); `None` where it is not throttled, because
    /// the work of a request is not known yet.
    pub fn next(&mut self, current: f64) -> Option<f64> {
        let Some(weight) = self.weight else {
            self.unthrottled = true;
            return None;
        };
        let mean = weight / self.rate;
        Some(match self.phase.take() {
            // Clients whose first requests went out at once are spread from their second ones on.
            Some(phase) if self.unthrottled => current + mean * (1.0 + phase),
            Some(phase) => current + mean * phase,
            None => current + (self.interval)(mean),
        })
    }

    /// Mean time between two requests as heavy as the last one, in seconds; `None` before the weight is known.
    pub fn mean_interval(&self) -> Option<f64> {
        self.weight.map(|weight| weight / self.rate)
    }

    /// A request has finished: what it did decides when the next one is due. A request that did nothing changes nothing.
    ///
    /// # Errors
    /// Where its work is not what the target counts.
    pub fn after_request(&mut self, finished: &Finished<'_>) -> Result<(), UnitMismatch> {
        if finished.weight <= 0.0 || self.weight == Some(finished.weight) && finished.unit == self.unit {
            return Ok(());
        }
        if finished.unit == self.unit {
            self.weight = Some(finished.weight);
        } else if self.unit == OPS {
            self.weight = Some(1.0);
        } else {
            return Err(UnitMismatch {
                expected: format!("{}/s", self.unit),
                actual: finished.unit.to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rally_track::Operation;

    use super::*;

    fn unit_aware(target: Target, clients: u32, index: u32, documents: Option<f64>) -> UnitAware {
        let operation = Operation {
            name: "a".to_owned(),
            operation_type: "bulk".to_owned(),
            param_source: None,
            meta: Default::default(),
            params: Default::default(),
        };
        let task = Task { clients, ..Task::new("a", operation) };
        let partition = Partition { index, total: clients, seed: 1 };
        UnitAware::new(&task, &target, Timing::Spread, partition, documents)
    }

    fn docs(rate: f64) -> Target {
        Target::Work { rate, unit: "docs/s".to_owned() }
    }

    fn finished(weight: f64, unit: &str) -> Finished<'_> {
        Finished { started: 0.0, finished: 0.0, weight, unit, success: true, meta: None }
    }

    #[test]
    fn clients_that_know_their_first_request_are_spread_over_the_interval() {
        // 4 clients, 1,000 documents per request, 2,000 per second in total: each client every 2 seconds.
        for index in 0..4 {
            let mut due_times = unit_aware(docs(2000.0), 4, index, Some(1000.0));
            let first = due_times.next(0.0).unwrap();
            assert_eq!(first, f64::from(index) * 0.5);
            assert_eq!(due_times.next(first), Some(first + 2.0));
        }
    }

    #[test]
    fn clients_that_do_not_know_their_first_request_send_it_at_once_and_are_spread_then() {
        for index in 0..4 {
            let mut due_times = unit_aware(docs(2000.0), 4, index, None);
            assert_eq!(due_times.next(0.0), None);
            due_times.after_request(&finished(1000.0, "docs")).unwrap();
            assert_eq!(due_times.next(0.0), Some(2.0 + f64::from(index) * 0.5));
        }
    }

    #[test]
    fn a_smaller_request_is_followed_sooner() {
        let mut due_times = unit_aware(docs(1000.0), 1, 0, Some(1000.0));
        assert_eq!(due_times.next(0.0), Some(0.0));
        due_times.after_request(&finished(1000.0, "docs")).unwrap();
        assert_eq!(due_times.next(0.0), Some(1.0));
        due_times.after_request(&finished(250.0, "docs")).unwrap();
        assert_eq!(due_times.next(1.0), Some(1.25));
        // A request that failed did nothing: what is known of the others stays.
        due_times.after_request(&finished(0.0, "ops")).unwrap();
        assert_eq!(due_times.next(1.25), Some(1.5));
    }

    #[test]
    fn a_target_in_operations_counts_requests_of_other_units() {
        let mut due_times = unit_aware(Target::Throughput(10.0), 2, 1, None);
        assert_eq!(due_times.next(0.0), Some(0.1));
        due_times.after_request(&finished(5000.0, "docs")).unwrap();
        assert!((due_times.next(0.1).unwrap() - 0.3).abs() < 1e-9);
        due_times.after_request(&finished(3.0, "ops")).unwrap();
        assert!((due_times.next(0.3).unwrap() - 0.9).abs() < 1e-9);
    }

    #[test]
    fn work_in_another_unit_than_the_target_is_an_error_that_names_both() {
        let mut due_times = unit_aware(docs(10.0), 1, 0, None);
        let error = due_times.after_request(&finished(1.0, "pages")).unwrap_err().to_string();
        assert!(error.contains("'docs/s'") && error.contains("'pages/s'"), "{error}");
    }
}
