//! `cargo xtask bench peers`: the same workload raced by rally and by esrally, in turn, on the same server.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};

use super::report::Report;
use super::usage::{self, Usage};
use super::workload::{self, TASKS, Times, Tracks};
use super::{driver, python};
use crate::cluster::{Running, Variant};
use crate::tool;

/// Options of `cargo xtask bench peers`.
#[derive(clap::Args)]
#[command(after_help = "\
esrally is installed with pip into a virtual environment below RALLY_BENCH_CACHE or the user's cache folder. It refuses \
Elasticsearch 7 of the open-source build, which is what there is as Maven artifact: es7 cannot be taken. It needs a \
default route, though it talks to 127.0.0.1 only.")]
pub struct Arguments {
    /// The server
    #[arg(long, value_enum, default_value_t = Variant::Es8)]
    server: Variant,
    /// Seconds of each search that count
    #[arg(long, default_value_t = 15)]
    seconds: u32,
    /// Seconds of each search before them
    #[arg(long, default_value_t = 5)]
    warmup: u32,
    /// This built command instead of building it
    #[arg(long, value_name = "PATH")]
    rally: Option<PathBuf>,
}

/// No race takes longer; esrally has been seen to hang.
const LONGEST_RACE: Duration = Duration::from_secs(600);

/// A tool that races.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Racer {
    Rally,
    Esrally,
}

impl Racer {
    fn name(self) -> &'static str {
        match self {
            Racer::Rally => "rally",
            Racer::Esrally => "esrally",
        }
    }
}

/// One race: who, what came out, what it took.
struct Race {
    racer: Racer,
    report: Report,
    usage: Usage,
}

/// What races need.
struct Bench {
    rally: PathBuf,
    esrally: PathBuf,
    tracks: Tracks,
    address: String,
    folder: PathBuf,
}

/// Measures and prints the tables.
///
/// # Errors
/// Where a tool or the server is missing, or a race fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let rally = driver::rally(arguments.rally.as_deref())?;
    let esrally = python::esrally(&python::cache())?;
    let folder = tempfile::tempdir()?;
    let times = Times { warmup: arguments.warmup, measured: arguments.seconds };
    let tracks = workload::write(folder.path(), times)?;
    let server = Running::start(arguments.server, "bench-peers", "1g")?;
    let bench =
        Bench { rally, esrally, tracks, address: server.address.clone(), folder: folder.path().to_owned() };
    // A Java server becomes faster in its first minute: that is not to be one of the racers' luck.
    eprintln!("a race to warm the server up …");
    bench.race(Racer::Rally, 0)?;
    let mut races = Vec::new();
    for (number, racer) in [Racer::Rally, Racer::Esrally, Racer::Rally].into_iter().enumerate() {
        eprintln!("race {}: {} …", number + 1, racer.name());
        races.push(bench.race(racer, number + 1)?);
    }
    println!(
        "Server: {} {}; races in this order, after one that does not count.",
        arguments.server.product().title(),
        arguments.server.version()
    );
    print_tasks(&races);
    print_usage(&races);
    Ok(())
}

impl Bench {
    fn race(&self, racer: Racer, number: usize) -> anyhow::Result<Race> {
        let home = self.folder.join(format!("home-{}", racer.name()));
        fs::create_dir_all(&home)?;
        let file = self.folder.join(format!("report-{number}.csv"));
        let log = self.folder.join(format!("output-{number}.txt"));
        let (program, track) = match racer {
            Racer::Rally => (&self.rally, &self.tracks.rally),
            Racer::Esrally => (&self.esrally, &self.tracks.esrally),
        };
        let mut command = Command::new(program);
        match racer {
            Racer::Rally => command.args(["run", "--quiet"]),
            Racer::Esrally => command.args(["race", "--offline"]),
        };
        command
            .arg(format!("--track-path={}", track.display()))
            .arg(format!("--target-hosts={}", self.address))
            .args(["--pipeline=benchmark-only", "--report-format=csv"])
            .arg(format!("--report-file={}", file.display()))
            .env("RALLY_HOME", &home)
            .current_dir(&self.folder);
        let output = File::create(&log)?;
        command.stdin(std::process::Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let (status, usage) = usage::watch(&mut command, LONGEST_RACE)?;
        if !status.success() {
            bail!("the race of {} failed ({status}); it said:\n{}", racer.name(), said(&log));
        }
        let report =
            Report::read(&file).with_context(|| format!("{} said:\n{}", racer.name(), said(&log)))?;
        Ok(Race { racer, report, usage })
    }
}

fn said(log: &Path) -> String {
    tool::last_lines(&fs::read(log).unwrap_or_default(), 20)
}

/// The figures of tasks: what the table calls them, what the report does.
const FIGURES: [(&str, &str); 8] = [
    ("mean throughput, per second", "Mean Throughput"),
    ("median throughput, per second", "Median Throughput"),
    ("service time p50, ms", "50th percentile service time"),
    ("service time p99, ms", "99th percentile service time"),
    ("latency p50, ms", "50th percentile latency"),
    ("latency p99, ms", "99th percentile latency"),
    ("latency p100, ms", "100th percentile latency"),
    ("error rate, %", "error rate"),
];

fn heading(first: &str, races: &[Race]) {
    let names: Vec<&str> = races.iter().map(|race| race.racer.name()).collect();
    println!("\n| {first} | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
}

fn print_tasks(races: &[Race]) {
    for task in TASKS {
        heading(task, races);
        for (name, metric) in FIGURES {
            let cells: Vec<String> = races.iter().map(|race| cell(race.report.value(metric, task))).collect();
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}

fn print_usage(races: &[Race]) {
    heading("the whole race", races);
    let row = |name: &str, figure: &dyn Fn(&Usage) -> String| {
        let cells: Vec<String> = races.iter().map(|race| figure(&race.usage)).collect();
        println!("| {name} | {} |", cells.join(" | "));
    };
    let mebibytes = |bytes: u64| format!("{:.0}", bytes as f64 / f64::from(1 << 20));
    row("wall time, s", &|usage| format!("{:.1}", usage.wall.as_secs_f64()));
    row("CPU time of the load driver, s", &|usage| format!("{:.1}", usage.cpu_seconds));
    row("peak resident memory, sum over processes, MiB", &|usage| mebibytes(usage.resident));
    row("the same, shared memory counted once, MiB", &|usage| mebibytes(usage.proportional));
    row("most processes", &|usage| usage.processes.to_string());
}

fn cell(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value.abs() >= 100.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.2}"),
    }
}
