//! Whether the load driver, not the target, set the figures.

use std::fmt;
use std::time::Duration;

use crate::recording::DriverLoad;

/// From this share of a CPU on a loop thread counts as saturated: its lag is then invisible, because everything is late alike.
pub const SATURATED_THREAD: f64 = 0.9;

/// Above this driver lag at the 99th percentile the driver was starved: a healthy one stays well below a millisecond.
pub const HIGHEST_LAG: Duration = Duration::from_millis(1);

/// Why a task counts as limited by the driver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// A loop thread had no CPU time left.
    SaturatedThread {
        /// Share of one CPU that it used, 0 to 1.
        share: f64,
    },
    /// Requests went out late although the client was free.
    Lag {
        /// 99th percentile of the driver lag.
        p99: Duration,
    },
    /// Requests were due before their parameters were made.
    ParamSourceStalls {
        /// How often.
        count: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SaturatedThread { share } => {
                write!(f, "a loop thread of the load driver used {:.0} % of a CPU", share * 100.0)
            }
            Reason::Lag { p99 } => write!(
                f,
                "the load driver itself delayed 1 % of the requests by more than {:.1} ms",
                p99.as_secs_f64() * 1000.0
            ),
            Reason::ParamSourceStalls { count } => {
                write!(f, "the param source was not ready for {count} requests when they were due")
            }
        }
    }
}

/// Whether a task was limited by the driver, and by what. A task that is late with none of these signs was limited by its
/// target. `lag_p99` is the 99th percentile of [`crate::Kind::DriverLag`], `stalls` the sum of
/// [`crate::Recording::param_source_stalls`].
pub fn driver_limited(load: &DriverLoad, lag_p99: Duration, stalls: u64) -> Option<Reason> {
    if load.busiest_thread >= SATURATED_THREAD {
        Some(Reason::SaturatedThread { share: load.busiest_thread })
    } else if stalls > 0 {
        Some(Reason::ParamSourceStalls { count: stalls })
    } else if lag_p99 > HIGHEST_LAG {
        Some(Reason::Lag { p99: lag_p99 })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(busiest_thread: f64) -> DriverLoad {
        DriverLoad { busiest_thread, ..DriverLoad::default() }
    }

    #[test]
    fn an_idle_driver_is_no_limit() {
        assert_eq!(driver_limited(&load(0.21), Duration::from_micros(516), 0), None);
    }

    #[test]
    fn a_slow_target_is_not_blamed_on_the_driver() {
        assert_eq!(driver_limited(&load(0.02), Duration::from_micros(40), 0), None);
    }

    #[test]
    fn a_saturated_thread_is_a_limit_although_its_lag_is_small() {
        let reason = driver_limited(&load(0.95), Duration::from_micros(4), 0);
        assert_eq!(reason, Some(Reason::SaturatedThread { share: 0.95 }));
    }

    #[test]
    fn a_starved_driver_is_a_limit() {
        let p99 = Duration::from_micros(3400);
        assert_eq!(driver_limited(&load(0.05), p99, 0), Some(Reason::Lag { p99 }));
    }

    #[test]
    fn a_slow_param_source_is_a_limit() {
        let reason = driver_limited(&load(0.05), Duration::ZERO, 3);
        assert_eq!(reason, Some(Reason::ParamSourceStalls { count: 3 }));
    }
}
