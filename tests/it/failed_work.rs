//! Work that failed: it is not throughput, it is counted, it decides about the exit code, and what prepares a race must not fail.

use std::path::Path;

use crate::support::node::Node;
use crate::support::{Machine, Run, track};
use serde_json::{Value, json};

fn report(run: &Run) -> Value {
    serde_json::from_str(&run.output)
        .unwrap_or_else(|error| panic!("no JSON report ({error}) in\n{}\n{}", run.output, run.errors))
}

fn task<'r>(report: &'r Value, name: &str) -> &'r Value {
    let tasks = report["results"]["op_metrics"].as_array().expect("op_metrics");
    tasks.iter().find(|task| task["task"] == name).unwrap_or_else(|| panic!("no task {name} in {report}"))
}

/// Twelve documents of which those with the numbers `broken` do not fit the mapping, sent in bulks of 4 by one client.
fn documents(dialect: &str, broken: &[u32]) -> tempfile::TempDir {
    let documents: String = (0..12)
        .map(|number| match broken.contains(&number) {
            true => format!("{{\"rank\":\"word {number}\"}}\n"),
            false => format!("{{\"rank\":{number}}}\n"),
        })
        .collect();
    let properties = json!({"rank": {"type": "integer"}});
    let (content, index) = match dialect {
        "2017" => (
            json!({
                "short-description": "d", "description": "d",
                "indices": [{"name": "places", "types": [{
                    "name": "doc", "mapping": "index.json", "documents": "documents.json", "document-count": 12
                }]}],
                "operations": [{"name": "index", "operation-type": "index", "bulk-size": 4}],
                "challenges": [{"name": "only", "description": "the only one", "schedule": [{"operation": "index"}]}],
            }),
            json!({"doc": {"properties": properties}}),
        ),
        _ => (
            json!({
                "version": 2, "description": "d",
                "indices": [{"name": "places", "body": "index.json"}],
                "corpora": [{"name": "places", "documents": [{"source-file": "documents.json", "document-count": 12}]}],
                "schedule": [
                    {"operation": {"operation-type": "create-index"}},
                    {"operation": {"name": "index", "operation-type": "bulk", "bulk-size": 4}},
                ],
            }),
            json!({"mappings": {"properties": properties}}),
        ),
    };
    track(&[
        ("track.json", &content.to_string()),
        ("index.json", &index.to_string()),
        ("documents.json", &documents),
    ])
}

fn race(machine: &Machine, folder: &Path, more: &[&str]) -> Run {
    let mut arguments = vec!["run".to_owned(), format!("--track-path={}", folder.display())];
    arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
    machine.rally(arguments)
}

/// All 12 documents rejected: no throughput, 12 failed documents, error rate 1, exit code 1. Elastic Rally counts 12 documents.
#[test]
fn a_race_whose_documents_are_all_rejected_has_no_throughput_and_fails() {
    for dialect in ["2017", "current"] {
        let machine = Machine::new();
        let folder = documents(dialect, &Vec::from_iter(0..12));
        let run = race(&machine, folder.path(), &["--report-format=json"]);
        run.expect_code(1).expect_error(&["no request of 'index' succeeded"]);
        let report = report(&run);
        assert_eq!(report["status"], "tasks-failed", "{dialect}");
        let task = task(&report, "index");
        assert_eq!((&task["error_rate"], &task["failed_documents"]), (&json!(1.0), &json!(12)), "{dialect}");
        assert_eq!(task["throughput"]["mean"], Value::Null, "{dialect}");
        assert!(task["rally_throughput"]["mean"].as_f64().expect("Rally counts it") > 0.0, "{dialect}");
        assert_eq!(task["rally_throughput"]["unit"], "docs/s", "{dialect}");
        // The first failed document of one of the bulks, with its name, id, field and cause.
        let example = task["failures"][0]["example"].as_str().expect("an example");
        assert!(example.contains("[rank]") && example.contains("caused by"), "{dialect}: {example}");
        assert_eq!(machine.only_race().1["status"], "tasks-failed");
    }
}

/// 2 of 12 documents rejected, in 1 of 3 bulks: throughput is that of 10, and the race is fine.
#[test]
fn rejected_documents_are_counted_and_are_not_throughput() {
    let machine = Machine::new();
    let folder = documents("current", &[5, 6]);
    let run = race(&machine, folder.path(), &["--report-format=json"]);
    run.expect_code(0);
    let report = report(&run);
    let index = task(&report, "index");
    assert_eq!(index["failed_documents"], 2);
    assert!((index["error_rate"].as_f64().expect("a rate") - 1.0 / 3.0).abs() < 1e-9);
    let table = race(&machine, folder.path(), &[]);
    assert!(table.output.contains("failed documents"), "{}", table.output);
    assert!(table.output.contains(", 2 documents failed"), "{}", table.output);
}

#[test]
fn a_create_index_that_fails_ends_the_race_unless_the_user_says_otherwise() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    node.call("PUT", "/places", "");
    let folder = documents("current", &[]);
    let hosts = format!("--target-hosts={}", node.address);
    let run = race(&machine, folder.path(), &[&hosts, "--report-format=json"]);
    run.expect_code(1).expect_error(&["'create-index' failed", "--on-error=continue"]);
    let report = report(&run);
    assert_eq!(report["status"], "failed");
    assert_eq!(task(&report, "index")["requests"], 0);
    assert_eq!(node.count("places"), 0, "nothing was mixed with what was there");

    for chosen in ["--on-error=continue", "--on-error=continue-on-network"] {
        let run = race(&machine, folder.path(), &[&hosts, chosen, "--report-format=json"]);
        // The race goes on; of create-index nothing succeeded.
        run.expect_code(1).expect_error(&["no request of 'create-index' succeeded"]);
        assert_eq!(task(&self::report(&run), "index")["requests"], 3, "{chosen}");
    }
}

#[test]
fn a_task_that_may_fail_does_not_make_the_race_fail() {
    let machine = Machine::new();
    let content = json!({
        "version": 2, "description": "d",
        "schedule": [{
            "operation": {"name": "miss", "operation-type": "search", "index": "none", "body": {"query": {"match_all": {}}}},
            "ignore-response-error-level": "non-fatal"
        }],
    });
    let folder = track(&[("track.json", &content.to_string())]);
    let run = race(&machine, folder.path(), &["--report-format=json"]);
    run.expect_code(0);
    assert_eq!(task(&report(&run), "miss")["error_rate"], 1.0);
}
