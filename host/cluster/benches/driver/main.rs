//! What the load driver costs, beside a bare loop: `cargo xtask bench driver`.
//!
//! A stub server that answers at once, and each driver in a process of its own, in one run, in turns: rally, the bare
//! hyper loop, the bare loop once more (so that one sees how far two equal programs differ here), and `wrk` where it is
//! installed. Ratios are medians over the rounds, with their range.

mod arrivals;
mod bare;
mod clock;
mod lateness;
mod rally;
mod roles;
mod server;
mod startup;
mod stub;
mod table;
mod throughput;
mod work;

use std::time::Duration;

/// How much is measured.
struct Options {
    rounds: usize,
    time: Duration,
    lateness_rounds: usize,
    lateness_time: Duration,
}

/// A whole measurement takes ten minutes; what takes longer hangs.
const LONGEST: Duration = Duration::from_secs(20 * 60);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some(role) = arguments.first().and_then(|first| first.strip_prefix("--role=")) {
        roles::play(role, &arguments[1..]);
        return;
    }
    // `cargo test --benches` runs this as well: there is nothing to check in a benchmark.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let options = Options {
        rounds: if quick { 2 } else { 5 },
        time: Duration::from_secs_f64(if quick { 0.7 } else { 1.5 }),
        lateness_rounds: if quick { 2 } else { 6 },
        lateness_time: Duration::from_secs_f64(if quick { 1.5 } else { 6.0 }),
    };
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST);
        eprintln!("the measurement takes longer than {} s: given up", LONGEST.as_secs());
        // The processes of the measurement end with this one.
        std::process::exit(1);
    });
    let only = |part: &str| {
        let chosen =
            arguments.iter().filter_map(|argument| argument.strip_prefix("--only=")).collect::<Vec<_>>();
        chosen.is_empty() || chosen.contains(&part)
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let corpus = work::write_corpus(folder.path());
    let begin = table::Machine::look();
    println!("{}", begin.description());
    if only("throughput") {
        throughput::measure(&options, &corpus);
    }
    if only("lateness") {
        lateness::measure(&options, &corpus);
    }
    if only("startup") {
        startup::measure(&options);
    }
    println!("\n{}", begin.load());
}

/// Adds a row to a table, and shows it as it comes.
fn show(table: &mut table::Table, cells: impl IntoIterator<Item = String>) {
    let cells: Vec<String> = cells.into_iter().collect();
    eprintln!("{}", cells.join(" | "));
    table.add(cells);
}
