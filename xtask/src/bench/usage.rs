//! What a program and everything that it starts takes of the machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, waitpid};

/// How often processes are looked at. CPU time of a process that its parent waits for is lost from the last look on.
const INTERVAL: Duration = Duration::from_millis(100);

/// Memory is looked at every so many times: the kernel walks page tables for it.
const MEMORY_EVERY: u32 = 5;

/// How long processes may outlive the one that was started.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was taken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// From the start to the end.
    pub wall: Duration,
    /// CPU time of all processes, seconds.
    pub cpu_seconds: f64,
    /// Most resident memory at one moment, summed over the processes, bytes. What processes share counts for each.
    pub resident: u64,
    /// The same with what is shared counted once.
    pub proportional: u64,
    /// Most processes at one moment.
    pub processes: usize,
}

/// Runs `command` to its end and watches it and its descendants, also those that detach themselves.
///
/// # Errors
/// Where it cannot be started, or takes longer than `limit`: then all of it is killed.
pub fn watch(command: &mut Command, limit: Duration) -> anyhow::Result<(ExitStatus, Usage)> {
    // Orphans become children of this process instead of init's, and are found that way.
    set_child_subreaper(Some(getpid())).context("cannot adopt orphaned processes")?;
    let root = getpid().as_raw_nonzero().get();
    let others: BTreeSet<i32> = descendants(root, &BTreeSet::new()).into_keys().collect();
    let begin = Instant::now();
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("{program} could not be started"))?;
    let mut usage = Usage::default();
    let mut cpu: BTreeMap<(i32, u64), u64> = BTreeMap::new();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    for round in 0.. {
        let mine = descendants(root, &others);
        let alive: Vec<&Process> = mine.values().filter(|process| !process.zombie).collect();
        for process in mine.values() {
            cpu.insert((process.id, process.start), process.ticks);
        }
        usage.processes = usage.processes.max(alive.len());
        if round % MEMORY_EVERY == 0 {
            let [resident, proportional] = memory(&alive);
            usage.resident = usage.resident.max(resident);
            usage.proportional = usage.proportional.max(proportional);
        }
        if ended.is_none() {
            ended = child.try_wait()?.map(|status| (status, Instant::now()));
            if ended.is_some() {
                usage.wall = begin.elapsed();
            }
        }
        match &ended {
            Some((status, since)) if alive.is_empty() || since.elapsed() > PATIENCE => {
                kill(&alive);
                reap(&mine);
                let ticks: u64 = cpu.values().sum();
                usage.cpu_seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
                return Ok((*status, usage));
            }
            None if begin.elapsed() > limit => {
                kill(&alive);
                let _ = child.wait();
                reap(&mine);
                bail!("{program} took longer than {} s and was killed", limit.as_secs());
            }
            _ => sleep(INTERVAL),
        }
    }
    Ok((child.wait()?, usage))
}

/// A process as /proc/ID/stat has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    id: i32,
    parent: i32,
    zombie: bool,
    /// CPU time, ticks.
    ticks: u64,
    /// When it was started, ticks since boot: process ids are used again.
    start: u64,
}

impl Process {
    fn parse(stat: &str) -> Option<Process> {
        // The name in parentheses may hold anything.
        let id = stat.split_whitespace().next()?.parse().ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
        Some(Process {
            id,
            parent: fields.get(1)?.parse().ok()?,
            zombie: fields.first() == Some(&"Z"),
            ticks: number(11)? + number(12)?,
            start: number(19)?,
        })
    }
}

/// All descendants of a process but for `others`, which were there before, and theirs.
fn descendants(root: i32, others: &BTreeSet<i32>) -> BTreeMap<i32, Process> {
    let all: Vec<Process> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(|entry| Process::parse(&fs::read_to_string(entry.path().join("stat")).ok()?))
        .collect();
    let mut found = BTreeMap::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent && !others.contains(&process.id))
        {
            found.insert(process.id, process.clone());
            parents.push(process.id);
        }
    }
    found
}

/// Resident and proportional memory of processes, bytes.
fn memory(processes: &[&Process]) -> [u64; 2] {
    let mut sums = [0; 2];
    for process in processes {
        let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id)).unwrap_or_default();
        for (sum, name) in sums.iter_mut().zip(["Rss:", "Pss:"]) {
            *sum += text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .and_then(|rest| rest.trim().trim_end_matches(" kB").trim().parse::<u64>().ok())
                .map_or(0, |kilobytes| kilobytes * 1024);
        }
    }
    sums
}

fn kill(processes: &[&Process]) {
    for id in processes.iter().filter_map(|process| Pid::from_raw(process.id)) {
        // One that has just ended needs no signal.
        let _ = kill_process(id, Signal::KILL);
    }
}

/// Waits for adopted processes that have ended, so that they do not stay as zombies.
fn reap(processes: &BTreeMap<i32, Process>) {
    for id in processes.keys().filter_map(|id| Pid::from_raw(*id)) {
        let _ = waitpid(Some(id), WaitOptions::NOHANG);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "42 (a b) c) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 9 9 20 0 1 0 777 1000 10";
        assert_eq!(
            Process::parse(stat),
            Some(Process { id: 42, parent: 7, zombie: false, ticks: 200, start: 777 })
        );
        assert_eq!(Process::parse("42 (a"), None);
    }

    #[test]
    fn cpu_time_and_memory_of_a_child_that_detaches_itself_count() {
        let mut command = Command::new("sh");
        // The shell ends once it had time to be seen; what it left behind works on.
        command.args(["-c", "(i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done) & sleep 0.5; exit 3"]);
        let (status, usage) = watch(&mut command, Duration::from_secs(60)).unwrap();
        assert_eq!(status.code(), Some(3));
        assert!(usage.cpu_seconds > 0.0, "{usage:?}");
        assert!(usage.resident > 0 && usage.proportional > 0 && usage.processes >= 1, "{usage:?}");
    }
}
