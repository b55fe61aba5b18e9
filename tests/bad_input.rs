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
