//! What tasks tell beyond their times: why they failed or ended early, and the figures that their runners give.

use crate::common::{Request, golden, recording, task};
use rally_race::{GivenThroughput, RanOut, Recording, RequestMeta};
use rally_results::{
    Collector, Compat, FailedTaskRecord, RaceStatus, ReportFormat, ReportOptions, Summary, TaskInfo,
    headline, render,
};
use serde_json::{Value, json};

const CSV: ReportOptions = ReportOptions { format: ReportFormat::Csv, compat: None, width: None };

fn one_request() -> Recording {
    recording(&[Request::new(0.0, 1.0, 5.0)], "docs")
}

fn with_rates(rates: &[f64]) -> Recording {
    let mut given = GivenThroughput::default();
    rates.iter().for_each(|rate| given.add(*rate));
    Recording { given_throughput: given, ..one_request() }
}

fn with_meta(values: &[Value]) -> Recording {
    let mut meta = RequestMeta::default();
    values.iter().for_each(|value| meta.add(value.as_object().unwrap()));
    Recording { request_meta: meta, ..one_request() }
}

fn summary_of(recordings: &[Recording]) -> Summary {
    let mut collector = Collector::new([task(0, 1, "search")]);
    recordings.iter().for_each(|recording| collector.add(0, recording).unwrap());
    collector.summary(RaceStatus::Complete)
}

fn record(summary: &Summary) -> Value {
    summary.results(None)["op_metrics"][0].clone()
}

#[test]
fn a_task_that_could_not_go_on_is_marked_wherever_its_figures_are() {
    let reason = "the runner of task [wild] failed for client 3\n  because: the component trapped\n  0: run\n  1: main";
    let mut collector = Collector::new([task(0, 1, "wild"), task(1, 1, "calm"), task(2, 1, "unborn")]);
    for id in 0..2 {
        collector.add(id, &one_request()).unwrap();
    }
    collector.fail(0, reason.to_owned()).unwrap();
    collector.fail(0, "a later reason".to_owned()).unwrap();
    collector.fail(2, "the param source failed".to_owned()).unwrap();
    let summary = collector.summary(RaceStatus::TasksFailed);

    let failed = |task: &str, reason: &str| FailedTaskRecord {
        lap: 1,
        task: task.to_owned(),
        reason: reason.to_owned(),
    };
    assert_eq!(summary.failed_tasks(), [failed("wild", reason), failed("unborn", "the param source failed")]);
    let warnings = summary.warnings(None);
    assert_eq!(
        warnings[0],
        "task 'wild' failed and its figures are partial: the runner of task [wild] failed for client 3 because: the component trapped"
    );
    assert!(warnings[1].starts_with("task 'unborn' failed"), "{warnings:?}");
    let csv = render(&summary, &CSV);
    assert!(csv.contains("task failed,wild,yes,\n") && csv.contains("task failed,unborn,yes,\n"), "{csv}");
    assert!(csv.contains("Mean Throughput,wild,5.00,docs/s\n"), "{csv}");
    assert!(!csv.contains("task failed,calm"), "{csv}");
    let compatible = render(&summary, &ReportOptions { compat: Some(Compat::Rally), ..CSV });
    assert!(!compatible.contains("task failed"), "{compatible}");

    let json = summary.to_json(None);
    assert_eq!(json["status"], "tasks-failed");
    assert_eq!(json["failed-tasks"][0], json!({"lap": 1, "task": "wild", "reason": reason}));
    let [wild, calm] = [0, 1].map(|index| json["results"]["op_metrics"][index].clone());
    assert_eq!((&wild["failed"], &wild["failed_reason"]), (&json!(true), &json!(reason)));
    assert_eq!((&calm["failed"], &calm["failed_reason"]), (&json!(false), &Value::Null));
}

#[test]
fn a_task_of_which_nothing_succeeded_makes_the_race_fail_unless_it_may_fail() {
    let good = || Request::new(0.0, 1.0, 5.0);
    let bad = || Request::new(0.0, 1.0, 0.0).failed();
    let may_fail = TaskInfo { may_fail: true, ..task(0, 1, "op") };
    let cases = [
        ("one good request", task(0, 1, "op"), vec![good()], false),
        ("no request", task(0, 1, "op"), vec![], false),
        ("all failed", task(0, 1, "op"), vec![bad(), bad()], true),
        ("one of two failed", task(0, 1, "op"), vec![bad(), good()], false),
        ("all measured ones failed", task(0, 1, "op"), vec![good().warmup(), bad()], true),
        ("the warm-up failed", task(0, 1, "op"), vec![bad().warmup(), good()], false),
        ("the warm-up failed and there is nothing else", task(0, 1, "op"), vec![bad().warmup()], true),
        ("all failed as they may", may_fail, vec![bad()], false),
    ];
    for (name, info, requests, fails) in cases {
        let mut collector = Collector::new([info]);
        collector.add(0, &recording(&requests, "docs")).unwrap();
        let summary = collector.summary(RaceStatus::Complete);
        assert_eq!(summary.tasks_without_success(), if fails { vec!["op"] } else { vec![] }, "{name}");
        let status = if fails { RaceStatus::TasksFailed } else { RaceStatus::Complete };
        assert_eq!(summary.status, status, "{name}");
        assert_eq!(collector.summary(RaceStatus::Interrupted).status, RaceStatus::Interrupted, "{name}");
    }
}

#[test]
fn the_headline_of_a_reason_goes_on_where_a_line_ends_with_a_colon() {
    let reason = "the runner failed\n  because: it failed (panicked at lib.rs:1:2:\n  no luck)\n  backtrace:\n    0: run";
    assert_eq!(headline(reason), "the runner failed because: it failed (panicked at lib.rs:1:2: no luck)");
    assert_eq!(headline("one line"), "one line");
    assert_eq!(headline("always:\n:\n:"), "always: : :");
}

#[test]
fn a_failure_of_one_lap_marks_the_task_in_that_lap_and_over_all() {
    let mut collector = Collector::new([task(0, 1, "search"), task(1, 2, "search")]);
    for id in 0..2 {
        collector.add(id, &one_request()).unwrap();
    }
    collector.fail(1, "no more".to_owned()).unwrap();
    let summary = collector.summary(RaceStatus::TasksFailed);
    let failed: Vec<bool> = summary.laps.iter().map(|lap| lap.tasks[0].failed.is_some()).collect();
    assert_eq!(failed, [false, true, true]);
    assert_eq!(summary.failed_tasks().len(), 1);
    assert_eq!(summary.failed_tasks()[0].lap, 2);
}

#[test]
fn a_throughput_that_the_runner_gives_is_the_throughput_as_in_rally() {
    let case =
        golden("throughput.json").into_iter().find(|case| case["id"] == "provided-throughput").unwrap();
    let values = |rows: &Value, column: usize| -> Vec<f64> {
        rows.as_array().unwrap().iter().map(|row| row[column].as_f64().unwrap()).collect()
    };
    let given = values(&case["input"]["calls"][0]["a"], 4);
    assert_eq!(given, values(&case["expected"][0]["a"], 3));
    let task = record(&summary_of(&[with_rates(&given)]));
    for throughput in ["throughput", "rally_throughput"] {
        for figure in ["min", "mean", "median", "max"] {
            assert_eq!(task[throughput][figure], 8000.0, "{throughput} {figure}");
        }
        assert_eq!(task[throughput]["unit"], "docs/s");
        assert_eq!(task[throughput]["definition"], "as its runner gives it");
    }
}

#[test]
fn given_throughput_adds_up_over_recordings_each_value_counting_the_same() {
    let summary = summary_of(&[with_rates(&[100.0, 400.0]), one_request(), with_rates(&[200.0, 1000.0])]);
    let rates = summary.laps[0].tasks[0].throughput.unwrap();
    assert_eq!((rates.min, rates.mean, rates.median, rates.max), (100.0, 425.0, 300.0, 1000.0));
}

#[test]
fn numbers_of_request_meta_add_up_over_recordings_and_laps() {
    let mut collector = Collector::new([task(0, 1, "search"), task(1, 2, "search")]);
    collector.add(0, &with_meta(&[json!({"took": 3, "hits": 10}), json!({"took": 5})])).unwrap();
    collector.add(0, &with_meta(&[json!({"took": 1})])).unwrap();
    collector.add(1, &with_meta(&[json!({"took": 11.5})])).unwrap();
    let summary = collector.summary(RaceStatus::Complete);
    let took = |lap: usize| summary.laps[lap].tasks[0].request_meta.figures["took"];
    assert_eq!((took(0).count, took(0).sum, took(0).min, took(0).max), (3, 9.0, 1.0, 5.0));
    let task = record(&summary);
    assert_eq!(
        task["request_meta"],
        json!({
            "hits": {"count": 1, "sum": 10, "min": 10, "max": 10, "mean": 10},
            "took": {"count": 4, "sum": 20.5, "min": 1, "max": 11.5, "mean": 5.125},
        })
    );
    assert_eq!(task["request_meta_dropped"], 0);
}

#[test]
fn numbers_that_are_not_kept_are_counted_in_a_warning() {
    let many: Value = (0..40)
        .map(|number| (format!("key-{number:02}"), json!(1)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let summary = summary_of(&[with_meta(&[many])]);
    assert_eq!(record(&summary)["request_meta_dropped"], 8);
    let warnings = summary.warnings(None);
    assert!(
        warnings.iter().any(|warning| warning.contains("task 'search' reported 8 metadata values")),
        "{warnings:?}"
    );
}

#[test]
fn a_task_whose_parameters_ran_out_says_when() {
    let early = |clients, first, last| Recording {
        ran_out: Some(RanOut { clients, first, last, planned: 60.0 }),
        ..one_request()
    };
    let mut collector = Collector::new([TaskInfo { clients: 4, ..task(0, 1, "search") }]);
    collector.add(0, &early(1, 2.0, 2.0)).unwrap();
    let some = collector.summary(RaceStatus::Complete);
    assert_eq!(
        some.warnings(None),
        ["1 of 4 clients of task 'search' ended after 2.00 s of 60 s: their parameters ran out"]
    );
    collector.add(0, &early(3, 12.0, 31.0)).unwrap();
    let all = collector.summary(RaceStatus::Complete);
    assert_eq!(all.warnings(None), ["task 'search' ended after 31 s of 60 s: its parameters ran out"]);
    assert_eq!(
        record(&all)["ended_early"],
        json!({"clients": 4, "first": 2.0, "last": 31.0, "planned": 60.0, "unit": "s"})
    );
}
