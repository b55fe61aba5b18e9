//! What a track of 2017 means is written down in the words of the current dialect, or said in a warning.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;

use rally_authoring::{Upgraded, upgrade};
use rally_track::{LoadOptions, TrackSource};
use serde_json::{Value, json};

/// A track of 2017 with two indices, the second of which nobody creates, and one challenge with this schedule.
fn upgraded(operations: Value, schedule: Value) -> Upgraded {
    let track = json!({
        "short-description": "short", "description": "with {{ '{{' }} braces }}",
        "data-url": "http://example.org/data",
        "indices": [
            {"name": "many", "types": [
                {"name": "a", "mapping": "a-mapping.json", "documents": "a.json.bz2", "document-count": 10,
                 "compressed-bytes": 3, "uncompressed-bytes": 70},
                {"name": "b", "mapping": "b-mapping.json"}
            ]},
            {"name": "self", "auto-managed": false, "types": [{"name": "b", "mapping": "b-mapping.json"}]}
        ],
        "templates": [{"name": "logs", "index-pattern": "logs-*", "delete-matching-indices": true, "template": "logs.json"}],
        "operations": operations,
        "challenges": [{
            "name": "only", "description": "only",
            "cluster-settings": {"indices.recovery.max_bytes_per_sec": "1mb"},
            "index-settings": {"index.number_of_shards": 2},
            "schedule": schedule
        }]
    });
    let folder = tempfile::tempdir().expect("folder");
    for (name, content) in [
        ("track.json", track),
        ("a-mapping.json", json!({"a": {"properties": {"x": {"type": "integer"}}}})),
        ("b-mapping.json", json!({"b": {"properties": {"y": {"type": "keyword"}}}})),
        (
            "logs.json",
            json!({"template": "logs-*", "settings": {}, "mappings": {"t": {"properties": {"y": {"type": "keyword"}}}}}),
        ),
    ] {
        fs::write(folder.path().join(name), content.to_string()).expect("file");
    }
    let source = TrackSource::from_path(folder.path()).expect("a track");
    upgrade(&rally_track::load(&source, &LoadOptions::default()).expect("a track of 2017")).expect("upgraded")
}

fn searches() -> Value {
    json!([
        {"name": "match-all", "operation-type": "search", "index": "many", "body": {"query": {"match_all": {}}}},
        {"name": "of-type", "operation-type": "search", "index": "many", "type": "a", "cache": true, "body": {}},
        {"name": "scroll", "operation-type": "search", "index": "many", "pages": 2, "results-per-page": 5, "body": {}},
        {"name": "index", "operation-type": "index", "bulk-size": 5},
        {"name": "force-merge", "operation-type": "force-merge", "max_num_segments": 1}
    ])
}

/// A file of the new track; the only templates in it have defaults that this leaves out.
fn file(upgraded: &Upgraded, name: &str) -> Value {
    let text = upgraded.files[name].replace("{{ cluster_health | default('green') }}", "green");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}\n{text}"))
}

fn schedule(upgraded: &Upgraded) -> Vec<Value> {
    file(upgraded, "track.json")["challenges"][0]["schedule"].as_array().expect("a list").clone()
}

#[test]
fn what_a_lap_did_before_its_tasks_becomes_operations() {
    let upgraded = upgraded(searches(), json!([{"operation": "match-all"}]));
    let operations: Vec<Value> =
        schedule(&upgraded).into_iter().map(|task| task["operation"].clone()).collect();
    assert_eq!(
        operations,
        [
            json!({"operation-type": "put-settings",
                   "body": {"transient": {"indices.recovery.max_bytes_per_sec": "1mb"}}}),
            json!({"operation-type": "delete-index-template"}),
            json!({"operation-type": "create-index-template"}),
            json!({"operation-type": "delete-index", "index": "many"}),
            json!({"operation-type": "create-index", "index": "many", "settings": {"index.number_of_shards": 2}}),
            json!({"operation-type": "cluster-health", "retry-until-success": true,
                   "request-params": {"wait_for_status": "green", "wait_for_no_relocating_shards": "true"}}),
            json!("match-all"),
        ],
        "an index that is not managed is neither deleted nor created"
    );
}

#[test]
fn types_become_one_mapping_and_documents_a_corpus() {
    let upgraded = upgraded(searches(), json!([{"operation": "match-all"}]));
    assert_eq!(
        file(&upgraded, "indices/many.json"),
        json!({"mappings": {"properties": {"x": {"type": "integer"}, "y": {"type": "keyword"}}}})
    );
    assert_eq!(
        file(&upgraded, "templates/logs.json"),
        json!({"index_patterns": ["logs-*"], "settings": {}, "mappings": {"properties": {"y": {"type": "keyword"}}}})
    );
    let corpora = &file(&upgraded, "track.json")["corpora"];
    assert_eq!(corpora[0]["base-url"], "http://example.org/data");
    assert_eq!(
        corpora[0]["documents"],
        json!([{"source-file": "a.json.bz2", "document-count": 10, "compressed-bytes": 3, "uncompressed-bytes": 70,
                "target-index": "many"}])
    );
}

#[test]
fn operations_have_the_names_of_today() {
    let all = ["match-all", "of-type", "scroll", "index", "force-merge"];
    let upgraded = upgraded(searches(), all.map(|name| json!({"operation": name})).to_vec().into());
    let track = file(&upgraded, "track.json");
    let operation = |name: &str| {
        let operations = track["operations"].as_array().unwrap();
        operations.iter().find(|operation| operation["name"] == name).unwrap().clone()
    };
    assert_eq!(operation("match-all")["cache"], false, "which nothing said meant in 2017");
    assert_eq!(operation("of-type")["cache"], true);
    assert_eq!(operation("scroll")["operation-type"], "scroll-search");
    assert_eq!(operation("index")["operation-type"], "bulk");
    assert_eq!(operation("force-merge")["max-num-segments"], 1);
}

#[test]
fn totals_become_counts_per_client_and_what_does_not_come_out_even_is_said() {
    let upgraded = upgraded(
        searches(),
        json!([
            {"operation": "match-all", "name": "even", "clients": 4, "warmup-iterations": 8, "iterations": 40},
            {"operation": "match-all", "name": "odd", "clients": 4, "iterations": 10}
        ]),
    );
    let tasks = schedule(&upgraded);
    let [.., even, odd] = tasks.as_slice() else { panic!("{tasks:?}") };
    assert_eq!((&even["warmup-iterations"], &even["iterations"]), (&json!(2), &json!(10)));
    assert_eq!(odd["iterations"], 3);
    assert_eq!(
        upgraded.warnings,
        ["task 'odd' of challenge 'only': 10 iterations in total over 4 clients become 3 for each client"]
    );
}

#[test]
fn a_search_of_one_type_among_several_is_said_to_search_all_of_them_now() {
    let upgraded = upgraded(searches(), json!([{"operation": "of-type"}]));
    assert_eq!(upgraded.warnings.len(), 1, "{:?}", upgraded.warnings);
    assert!(upgraded.warnings[0].contains("'of-type' searched only documents of type 'a'"));
}
