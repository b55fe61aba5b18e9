//! What goes wrong in a race.

use std::fs;

use serde_json::json;

use super::tracks::{HONEST, beside_honest, faults, guest, race, race_on, requests, row, with};
use crate::support::Machine;
use crate::support::recorder::Recorder;

#[test]
fn a_source_that_ends_before_its_time_is_worth_a_word() {
    let operations = json!([
        {"name": "a", "operation-type": "search", "param-source": "faulty", "fault": "end", "at": 6, "index": "places", "body": {}}
    ]);
    let schedule = json!([{"operation": "a", "warmup-time-period": 0, "time-period": 30}]);
    let machine = Machine::new();
    let run = race(&machine, faults(operations, schedule).path(), &[]);
    run.expect_code(0);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "complete");
    let warnings = record["warnings"].to_string();
    assert!(
        warnings.contains("task 'a' ended after") && warnings.contains("parameters ran out"),
        "{warnings}"
    );
}

#[test]
fn a_source_that_ends_before_its_iterations_ends_its_task() {
    let operations = json!([
        {"name": "a", "operation-type": "search", "param-source": "faulty", "fault": "end", "at": 6, "index": "places", "body": {}}
    ]);
    let machine = Machine::new();
    let schedule = json!([{"operation": "a", "iterations": 100}]);
    race(&machine, faults(operations, schedule).path(), &[]).expect_code(0);
    assert_eq!(requests(&machine, "a"), 5);
}

/// A fault, in which role and call, and what the user reads of it.
const FAULTS: [(&str, &str, &str, &str); 16] = [
    ("source", "error", "source.next", "told to fail in call 5"),
    ("source", "panic", "source.next", "told to panic in call 5"),
    ("source", "memory", "source.next", "--extension-memory"),
    ("runner", "error", "runner.run", "told to fail in call 5"),
    ("runner", "panic", "runner.run", "told to panic in call 5"),
    ("runner", "memory", "runner.run", "--extension-memory"),
    ("runner", "nan", "runner.run", "NaN"),
    ("runner", "infinite", "runner.run", "inf"),
    ("runner", "negative", "runner.run", "-1"),
    ("runner", "unit", "runner.run", "'others' after 'ops'"),
    ("scheduler", "error", "scheduler.next", "told to fail in call 5"),
    ("scheduler", "panic", "scheduler.next", "told to panic in call 5"),
    ("scheduler", "nan", "scheduler.next", "NaN"),
    ("scheduler", "infinite", "scheduler.next", "inf"),
    ("scheduler", "negative", "scheduler.next", "-1"),
    ("scheduler", "backwards", "scheduler.next", "due times do not go back"),
];

/// A fault in the middle, and in the last call.
fn continues(role: &str, fault: &str, call: &str, said: &str, iterations: u64) {
    let machine = Machine::new();
    let run = race(&machine, beside_honest(role, fault, 5, iterations).path(), &["--extension-memory=32MiB"]);
    assert_eq!(run.code, 1, "{role}, {fault}\n{}\n{}", run.output, run.errors);
    for part in ["faulty-task", "faults 0.1.0", call, said] {
        assert!(run.errors.contains(part), "{role}, {fault}: no {part} in\n{}", run.errors);
    }
    let trapped = ["panic", "memory"].contains(&fault);
    assert_eq!(run.errors.contains("backtrace of the component"), trapped, "{role}, {fault}: {}", run.errors);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "tasks-failed", "{role}, {fault}: {record:#}");
    let failed = record["failed-tasks"].to_string();
    assert!(failed.contains("faulty-task") && failed.contains("faults 0.1.0"), "{role}, {fault}: {failed}");
    for task in ["honest", "after"] {
        let row = row(&record["results"], task);
        assert_eq!(row["error_rate"], 0.0, "{role}, {fault}: {row:#}");
        assert_eq!(requests(&machine, task), HONEST, "{role}, {fault}: {task}");
    }
}

#[test]
fn a_task_that_fails_in_the_middle_leaves_the_others_their_figures() {
    for (role, fault, call, said) in FAULTS {
        continues(role, fault, call, said, 1000);
    }
}

#[test]
fn a_task_that_fails_in_its_last_call_leaves_the_others_their_figures() {
    for (role, fault, call, said) in FAULTS.into_iter().filter(|(_, fault, ..)| *fault == "error") {
        continues(role, fault, call, said, 5);
    }
}

#[test]
fn a_task_of_many_clients_ends_with_the_first_that_fails() {
    for (role, call) in [("source", "source.next"), ("runner", "runner.run")] {
        let operations = json!([
            {"name": "honest", "operation-type": "search", "body": {"query": {"match_all": {}}}},
            {"name": "a", "operation-type": "faulty", "param-source": "faulty", "fault": "none"},
        ]);
        let mut operations = operations;
        let fault = if role == "source" { "fault" } else { "runner-fault" };
        operations[1][fault] = "panic".into();
        operations[1][if role == "source" { "at" } else { "runner-at" }] = 50.into();
        let schedule = json!([
            {"operation": "a", "clients": 6, "warmup-time-period": 0, "time-period": 600},
            {"operation": "honest", "iterations": HONEST},
        ]);
        let machine = Machine::new();
        let run = race(&machine, faults(operations, schedule).path(), &[]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        let told = run.errors.matches(&format!("call of {call}")).count();
        assert!((1..=2).contains(&told), "{role}: as it happens, and at the end:\n{}", run.errors);
        assert_eq!(machine.only_race().1["failed-tasks"].as_array().map(Vec::len), Some(1), "{role}");
        assert_eq!(requests(&machine, "honest"), HONEST);
    }
}

#[test]
fn requests_before_a_wrong_due_time_are_made() {
    for fault in ["nan", "backwards"] {
        let machine = Machine::new();
        race(&machine, beside_honest("scheduler", fault, 5, 1000).path(), &[]).expect_code(1);
        assert_eq!(requests(&machine, "faulty-task"), 4, "{fault}");
        let machine = Machine::new();
        race(&machine, beside_honest("scheduler", fault, 5, 4).path(), &[]).expect_code(0);
        assert_eq!(requests(&machine, "faulty-task"), 4, "{fault}: nobody asked for the fifth");
    }
}

#[test]
fn a_fault_ends_the_race_where_errors_end_it() {
    for (role, fault, call, said) in FAULTS.into_iter().filter(|(_, fault, ..)| *fault == "panic") {
        let machine = Machine::new();
        let run = race(&machine, beside_honest(role, fault, 5, 1000).path(), &["--on-error=abort"]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        for part in ["faulty-task", "faults 0.1.0", call, said] {
            assert!(run.errors.contains(part), "{role}: no {part} in\n{}", run.errors);
        }
        let record = machine.only_race().1;
        assert_eq!(record["status"], "failed", "{role}");
        let after = record["results"]["op_metrics"].as_array().expect("rows").iter();
        let raced = after.filter(|row| row["task"] == "after").any(|row| row["requests"] != 0);
        assert!(!raced, "{role}: the race went on");
    }
}

#[test]
fn a_failed_request_of_a_runner_is_counted_like_any_other() {
    let machine = Machine::new();
    let run = race(&machine, beside_honest("runner", "api", 5, 8).path(), &[]);
    run.expect_code(0);
    let record = machine.only_race().1;
    assert_eq!(row(&record["results"], "faulty-task")["error_rate"], 0.5);
    assert!(record["warnings"].to_string().contains("4 x HTTP 503 told that the target failed"));
}

#[test]
fn an_endless_call_ends_at_its_time_limit() {
    for (role, call) in [("source", "source.next"), ("runner", "runner.run"), ("scheduler", "scheduler.next")]
    {
        let machine = Machine::new();
        let folder = beside_honest(role, "loop", 5, 1000);
        let run = race(&machine, folder.path(), &["--extension-time-per-call=50ms"]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        for part in
            ["faults 0.1.0", call, "0.05 s", "--extension-time-per-call", "backtrace of the component"]
        {
            assert!(run.errors.contains(part), "{role}: no {part} in\n{}", run.errors);
        }
        for task in ["honest", "after"] {
            assert_eq!(requests(&machine, task), HONEST, "{role}: {task}");
        }
    }
}

#[test]
fn a_race_whose_guests_do_not_come_back_can_be_interrupted() {
    let tasks = [
        (
            "loop",
            json!({"name": "a", "operation-type": "faulty", "runner-fault": "loop", "runner-at": 5}),
            json!({}),
        ),
        ("sleep", json!({"name": "a", "operation-type": "sleep", "millis": 600_000}), json!({})),
        (
            "schedule",
            json!({"name": "a", "operation-type": "search", "index": "places", "body": {}}),
            json!({"schedule": "faulty", "fault": "loop", "at": 5}),
        ),
    ];
    for (name, operation, mut task) in tasks {
        task["operation"] = "a".into();
        task["iterations"] = 1000.into();
        let components = [("faults.wasm", guest("faults")), ("conformance.wasm", guest("conformance"))];
        let folder = with(&components, json!([operation]), json!([task]));
        let (machine, recorder) = (Machine::new(), Recorder::start());
        let running = machine.start([
            "run",
            "--offline",
            "--extension-data-bytes=1KiB",
            "--extension-time-per-call=2m",
            &format!("--target-hosts={}", recorder.address),
            &format!("--track-path={}", folder.path().display()),
        ]);
        let begun = match name {
            // Whoever connects asks for it as well.
            "loop" => recorder.until_seen_often(|seen| seen.line() == "GET /", 1 + 5),
            // Due times are asked for ahead: the first ones are not there before the one that does not come.
            _ => recorder.until_seen_often(|seen| seen.line() == "PUT /places", 1),
        };
        assert!(begun, "{name}");
        running.interrupt();
        let run = running.wait();
        run.expect_code(130);
        assert!(!run.errors.contains("--extension-time-per-call"), "{name}: it waited\n{}", run.errors);
        assert_eq!(machine.only_race().1["status"], "interrupted", "{name}");
    }
}

#[test]
fn a_flood_of_lines_does_not_fill_the_log() {
    let operations = json!([{"name": "a", "operation-type": "echo", "param-source": "log"}]);
    let schedule = json!([{"operation": "a", "iterations": 500}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let flags = ["--extension-log-lines=30", "--extension-data-bytes=1KiB"];
    let run = race_on(&machine, &recorder, folder.path(), &flags);
    run.expect_code(0);
    let log = fs::read_to_string(machine.home().join("logs/rally.log")).expect("a log");
    let lines = log.lines().filter(|line| line.contains(" of a")).count();
    // Debug lines are not kept, but count; instances of other roles log nothing.
    assert!((20..=30).contains(&lines), "{lines} lines");
    assert!(log.contains("--extension-log-lines"), "{log}");
}
