//! Bad input: what is wrong, where, what to do; the right exit code, and nothing half-written.

mod support;

use support::{Machine, OPERATIONS, small_track, track};

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
        "a task could not go on",
        "[wild]",
        "faults",
        "told to panic in call 20",
    ]);
    // The report is there, with the mark.
    let marked = run.output.lines().any(|line| line.contains("task failed") && line.contains("wild"));
    assert!(marked && run.output.contains("[wild] could not go on"), "{}", run.output);
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
    run.expect_code(1).expect_error_of_guest(&["[wild]", "told to panic in call 20"]);
    let (_, race) = machine.only_race();
    assert_eq!(race["status"], "failed");
    assert!(!run.output.contains("Mean Throughput | later"), "{}", run.output);
}
