//! A loop thread watches itself: CPU time, and how long it goes without looking at its events.

use std::cell::Cell;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::recording::DriverLoad;

thread_local! {
    /// When this thread last began to work.
    static UNPARKED: Cell<Option<Instant>> = const { Cell::new(None) };
    /// Longest time at work since it was last asked for, nanoseconds.
    static LONGEST_BURST: Cell<u64> = const { Cell::new(0) };
}

/// CPU time of this thread so far, nanoseconds.
pub(crate) fn thread_cpu_time() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// The runtime is about to wait for events.
pub(crate) fn parking() {
    if let Some(since) = UNPARKED.take() {
        LONGEST_BURST.set(LONGEST_BURST.get().max(since.elapsed().as_nanos() as u64));
    }
}

/// The runtime has looked at its events and goes to work.
pub(crate) fn unparked() {
    UNPARKED.set(Some(Instant::now()));
}

/// Shorter times do not tell a CPU share: the clocks are read at different moments.
const SHORTEST_WINDOW: u64 = 10_000_000;

/// What this thread did since it was last asked.
pub(crate) struct Window {
    since: Instant,
    thread_cpu: u64,
    others_cpu: u64,
}

impl Window {
    /// Starts now. `others_cpu` is the CPU time of the driver's other threads that this one speaks for.
    pub(crate) fn new(others_cpu: u64) -> Window {
        LONGEST_BURST.set(0);
        Window { since: Instant::now(), thread_cpu: thread_cpu_time(), others_cpu }
    }

    /// What happened since the last time, and starts anew.
    pub(crate) fn take(&mut self, others_cpu: u64) -> DriverLoad {
        let now = Instant::now();
        let wall_time = (now - self.since).as_nanos() as u64;
        let thread_cpu = thread_cpu_time();
        let own = thread_cpu - self.thread_cpu;
        let busiest_thread =
            if wall_time < SHORTEST_WINDOW { 0.0 } else { (own as f64 / wall_time as f64).min(1.0) };
        let load = DriverLoad {
            busiest_thread,
            longest_burst: LONGEST_BURST.replace(0),
            cpu_time: own + others_cpu.saturating_sub(self.others_cpu),
            wall_time,
        };
        *self = Window { since: now, thread_cpu, others_cpu };
        load
    }
}
