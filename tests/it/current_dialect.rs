//! Races of tracks in the current dialect from end to end: on the embedded node, or on the target that `RALLY_TEST_TARGET`
//! names.

use crate::support::{Machine, Run, track};
use serde_json::{Value, json};

const DOCUMENTS: usize = 1000;

/// A track of 1,000 places with this schedule.
fn places(schedule: Value) -> tempfile::TempDir {
    let documents: String = (0..DOCUMENTS)
        .map(|number| {
            let kind = if number % 2 == 0 { "even" } else { "odd" };
            format!("{{\"name\":\"place {number}\",\"rank\":{number},\"kind\":\"{kind}\"}}\n")
        })
        .collect();
    let specification = json!({
        "version": 2,
        "description": "1,000 places",
        "indices": [{"name": "rally-places", "body": "index.json"}],
        "corpora": [{"name": "rally-places", "documents": [{
            "source-file": "documents.json",
            "document-count": DOCUMENTS,
            "uncompressed-bytes": documents.len()
        }]}],
        "schedule": schedule
    });
    let index = json!({
        "settings": {"index.number_of_shards": 1},
        "mappings": {"dynamic": "strict", "properties": {
            "name": {"type": "text"}, "rank": {"type": "integer"}, "kind": {"type": "keyword"}
        }}
    });
    track(&[
        ("track.json", &specification.to_string()),
        ("index.json", &index.to_string()),
        ("documents.json", &documents),
    ])
}

/// What brings the documents in, and makes sure that they are there.
fn indexing() -> Vec<Value> {
    let count = json!({"path": "_all.primaries.docs.count", "expected-value": DOCUMENTS});
    let merges = json!({"path": "_all.total.merges.current", "expected-value": 0});
    vec![
        json!({"operation": {"operation-type": "delete-index"}}),
        json!({"operation": {"operation-type": "create-index", "settings": {"index.number_of_replicas": 0}}}),
        json!({"name": "check-cluster-health", "operation": {
            "operation-type": "cluster-health", "index": "rally-places", "retry-until-success": true,
            "request-params": {"wait_for_status": "green", "wait_for_no_relocating_shards": "true"}
        }}),
        json!({"operation": {"name": "index", "operation-type": "bulk", "bulk-size": 50}, "clients": 4}),
        json!({"name": "refresh-after-index", "operation": "refresh"}),
        json!({"operation": {"operation-type": "force-merge", "max-num-segments": 1, "request-timeout": 60}}),
        json!({"name": "wait-until-merges-finish", "operation": {
            "operation-type": "index-stats", "index": "rally-places", "condition": merges,
            "retry-until-success": true, "include-in-reporting": false
        }}),
        json!({"name": "count", "operation": {
            "operation-type": "index-stats", "index": "rally-places", "condition": count
        }}),
    ]
}

fn race(machine: &Machine, track: &tempfile::TempDir, more: &[&str]) -> Run {
    let mut arguments = vec!["run".to_owned(), format!("--track-path={}", track.path().display())];
    arguments
        .extend(std::env::var("RALLY_TEST_TARGET").ok().map(|target| format!("--target-hosts={target}")));
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    machine.rally(arguments)
}

fn task<'r>(race: &'r Value, name: &str) -> &'r Value {
    let tasks = race["results"]["op_metrics"].as_array().expect("op_metrics");
    tasks.iter().find(|task| task["task"] == name).unwrap_or_else(|| panic!("no task {name} in {race}"))
}

#[test]
fn a_track_brings_its_documents_in_and_searches_them() {
    let mut schedule = indexing();
    schedule.extend([
        json!({"parallel": {"completed-by": "term", "tasks": [
            {"name": "term", "clients": 2, "warmup-iterations": 5, "iterations": 20, "target-throughput": 200,
             "operation": {"operation-type": "search", "body": {"query": {"term": {"kind": "odd"}}}}},
            {"name": "match-all", "time-period": 3600,
             "operation": {"operation-type": "search", "body": {"query": {"match_all": {}}}, "detailed-results": true}}
        ]}}),
        json!({"name": "scroll", "iterations": 2, "operation": {
            "operation-type": "scroll-search", "body": {"query": {"match_all": {}}}, "pages": "all", "results-per-page": 100
        }}),
        json!({"operation": {"name": "nap", "operation-type": "sleep", "duration": 0.05, "include-in-reporting": true}}),
        json!({"operation": {"name": "cat", "operation-type": "raw-request", "path": "/_cat/indices?v"}}),
        json!({"operation": "node-stats"}),
    ]);
    let machine = Machine::new();
    // What is not as expected ends the race: the number of documents above all.
    let run = race(&machine, &places(json!(schedule)), &["--on-error=abort"]);
    run.expect_code(0);
    let (_, race) = machine.only_race();
    // 4 clients with 250 documents each, 50 per request.
    assert_eq!(task(&race, "index")["requests"], 20);
    assert_eq!(task(&race, "index")["throughput"]["unit"], "docs/s");
    // Iterations are those of each client.
    assert_eq!(
        (&task(&race, "term")["requests"], &task(&race, "term")["warmup-requests"]),
        (&json!(40), &json!(10))
    );
    assert!(task(&race, "match-all")["requests"].as_u64().expect("a number") > 0);
    assert_eq!(task(&race, "scroll")["throughput"]["unit"], "pages/s");
    for shown in ["index", "term", "match-all", "scroll", "nap", "cat", "node-stats"] {
        assert!(run.output.contains(&format!(" {shown} |")), "{shown} in\n{}", run.output);
    }
    for hidden in
        ["delete-index", "create-index", "check-cluster-health", "refresh-after-index", "force-merge"]
    {
        assert!(!run.output.contains(&format!(" {hidden} |")), "{hidden} in\n{}", run.output);
        assert_eq!(task(&race, hidden)["error_rate"], 0.0, "{race}");
    }
}

#[test]
fn the_first_client_completes_an_element_that_any_completes() {
    let mut schedule = indexing();
    schedule.push(json!({"parallel": {"completed-by": "any", "tasks": [
        {"name": "short", "iterations": 5,
         "operation": {"operation-type": "search", "body": {"query": {"match_all": {}}}}},
        {"name": "long", "clients": 2, "time-period": 3600,
         "operation": {"operation-type": "search", "body": {"query": {"match_all": {}}}}}
    ]}}));
    let machine = Machine::new();
    race(&machine, &places(json!(schedule)), &["--on-error=abort"]).expect_code(0);
    assert_eq!(task(&machine.only_race().1, "short")["requests"], 5);
}

#[test]
fn a_target_in_documents_throttles_bulks() {
    let mut schedule = indexing();
    // 20 requests of 50 documents at 5,000 documents per second take a fifth of a second at least.
    schedule[3] = json!({"operation": {"name": "index", "operation-type": "bulk", "bulk-size": 50}, "clients": 4,
                         "target-throughput": "5000 docs/s"});
    let machine = Machine::new();
    race(&machine, &places(json!(schedule)), &["--on-error=abort"]).expect_code(0);
    let index = task(&machine.only_race().1, "index").clone();
    assert_eq!(index["requests"], 20);
    assert!(index["duration"].as_f64().expect("a number") >= 150.0, "{index}");
}

#[test]
fn a_target_in_another_unit_than_the_task_counts_ends_the_race() {
    let mut schedule = indexing();
    schedule[3]["target-throughput"] = json!("5000 pages/s");
    let machine = Machine::new();
    let run = race(&machine, &places(json!(schedule)), &[]);
    run.expect_code(1).expect_error(&["'index'", "'pages/s'", "'docs/s'"]);
}

#[test]
fn an_operation_that_nobody_knows_is_an_error_before_anything_is_sent() {
    let machine = Machine::new();
    let schedule = json!([{"operation": {"operation-type": "creat-index"}}]);
    let run = race(&machine, &places(schedule), &[]);
    run.expect_code(64)
        .expect_error(&["unknown operation type 'creat-index'", "did you mean 'create-index'?"]);
}
