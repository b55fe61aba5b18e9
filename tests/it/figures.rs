//! What a race says is what its target counted: documents, requests, and what was kept of them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::node::Node;
use crate::support::{Machine, track};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::Deserializer;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use serde_json::{Value, json};

const DOCUMENTS: u64 = 1003;

impl Node {
    /// A figure of the statistics of an index.
    fn figure(&self, index: &str, pointer: &str) -> u64 {
        let stats = self.call("GET", &format!("/{index}/_stats"), "");
        stats["_all"]["primaries"].pointer(pointer).and_then(Value::as_u64).expect("a figure")
    }

    /// Races and gives the report.
    fn race(&self, machine: &Machine, folder: &Path, more: &[&str]) -> Value {
        let mut arguments = vec![
            "run".to_owned(),
            "--report-format=json".to_owned(),
            "--cluster-health=yellow".to_owned(),
            format!("--target-hosts={}", self.address),
            format!("--track-path={}", folder.display()),
        ];
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let run = machine.rally(arguments);
        run.expect_code(0);
        serde_json::from_str(&run.output).expect("a JSON report")
    }
}

/// Two indices with documents; these operations and schedule.
fn two_indices(operations: &Value, schedule: &Value, actions: bool) -> tempfile::TempDir {
    let documents = |index: &str, count: u64| -> String {
        (0..count)
            .map(|n| match actions {
                true => format!("{{\"index\":{{\"_index\":\"{index}\",\"_id\":\"d{n}\"}}}}\n{{\"n\":{n}}}\n"),
                false => format!("{{\"n\":{n}}}\n"),
            })
            .collect()
    };
    let index = |name: &str, count: u64| json!({"name": name, "types": [{"name": "doc", "mapping": "mapping.json", "documents": format!("{name}.json"), "document-count": count}]});
    let content = json!({
        "short-description": "numbers", "description": "numbers",
        "indices": [index("one", DOCUMENTS), index("two", 251)],
        "operations": operations,
        "challenges": [{"name": "only", "description": "the only one", "schedule": schedule}],
    });
    track(&[
        ("track.json", &content.to_string()),
        ("mapping.json", r#"{"doc": {"properties": {"n": {"type": "integer"}}}}"#),
        ("one.json", &documents("one", DOCUMENTS)),
        ("two.json", &documents("two", 251)),
    ])
}

/// The tasks of a report by name.
fn tasks(report: &Value) -> BTreeMap<&str, &Value> {
    let tasks = report["results"]["op_metrics"].as_array().expect("tasks");
    tasks.iter().map(|task| (task["task"].as_str().expect("a name"), task)).collect()
}

/// All requests of a task, warm-up included; none of them failed.
fn requests(task: &Value) -> u64 {
    assert_eq!(task["error_rate"], 0.0, "{task}");
    task["requests"].as_u64().expect("requests") + task["warmup-requests"].as_u64().expect("requests")
}

#[test]
fn every_document_arrives_once_per_lap_whatever_the_number_of_clients() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    for clients in [1, 2, 7, 17] {
        let operations =
            json!([{"name": "index", "operation-type": "index", "bulk-size": 37, "batch-size": 74}]);
        let folder = two_indices(&operations, &json!([{"operation": "index", "clients": clients}]), false);
        node.race(&machine, folder.path(), &["--laps=2"]);
        assert_eq!((node.count("one"), node.count("two")), (DOCUMENTS, 251), "{clients} clients");
        // Of the second lap alone: the indices were created anew.
        let indexed = ["one", "two"].map(|index| node.figure(index, "/indexing/index_total"));
        assert_eq!(indexed, [DOCUMENTS, 251], "{clients} clients");
        let distinct = r#"{"size":0,"aggs":{"n":{"cardinality":{"field":"n","precision_threshold":40000}}}}"#;
        let found = node.call("POST", "/one/_search", distinct);
        assert_eq!(found["aggregations"]["n"]["value"], DOCUMENTS, "{clients} clients");
    }
}

/// A track that deletes its index and creates it again, raced twice: the second race reports what the server says of the new index, not
/// by how much it differs from the old one.
#[test]
fn what_a_recreated_index_counted_is_what_its_node_says() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let documents: String = (0..DOCUMENTS).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let specification = json!({
        "version": 2, "description": "numbers",
        "indices": [{"name": "one", "body": "index.json"}],
        "corpora": [{"name": "one", "documents": [{"source-file": "one.json", "document-count": DOCUMENTS}]}],
        "schedule": [
            {"operation": {"operation-type": "delete-index"}},
            {"operation": {"operation-type": "create-index"}},
            {"operation": {"operation-type": "bulk", "bulk-size": 100, "refresh": "true"}},
        ],
    });
    let folder = track(&[
        ("track.json", &specification.to_string()),
        ("index.json", r#"{"settings": {"index.refresh_interval": "-1"}}"#),
        ("one.json", &documents),
    ]);
    for race in ["first", "second"] {
        let report = node.race(&machine, folder.path(), &[]);
        let counted = node.figure("one", "/refresh/total");
        assert!(counted >= 10, "{counted}");
        assert_eq!(report["results"]["refresh_count"], counted, "{race} race");
        let time = node.figure("one", "/indexing/index_time_in_millis");
        assert_eq!(report["results"]["total_time"], time, "{race} race");
    }
}

#[test]
fn searches_and_scroll_pages_of_the_report_are_those_that_the_node_counted() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let index = two_indices(
        &json!([{"name": "index", "operation-type": "index", "bulk-size": 100}]),
        &json!([{"operation": "index", "clients": 4}]),
        false,
    );
    let report = node.race(&machine, index.path(), &[]);
    // Each client fills its own bulks: 3 of a quarter of the one index, 1 of a quarter of the other.
    assert_eq!(requests(tasks(&report)["index"]), 4 * (3 + 1));
    assert_eq!(node.count("one"), DOCUMENTS);

    let before = ["/search/query_total", "/search/fetch_total"].map(|figure| node.figure("one", figure));
    let body = json!({"query": {"match_all": {}}});
    let search = track(&[(
        "track.json",
        &json!({
            "short-description": "searches", "description": "searches",
            "operations": [
                {"name": "search", "operation-type": "search", "index": "one", "body": body},
                {"name": "scroll", "operation-type": "search", "index": "one", "body": body, "pages": 5, "results-per-page": 100},
            ],
            "challenges": [{"name": "only", "description": "the only one", "schedule": [
                {"operation": "search", "clients": 3, "warmup-iterations": 10, "iterations": 40},
                {"operation": "scroll", "clients": 2, "warmup-iterations": 3, "iterations": 7},
            ]}],
        })
        .to_string(),
    )]);
    let report = node.race(&machine, search.path(), &[]);
    let tasks = tasks(&report);
    assert_eq!((requests(tasks["search"]), requests(tasks["scroll"])), (50, 10));
    let after = ["/search/query_total", "/search/fetch_total"].map(|figure| node.figure("one", figure));
    let sent = requests(tasks["search"]) + 5 * requests(tasks["scroll"]);
    assert_eq!([after[0] - before[0], after[1] - before[1]], [sent, sent]);
    assert_eq!(node.figure("one", "/search/scroll_total"), 10, "every scroll was closed");
}

#[test]
fn the_histogram_log_has_every_request_of_the_record() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let folder = two_indices(
        &json!([
            {"name": "index", "operation-type": "index", "bulk-size": 100},
            {"name": "statistics", "operation-type": "index-stats"},
        ]),
        &json!([
            {"operation": "index", "clients": 4},
            {"operation": "statistics", "clients": 2, "warmup-iterations": 5, "iterations": 30, "target-throughput": 20},
        ]),
        false,
    );
    node.race(&machine, folder.path(), &["--laps=2"]);
    let (race, record) = machine.only_race();
    let log = std::fs::read(race.join("histograms.hlog")).expect("a log");
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for entry in IntervalLogIterator::new(&log) {
        if let LogEntry::Interval(interval) = entry.expect("a line as the format has it") {
            let bytes = STANDARD.decode(interval.encoded_histogram()).expect("Base64");
            let histogram: hdrhistogram::Histogram<u64> =
                Deserializer::new().deserialize(&mut bytes.as_slice()).expect("a histogram");
            let tag = interval.tag().expect("a tag").as_str().to_owned();
            *counts.entry(tag).or_default() += histogram.len();
        }
    }
    for (lap, results) in (1..).zip(record["lap-results"].as_array().expect("laps")) {
        for task in results["op_metrics"].as_array().expect("tasks") {
            let name = task["task"].as_str().expect("a name");
            for (kind, key) in [("normal", "requests"), ("warmup", "warmup-requests")] {
                let tag = format!("lap-{lap}/{name}/service_time/{kind}/success");
                assert_eq!(task[key], counts.get(&tag).copied().unwrap_or(0), "{tag} of {counts:?}");
            }
        }
    }
    assert_eq!(counts["lap-2/statistics/latency/normal/success"], 30);
}

#[test]
fn the_same_seed_leaves_the_same_documents_behind() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let operations =
        json!([{"name": "index", "operation-type": "index", "bulk-size": 37, "conflicts": "random"}]);
    // One client: between clients the order of arrival decides which of two conflicting documents stays.
    let folder = two_indices(&operations, &json!([{"operation": "index"}]), false);
    let race = |seed: &str| {
        node.race(&machine, folder.path(), &[&format!("--seed={seed}")]);
        assert_eq!(node.figure("one", "/indexing/index_total"), DOCUMENTS);
        assert!(node.count("one") < DOCUMENTS, "some ids come again");
        let all = node.call("POST", "/one/_search", r#"{"size":2000,"sort":["n"]}"#);
        let hits = all["hits"]["hits"].as_array().expect("hits").iter();
        hits.map(|hit| (hit["_id"].to_string(), hit["_source"]["n"].to_string())).collect::<Vec<_>>()
    };
    let first = race("7");
    assert_eq!(first, race("7"));
    assert_ne!(first, race("8"));
}

#[test]
fn actions_of_the_source_file_are_sent_as_they_are() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let operations = json!([
        {"name": "index", "operation-type": "index", "bulk-size": 37, "action-and-meta-data": "sourcefile"}
    ]);
    let folder = two_indices(&operations, &json!([{"operation": "index", "clients": 5}]), true);
    let report = node.race(&machine, folder.path(), &[]);
    // A fifth of each index in bulks of 37 pairs.
    assert_eq!(requests(tasks(&report)["index"]), 5 * (6 + 2));
    assert_eq!((node.count("one"), node.count("two")), (DOCUMENTS, 251));
    assert_eq!(node.call("GET", "/one/_doc/d1002", "")["_source"]["n"], 1002);
}

#[test]
fn a_broken_document_is_found_in_test_mode_before_anything_is_sent() {
    let machine = Machine::new();
    let folder = crate::support::small_track(crate::support::OPERATIONS, r#"[{"operation": "index"}]"#);
    let documents: String = (0..1000)
        .map(|n| if n == 4 { "{\"rank\":}\n".to_owned() } else { format!("{{\"rank\":{n}}}\n") })
        .collect();
    std::fs::write(folder.path().join("documents-1k.json"), documents).expect("written");
    let path = format!("--track-path={}", folder.path().display());
    let run = machine.rally(["run", "--test-mode", &path]);
    run.expect_code(64).expect_error(&["documents-1k.json", "line 5", "not a valid JSON object"]);
}

/// Peak of the memory of a load driver that sends so many requests, in KiB.
fn peak_memory(machine: &Machine, node: &Node, requests: u64) -> u64 {
    let folder = track(&[(
        "track.json",
        &json!({
            "short-description": "searches", "description": "searches",
            "operations": [{"name": "search", "operation-type": "search", "index": "none*", "body": {"query": {"match_all": {}}}}],
            "challenges": [{"name": "only", "description": "the only one", "schedule": [{"operation": "search", "clients": 8, "iterations": requests}]}],
        })
        .to_string(),
    )]);
    let hosts = format!("--target-hosts={}", node.address);
    let path = format!("--track-path={}", folder.path().display());
    let mut driver = machine.command(["run", "--quiet", &hosts, &path]).spawn().expect("rally starts");
    let status = format!("/proc/{}/status", driver.id());
    let mut peak = 0;
    let ended = loop {
        let read = std::fs::read_to_string(&status).unwrap_or_default();
        let line = read.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        if let Some(size) = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()) {
            peak = size;
        }
        if let Some(ended) = driver.try_wait().expect("its state") {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    assert!(ended.success());
    peak
}

#[test]
fn five_times_the_requests_take_no_more_memory() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    // Enough that all code and all buffers have been touched: a race of 2,000 requests takes 4 MB less than one of 40,000, which
    // takes as much as one of 200,000.
    let few = peak_memory(&machine, &node, 20_000);
    let many = peak_memory(&machine, &node, 100_000);
    // Even 100 bytes for each request would be 8 MB; pages come and go by a megabyte or two.
    assert!(few > 1024 && many < few + 4 * 1024, "{few} KiB, then {many} KiB");
}

#[test]
fn meta_data_are_merged_into_each_record() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let folder = track(&[(
        "track.json",
        &json!({
            "short-description": "meta", "description": "meta", "#COMMENT": "of no meaning",
            "meta": {"a": "track", "b": "track", "c": "track", "d": "track"},
            "operations": [{"name": "statistics", "operation-type": "node-stats", "meta": {"c": "operation", "d": "operation"}}],
            "challenges": [{
                "name": "only", "description": "the only one", "user-info": "Mind the gap.", "meta": {"b": "challenge", "c": "challenge", "d": "challenge"},
                "schedule": [{"operation": "statistics", "meta": {"d": "task"}}],
            }],
        })
        .to_string(),
    )]);
    let report = node.race(&machine, folder.path(), &["--user-tag=branch:main,heap:4g"]);
    let expected = json!({"a": "track", "b": "challenge", "c": "operation", "d": "task"});
    assert_eq!(tasks(&report)["statistics"]["meta"], expected);
    let (_, record) = machine.only_race();
    assert_eq!(record["results"]["op_metrics"][0]["meta"], expected);
    assert_eq!(record["user-tags"], json!({"branch": "main", "heap": "4g"}));
    let digest = record["track-digests"]["track.json"].as_str().expect("a digest");
    assert!(digest.starts_with("sha256:"), "{digest}");
    let options = &record["options"];
    assert_eq!(
        (&options["cluster-health"], &options["client-options"]["timeout"]),
        (&json!("yellow"), &json!(60.0))
    );
    let again = machine.rally([
        "run".to_owned(),
        format!("--target-hosts={}", node.address),
        format!("--track-path={}", folder.path().display()),
    ]);
    assert!(again.errors.contains("Mind the gap."), "{}", again.errors);
}
