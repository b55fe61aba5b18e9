//! Properties of a task's records: track < challenge < operation < task.

use std::path::PathBuf;

use crate::common::{Request, golden, recording, task};
use rally_results::{Collector, RaceStatus, TaskInfo};
use rally_track::{Challenge, Dialect, Meta, Operation, Task, Track, merged_meta};
use serde_json::{Map, Value};

#[test]
fn records_of_a_task_carry_the_merged_properties() {
    let cases = golden("2017/meta.json");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let collected = collect(&case["input"]["track"]);
        for record in case["expected"].as_array().unwrap() {
            let mut expected = record["meta"].as_object().unwrap().clone();
            if record["name"] != "throughput" {
                // Deliberate difference: properties of a single request have no place in a histogram. Whether it succeeded
                // decides in which one it is counted.
                for (key, value) in case["input"]["request_meta"].as_object().into_iter().flatten() {
                    assert_eq!(expected.remove(key).as_ref(), Some(value), "{}", case["id"]);
                }
            }
            assert_eq!(collected["meta"], Value::Object(expected), "{} {}", case["id"], record["name"]);
        }
    }
}

fn collect(specification: &Value) -> Value {
    let meta = |level: &Value| level["meta"].as_object().cloned().unwrap_or_default();
    let challenge_specification = &specification["challenges"][0];
    let track =
        Track { meta: meta(specification), ..Track::new("track", Dialect::Rally2017, PathBuf::new()) };
    let challenge =
        Challenge { default: true, meta: meta(challenge_specification), ..Challenge::new("c", Vec::new()) };
    let task =
        track_task(meta(&specification["operations"][0]), meta(&challenge_specification["schedule"][0]));
    let merged = merged_meta(&track, &challenge, &task);
    let mut collector = Collector::new([TaskInfo { meta: merged, ..crate::common::task(0, 1, "op") }]);
    collector.add(0, &recording(&[Request::new(0.0, 0.01, 1.0)], "docs")).unwrap();
    collector.summary(RaceStatus::Complete).results(None)["op_metrics"][0].clone()
}

fn track_task(operation_meta: Meta, task_meta: Meta) -> Task {
    let operation = Operation {
        name: "op".to_owned(),
        operation_type: "search".to_owned(),
        param_source: None,
        meta: operation_meta,
        params: Map::new(),
    };
    Task { meta: task_meta, clients: 1, ..Task::new("op", operation) }
}

#[test]
fn properties_are_those_of_the_task_in_every_lap() {
    let mut laps = [task(0, 1, "op"), task(1, 2, "op")];
    for lap in &mut laps {
        lap.meta.insert("key".to_owned(), Value::from("value"));
    }
    let summary = Collector::new(laps).summary(RaceStatus::Complete);
    for record in summary.lap_results(None).iter().chain([&summary.results(None)]) {
        assert_eq!(record["op_metrics"][0]["meta"]["key"], "value");
    }
}
