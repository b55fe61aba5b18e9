//! A small race's worth of calls against a genuine server: `RALLY_TEST_TARGET=host:port cargo test -p rally-cluster --test
//! genuine_target`. Without the variable there is nothing to talk to, and the test says so. It creates and deletes indices
//! whose names begin with `rally-cluster-test`.

use std::sync::Arc;

use crate::support::{block_on, description, document_set, object};
use rally_cluster::setup::{HealthExpectation, prepare_lap};
use rally_cluster::telemetry::ClusterInfo;
use rally_cluster::{
    ClientOptions, Cluster, ClusterHealth, LapTelemetry, TargetBindings, parse_target_hosts,
};
use rally_operations::bulk::bounds;
use rally_race::{Bindings as _, More, Partition};
use rally_track::{Challenge, Dialect, Index, IndexTemplate, MappingType, Operation, Task, Track};
use serde_json::{Map, Value, json};

const DOCUMENTS: u64 = 1003;
const INDEX: &str = "rally-cluster-test";

fn track() -> Track {
    Track {
        indices: vec![Index {
            auto_managed: true,
            types: vec![MappingType {
                name: "place".to_owned(),
                mapping: json!({"place": {"dynamic": "strict", "properties": {
                    "name": {"type": "text", "fields": {"raw": {"type": "keyword"}}},
                    "code": {"type": "string", "index": "not_analyzed"},
                    "n": {"type": "long"}
                }}}),
            }],
            ..Index::new(INDEX)
        }],
        templates: vec![IndexTemplate {
            name: "rally-cluster-test-template".to_owned(),
            index_pattern: "rally-cluster-test-t*".to_owned(),
            delete_matching_indices: true,
            template: json!({"template": "rally-cluster-test-t*", "settings": {"number_of_shards": 1},
                "mappings": {"logs": {"properties": {"message": {"type": "text"}}}}}),
        }],
        challenges: vec![Challenge {
            default: true,
            index_settings: object(json!({"index.number_of_replicas": 0, "index.number_of_shards": 2})),
            cluster_settings: object(json!({"indices.recovery.max_bytes_per_sec": "40mb"})),
            ..Challenge::new("default", Vec::new())
        }],
        ..Track::new("genuine", Dialect::Rally2017, ".")
    }
}

fn task(spec: Value) -> Task {
    let params = object(spec);
    Task::new(
        "task",
        Operation {
            name: "operation".to_owned(),
            operation_type: params["operation-type"].as_str().unwrap().to_owned(),
            param_source: None,
            meta: Map::new(),
            params,
        },
    )
}

/// Performs a task with so many clients, one after the other, to the end of its data or once; returns the weights.
async fn perform(bindings: &TargetBindings, spec: Value, clients: u32) -> Vec<f64> {
    let spec_text = spec.to_string();
    let binding = bindings.bind(&task(spec)).unwrap();
    let mut weights = Vec::new();
    for index in 0..clients {
        let partition = Partition { index, total: clients, seed: 7 };
        let mut source = crate::support::ahead(&binding).open(partition).unwrap();
        let mut runner = binding.runner.open(partition).await.unwrap();
        let mut all = Vec::new();
        match source.constant() {
            Some(params) => all.push(params),
            None => while source.next(10, &mut all).unwrap() == More::Yes {},
        }
        for params in &all {
            let outcome = runner.run(params).await.unwrap();
            assert_eq!(description(&outcome), "", "{spec_text}");
            assert!(outcome.received > outcome.sent);
            weights.push(outcome.weight);
        }
    }
    weights
}

async fn count(cluster: &Cluster) -> u64 {
    let mut api = cluster.api();
    api.call(http::Method::POST, &format!("/{INDEX}/_refresh"), None).await.unwrap();
    api.get(&format!("/{INDEX}/_count")).await.unwrap()["count"].as_u64().unwrap()
}

#[test]
#[ignore = "needs RALLY_TEST_TARGET"]
fn a_genuine_server_is_set_up_filled_searched_and_measured() {
    let address = std::env::var("RALLY_TEST_TARGET").expect("RALLY_TEST_TARGET names a server");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("documents.json");
    let mut text = String::new();
    for number in 0..DOCUMENTS {
        text.push_str(
            &json!({"name": format!("place {number}"), "code": format!("C{}", number % 7), "n": number})
                .to_string(),
        );
        text.push('\n');
    }
    std::fs::write(&path, text).unwrap();
    let track = Arc::new(track());
    let challenge = &track.challenges[0];
    block_on(async {
        let hosts = parse_target_hosts(&address).unwrap();
        let cluster = Arc::new(Cluster::connect(&hosts, &ClientOptions::default()).await.unwrap());
        let info = ClusterInfo::of(&cluster).await;
        println!("{}", serde_json::to_string_pretty(&info).unwrap());
        let expected = HealthExpectation { health: ClusterHealth::Yellow, ..HealthExpectation::default() };
        let bindings = TargetBindings::new(
            Arc::clone(&track),
            vec![document_set(&path, INDEX, "place", DOCUMENTS, false)],
            Arc::clone(&cluster),
        );
        for _lap in 0..2 {
            prepare_lap(&cluster, &track, challenge, &expected).await.unwrap();
            let telemetry = LapTelemetry::start(&cluster).await;
            let weights = perform(&bindings, json!({"operation-type": "index", "bulk-size": 100}), 3).await;
            assert_eq!(weights.iter().sum::<f64>(), DOCUMENTS as f64);
            assert_eq!(weights[0], 100.0);
            assert_eq!(bounds(DOCUMENTS, 0, 3).documents, 334);
            assert_eq!(count(&cluster).await, DOCUMENTS);
            let query = json!({"query": {"term": {"code": "C3"}}, "size": 3});
            let search = json!({"operation-type": "search", "index": INDEX, "body": query, "cache": true});
            assert_eq!(perform(&bindings, search, 2).await, [1.0, 1.0]);
            let all = json!({"query": {"match_all": {}}});
            let scroll =
                json!({"operation-type": "search", "body": all, "pages": "all", "results-per-page": 300});
            // Four pages with documents (300, 300, 300, 103) and the empty one that ends the scroll.
            assert_eq!(perform(&bindings, scroll, 1).await, [5.0]);
            let scroll =
                json!({"operation-type": "search", "body": all, "pages": 2, "results-per-page": 300});
            assert_eq!(perform(&bindings, scroll, 1).await, [2.0]);
            for spec in [
                json!({"operation-type": "force-merge", "max_num_segments": 1}),
                json!({"operation-type": "force-merge"}),
                json!({"operation-type": "index-stats"}),
                json!({"operation-type": "node-stats"}),
            ] {
                assert_eq!(perform(&bindings, spec, 1).await, [1.0]);
            }
            let metrics = telemetry.finish(&cluster).await.metrics;
            for metric in &metrics {
                println!("{} = {} {}", metric.name, metric.value, metric.unit);
            }
            for name in [
                "indexing_total_time",
                "merges_total_count",
                "refresh_total_count",
                "segments_count",
                "store_size_in_bytes",
            ] {
                assert!(metrics.iter().any(|metric| metric.name == name), "{name} is missing");
            }
            let shards =
                metrics.iter().filter(|metric| metric.name == "indexing_total_time_per_shard").count();
            assert!(shards >= 1);
        }
        let conflicting = json!({"operation-type": "index", "bulk-size": 100, "conflicts": "sequential"});
        prepare_lap(&cluster, &track, challenge, &expected).await.unwrap();
        perform(&bindings, conflicting, 2).await;
        let kept = count(&cluster).await;
        assert!(
            (DOCUMENTS * 6 / 10..DOCUMENTS * 9 / 10).contains(&kept),
            "{kept} documents are left of {DOCUMENTS}"
        );
        let mut api = cluster.api();
        api.call(http::Method::DELETE, &format!("/{INDEX}"), None).await.unwrap();
        api.call(http::Method::DELETE, "/_template/rally-cluster-test-template", None).await.unwrap();
    });
}

#[test]
#[ignore = "needs RALLY_TEST_TARGET"]
fn a_genuine_server_that_refuses_documents_is_believed() {
    let address = std::env::var("RALLY_TEST_TARGET").expect("RALLY_TEST_TARGET names a server");
    block_on(async {
        let hosts = parse_target_hosts(&address).unwrap();
        let cluster = Arc::new(Cluster::connect(&hosts, &ClientOptions::default()).await.unwrap());
        let typed = if cluster.capabilities().typed() { r#", "_type": "place""# } else { "" };
        let mut api = cluster.api();
        let index = "rally-cluster-test-refused";
        let path = format!("/{index}");
        if api.exists(&path).await.unwrap() {
            api.call(http::Method::DELETE, &path, None).await.unwrap();
        }
        let properties = json!({"properties": {"n": {"type": "long"}}});
        let mappings = if typed.is_empty() { properties } else { json!({ "place": properties }) };
        api.call(http::Method::PUT, &path, Some(&json!({ "mappings": mappings }))).await.unwrap();
        let action = format!(r#"{{"index": {{"_index": "{index}"{typed}}}}}"#);
        let lines = [
            action.as_str(),
            r#"{"n": 1}"#,
            action.as_str(),
            r#"{"n": "x"}"#,
            action.as_str(),
            r#"{"n": 3}"#,
        ];
        let params = crate::support::params(json!({"body": lines, "bulk-size": 3}));
        let mut bulk = crate::support::runner("index", &cluster).await;
        let outcome = bulk.run(&params).await.unwrap();
        assert_eq!(outcome.weight, 3.0);
        let failure = outcome.failure.unwrap();
        assert_eq!((failure.count, failure.status), (1, Some(200)));
        println!("{}", failure.description);
        assert!(failure.description.starts_with("items failed: 400 "), "{}", failure.description);
        let mut search = crate::support::runner("search", &cluster).await;
        let outcome = search
            .run(&crate::support::params(json!({"index": "rally-cluster-test-nowhere", "body": {}})))
            .await
            .unwrap();
        let failure = outcome.failure.unwrap();
        println!("{}", failure.description);
        assert_eq!(failure.status, Some(404));
        assert!(failure.description.to_lowercase().contains("index"), "{}", failure.description);
        api.call(http::Method::DELETE, &path, None).await.unwrap();
    });
}
