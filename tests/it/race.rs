//! Races from end to end, on the embedded node.

use crate::support::{Machine, OPERATIONS, small_track};
use serde_json::Value;

#[test]
fn the_tutorial_races_in_test_mode() {
    let machine = Machine::new();
    let run = machine.rally(["run", "--track=tutorial", "--test-mode"]);
    run.expect_code(0);
    assert!(run.output.contains("| "), "a table in\n{}", run.output);
    for row in [
        "Median Throughput",
        "service time",
        "latency",
        "error rate",
        "Cumulative indexing time",
        "Segment count",
    ] {
        assert!(run.output.contains(row), "no {row:?} in\n{}", run.output);
    }
    let (folder, race) = machine.only_race();
    assert_eq!(race["track"], "tutorial");
    assert!(race["seed"].is_string(), "{race}");
    assert!(folder.join("histograms.hlog").is_file());
}

#[test]
fn laps_are_told_apart() {
    let machine = Machine::new();
    let track = small_track(
        OPERATIONS,
        r#"[{"operation": "index", "clients": 4}, {"operation": "match-all", "iterations": 20, "clients": 2}]"#,
    );
    let run = machine.rally([
        "run",
        "--laps=2",
        "--report-format=csv",
        &format!("--track-path={}", track.path().display()),
    ]);
    run.expect_code(0);
    let header = run.output.lines().find(|line| line.starts_with("Lap,")).expect("a column for laps");
    assert!(header.contains("Metric"), "{header}");
    for lap in ["1,", "2,", "All,"] {
        assert!(run.output.lines().any(|line| line.starts_with(lap)), "lap {lap} in\n{}", run.output);
    }
}

#[test]
fn the_json_report_is_one_json_document_and_goes_to_the_file_as_well() {
    let machine = Machine::new();
    let track =
        small_track(OPERATIONS, r#"[{"operation": "index"}, {"operation": "match-all", "iterations": 5}]"#);
    let file = machine.home().join("report.json");
    let run = machine.rally([
        "run",
        "--report-format=json",
        &format!("--report-file={}", file.display()),
        &format!("--track-path={}", track.path().display()),
    ]);
    run.expect_code(0);
    let printed: Value = serde_json::from_str(&run.output).expect("standard output is JSON alone");
    let written: Value =
        serde_json::from_str(&std::fs::read_to_string(file).expect("written")).expect("JSON");
    assert_eq!(printed, written);
}

#[test]
fn quiet_prints_nothing() {
    let machine = Machine::new();
    let track = small_track(OPERATIONS, r#"[{"operation": "index"}]"#);
    let run = machine.rally(["run", "--quiet", &format!("--track-path={}", track.path().display())]);
    run.expect_code(0);
    assert_eq!((run.output.as_str(), run.errors.as_str()), ("", ""));
}

#[test]
fn tasks_can_be_included_and_excluded() {
    let machine = Machine::new();
    let track =
        small_track(OPERATIONS, r#"[{"operation": "index"}, {"operation": "match-all", "iterations": 5}]"#);
    let path = format!("--track-path={}", track.path().display());
    let run = machine.rally(["run", "--include-tasks=type:index", "--report-format=csv", &path]);
    run.expect_code(0);
    assert!(run.output.contains(",index,") && !run.output.contains("match-all"), "{}", run.output);
    let run = machine.rally(["run", "--exclude-tasks=index", "--report-format=csv", &path]);
    run.expect_code(0);
    assert!(!run.output.contains(",index,") && run.output.contains("match-all"), "{}", run.output);
}

#[test]
fn the_shipped_tracks_are_listed() {
    let run = Machine::new().rally(["list", "tracks"]);
    run.expect_code(0);
    assert!(run.output.contains("tutorial") && run.output.contains("append-no-conflicts"), "{}", run.output);
}

#[test]
fn an_interrupted_race_reports_what_it_measured_and_says_so() {
    let machine = Machine::new();
    let track = small_track(
        OPERATIONS,
        r#"[{"operation": "index"}, {"operation": "match-all", "time-period": 600, "warmup-time-period": 0, "target-throughput": 50}]"#,
    );
    let running = machine.start(["run", &format!("--track-path={}", track.path().display())]);
    wait_for(&machine, "match-all");
    running.interrupt();
    let run = running.wait();
    run.expect_code(130);
    assert!(run.output.contains("match-all") && run.output.contains("service time"), "{}", run.output);
    assert!(format!("{}{}", run.output, run.errors).to_lowercase().contains("interrupted"), "{}", run.errors);
    assert_eq!(machine.only_race().1["status"], "interrupted");
}

/// Waits until a race has figures of this task: its log of histograms has intervals of it.
fn wait_for(machine: &Machine, task: &str) {
    let races = machine.home().join("benchmarks").join("races");
    let begun = || {
        std::fs::read_dir(&races).ok()?.flatten().find_map(|race| {
            let log = std::fs::read_to_string(race.path().join("histograms.hlog")).ok()?;
            log.contains(&format!("/{task}/")).then_some(())
        })
    };
    let mut tries = 0;
    while begun().is_none() {
        tries += 1;
        assert!(tries < 2400, "the task never began");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

#[test]
fn what_a_killed_race_leaves_over_goes_with_the_next() {
    let machine = Machine::new();
    let endless = small_track(
        OPERATIONS,
        r#"[{"operation": "match-all", "time-period": 600, "target-throughput": 50}]"#,
    );
    let running = machine.start(["run", &format!("--track-path={}", endless.path().display())]);
    wait_for(&machine, "match-all");
    running.kill();
    let nodes = || {
        let entries = std::fs::read_dir(machine.home().join("benchmarks").join("nodes")).expect("nodes");
        entries.filter(|entry| entry.as_ref().expect("entry").path().is_dir()).count()
    };
    assert_eq!(nodes(), 1, "the killed race could not tidy up");
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all", "iterations": 1}]"#);
    machine.rally(["run", &format!("--track-path={}", track.path().display())]).expect_code(0);
    assert_eq!(nodes(), 0);
}

#[test]
fn a_race_goes_on_when_nobody_reads_what_it_says() {
    let machine = Machine::new();
    let track = small_track(OPERATIONS, r#"[{"operation": "index"}, {"operation": "match-all"}]"#);
    let running = machine.start(["run", &format!("--track-path={}", track.path().display())]);
    assert_eq!(running.hang_up(), 0);
    assert_eq!(machine.only_race().1["status"], "complete");
}

#[test]
fn a_killed_race_is_listed_as_killed() {
    let machine = Machine::new();
    let endless = small_track(
        OPERATIONS,
        r#"[{"operation": "match-all", "time-period": 600, "target-throughput": 50}]"#,
    );
    let running = machine.start(["run", &format!("--track-path={}", endless.path().display())]);
    wait_for(&machine, "match-all");
    let status = || {
        let listed = machine.rally(["list", "races", "--format=json"]);
        let races: serde_json::Value = serde_json::from_str(&listed.expect_code(0).output).expect("JSON");
        races[0]["status"].as_str().expect("a status").to_owned()
    };
    assert_eq!(status(), "running");
    running.kill();
    assert_eq!(status(), "killed");
}

#[test]
fn a_tilde_in_an_option_is_the_home_folder() {
    let machine = Machine::new();
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all", "iterations": 1}]"#);
    let user = tempfile::tempdir().expect("folder");
    std::os::unix::fs::symlink(track.path(), user.path().join("own")).expect("linked");
    std::fs::write(user.path().join("client.json"), r#"{"timeout": 30}"#).expect("written");
    let ended = machine
        .command(["run", "--track-path=~/own", "--report-file=~/report.md", "--client-options=~/client.json"])
        .env("HOME", user.path())
        .output()
        .expect("rally runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(user.path().join("report.md").is_file());
}
