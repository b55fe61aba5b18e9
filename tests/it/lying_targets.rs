//! Targets that do not keep to the protocol: every failure is counted under its cause, what was measured is reported, and the
//! race ends by itself.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::support::server::{Lie, Target};
use crate::support::{Machine, OPERATIONS, Run, small_track};
use serde_json::Value;

/// Five searches against a target that lies; the JSON report of it.
fn race(lie: Lie, more: &[&str]) -> (Run, Value) {
    let machine = Machine::new();
    let target = Target::start(lie);
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all", "iterations": 5}]"#);
    let mut arguments = vec![
        "run".to_owned(),
        "--report-format=json".to_owned(),
        format!("--target-hosts={}", target.address),
        format!("--track-path={}", track.path().display()),
    ];
    arguments.extend(more.iter().map(|&argument| argument.to_owned()));
    let run = machine.rally(arguments);
    assert!(!run.errors.contains("panicked"), "{}", run.errors);
    let report = serde_json::from_str(&run.output)
        .unwrap_or_else(|error| panic!("no JSON report ({error}) in\n{}\n{}", run.output, run.errors));
    (run, report)
}

/// The number of failures and their descriptions.
fn failures(report: &Value) -> (u64, String) {
    let text = report.to_string();
    let task = find(report, "failures").unwrap_or_else(|| panic!("no failures in {text}"));
    let count = task.as_array().expect("a list").iter().filter_map(|failure| failure["count"].as_u64()).sum();
    (count, task.to_string())
}

fn find<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map
            .get(key)
            .filter(|found| !found.as_array().is_some_and(Vec::is_empty))
            .or_else(|| map.values().find_map(|inner| find(inner, key))),
        Value::Array(list) => list.iter().find_map(|inner| find(inner, key)),
        _ => None,
    }
}

#[test]
fn an_honest_target_has_no_failures() {
    let (run, report) = race(Lie::None, &[]);
    run.expect_code(0);
    assert!(find(&report, "failures").is_none(), "{report}");
}

#[test]
fn too_many_requests_are_failures_with_their_status() {
    let (run, report) = race(Lie::Status(429), &[]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    let (count, text) = failures(&report);
    assert_eq!(count, 5);
    assert!(text.contains("429"), "{text}");
}

#[test]
fn server_errors_are_failures_with_their_status() {
    let (run, report) = race(Lie::Status(500), &[]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    assert_eq!(failures(&report).0, 5);
}

#[test]
fn on_error_abort_ends_the_race_at_the_first_failure_with_a_report() {
    let (run, report) = race(Lie::Status(500), &["--on-error=abort"]);
    run.expect_code(1).expect_error(&["match-all", "500"]);
    assert_eq!(failures(&report).0, 1);
}

#[test]
fn a_page_for_people_is_a_failure() {
    let (run, report) = race(Lie::Html, &[]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    assert_eq!(failures(&report).0, 5);
}

#[test]
fn an_answer_cut_in_its_head_is_a_failure() {
    let (run, report) = race(Lie::ClosesMidway, &[]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    assert_eq!(failures(&report).0, 5);
}

#[test]
fn an_answer_shorter_than_promised_is_a_failure() {
    let (run, report) = race(Lie::ShortBody, &[]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    assert_eq!(failures(&report).0, 5);
}

#[test]
fn an_endless_answer_is_cut_and_is_a_failure() {
    let (run, report) = race(Lie::EndlessBody, &["--client-options=timeout:2"]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    assert_eq!(failures(&report).0, 5);
}

#[test]
fn a_silent_target_runs_into_the_timeout() {
    let (run, report) = race(Lie::Silent, &["--client-options=timeout:0.2"]);
    run.expect_code(1).expect_error(&["no request of 'match-all' succeeded"]);
    let (count, text) = failures(&report);
    assert_eq!(count, 5);
    assert!(text.contains("timeout") || text.contains("timed out"), "{text}");
}

#[test]
fn a_target_that_vanishes_ends_the_race_and_figures_are_kept() {
    let (run, report) = race(Lie::Vanishes, &[]);
    run.expect_code(1);
    assert!(report.to_string().contains("match-all"), "{report}");
}

#[test]
fn a_target_without_statistics_is_said_and_raced_all_the_same() {
    let (run, report) = race(Lie::NoStatistics, &[]);
    run.expect_code(0).expect_error(&["no statistics", "/_stats", "the script says so"]);
    assert!(find(&report, "failures").is_none(), "{report}");
}

#[test]
fn who_gives_up_on_a_target_that_has_gone_mute_does_not_wait_for_its_statistics() {
    let machine = Machine::new();
    let target = Target::start(Lie::Mute);
    let track = small_track(OPERATIONS, r#"[{"operation": "match-all", "iterations": 5}]"#);
    let running = machine.start([
        "run".to_owned(),
        "--client-options=timeout:100000".to_owned(),
        format!("--target-hosts={}", target.address),
        format!("--track-path={}", track.path().display()),
    ]);
    while target.searches.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(20));
    }
    running.interrupt();
    running.wait().expect_code(130).expect_error(&["no statistics in time", "interrupted"]);
    assert_eq!(machine.only_race().1["status"], "interrupted");
}
