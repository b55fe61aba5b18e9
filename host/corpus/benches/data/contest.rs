//! Programs that do the same, in turn.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Does the same work as the others.
pub struct Contestant {
    /// Does it once.
    pub work: Box<dyn FnMut()>,
    /// Removes what came of it, outside of the measurement.
    pub clean: Box<dyn FnMut()>,
}

/// What a run took, in seconds.
#[derive(Clone, Copy)]
struct Usage {
    wall: f64,
    /// Of all threads and processes.
    cpu: f64,
}

/// The same work done by several programs. The first is the one that the others are compared with.
pub struct Contest {
    title: String,
    bytes: u64,
    contestants: Vec<(String, Contestant)>,
}

impl Contest {
    /// `bytes` come out each time.
    pub fn new(title: &str, bytes: u64) -> Contest {
        Contest { title: title.to_owned(), bytes, contestants: Vec::new() }
    }

    pub fn enter(&mut self, name: &str, contestant: Contestant) {
        self.contestants.push((name.to_owned(), contestant));
    }

    /// Runs all of them and prints a table: medians of the rounds, and the range.
    pub fn run(mut self, rounds: usize) {
        let count = self.contestants.len();
        let mut usages: Vec<Vec<Usage>> = vec![Vec::with_capacity(rounds); count];
        for round in 0..rounds {
            for turn in 0..count {
                let index = (round + turn) % count;
                let contestant = &mut self.contestants[index].1;
                let (start, before) = (Instant::now(), cpu_seconds());
                (contestant.work)();
                usages[index]
                    .push(Usage { wall: start.elapsed().as_secs_f64(), cpu: cpu_seconds() - before });
                (contestant.clean)();
            }
        }
        println!("| {} | MB/s | time, rally / this | CPU ns/byte | CPU, rally / this |", self.title);
        println!("|---|---|---|---|---|");
        let bytes = self.bytes as f64;
        for (index, (name, _)) in self.contestants.iter().enumerate() {
            let of = |value: fn(&Usage) -> f64| usages[index].iter().map(value).collect::<Vec<f64>>();
            let ratios = |value: fn(&Usage) -> f64| {
                usages[0].iter().zip(&usages[index]).map(|(own, other)| value(own) / value(other)).collect()
            };
            println!(
                "| {name} | {} | {} | {} | {} |",
                spread(of(|usage| usage.wall).iter().map(|wall| bytes / 1e6 / wall).collect(), 0),
                spread(ratios(|usage| usage.wall), 2),
                spread(of(|usage| usage.cpu).iter().map(|cpu| cpu * 1e9 / bytes).collect(), 1),
                spread(ratios(|usage| usage.cpu), 2),
            );
        }
        println!();
    }
}

/// Median and range.
fn spread(mut values: Vec<f64>, digits: usize) -> String {
    values.sort_by(f64::total_cmp);
    let (low, middle, high) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    format!("{middle:.digits$} ({low:.digits$}-{high:.digits$})")
}

/// CPU time of this process and of all that it waited for, in steps of 10 ms.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    // The name of the program, which may hold anything, stands in brackets.
    let fields: Vec<&str> = text[text.rfind(')').unwrap() + 2..].split(' ').collect();
    fields[11..15].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// A tool that writes to standard output; nothing if it is not installed.
pub fn tool(name: &str, arguments: &[&str], input: &Path, output: &Path) -> Option<Contestant> {
    let mut probe = Command::new(name);
    probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    probe.status().ok()?;
    let (name, input, output) = (name.to_owned(), input.to_owned(), output.to_owned());
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let unpacked = output.clone();
    Some(Contestant {
        work: Box::new(move || {
            let stdout = File::create(&output).unwrap();
            let mut command = Command::new(&name);
            command.args(&arguments).arg(&input).stdout(stdout).stderr(Stdio::null());
            let status = command.status().unwrap();
            assert!(status.success(), "{name} failed: {status}");
        }),
        clean: Box::new(move || fs::remove_file(&unpacked).unwrap()),
    })
}

/// Where files are in memory, if there is such a place.
pub fn folder_in_memory() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}
