//! Clocks of the machine and of this process.

use rustix::time::{ClockId, clock_gettime};

/// The clock that all processes of this machine share.
pub fn monotonic_nanoseconds() -> u64 {
    nanoseconds(ClockId::Monotonic)
}

/// CPU time of all threads of this process so far.
pub fn process_cpu_nanoseconds() -> u64 {
    nanoseconds(ClockId::ProcessCPUTime)
}

fn nanoseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
