//! Bad input: what is wrong, where, what to do; the right exit code, and nothing half-written.

use crate::support::{Machine, OPERATIONS, small_track, track};

#[test]
fn an_unknown_track_is_named_beside_the_known_ones() {
    Machine::new().rally(["run", "--track=tutoral"]).expect_code(64).expect_error(&["tutoral", "tutorial"]);
}

#[test]
fn a_track_path_that_is_not_there_is_named() {
    Machine::new()
        .rally(["run", "--track-path=/nowhere/at/all"])
        .expect_code(64)
        .expect_error(&["/nowhere/at/all"]);
}

#[test]
fn a_wrong_flag_ends_with_64_and_a_suggestion() {
    Machine::new()
        .rally(["run", "--track=tutorial", "--test-mod"])
        .expect_code(64)
        .expect_error(&["--test-mode"]);
}

#[test]
fn a_flag_that_only_elastic_rally_has_says_so() {
    Machine::new()
        .rally(["run", "--track=tutorial", "--car=4gheap"])
        .expect_code(64)
        .expect_error(&["--car", "does not have yet"]);
}

#[test]
fn a_pipeline_that_is_not_there_yet_says_so() {
    Machine::new()
        .rally(["run", "--track=tutorial", "--pipeline=from-distribution"])
        .expect_code(64)
        .expect_error(&["from-distribution", "not supported"]);
}

#[test]
fn benchmark_only_without_hosts_asks_for_them() {
    Machine::new()
        .rally(["run", "--track=tutorial", "--pipeline=benchmark-only"])
        .expect_code(64)
        .expect_error(&["--target-hosts"]);
}

#[test]
fn a_misspelt_key_points_at_its_line_and_suggests() {
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all", "target-througput": 10}]"#);
    Machine::new()
        .rally(["run", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["track.json", "target-througput", "target-throughput", "/challenges/0/schedule/0"]);
}

#[test]
fn an_unknown_challenge_is_named_beside_the_known_ones() {
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all"}]"#);
    Machine::new()
        .rally(["run", "--challenge=olny", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["olny", "only"]);
}

#[test]
fn a_template_that_never_ends_is_cut() {
    let track = track(&[(
        "track.json",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% for c in range(100000) %}x{% endfor %}{% endfor %}{% endfor %}",
    )]);
    Machine::new()
        .rally(["run", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["track.json"]);
}

#[test]
fn missing_documents_without_a_data_url_are_named() {
    let track = small_track(OPERATIONS, r#"[{"operation": "index"}]"#);
    std::fs::remove_file(track.path().join("documents.json")).expect("removed");
    Machine::new()
        .rally(["run", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["documents.json", "data-url"]);
}

#[test]
fn a_wrong_document_count_is_found_before_anything_is_sent() {
    let track = small_track(OPERATIONS, r#"[{"operation": "index"}]"#);
    std::fs::write(track.path().join("documents.json"), "{\"name\":\"one\"}\n").expect("written");
    Machine::new()
        .rally(["run", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["documents.json", "10", "1"]);
}

#[test]
fn a_port_in_use_is_said_by_the_node() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = taken.local_addr().expect("address").port();
    Machine::new()
        .rally(["node", &format!("--port={port}")])
        .expect_code(1)
        .expect_error(&[&port.to_string(), "in use"]);
}

#[test]
fn a_target_where_nobody_listens_is_named() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("address");
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all"}]"#);
    Machine::new()
        .rally([
            "run",
            &format!("--target-hosts={free}"),
            &format!("--track-path={}", track.path().display()),
        ])
        .expect_code(1)
        .expect_error(&[&free.to_string(), "refused"]);
}

#[test]
fn an_unknown_client_option_is_named_with_a_suggestion() {
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all"}]"#);
    Machine::new()
        .rally(["run", "--client-options=timeot:10", &format!("--track-path={}", track.path().display())])
        .expect_code(64)
        .expect_error(&["timeot", "timeout"]);
}

#[test]
fn a_report_file_that_cannot_be_written_is_found_before_the_race() {
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all"}]"#);
    let file = track.path().join("mapping.json").join("report.md");
    Machine::new()
        .rally([
            "run",
            &format!("--report-file={}", file.display()),
            &format!("--track-path={}", track.path().display()),
        ])
        .expect_code(64)
        .expect_error(&["mapping.json/report.md"]);
}

#[test]
fn lists_end_well_when_nobody_reads_them() {
    let machine = Machine::new();
    for what in ["tracks", "races", "pipelines"] {
        assert_eq!(machine.start(["list", what]).hang_up(), 0, "{what}");
    }
}

/// A track whose own runner panics in its 20th call, beside a task that has nothing to do with it.
fn track_with_a_wild_runner() -> tempfile::TempDir {
    let track = small_track(
        r#"[
    {"name": "index", "operation-type": "index", "bulk-size": 3},
    {"name": "match-all", "operation-type": "search", "body": {"query": {"match_all": {}}}},
    {"name": "wild", "operation-type": "faulty", "runner-fault": "panic", "runner-at": 20}
  ]"#,
        r#"[
    {"operation": "index"},
    {"parallel": {"tasks": [
      {"name": "calm", "operation": "match-all", "iterations": 150, "target-throughput": 300},
      {"operation": "wild", "clients": 2, "iterations": 2000, "target-throughput": 1000}
    ]}},
    {"name": "later", "operation": "match-all", "iterations": 30}
  ]"#,
    );
    let faults = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests/faults/faults.wasm");
    std::fs::copy(faults, track.path().join("faults.wasm")).expect("the component");
    track
}

#[test]
fn a_component_that_breaks_in_the_middle_ends_its_task_and_nothing_else() {
    let track = track_with_a_wild_runner();
    let machine = Machine::new();
    let run = machine.rally(["run", &format!("--track-path={}", track.path().display())]);
    run.expect_code(1).expect_error_of_guest(&[
        "a task failed",
        "'wild'",
        "faults",
        "told to panic in call 20",
    ]);
    // The report is there, with the mark.
    let marked = run.output.lines().any(|line| line.contains("task failed") && line.contains("wild"));
    assert!(marked && run.output.contains("task 'wild' failed"), "{}", run.output);
    let (_, race) = machine.only_race();
    assert_eq!(race["status"], "tasks-failed");
    assert_eq!(race["failed-tasks"][0]["task"], "wild");
    assert!(race["failure"].as_str().expect("why").contains("told to panic"));
    let requests = |name: &str| {
        let tasks = race["results"]["op_metrics"].as_array().expect("tasks");
        let task = tasks.iter().find(|task| task["task"] == name).expect("the task");
        (task["requests"].as_u64(), task["failed"].as_bool())
    };
    assert_eq!(requests("calm"), (Some(150), Some(false)));
    assert_eq!(requests("later"), (Some(30), Some(false)));
    let (made, failed) = requests("wild");
    assert!(made.is_some_and(|made| (19..=38).contains(&made)) && failed == Some(true), "{race:#}");
}

#[test]
fn with_on_error_abort_a_component_that_breaks_ends_the_race() {
    let track = track_with_a_wild_runner();
    let machine = Machine::new();
    let path = format!("--track-path={}", track.path().display());
    let run = machine.rally(["run", "--on-error=abort", &path]);
    run.expect_code(1).expect_error_of_guest(&["'wild'", "told to panic in call 20"]);
    let (_, race) = machine.only_race();
    assert_eq!(race["status"], "failed");
    assert!(!run.output.contains("Mean Throughput | later"), "{}", run.output);
}

/// A track of the current dialect with one task that searches. `corpora`: with their key, or nothing.
fn searching(name: &str, corpora: &str) -> tempfile::TempDir {
    let text = format!(
        r#"{{"description": "d", "indices": [{{"name": "i"}}]{corpora},
            "schedule": [{{"name": "{name}", "operation": {{"operation-type": "search", "index": "i", "body": {{}}}}}}]}}"#
    );
    track(&[("track.json", &text)])
}

#[test]
fn names_that_steer_a_terminal_are_shown_and_not_obeyed() {
    let track = searching(r"\u001b[2J\u202ecitats\u009b1m", "");
    let path = format!("--track-path={}", track.path().display());
    for command in ["info", "plan"] {
        let run = Machine::new().rally([command, &path]);
        run.expect_code(0);
        assert!(!run.output.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{:?}", run.output);
        assert!(run.output.contains(r"\u{1b}"), "{}", run.output);
    }
    let plan = Machine::new().rally(["plan", "--format=json", &path]);
    let plan: serde_json::Value = serde_json::from_str(&plan.expect_code(0).output).expect("JSON");
    let name = &plan["track"]["challenges"][0]["schedule"][0]["tasks"][0]["name"];
    assert_eq!(*name, "\u{1b}[2J\u{202e}citats\u{9b}1m", "programs get names as they are");
}

#[test]
fn sizes_that_no_number_holds_together_are_told_without_a_panic() {
    let documents: Vec<String> = (0..3)
        .map(|number| {
            format!(
                r#"{{"source-file": "d{number}.json", "target-index": "i", "document-count": 9223372036854775808,
                    "compressed-bytes": 18446744073709551615, "uncompressed-bytes": 18446744073709551615}}"#
            )
        })
        .collect();
    let corpora = format!(r#", "corpora": [{{"name": "c", "documents": [{}]}}]"#, documents.join(","));
    let track = searching("s", &corpora);
    for command in ["info", "plan", "validate-track"] {
        Machine::new().rally([command, &format!("--track-path={}", track.path().display())]).expect_code(0);
    }
}

#[test]
fn an_empty_challenge_is_no_name() {
    let track = searching("s", "");
    for command in ["info", "plan", "validate-track", "run"] {
        let path = format!("--track-path={}", track.path().display());
        Machine::new().rally([command, &path, "--challenge="]).expect_code(64).expect_error(&["--challenge"]);
    }
}

#[test]
fn an_upgrade_copies_no_file_from_elsewhere() {
    let elsewhere = tempfile::tempdir().expect("temporary folder");
    std::fs::write(elsewhere.path().join("secret"), "a password").expect("written");
    let old = small_track(OPERATIONS, r#"[{"operation": "match-all"}]"#);
    std::fs::remove_file(old.path().join("documents.json")).expect("removed");
    std::os::unix::fs::symlink(elsewhere.path().join("secret"), old.path().join("documents.json"))
        .expect("linked");
    let machine = Machine::new();
    let new = machine.home().join("upgraded");
    let run = machine.rally([
        "upgrade-track",
        &format!("--track-path={}", old.path().display()),
        &format!("--output-path={}", new.display()),
    ]);
    run.expect_code(64).expect_error(&["documents.json", "leads out of"]);
    assert!(!new.exists());
}

#[test]
fn a_rally_ini_without_the_default_repository_leaves_the_shipped_tracks() {
    let machine = Machine::new();
    std::fs::write(machine.home().join("rally.ini"), "[system]\nenv.name = local\n").expect("written");
    let run = machine.rally(["list", "tracks"]);
    assert!(run.expect_code(0).output.contains("tutorial"), "{}", run.output);
}

#[test]
fn tracks_are_listed_once_and_only_from_below_their_folder() {
    let elsewhere = searching("s", "");
    let folder = track(&[(
        "mine/track.json",
        &std::fs::read_to_string(elsewhere.path().join("track.json")).expect("read"),
    )]);
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).expect("linked");
    };
    link(elsewhere.path(), "foreign");
    // Each would be looked into from within all others.
    for number in 0..16 {
        link(folder.path(), &format!("circle-{number}"));
    }
    let names = |path: &std::path::Path| -> Vec<String> {
        let path = format!("--track-path={}", path.display());
        let run = Machine::new().rally(["list", "tracks", "--format=json", &path]);
        let listed: Vec<serde_json::Value> =
            serde_json::from_str(&run.expect_code(0).output).expect("a list");
        listed.iter().map(|track| track["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(folder.path()), ["mine"]);
    assert_eq!(names(&folder.path().join("mine")), ["mine"], "a track's own folder is that track");
}
