//! What goes over the wire to each version.

use std::sync::Arc;

use crate::support::{ONLY, Target, block_on, description, document_set, object, params, runner};
use rally_cluster::setup::{HealthExpectation, prepare_lap};
use rally_cluster::telemetry::{ClusterInfo, LapTelemetry};
use rally_cluster::{ClusterHealth, TargetBindings};
use rally_operations::bulk::BulkSourceFactory;
use rally_race::{Bindings as _, ParamSourceFactory as _, Partition};
use rally_track::{Challenge, Dialect, Index, MappingType, Operation, Track};
use serde_json::{Map, Value, json};

const VERSIONS: [&str; 6] = ["1.7.6", "2.4.6", "5.6.16", "6.8.23", "7.10.2", "9.4.3"];

/// Method, path and content type of what an operation sends to each version, and its body.
fn sent(kind: &'static str, values: Value) -> Vec<String> {
    VERSIONS
        .into_iter()
        .map(|version| {
            let target = Target::version(version, |peer, request| {
                let scroll = r#"{"_scroll_id":"abc","hits":{"total":{"value":1},"hits":[]}}"#;
                let answer = if request.line.contains("_bulk") {
                    r#"{"took":1,"errors":false,"items":[]}"#
                } else {
                    scroll
                };
                peer.answer("200 OK", answer)
            });
            let outcome = block_on(async {
                let cluster = target.cluster().await;
                runner(kind, &cluster).await.run(&params(values.clone())).await.unwrap()
            });
            assert_eq!(description(&outcome), "");
            let calls: Vec<String> = target
                .requests()
                .iter()
                .map(|request| {
                    let kind = request.header("content-type").unwrap_or("-");
                    format!("{} [{kind}] {}", request.call(), request.text().replace('\n', "|"))
                })
                .collect();
            format!("{version}: {}", calls.join(" ; "))
        })
        .collect()
}

#[test]
fn searches_name_types_up_to_6_and_the_cache_by_its_name() {
    let values = json!({"index": "geo names", "type": "t", "use_request_cache": false, "body": {"query": {}}, "request_params": {"preference": "_local"}});
    assert_eq!(
        sent("search", values),
        [
            r#"1.7.6: POST /geo%20names/t/_search?query_cache=false&preference=_local [application/json] {"query":{}}"#,
            r#"2.4.6: POST /geo%20names/t/_search?request_cache=false&preference=_local [application/json] {"query":{}}"#,
            r#"5.6.16: POST /geo%20names/t/_search?request_cache=false&preference=_local [application/json] {"query":{}}"#,
            r#"6.8.23: POST /geo%20names/t/_search?request_cache=false&preference=_local [application/json] {"query":{}}"#,
            r#"7.10.2: POST /geo%20names/_search?request_cache=false&preference=_local [application/json] {"query":{}}"#,
            r#"9.4.3: POST /geo%20names/_search?request_cache=false&preference=_local [application/json] {"query":{}}"#,
        ]
    );
}

#[test]
fn segments_are_merged_by_optimize_before_2_1() {
    assert_eq!(
        sent("force-merge", json!({"max_num_segments": 1})),
        [
            "1.7.6: POST /_optimize?max_num_segments=1 [-] ",
            "2.4.6: POST /_forcemerge?max_num_segments=1 [-] ",
            "5.6.16: POST /_forcemerge?max_num_segments=1 [-] ",
            "6.8.23: POST /_forcemerge?max_num_segments=1 [-] ",
            "7.10.2: POST /_forcemerge?max_num_segments=1 [-] ",
            "9.4.3: POST /_forcemerge?max_num_segments=1 [-] ",
        ]
    );
}

#[test]
fn bulks_without_action_lines_name_index_and_type_in_the_address() {
    let values = json!({"index": "i", "type": "t", "action_metadata_present": false, "pipeline": "p", "body": ["{}"], "bulk-size": 1});
    assert_eq!(
        sent("index", values),
        [
            "1.7.6: POST /i/t/_bulk?pipeline=p [application/json] {}|",
            "2.4.6: POST /i/t/_bulk?pipeline=p [application/json] {}|",
            "5.6.16: POST /i/t/_bulk?pipeline=p [application/x-ndjson] {}|",
            "6.8.23: POST /i/t/_bulk?pipeline=p [application/x-ndjson] {}|",
            "7.10.2: POST /i/_bulk?pipeline=p [application/x-ndjson] {}|",
            "9.4.3: POST /i/_bulk?pipeline=p [application/x-ndjson] {}|",
        ]
    );
}

#[test]
fn scrolls_are_cleared_as_each_version_wants_it() {
    let values = json!({"index": "i", "body": {}, "pages": "all", "items_per_page": 10});
    let calls = sent("search", values);
    assert_eq!(
        calls[0],
        "1.7.6: POST /i/_search?sort=_doc&scroll=10s&size=10 [application/json] {} ; DELETE /_search/scroll [-] abc"
    );
    assert_eq!(
        calls[4],
        r#"7.10.2: POST /i/_search?sort=_doc&scroll=10s&size=10 [application/json] {} ; DELETE /_search/scroll [application/json] {"scroll_id":["abc"]}"#
    );
}

#[test]
fn statistics_are_asked_for_in_the_same_way_by_all() {
    assert!(sent("index-stats", json!({})).iter().all(|call| call.ends_with("GET /_stats/_all [-] ")));
    assert!(sent("node-stats", json!({})).iter().all(|call| call.ends_with("GET /_nodes/stats/_all [-] ")));
}

fn operation(params: Value) -> Operation {
    Operation {
        name: "op".to_owned(),
        operation_type: "index".to_owned(),
        param_source: None,
        meta: Map::new(),
        params: object(params),
    }
}

#[test]
fn types_are_taken_out_of_action_lines_only_where_there_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.json");
    let lines = "{\"index\": {\"_index\": \"i\", \"_type\": \"t\", \"_id\": \"1\"}}\n{\"_type\": \"kept\"}\n{\"index\": {}}\n{}\n";
    std::fs::write(&path, lines).unwrap();
    let body = |typed| {
        let set = document_set(&path, "i", "t", 2, true);
        let factory = BulkSourceFactory::new(&operation(json!({"bulk-size": 2})), &[set], typed).unwrap();
        let mut bulks = Vec::new();
        factory.open(ONLY).unwrap().next(1, &mut bulks).unwrap();
        String::from_utf8(bulks[0].body.to_vec()).unwrap()
    };
    assert_eq!(body(true), lines);
    assert_eq!(
        body(false),
        "{\"index\":{\"_index\":\"i\",\"_id\":\"1\"}}\n{\"_type\": \"kept\"}\n{\"index\":{}}\n{}\n"
    );
}

fn track(types: &[&str], cluster_settings: Value) -> Track {
    Track {
        indices: vec![Index {
            auto_managed: true,
            types: types
                .iter()
                .map(|name| MappingType {
                    name: (*name).to_owned(),
                    mapping: json!({*name: {"properties": {"name": {"type": "text"}}}}),
                })
                .collect(),
            ..Index::new("idx")
        }],
        challenges: vec![Challenge {
            default: true,
            index_settings: object(json!({"index.number_of_replicas": 0})),
            cluster_settings: object(cluster_settings),
            ..Challenge::new("c", Vec::new())
        }],
        ..Track::new("t", Dialect::Rally2017, ".")
    }
}

/// A target where nothing exists and everything is acknowledged.
fn acknowledging(version: &'static str, health: &'static str) -> Target {
    Target::version(version, move |peer, request| {
        if request.line.starts_with("HEAD") {
            return peer.answer("404 Not Found", "");
        }
        peer.answer("200 OK", if request.line.contains("health") { health } else { "{}" })
    })
}

const GREEN: &str = r#"{"status":"green","relocating_shards":0}"#;

#[test]
fn the_index_is_created_with_the_mapping_that_each_version_understands() {
    let bodies: Vec<String> = VERSIONS
        .into_iter()
        .map(|version| {
            let target = acknowledging(version, GREEN);
            let track = track(&["t"], json!({}));
            block_on(async {
                let cluster = target.cluster().await;
                prepare_lap(&cluster, &track, &track.challenges[0], &HealthExpectation::default())
                    .await
                    .unwrap();
            });
            let created = target.requests().into_iter().find(|request| request.call() == "PUT /idx").unwrap();
            let body: Value = serde_json::from_slice(&created.body).unwrap();
            assert_eq!(body["settings"], json!({"index.number_of_replicas": 0}));
            format!("{version} {}", body["mappings"])
        })
        .collect();
    assert_eq!(
        bodies,
        [
            r#"1.7.6 {"t":{"properties":{"name":{"type":"string"}}}}"#,
            r#"2.4.6 {"t":{"properties":{"name":{"type":"string"}}}}"#,
            r#"5.6.16 {"t":{"properties":{"name":{"type":"text"}}}}"#,
            r#"6.8.23 {"t":{"properties":{"name":{"type":"text"}}}}"#,
            r#"7.10.2 {"properties":{"name":{"type":"text"}}}"#,
            r#"9.4.3 {"properties":{"name":{"type":"text"}}}"#,
        ]
    );
}

#[test]
fn several_types_are_refused_by_6_before_anything_is_sent() {
    let target = acknowledging("6.8.23", GREEN);
    let track = track(&["a", "b"], json!({}));
    let error = block_on(async {
        let cluster = target.cluster().await;
        prepare_lap(&cluster, &track, &track.challenges[0], &HealthExpectation::default()).await.unwrap_err()
    });
    assert!(
        error.to_string().starts_with(
            "index 'idx' has 2 mapping types (a, b), but Elasticsearch 6.8.23 holds one type per index"
        ),
        "{error}"
    );
    assert_eq!(target.calls(), [""; 0]);
}

#[test]
fn cluster_settings_are_transient_unless_they_say_otherwise() {
    for (settings, expected) in [
        (json!({"a.b": 1}), json!({"transient": {"a.b": 1}})),
        (json!({"persistent": {"a.b": 1}}), json!({"persistent": {"a.b": 1}})),
    ] {
        let target = acknowledging("7.10.2", GREEN);
        let track = track(&["t"], settings);
        block_on(async {
            let cluster = target.cluster().await;
            prepare_lap(&cluster, &track, &track.challenges[0], &HealthExpectation::default()).await.unwrap();
        });
        let request = &target.requests()[0];
        assert_eq!(request.call(), "PUT /_cluster/settings");
        assert_eq!(serde_json::from_slice::<Value>(&request.body).unwrap(), expected);
    }
}

#[test]
fn a_cluster_that_stays_yellow_is_an_error_with_the_remedy() {
    let target = acknowledging("7.10.2", r#"{"status":"yellow","relocating_shards":0}"#);
    let track = track(&["t"], json!({}));
    let expected =
        HealthExpectation { tries: 3, pause: std::time::Duration::from_millis(1), ..Default::default() };
    let enough = HealthExpectation { health: ClusterHealth::Yellow, ..expected.clone() };
    block_on(async {
        let cluster = target.cluster().await;
        let error =
            prepare_lap(&cluster, &track, &track.challenges[0], &expected).await.unwrap_err().to_string();
        assert!(error.starts_with("the cluster is yellow with 0 relocating shards after 3 tries"), "{error}");
        assert!(error.contains("number_of_replicas"), "{error}");
        prepare_lap(&cluster, &track, &track.challenges[0], &enough).await.unwrap();
    });
}

#[test]
fn a_refused_index_says_what_the_target_answered() {
    let target = Target::version("7.10.2", |peer, request| {
        match request.call() {
        "HEAD /idx" => peer.answer("404 Not Found", ""),
        _ => peer.answer(
            "400 Bad Request",
            r#"{"error":{"type":"illegal_argument_exception","reason":"unknown setting [index.foo]"},"status":400}"#,
        ),
    }
    });
    let track = track(&["t"], json!({}));
    let error = block_on(async {
        let cluster = target.cluster().await;
        prepare_lap(&cluster, &track, &track.challenges[0], &HealthExpectation::default()).await.unwrap_err()
    });
    assert_eq!(
        error.to_string(),
        "cannot create index 'idx': PUT /idx: 400 Bad Request: illegal_argument_exception: unknown setting [index.foo]"
    );
}

#[test]
fn a_target_without_statistics_leaves_rows_out() {
    let target = Target::version("7.10.2", |peer, _| peer.answer("404 Not Found", "{}"));
    block_on(async {
        let cluster = target.cluster().await;
        let telemetry = LapTelemetry::start(&cluster).await;
        let figures = telemetry.finish(&cluster).await;
        assert_eq!(figures.metrics, []);
        let missing: Vec<String> = figures.problems.iter().map(ToString::to_string).collect();
        assert_eq!(missing.len(), 3, "{missing:?}");
        assert!(missing[0].contains("the report lacks indexing, merge, refresh"), "{missing:?}");
        let info = ClusterInfo::of(&cluster).await;
        assert_eq!((info.distribution_version.as_str(), info.nodes.len()), ("7.10.2", 0));
        assert_eq!(info.build_hash.as_deref(), Some("abc"));
    });
}

#[test]
fn statistics_that_are_missing_only_at_the_end_are_said() {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let target = Target::version("7.10.2", move |peer, request| {
        let first = calls.fetch_add(1, std::sync::atomic::Ordering::AcqRel) < 3;
        match request.call().contains("stats") && !first {
            true => peer.answer("503 Service Unavailable", "{}"),
            false => peer.answer("200 OK", r#"{"nodes": {}, "_all": {}, "indices": {}}"#),
        }
    });
    block_on(async {
        let cluster = target.cluster().await;
        let telemetry = LapTelemetry::start(&cluster).await;
        let begun: Vec<String> = telemetry.problems().iter().map(ToString::to_string).collect();
        let figures = telemetry.finish(&cluster).await;
        let missing: Vec<String> = figures.problems.iter().map(ToString::to_string).collect();
        assert_eq!((begun.len(), missing.len()), (0, 3), "{begun:?} {missing:?}");
    });
}

#[test]
fn an_unknown_operation_type_names_those_that_are_known() {
    let target = acknowledging("7.10.2", GREEN);
    let cluster = block_on(target.cluster());
    let bindings = TargetBindings::new(Arc::new(track(&["t"], json!({}))), Vec::new(), cluster);
    let bind = |operation_type: &str| {
        let operation = Operation { operation_type: operation_type.to_owned(), ..operation(json!({})) };
        let task = rally_track::Task::new("task", operation);
        bindings.bind(&task).err().map(|error| error.to_string())
    };
    let error = bind("serach").unwrap();
    assert!(
        error.starts_with("operation 'op': unknown operation type 'serach', did you mean 'search'? (known: "),
        "{error}"
    );
    for known in ["bulk", "index", "force-merge", "index-stats", "node-stats", "create-index"] {
        assert!(error.contains(&format!(" {known}")), "{error}");
    }
    assert_eq!(bind("node-stats"), None);
}

#[test]
fn clients_are_spread_over_the_hosts() {
    let targets =
        [acknowledging("7.10.2", GREEN), acknowledging("7.10.2", GREEN), acknowledging("7.10.2", GREEN)];
    let hosts: Vec<String> = targets.iter().map(|target| target.address.to_string()).collect();
    let hosts = rally_cluster::parse_target_hosts(&hosts.join(",")).unwrap();
    block_on(async {
        let cluster = rally_cluster::Cluster::connect(&hosts, &Default::default()).await.unwrap();
        let node_stats = Dialect::Rally2017.performed_type("node-stats").unwrap();
        let factory = rally_cluster::runners::BuiltinRunnerFactory::new(node_stats, Arc::new(cluster));
        for index in 0..7 {
            let mut runner =
                rally_race::RunnerFactory::open(&factory, Partition { index, total: 7, seed: 0 })
                    .await
                    .unwrap();
            assert_eq!(description(&runner.run(&params(json!({}))).await.unwrap()), "");
        }
    });
    let counts: Vec<usize> = targets.iter().map(|target| target.requests().len()).collect();
    assert_eq!(counts, [3, 2, 2]);
}
