//! What Rally's record of a race says of six tasks, from the same samples.

use crate::common::{Request, assert_close, golden, nanoseconds, recording, task};
use rally_race::SampleType;
use rally_results::{Collector, Compat, RaceStatus, RallyRelease, TaskInfo, running_average};
use serde_json::{Map, Value};

const RESOLUTION: f64 = 0.0005;
const CLOCK: f64 = 1e-6;

struct Race {
    results: Value,
    /// Tasks of the report in its order.
    reported: Vec<String>,
    samples: usize,
    throughput_values: usize,
    expected: Value,
}

#[test]
fn figures_of_tasks_are_those_of_rallys_record() {
    let race = race();
    let actual = |task: &str| {
        race.results["op_metrics"].as_array().unwrap().iter().find(|record| record["task"] == task).unwrap()
    };
    let expected = race.expected["op_metrics"].as_array().unwrap();
    assert_eq!(expected.len(), 5);
    for expected in expected {
        let task = expected["task"].as_str().unwrap();
        let actual = actual(task);
        assert_eq!(actual["operation"], expected["operation"]);
        assert_eq!(actual["meta"], expected["meta"], "{task}");
        assert_eq!(actual["error_rate"], expected["error_rate"], "{task}");
        assert_eq!(actual["throughput"]["unit"], expected["throughput"]["unit"], "{task}");
        same(&actual["throughput"], &expected["throughput"], &["min", "mean", "median", "max"], CLOCK, task);
        for kind in ["latency", "service_time", "processing_time"] {
            let keys: Vec<&str> = expected[kind].as_object().unwrap().keys().map(String::as_str).collect();
            let figures: Vec<&str> = keys.iter().copied().filter(|key| *key != "unit").collect();
            same(&actual[kind], &expected[kind], &figures, RESOLUTION, &format!("{task} {kind}"));
            let beyond: Vec<&String> = actual[kind]
                .as_object()
                .unwrap()
                .keys()
                .filter(|key| !keys.contains(&key.as_str()))
                .collect();
            // The number of samples is what Rally's record has not.
            assert!(beyond.iter().all(|key| *key == "count"), "{task} {kind}: {beyond:?}");
        }
        same(actual, expected, &["duration"], CLOCK, task);
    }
}

/// The report shows the tasks that Rally's shows. Deliberate difference: all tasks are recorded, also those that it hides.
#[test]
fn tasks_are_those_of_rallys_record_and_the_ones_it_hides() {
    let race = race();
    let names = |records: &Value| -> Vec<String> {
        records.as_array().unwrap().iter().map(|record| record["task"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        names(&race.expected["op_metrics"]),
        ["index", "query", "silent-errors", "only-warmup", "never-run"]
    );
    assert_eq!(race.reported, names(&race.expected["op_metrics"]));
    assert_eq!(
        names(&race.results["op_metrics"]),
        ["index", "refresh", "query", "silent-errors", "silent-ok", "only-warmup", "never-run"]
    );
}

/// Deliberate difference: Rally keeps a document for each sample and time (1774 here), rally histograms that count as many.
#[test]
fn nothing_that_rally_keeps_a_document_of_is_lost() {
    let race = race();
    let times_of_a_sample = 3;
    let documents = race.samples * times_of_a_sample + race.throughput_values;
    assert_eq!(documents as u64, race.expected["docs"].as_u64().unwrap());
    let counted: u64 = race.results["op_metrics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["requests"].as_u64().unwrap() + task["warmup-requests"].as_u64().unwrap())
        .sum();
    assert_eq!(counted, race.samples as u64);
}

/// Feeds the samples of the case, one recording per client as if each had a thread of its own.
fn race() -> Race {
    let case = golden("results.json").remove(0);
    let spec = &case["input"]["spec"];
    let samples = case["input"]["samples"].as_array().unwrap();
    let challenge = &spec["challenges"][0];
    let mut collector =
        Collector::new(challenge["schedule"].as_array().unwrap().iter().enumerate().map(|(id, declared)| {
            let operation = &declared["operation"];
            let name = declared["name"].as_str().unwrap();
            let mut meta = Map::new();
            for layer in [&spec["meta"], &challenge["meta"], &operation["meta"], &declared["meta"]] {
                meta.extend(layer.as_object().cloned().unwrap_or_default());
            }
            let operation = operation["name"].as_str().unwrap_or(name).to_owned();
            let administrative = declared["operation"]["operation-type"] == "refresh";
            let reported = declared["operation"]["include-in-reporting"].as_bool().unwrap_or(!administrative);
            TaskInfo { operation, meta, reported, ..task(id, 1, name) }
        }));
    let mut throughput_values = 0;
    for (id, declared) in challenge["schedule"].as_array().unwrap().iter().enumerate() {
        let of_task: Vec<&Value> =
            samples.iter().filter(|sample| sample["task"] == declared["name"]).collect();
        let number = |sample: &Value, name: &str| sample[name].as_f64().unwrap();
        let mut clients: Vec<i64> =
            of_task.iter().map(|sample| sample["client_id"].as_i64().unwrap()).collect();
        clients.sort_unstable();
        clients.dedup();
        let mut all = Vec::new();
        for client in clients {
            let requests: Vec<Request> = of_task
                .iter()
                .filter(|sample| sample["client_id"] == client)
                .map(|sample| {
                    // Of two that start at the same moment Rally takes the one it heard of first.
                    let order = f64::from(u32::try_from(client).unwrap()) * 1e-9;
                    let at = number(sample, "request_start") - number(sample, "task_start") + order;
                    Request {
                        sample_type: match sample["sample_type"].as_str().unwrap() {
                            "warmup" => SampleType::Warmup,
                            _ => SampleType::Normal,
                        },
                        latency: nanoseconds(number(sample, "latency")),
                        service_time: nanoseconds(number(sample, "service_time")),
                        processing_time: nanoseconds(number(sample, "processing_time")),
                        success: sample["request_meta_data"]["success"] == true,
                        ..Request::new(at, at + number(sample, "service_time"), number(sample, "total_ops"))
                    }
                })
                .collect();
            let unit = if of_task[0]["total_ops_unit"] == "docs" { "docs" } else { "ops" };
            collector.add(id, &recording(&requests, unit)).unwrap();
            all.extend(requests);
        }
        let all = recording(&all, "");
        throughput_values +=
            running_average(&all.started, all.first_measured_start, 1, RallyRelease::Current).len();
    }
    let summary = collector.summary(RaceStatus::Complete);
    let rows = summary.rows(Some(Compat::Rally));
    let mut reported: Vec<String> =
        rows.into_iter().map(|row| row.task).filter(|task| !task.is_empty()).collect();
    reported.dedup();
    let results = summary.results(Some(Compat::Rally));
    Race { results, reported, samples: samples.len(), throughput_values, expected: case["expected"].clone() }
}

#[track_caller]
fn same(actual: &Value, expected: &Value, keys: &[&str], relative: f64, what: &str) {
    for key in keys {
        match expected[key].as_f64() {
            Some(number) => {
                let actual = actual[key].as_f64().unwrap_or_else(|| panic!("{what}: no {key} in {actual}"));
                assert_close(actual, number, relative, &format!("{what} {key}"));
            }
            None => assert_eq!(actual[key], expected[key], "{what} {key}"),
        }
    }
}
