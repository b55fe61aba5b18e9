//! Tracks with components, and races of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::recorder::Recorder;
use crate::support::{Machine, Run, track};

pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn guest(name: &str) -> Vec<u8> {
    let shipped = project().join("tracks").join(name).join(format!("{name}.wasm"));
    let path =
        if shipped.is_file() { shipped } else { project().join(format!("tests/guests/{name}/{name}.wasm")) };
    fs::read(path).expect("a component")
}

/// A track with these components, operations and schedule, whose index has no documents.
pub fn with(components: &[(&str, Vec<u8>)], operations: Value, schedule: Value) -> tempfile::TempDir {
    let text = json!({
        "short-description": "places",
        "description": "places",
        "indices": [{"name": "places", "types": [{"name": "place", "mapping": "mapping.json"}]}],
        "operations": operations,
        "challenges": [{"name": "only", "description": "the only one", "schedule": schedule}],
    });
    let folder = track(&[("track.json", &text.to_string()), ("mapping.json", "{\"place\": {}}")]);
    for (name, bytes) in components {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

pub fn faults(operations: Value, schedule: Value) -> tempfile::TempDir {
    with(&[("faults.wasm", guest("faults"))], operations, schedule)
}

pub const HONEST: u64 = 20;

/// The faulty task beside an honest one, and one more after them. `role` misbehaves with `fault` in call `at`.
pub fn beside_honest(role: &str, fault: &str, at: u64, iterations: u64) -> tempfile::TempDir {
    let search = json!({"name": "honest", "operation-type": "search", "body": {"query": {"match_all": {}}}});
    let (operation, mut task) = match role {
        "source" => (
            json!({"operation-type": "search", "param-source": "faulty", "fault": fault, "at": at, "index": "places", "body": {}}),
            json!({}),
        ),
        "runner" => (json!({"operation-type": "faulty", "runner-fault": fault, "runner-at": at}), json!({})),
        _ => (
            json!({"operation-type": "search", "index": "places", "body": {}}),
            json!({"schedule": "faulty", "fault": fault, "at": at, "target-throughput": 1000}),
        ),
    };
    let mut faulty = operation;
    faulty["name"] = "faulty-task".into();
    task["operation"] = "faulty-task".into();
    task["iterations"] = iterations.into();
    let honest = json!({"operation": "honest", "iterations": HONEST});
    let after = json!({"operation": "honest", "name": "after", "iterations": HONEST});
    faults(json!([search, faulty]), json!([{"parallel": {"tasks": [task, honest]}}, after]))
}

/// Races on the embedded node.
pub fn race(machine: &Machine, track: &Path, more: &[&str]) -> Run {
    let path = format!("--track-path={}", track.display());
    let mut arguments = vec!["run", "--offline", "--report-format=json", &path];
    arguments.extend(more);
    machine.rally(arguments)
}

/// Races against a recorder.
pub fn race_on(machine: &Machine, recorder: &Arc<Recorder>, track: &Path, more: &[&str]) -> Run {
    let hosts = format!("--target-hosts={}", recorder.address);
    race(machine, track, &[&[hosts.as_str()], more].concat())
}

/// What the record of a race has of a task.
#[track_caller]
pub fn row(results: &Value, task: &str) -> Value {
    let rows = results["op_metrics"].as_array().unwrap_or_else(|| panic!("no rows in {results:#}"));
    let row = rows.iter().find(|row| row["task"] == task);
    row.unwrap_or_else(|| panic!("no row of {task} in {rows:#?}")).clone()
}

#[track_caller]
pub fn expect_refused(run: &Run, parts: &[&str]) {
    run.expect_code(64).expect_error(parts);
}

/// Measured requests of a task, as the record of the race has them.
pub fn requests(machine: &Machine, task: &str) -> u64 {
    let record = machine.only_race().1;
    row(&record["results"], task)["requests"].as_u64().unwrap_or_default()
}
