//! What this process holds.

use std::time::{Duration, Instant};

/// Open descriptors.
pub fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// Threads.
pub fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").expect("/proc").count()
}

/// Resident memory in bytes.
pub fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kilobytes * 1024
}

/// Waits for what has to come sooner or later, such as the end of the other side of a connection.
pub fn settles(what: &str, has: impl Fn() -> bool) {
    let begin = Instant::now();
    while !has() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what} do not settle");
        std::thread::sleep(Duration::from_millis(20));
    }
}
