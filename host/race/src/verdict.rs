//! Whether the load driver or its machine, not the target, set the figures.
//!
//! Two verdicts: a task is *driver-limited* where the driver itself had no more to give (a loop thread without CPU time left, requests
//! that waited for their parameters, a loop that was blocked), and ran on a *busy machine* where requests went out late because
//! others had the CPUs, with evidence from the operating system. Lateness counts only where it is a part of the times that were
//! measured: 2 ms are nothing to a target that takes 50 ms.

use std::fmt;
use std::time::Duration;

use crate::recording::DriverLoad;

/// From this share of a CPU on a loop thread counts as saturated: its lag is then invisible, because everything is late alike.
pub const SATURATED_THREAD: f64 = 0.9;

/// Driver lag up to this is that of a healthy driver: timers and wake-ups take so long on an idle machine.
pub const HEALTHY_LAG: Duration = Duration::from_millis(1);

/// Driver lag counts from this share of the latency at the same percentile on.
pub const COUNTING_SHARE: f64 = 0.1;

/// From this share of the requests on, those that waited for their parameters count.
pub const COUNTING_STALLS: f64 = 0.01;

/// From this share of the time on that loop threads waited for a CPU although they could run, the machine is busy: on an idle one it
/// is a twentieth of this.
pub const BUSY_RUN_QUEUE: f64 = 0.005;

/// From this share of the CPU time on that the hypervisor gave to others, the machine is busy.
pub const BUSY_STEAL: f64 = 0.01;

/// From this load average per CPU on the machine is busy.
pub const BUSY_LOAD: f64 = 1.0;

/// The percentile that decides.
const DECIDING: f64 = 99.0;

/// Driver lag and latency at one percentile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LagAt {
    /// The percentile, 0 to 100.
    pub percentile: f64,
    /// Driver lag ([`crate::Kind::DriverLag`]) at it.
    pub lag: Duration,
    /// Latency at it.
    pub latency: Duration,
}

/// What the driver knows of itself over a task.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Why the driver itself held the task back; `None`: it did not.
    pub driver_limited: Option<Reason>,
    /// What shows that others had the CPUs while requests went out late; `None`: nothing does, or it made no difference.
    pub busy_machine: Option<Evidence>,
    /// The highest percentile of the latency that holds in spite of a verdict: driver lag is no part of it and of those below it.
    /// `None` where there is no verdict about lag, 0 where no percentile holds.
    pub holds_up_to: Option<f64>,
}

/// Why a task counts as limited by the driver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reason {
    /// A loop thread had no CPU time left.
    SaturatedThread {
        /// Share of one CPU that it used, 0 to 1.
        share: f64,
    },
    /// Requests were due before their parameters were made.
    ParamSourceStalls {
        /// How often.
        count: u64,
        /// Share of all requests, 0 to 1.
        share: f64,
    },
    /// Requests went out late although the client was free and the machine was not busy.
    Lag {
        /// 99th percentile of the driver lag.
        p99: Duration,
        /// Longest time that a loop thread went without looking at its events.
        burst: Duration,
    },
}

/// What shows that others had the CPUs. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// 99th percentile of the driver lag.
    pub lag_p99: Duration,
    /// Its share of the latency at the 99th percentile.
    pub lag_share: f64,
    /// Share of the time that loop threads waited for a CPU although they could run.
    pub run_queue: f64,
    /// Share of the CPU time that the hypervisor gave to others.
    pub steal: f64,
    /// Load average per CPU.
    pub load: f64,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SaturatedThread { share } => {
                write!(f, "a loop thread of the load driver used {:.0} % of a CPU", share * 100.0)
            }
            Reason::ParamSourceStalls { count, share } => {
                write!(
                    f,
                    "{count} requests ({:.1} %) were due before their parameters were made",
                    share * 100.0
                )
            }
            Reason::Lag { p99, burst } => write!(
                f,
                "the load driver itself delayed 1 % of the requests by more than {}; its threads ran up to {} without a break",
                milliseconds(*p99),
                milliseconds(*burst)
            ),
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "1 % of the requests were sent more than {} late, which is {:.0} % of the latency; loop threads waited for a CPU {:.1} % of the \
             time, the hypervisor took {:.1} % of the CPU time, the load average was {:.1} per CPU",
            milliseconds(self.lag_p99),
            self.lag_share * 100.0,
            self.run_queue * 100.0,
            self.steal * 100.0,
            self.load
        )
    }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1000.0)
}

/// Whether a task of `requests` requests was limited by the driver or ran on a busy machine. A task that is late without either was
/// limited by its target. `stalls` is the sum of [`crate::Recording::param_source_stalls`], `lags` the lag at each percentile that
/// the number of requests carries, in ascending order: without the 99th, lag is not judged.
pub fn verdict(load: &DriverLoad, requests: u64, stalls: u64, lags: &[LagAt]) -> Verdict {
    let stalled = stalls as f64 / requests.max(stalls).max(1) as f64;
    let deciding = lags.iter().find(|lag| lag.percentile == DECIDING).filter(|lag| lag.counts());
    let evidence = deciding.map(|at| Evidence {
        lag_p99: at.lag,
        lag_share: at.share(),
        run_queue: load.run_queue_delay as f64 / load.wall_time.max(1) as f64,
        steal: load.steal,
        load: load.load_average,
    });
    let busy_machine = evidence.filter(Evidence::is_busy);
    let driver_limited = if load.busiest_thread >= SATURATED_THREAD {
        Some(Reason::SaturatedThread { share: load.busiest_thread })
    } else if stalls > 0 && stalled >= COUNTING_STALLS {
        Some(Reason::ParamSourceStalls { count: stalls, share: stalled })
    } else {
        // Late, and nobody else had the CPUs: the loop did something else.
        deciding
            .filter(|_| busy_machine.is_none())
            .map(|at| Reason::Lag { p99: at.lag, burst: Duration::from_nanos(load.longest_burst) })
    };
    let holds_up_to = deciding.map(|_| {
        let holding = lags.iter().take_while(|lag| !lag.counts());
        holding.last().map_or(0.0, |lag| lag.percentile)
    });
    Verdict { driver_limited, busy_machine, holds_up_to }
}

impl LagAt {
    /// Whether the lag is a part of the latency that counts.
    fn counts(&self) -> bool {
        self.lag > HEALTHY_LAG && self.share() > COUNTING_SHARE
    }

    fn share(&self) -> f64 {
        self.lag.as_secs_f64() / self.latency.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl Evidence {
    fn is_busy(&self) -> bool {
        self.run_queue >= BUSY_RUN_QUEUE || self.steal >= BUSY_STEAL || self.load >= BUSY_LOAD
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A task of 1,000 requests as a driver saw it, and what is to be said of it.
    struct Case {
        name: &'static str,
        /// Share of a CPU of the busiest thread.
        thread: f64,
        /// Share of the time in the run queue, share stolen, load per CPU.
        machine: [f64; 3],
        /// Longest burst, ms.
        burst: f64,
        stalls: u64,
        /// Lag and latency in ms at the 50th, 90th and 99th percentile.
        lags: [(f64, f64); 3],
        /// Driver-limited, busy machine, and up to which percentile the latency holds.
        expected: (bool, bool, Option<f64>),
    }

    const QUIET: [f64; 3] = [0.0002, 0.0, 0.2];
    const ON_TIME: [(f64, f64); 3] = [(0.03, 5.0), (0.06, 7.0), (0.5, 9.0)];
    const FINE: (bool, bool, Option<f64>) = (false, false, None);

    const CASES: &[Case] = &[
        Case {
            name: "idle",
            thread: 0.02,
            machine: QUIET,
            burst: 0.3,
            stalls: 0,
            lags: ON_TIME,
            expected: FINE,
        },
        // 3.4 ms of 6 ms at the 99th percentile, 2 of 4 at the 90th, while the driver waited 8 % of the time for a CPU.
        Case {
            name: "starved by its neighbours",
            thread: 0.05,
            machine: [0.08, 0.0, 2.5],
            burst: 4.0,
            stalls: 0,
            lags: [(0.05, 2.0), (2.0, 4.0), (3.4, 6.0)],
            expected: (false, true, Some(50.0)),
        },
        Case {
            name: "starved by the hypervisor, at every percentile",
            thread: 0.05,
            machine: [0.0, 0.12, 0.3],
            burst: 1.0,
            stalls: 0,
            lags: [(1.5, 4.0), (3.0, 6.0), (5.0, 10.0)],
            expected: (false, true, Some(0.0)),
        },
        // Everything is late alike, so that lag does not show.
        Case {
            name: "saturated",
            thread: 0.95,
            machine: QUIET,
            burst: 0.2,
            stalls: 0,
            lags: [(0.004, 1.0), (0.004, 1.0), (0.01, 1.0)],
            expected: (true, false, None),
        },
        Case {
            name: "saturated on a busy machine",
            thread: 0.92,
            machine: [0.3, 0.0, 3.0],
            burst: 9.0,
            stalls: 0,
            lags: [(0.01, 2.0), (0.1, 3.0), (8.0, 20.0)],
            expected: (true, true, Some(90.0)),
        },
        Case {
            name: "slow target",
            thread: 0.02,
            machine: QUIET,
            burst: 0.2,
            stalls: 0,
            lags: [(0.03, 900.0), (0.04, 1500.0), (0.04, 2000.0)],
            expected: FINE,
        },
        // 2 ms are 4 % of 50 ms.
        Case {
            name: "50 ms target with 2 ms lag",
            thread: 0.03,
            machine: [0.02, 0.0, 1.5],
            burst: 2.0,
            stalls: 0,
            lags: [(0.1, 45.0), (0.5, 48.0), (2.0, 50.0)],
            expected: FINE,
        },
        // The tutorial on two shared cores: 1.4 ms of 20 ms.
        Case {
            name: "two shared cores",
            thread: 0.046,
            machine: [0.03, 0.0, 1.8],
            burst: 1.5,
            stalls: 0,
            lags: [(0.2, 3.0), (0.7, 8.0), (1.4, 20.0)],
            expected: FINE,
        },
        // More than a tenth of 0.6 ms, but no longer than timers take.
        Case {
            name: "fast target on a quiet machine",
            thread: 0.2,
            machine: QUIET,
            burst: 0.3,
            stalls: 0,
            lags: [(0.03, 0.2), (0.1, 0.3), (0.516, 0.6)],
            expected: FINE,
        },
        Case {
            name: "a guest blocks the loop",
            thread: 0.4,
            machine: QUIET,
            burst: 40.0,
            stalls: 0,
            lags: [(0.1, 2.0), (0.1, 3.0), (30.0, 35.0)],
            expected: (true, false, Some(90.0)),
        },
        Case {
            name: "slow param source",
            thread: 0.05,
            machine: QUIET,
            burst: 0.3,
            stalls: 30,
            lags: ON_TIME,
            expected: (true, false, None),
        },
        Case {
            name: "three stalls of a thousand",
            thread: 0.05,
            machine: QUIET,
            burst: 0.3,
            stalls: 3,
            lags: ON_TIME,
            expected: FINE,
        },
        // Others load the machine, and requests go out on time.
        Case {
            name: "busy machine that makes no difference",
            thread: 0.05,
            machine: [0.05, 0.02, 4.0],
            burst: 0.9,
            stalls: 0,
            lags: ON_TIME,
            expected: FINE,
        },
    ];

    fn milliseconds(value: f64) -> Duration {
        Duration::from_secs_f64(value / 1e3)
    }

    fn load(case: &Case) -> DriverLoad {
        let [run_queue, steal, load_average] = case.machine;
        DriverLoad {
            busiest_thread: case.thread,
            longest_burst: (case.burst * 1e6) as u64,
            run_queue_delay: (run_queue * 1e10) as u64,
            wall_time: 10_000_000_000,
            steal,
            load_average,
            ..DriverLoad::default()
        }
    }

    fn lags(case: &Case) -> Vec<LagAt> {
        let at = |(percentile, (lag, latency)): (f64, (f64, f64))| LagAt {
            percentile,
            lag: milliseconds(lag),
            latency: milliseconds(latency),
        };
        [50.0, 90.0, 99.0].into_iter().zip(case.lags).map(at).collect()
    }

    #[test]
    fn simulated_cases_have_their_verdicts() {
        let mut wrong = Vec::new();
        for case in CASES {
            let found = verdict(&load(case), 1000, case.stalls, &lags(case));
            let shown = (found.driver_limited.is_some(), found.busy_machine.is_some(), found.holds_up_to);
            if shown != case.expected {
                wrong.push(format!("{}: {found:?}", case.name));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn too_few_requests_to_have_a_99th_percentile_say_nothing_about_lag() {
        let starved = &CASES[1];
        let found = verdict(&load(starved), 50, 0, &lags(starved)[..2]);
        assert_eq!(found, Verdict { driver_limited: None, busy_machine: None, holds_up_to: None });
    }

    #[test]
    fn evidence_names_what_the_operating_system_says() {
        let starved = &CASES[1];
        let evidence = verdict(&load(starved), 1000, 0, &lags(starved)).busy_machine.unwrap();
        assert_eq!(
            evidence.to_string(),
            "1 % of the requests were sent more than 3.4 ms late, which is 57 % of the latency; loop threads waited for a CPU 8.0 % of the \
             time, the hypervisor took 0.0 % of the CPU time, the load average was 2.5 per CPU"
        );
    }
}
