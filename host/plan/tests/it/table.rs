//! Plans for people.

use std::fs;

use rally_plan::{plan, table};
use rally_track::{LoadOptions, TrackSource};
use serde_json::{Value, json};

/// The text of a plan of a track with one challenge that has this schedule.
fn text(schedule: Value, width: Option<u16>) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    let track = json!({
        "description": "Places of the world",
        "corpora": [{"name": "c", "documents": [
            {"source-file": "one.json", "document-count": 1000, "target-index": "i"},
            {"source-file": "two.json.bz2", "document-count": 500, "includes-action-and-meta-data": true},
        ]}],
        "challenges": [{"name": "search", "description": "It searches", "schedule": schedule}],
    });
    fs::write(folder.path().join("track.json"), track.to_string()).expect("written");
    let source = TrackSource::Repository { name: "places".to_owned(), directory: folder.path().to_owned() };
    let options = LoadOptions { any_names: true, ..LoadOptions::default() };
    table::text(&plan(&source, &options, "default").expect("a plan"), None, width)
}

fn search(name: &str) -> Value {
    json!({"name": name, "operation-type": "search", "index": "i", "body": {}})
}

/// The cells of the only row that has this text.
fn row(text: &str, part: &str) -> Vec<String> {
    let mut rows = text.lines().filter(|line| line.contains(part));
    let row = rows.next().unwrap_or_else(|| panic!("no line has {part}:\n{text}"));
    row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_throttled_task_has_a_duration() {
    let text = text(
        json!([{"operation": search("find"), "clients": 2, "warmup-iterations": 50, "iterations": 100, "target-throughput": 40}]),
        None,
    );
    assert_eq!(
        row(&text, "ops/s"),
        ["1", "find", "search", "2", "100 + 200 times", "300", "40 ops/s", "7.5 s"]
    );
    assert!(text.contains("1 step, estimated duration: 7.5 s where the target keeps up"), "{text}");
}

#[test]
fn what_depends_on_the_target_is_unknown() {
    let text = text(json!([{"operation": search("find"), "iterations": 100}]), None);
    assert_eq!(
        row(&text, "unthrottled"),
        ["1", "find", "search", "1", "100 times", "100", "unthrottled", "unknown"]
    );
    assert!(
        text.contains("estimated duration: unknown; how long one step takes is up to the target"),
        "{text}"
    );
    assert!(text.contains("no task is throttled"), "{text}");
}

#[test]
fn operations_of_an_extension_are_not_guessed() {
    let operation = json!({"name": "own", "operation-type": "my-own", "param-source": "mine"});
    let text = text(json!([{"operation": operation}]), None);
    assert_eq!(
        row(&text, "my-own"),
        ["1", "own", "my-own", "1", "as its own code says", "unknown", "unthrottled", "unknown"]
    );
}

#[test]
fn documents_are_shown_by_client_and_file() {
    let bulk = json!({"name": "index", "operation-type": "bulk", "bulk-size": 100});
    let text = text(json!([{"operation": bulk, "clients": 2}]), None);
    assert!(
        text.contains("Documents of 'index': 16 bulk requests of up to 100 documents, by 2 clients"),
        "{text}"
    );
    assert_eq!(row(&text, "0–499  "), ["0", "one.json", "0–499", "500", "5"]);
    assert_eq!(row(&text, "500–999 "), ["1", "one.json", "500–999", "500", "5"]);
    let of_two: Vec<&str> = text.lines().filter(|line| line.contains("two.json ")).collect();
    assert_eq!(of_two.len(), 2);
    assert_eq!(row(of_two[1], "two.json"), ["two.json", "500–999", "250", "3"]);
}

#[test]
fn documents_of_many_clients_share_rows() {
    let bulk = json!({"name": "index", "operation-type": "bulk", "bulk-size": 10});
    let text = text(json!([{"operation": bulk, "clients": 100}]), None);
    assert_eq!(row(&text, "one.json"), ["0–99", "one.json", "0–999", "10", "1"]);
    assert_eq!(row(&text, "two.json"), ["0–99", "two.json", "0–999", "5", "1"]);
}

#[test]
fn clients_that_do_the_same_share_rows() {
    let tasks = ["a", "b", "c"]
        .map(|name| json!({"name": name, "operation": search("find"), "clients": 2, "iterations": 1}));
    let text = text(
        json!([{"operation": search("find"), "clients": 4}, {"parallel": {"clients": 4, "tasks": tasks}}]),
        None,
    );
    assert!(text.lines().any(|line| line.split_whitespace().eq(["1", "0–3", "find"])), "{text}");
    assert!(text.lines().any(|line| line.split_whitespace().eq(["2", "0–1", "a,", "c"])), "{text}");
    assert!(text.lines().any(|line| line.split_whitespace().eq(["2–3", "b"])), "{text}");
}

#[test]
fn the_rate_changes_when_a_task_of_a_parallel_element_is_done() {
    let tasks = json!([
        {"name": "fast", "operation": search("find"), "time-period": 10, "target-throughput": 90},
        {"name": "slow", "operation": search("find"), "time-period": 30, "target-interval": 0.1},
    ]);
    let text = text(json!([{"parallel": {"tasks": tasks}}]), None);
    assert_eq!(row(&text, "fast, slow"), ["0 s", "10 s", "100", "█".repeat(30).as_str(), "fast, slow"]);
    assert_eq!(row(&text, "20 s"), ["10 s", "20 s", "10", "███", "slow"]);
    assert!(text.contains("estimated duration: 30 s where the target keeps up"), "{text}");
}

#[test]
fn the_completing_task_ends_its_step() {
    let tasks = json!([
        {"name": "long", "operation": search("find"), "time-period": 100, "target-throughput": 1},
        {"name": "short", "operation": search("find"), "iterations": 20, "target-throughput": 2},
    ]);
    let text = text(json!([{"parallel": {"completed-by": "short", "tasks": tasks}}]), None);
    assert!(text.contains("estimated duration: 10 s where"), "{text}");
    assert!(text.contains("short (ends the step)"), "{text}");
}

#[test]
fn sleeping_takes_the_time_that_it_says() {
    let text = text(json!([{"operation": {"operation-type": "sleep", "duration": 90}}]), None);
    assert!(text.contains("estimated duration: 1 min 30 s where"), "{text}");
}

#[test]
fn lines_fit_narrow_and_wide_terminals() {
    let bulk =
        json!({"name": "index-with-a-very-long-name-indeed", "operation-type": "bulk", "bulk-size": 100});
    let schedule = json!([
        {"operation": {"operation-type": "create-index"}},
        {"operation": bulk, "clients": 8, "warmup-time-period": 120},
        {"operation": search("search-with-a-name-that-is-longer-than-others"), "warmup-iterations": 500, "iterations": 1000,
         "target-throughput": 12.5, "schedule": "poisson"},
    ]);
    for width in [80, 200] {
        let text = text(schedule.clone(), Some(width));
        for line in text.lines() {
            assert!(line.chars().count() <= usize::from(width), "{width}: {line}\n{text}");
        }
    }
}
