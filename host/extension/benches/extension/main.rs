//! What an extension costs, beside the same code native: `cargo xtask bench extension`.
//!
//! The component `tests/guests/bench` and its native twin do the same: a source that formats a search, a runner that sends
//! it, a scheduler. Each is measured alone (calls, start, memory) and in whole races against a stub server, where each race
//! has a process of its own. All take turns in one run, and the native twin runs twice ("native again"), so that one sees how
//! far two equal programs differ here. `isolated` is the fast way (an instance for each source, runner, scheduler of a client),
//! `per-client` the shared one (one instance for the three of a client). Figures are medians over the rounds, with their range.

#[path = "../../../cluster/benches/driver/arrivals.rs"]
mod arrivals;
mod calls;
#[path = "../../../cluster/benches/driver/clock.rs"]
mod clock;
mod code;
mod instances;
mod lateness;
mod native;
mod race;
mod roles;
#[path = "../../../cluster/benches/driver/server.rs"]
mod server;
#[path = "../../../cluster/benches/driver/stub.rs"]
mod stub;
mod subject;
#[path = "../../../cluster/benches/driver/table.rs"]
mod table;
mod throughput;

use std::time::Duration;

use serde::Serialize;

/// How much is measured.
struct Options {
    /// Rounds of calls.
    rounds: usize,
    /// How long each does the same call in a round.
    block: Duration,
    /// Processes that are started.
    starts: usize,
    /// Rounds of unthrottled races; every code has every place in the order equally often where it is a multiple of four.
    races: usize,
    /// How long they last.
    race_time: Duration,
    /// Rounds of throttled races.
    lateness_rounds: usize,
    /// How long they last.
    lateness_time: Duration,
}

impl Options {
    fn thorough() -> Options {
        Options {
            rounds: 9,
            block: Duration::from_millis(60),
            starts: 12,
            races: 8,
            race_time: Duration::from_millis(1000),
            lateness_rounds: 6,
            lateness_time: Duration::from_millis(2500),
        }
    }

    fn quick() -> Options {
        Options {
            rounds: 3,
            block: Duration::from_millis(15),
            starts: 3,
            races: 2,
            race_time: Duration::from_millis(400),
            lateness_rounds: 2,
            lateness_time: Duration::from_millis(600),
        }
    }
}

/// All that was measured, for `--json`. Parts that were not asked for are absent.
#[derive(Serialize)]
struct Report {
    machine: String,
    /// How busy the machine was with other things.
    load: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls: Option<Vec<calls::Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<Vec<instances::StartRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Vec<instances::MemoryRow>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Vec<throughput::Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lateness: Option<Vec<lateness::Row>>,
}

/// A whole measurement takes about five minutes; what takes longer hangs.
const LONGEST: Duration = Duration::from_secs(20 * 60);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(role) = arguments.first().and_then(|first| first.strip_prefix("--role=")) {
        roles::play(role, &arguments[1..]);
        return;
    }
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    // `cargo test --benches` runs this as well: there is nothing to check in a benchmark.
    if has("--test") {
        return;
    }
    let options = if has("--quick") { Options::quick() } else { Options::thorough() };
    let json = has("--json");
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST);
        eprintln!("the measurement takes longer than {} s: given up", LONGEST.as_secs());
        // The processes of the measurement end with this one.
        std::process::exit(1);
    });
    let chosen: Vec<&str> =
        arguments.iter().filter_map(|argument| argument.strip_prefix("--only=")).collect();
    let only = |part: &str| chosen.is_empty() || chosen.contains(&part);
    let folder = tempfile::tempdir().expect("temporary folder");
    let machine = table::Machine::look();
    let mut report = Report {
        machine: machine.description(),
        load: String::new(),
        calls: only("calls").then(|| calls::measure(&options, folder.path())),
        start: only("start").then(|| instances::measure_start(&options, folder.path())),
        memory: only("memory").then(|| instances::measure_memory(&options, folder.path())),
        throughput: only("throughput").then(|| throughput::measure(&options, folder.path())),
        lateness: only("lateness").then(|| lateness::measure(&options, folder.path())),
    };
    report.load = machine.load();
    if json {
        println!("{}", serde_json::to_string_pretty(&report).expect("JSON"));
        return;
    }
    println!("{}", report.machine);
    report.calls.iter().for_each(|rows| calls::print(rows));
    report.start.iter().for_each(|rows| instances::print_start(rows));
    report.memory.iter().for_each(|rows| instances::print_memory(rows));
    report.throughput.iter().for_each(|rows| throughput::print(rows));
    report.lateness.iter().for_each(|rows| lateness::print(rows));
    println!("\n{}", report.load);
}
