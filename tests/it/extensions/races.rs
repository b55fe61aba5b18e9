//! Races with instances that are shared, with processors, seeds and laps; the tracks that ship.

use std::fs;

use serde_json::{Value, json};

use super::tracks::{HONEST, beside_honest, guest, race, race_on, requests, row, with};
use crate::support::Machine;
use crate::support::recorder::Recorder;

#[test]
fn clients_that_share_an_instance_race() {
    let operations = json!([{"name": "a", "operation-type": "numbered", "param-source": "numbered"}]);
    let schedule = json!([{"operation": "a", "clients": 8, "iterations": 400}]);
    let folder = with(&[("sharing.wasm", guest("sharing"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    race_on(&machine, &recorder, folder.path(), &[]).expect_code(0);
    assert_eq!(requests(&machine, "a"), 400);
    let mut sent: Vec<String> = recorder.take().into_iter().map(|seen| seen.target).collect();
    sent.retain(|target| target.starts_with("/begin/") || target.starts_with("/end/"));
    sent.sort();
    let mut expected: Vec<String> = (0..8)
        .flat_map(|client| (1..=50).map(move |number| (client, number)))
        .flat_map(|(client, number)| ["begin", "end"].map(|what| format!("/{what}/{client}/{number}")))
        .collect();
    expected.sort();
    assert_eq!(sent, expected, "each object of each client once");
}

#[test]
fn source_runner_and_scheduler_of_a_client_share_an_instance() {
    let operations = json!([{"name": "a", "operation-type": "held", "param-source": "held"}]);
    let schedule = json!([{"operation": "a", "clients": 4, "iterations": 80, "schedule": "watching"}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(requests(&machine, "a"), 80);
    let log = fs::read_to_string(machine.home().join("logs/rally.log")).expect("a log");
    // The last request of each client is not followed by a call of the scheduler.
    assert_eq!(log.matches("times in order: true").count(), 76, "{log}");
    assert!(!log.contains("times in order: false"));
}

#[test]
fn a_runner_completes_its_task() {
    let operations = json!([{"name": "a", "operation-type": "completing", "runs": 7}]);
    let schedule = json!([{"operation": "a", "clients": 2}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(requests(&machine, "a"), 14);
}

#[test]
fn what_a_runner_tells_is_in_the_record() {
    let operations = json!([{
        "name": "a", "operation-type": "outcome", "weight": 25, "unit": "pages", "throughput": 123.5,
        "meta": {"took": 3},
    }]);
    let schedule = json!([{"operation": "a", "iterations": 10}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    let row = row(&machine.only_race().1["results"], "a");
    assert_eq!(
        (&row["throughput"]["median"], &row["throughput"]["unit"]),
        (&json!(123.5), &json!("pages/s"))
    );
    assert!(row["request_meta"].to_string().contains("took"), "{row:#}");
}

#[test]
fn a_processor_changes_the_track_and_prepares_its_data() {
    let operations = json!([{"name": "a", "operation-type": "echo", "param-source": "files", "data-file": "prepared/1.txt"}]);
    let folder = with(
        &[("conformance.wasm", guest("conformance"))],
        operations,
        json!([{"operation": "a", "iterations": 1}]),
    );
    let text = fs::read_to_string(folder.path().join("track.json")).expect("read");
    let mut track: Value = serde_json::from_str(&text).expect("JSON");
    track["meta"] = json!({"mine": 1});
    fs::write(folder.path().join("track.json"), track.to_string()).expect("written");
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(machine.only_race().1["meta"], json!({"mine": 1, "processed-by": "conformance"}));
    let seen = recorder.take().into_iter().find(|seen| seen.target == "/echo").expect("sent");
    let body = seen.json()["body"].to_string();
    assert!(body.contains("job 1 of ") && body.contains("done"), "{body}");
}

/// What each client of a race sent, in its order; clients in the order of what they sent.
fn sent(seed: &str) -> Vec<Vec<(String, Vec<u8>)>> {
    let operations = json!([{
        "name": "random", "operation-type": "search", "param-source": "random-profession",
        "professions": ["baker", "nurse", "smith", "pilot"],
    }]);
    let schedule = json!([{"operation": "random", "clients": 3, "iterations": 300}]);
    let folder = with(&[("random-profession.wasm", guest("random-profession"))], operations, schedule);
    let recorder = Recorder::start();
    race_on(&Machine::new(), &recorder, folder.path(), &[seed]).expect_code(0);
    let mut by_connection = std::collections::BTreeMap::<usize, Vec<_>>::new();
    for seen in recorder.take().into_iter().filter(|seen| seen.target.contains("/_search")) {
        by_connection.entry(seen.connection).or_default().push((seen.line(), seen.body));
    }
    let mut all: Vec<_> = by_connection.into_values().collect();
    all.sort();
    all
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let first = sent("--seed=7");
    assert_eq!((first.len(), first.iter().map(Vec::len).sum::<usize>()), (3, 300));
    assert_eq!(sent("--seed=7"), first);
    assert_ne!(sent("--seed=8"), first);
}

#[test]
fn each_lap_sends_something_else_and_the_same_seed_the_same_laps() {
    let laps = || {
        let operations = json!([{
            "name": "random", "operation-type": "search", "param-source": "random-profession",
            "professions": ["baker", "nurse", "smith", "pilot"],
        }]);
        let schedule = json!([{"operation": "random", "iterations": 100}]);
        let folder = with(&[("random-profession.wasm", guest("random-profession"))], operations, schedule);
        let recorder = Recorder::start();
        race_on(&Machine::new(), &recorder, folder.path(), &["--seed=7", "--laps=2"]).expect_code(0);
        let searches = recorder.take().into_iter().filter(|seen| seen.target.contains("/_search"));
        let bodies: Vec<Vec<u8>> = searches.map(|seen| seen.body).collect();
        assert_eq!(bodies.len(), 200);
        bodies
    };
    let bodies = laps();
    assert_ne!(bodies[..100], bodies[100..]);
    assert_eq!(laps(), bodies);
}

#[test]
fn a_task_that_fails_in_one_lap_is_tried_again_in_the_next() {
    let machine = Machine::new();
    let run = race(&machine, beside_honest("runner", "panic", 5, 1000).path(), &["--laps=2"]);
    run.expect_code(1);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "tasks-failed");
    for lap in record["lap-results"].as_array().expect("laps") {
        for task in ["honest", "after"] {
            assert_eq!(row(lap, task)["requests"], HONEST, "{lap:#}");
        }
        assert_eq!(row(lap, "faulty-task")["requests"], 4);
    }
    assert_eq!(row(&record["results"], "honest")["requests"], 2 * HONEST);
}

#[test]
fn shipped_tracks_with_extensions_race_in_test_mode() {
    for name in ["random-profession", "percolate", "random-scheduler"] {
        let machine = Machine::new();
        let track = format!("--track={name}");
        let run = machine.rally(["run", "--test-mode", "--report-format=json", &track]);
        run.expect_code(0);
        let record = machine.only_race().1;
        assert_eq!((&record["track"], &record["status"]), (&json!(name), &json!("complete")));
        for row in record["results"]["op_metrics"].as_array().expect("rows") {
            assert_eq!(row["error_rate"], 0.0, "{name}: {row:#}");
        }
    }
}
