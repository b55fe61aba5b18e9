//! A whole race in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use rally_race::{
    Cancel, EndReason, LocalDriver, Observer, PlanOptions, RaceEvent, RacePlan, bind, run_bound,
};
use serde::{Deserialize, Serialize};

use crate::clock::process_cpu_nanoseconds;
use crate::code::{Code, Connected, Load};

/// What a race came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Figures {
    /// Requests answered.
    pub requests: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// CPU time of the process.
    pub cpu_seconds: f64,
    /// How often a request was due and none was ready.
    pub stalls: u64,
}

/// Races for as long as the load says.
pub fn race(code: Code, server: SocketAddr, load: Load, cache: &Path) -> Figures {
    let target = Connected::to(server, load.task());
    let engine = code.engine();
    let bindings = code.bindings(code.load(engine.as_ref(), cache), &target, true);
    let challenge = &target.track.challenges[0];
    let plan = RacePlan::new(&target.track, challenge, PlanOptions::default()).expect("plan");
    let bound = bind(&plan, &*bindings).expect("it binds");
    let mut seen = Seen::default();
    let cpu = process_cpu_nanoseconds();
    let end = run_bound(bound, &mut LocalDriver::default(), &mut seen, &Cancel::new());
    let cpu_seconds = (process_cpu_nanoseconds() - cpu) as f64 / 1e9;
    assert!(matches!(end.reason, EndReason::Completed), "{:?}", end.reason);
    assert!(end.failed_tasks.is_empty(), "{:?}", end.failed_tasks);
    assert_eq!(seen.failures, 0, "the stub never fails");
    Figures {
        requests: seen.requests,
        seconds: seen.elapsed.max(Duration::from_nanos(1)).as_secs_f64(),
        cpu_seconds,
        stalls: seen.stalls,
    }
}

#[derive(Default)]
struct Seen {
    requests: u64,
    failures: u64,
    stalls: u64,
    elapsed: Duration,
}

impl Observer for Seen {
    fn event(&mut self, event: RaceEvent) {
        match event {
            RaceEvent::Recording { recording, .. } => {
                self.requests += recording.seconds.values().map(|second| second.requests).sum::<u64>();
                self.failures += recording.seconds.values().map(|second| second.failures).sum::<u64>();
                self.stalls += recording.param_source_stalls;
            }
            RaceEvent::TaskFinished { elapsed, .. } => self.elapsed = elapsed,
            _ => {}
        }
    }
}
