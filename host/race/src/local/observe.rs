//! A loop thread watches itself: CPU time, how long it goes without looking at its events, and how long it waits for a CPU.
//!
//! What others do on the machine is read from procfs; where there is none it counts as nothing.

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

/// Shorter times do not give a CPU share: the clocks are read at different moments.
const SHORTEST_WINDOW: u64 = 10_000_000;

/// Fewer ticks do not tell a share of stolen time: one tick is 10 ms.
const FEWEST_TICKS: u64 = 20;

/// Time that this thread has waited for a CPU so far, nanoseconds.
fn run_queue_delay() -> u64 {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|text| waited(&text)).unwrap_or(0)
}

/// `schedstat`: time on a CPU, time in the run queue, number of time slices.
fn waited(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Time of all CPUs so far, and the part of it that the hypervisor gave to others, in ticks.
fn machine_time() -> (u64, u64) {
    std::fs::read_to_string("/proc/stat").ok().and_then(|text| ticks(&text)).unwrap_or_default()
}

/// `cpu  user nice system idle iowait irq softirq steal guest guest_nice`; guests are part of user and nice.
fn ticks(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    Some((ticks.iter().sum(), *ticks.get(7)?))
}

/// Load average of one minute per CPU.
fn load_average() -> f64 {
    let cpus = std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64);
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse::<f64>().ok()).unwrap_or(0.0) / cpus
}

/// What this thread did since it was last asked.
pub(crate) struct Window {
    since: Instant,
    thread_cpu: u64,
    others_cpu: u64,
    run_queue_delay: u64,
    machine_time: (u64, u64),
}

impl Window {
    /// Starts now. `others_cpu` is the CPU time of the driver's other threads that this one speaks for.
    pub(crate) fn new(others_cpu: u64) -> Window {
        LONGEST_BURST.set(0);
        Window {
            since: Instant::now(),
            thread_cpu: thread_cpu_time(),
            others_cpu,
            run_queue_delay: run_queue_delay(),
            machine_time: machine_time(),
        }
    }

    /// What happened since the last call; counting starts again.
    pub(crate) fn take(&mut self, others_cpu: u64) -> DriverLoad {
        let now = Instant::now();
        let wall_time = (now - self.since).as_nanos() as u64;
        let thread_cpu = thread_cpu_time();
        let own = thread_cpu - self.thread_cpu;
        let busiest_thread =
            if wall_time < SHORTEST_WINDOW { 0.0 } else { (own as f64 / wall_time as f64).min(1.0) };
        let (run_queue_delay, machine_time) = (run_queue_delay(), machine_time());
        let (ticks, stolen) = (
            machine_time.0.saturating_sub(self.machine_time.0),
            machine_time.1.saturating_sub(self.machine_time.1),
        );
        let load = DriverLoad {
            busiest_thread,
            longest_burst: LONGEST_BURST.replace(0),
            cpu_time: own + others_cpu.saturating_sub(self.others_cpu),
            wall_time,
            run_queue_delay: run_queue_delay.saturating_sub(self.run_queue_delay),
            steal: if ticks < FEWEST_TICKS { 0.0 } else { stolen as f64 / ticks as f64 },
            load_average: load_average(),
        };
        *self = Window { since: now, thread_cpu, others_cpu, run_queue_delay, machine_time };
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_kernel_are_read_as_it_writes_them() {
        assert_eq!(waited("273519 48122 17\n"), Some(48_122));
        assert_eq!(ticks("cpu  100 1 50 800 9 0 3 37 20 0\ncpu0 1 2 3\n"), Some((1000, 37)));
    }

    #[test]
    fn what_the_kernel_does_not_tell_counts_as_nothing() {
        assert_eq!(waited(""), None);
        assert_eq!(ticks("cpu  1 2 3 4"), None);
        assert_eq!(ticks(""), None);
    }
}
