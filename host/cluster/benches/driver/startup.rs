//! From the start of `rally run` to its first request, between tasks, and from the last answer to the end.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Options;
use crate::clock::monotonic_nanoseconds;
use crate::server::{Arrivals, Stub};
use crate::table::{Spread, Table};

const TASKS: usize = 10;

/// Prints the table. Needs the built command: `--rally=PATH`.
pub fn measure(options: &Options) {
    let Some(rally) =
        std::env::args().find_map(|argument| argument.strip_prefix("--rally=").map(PathBuf::from))
    else {
        println!("\nStart and pauses are not measured: no --rally=PATH.");
        return;
    };
    let folder = tempfile::tempdir().expect("temporary folder");
    let track = write_track(folder.path());
    let mut first = Vec::new();
    let mut pause = Vec::new();
    let mut end = Vec::new();
    for round in 0..options.rounds * 2 {
        let stub = Stub::start(Arrivals::Noted);
        let start = monotonic_nanoseconds();
        let status = Command::new(&rally)
            .args(["run", "--quiet"])
            .arg(format!("--target-hosts={}", stub.address))
            .arg(format!("--track-path={}", track.display()))
            .env("RALLY_HOME", folder.path().join("home"))
            .status()
            .expect("rally runs");
        let finish = monotonic_nanoseconds();
        assert!(status.success(), "rally run failed");
        // The first round warms the page cache.
        if round == 0 {
            continue;
        }
        let mut arrivals: Vec<u64> = stub.arrivals().into_iter().flatten().collect();
        arrivals.sort_unstable();
        assert_eq!(arrivals.len(), TASKS * 100);
        let milliseconds = |from: u64, to: u64| (to - from) as f64 / 1e6;
        first.push(milliseconds(start, arrivals[0]));
        end.push(milliseconds(arrivals[arrivals.len() - 1], finish));
        // The longest gaps are those between tasks.
        let mut gaps: Vec<f64> = arrivals.windows(2).map(|pair| milliseconds(pair[0], pair[1])).collect();
        gaps.sort_by(f64::total_cmp);
        pause.extend(gaps.iter().rev().take(TASKS - 1));
    }
    let mut table = Table::new(
        "Start, joins and end of `rally run` (10 tasks of 100 searches)",
        &["what", "median ms", "largest ms"],
    );
    for (what, figures) in [
        ("process start to first search", first),
        ("between two tasks (the nine longest gaps)", pause),
        ("last search to end of process", end),
    ] {
        let largest = figures.iter().copied().fold(0.0, f64::max);
        crate::show(
            &mut table,
            [what.to_owned(), format!("{:.1}", Spread::median(figures.into_iter())), format!("{largest:.1}")],
        );
    }
    table.print();
}

fn write_track(folder: &Path) -> PathBuf {
    let path = folder.join("track.json");
    let schedule: Vec<String> =
        (0..TASKS).map(|_| r#"{"operation": "match-all", "iterations": 100}"#.to_owned()).collect();
    let text = format!(
        r#"{{"short-description": "searches", "description": "searches",
"operations": [{{"name": "match-all", "operation-type": "search", "index": "bench", "body": {{"query": {{"match_all": {{}}}}}}}}],
"challenges": [{{"name": "only", "description": "only", "schedule": [{}]}}]}}"#,
        schedule.join(",")
    );
    std::fs::write(&path, text).expect("track written");
    path
}
