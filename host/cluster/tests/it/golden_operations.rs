//! Parameters, requests and setup of built-in operations as Rally has them. Where this program differs on purpose, the
//! case is named here together with the reason.

use std::path::Path;
use std::sync::Arc;

use crate::support::{Target, block_on, object, params, runner};
use rally_cluster::TargetBindings;
use rally_cluster::setup::{HealthExpectation, prepare_lap};
use rally_operations::DocumentSet;
use rally_operations::bulk::BulkSourceFactory;
use rally_race::{Bindings as _, Partition};
use rally_track::{
    Challenge, Corpus, Dialect, Documents, Index, IndexTemplate, MappingType, Operation, Task, Track,
};
use serde_json::{Map, Value, json};

fn golden(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A track from the parts that the cases have, without the rules of its language.
fn track(spec: &Value, files: &Value) -> Track {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let indices = list(&spec["indices"])
        .iter()
        .map(|index| Index {
            auto_managed: index["auto-managed"].as_bool().unwrap_or(true),
            types: list(&index["types"])
                .iter()
                .map(|kind| MappingType {
                    name: text(&kind["name"]),
                    mapping: files[kind["mapping"].as_str().unwrap_or_default()].clone(),
                })
                .collect(),
            ..Index::new(text(&index["name"]))
        })
        .collect();
    let templates = list(&spec["templates"])
        .iter()
        .map(|template| IndexTemplate {
            name: text(&template["name"]),
            index_pattern: text(&template["index-pattern"]),
            delete_matching_indices: template["delete-matching-indices"].as_bool().unwrap_or(true),
            template: files[template["template"].as_str().unwrap()].clone(),
        })
        .collect();
    let challenges = list(&spec["challenges"])
        .iter()
        .map(|challenge| Challenge {
            default: true,
            index_settings: challenge["index-settings"].as_object().cloned().unwrap_or_default(),
            cluster_settings: challenge["cluster-settings"].as_object().cloned().unwrap_or_default(),
            ..Challenge::new(text(&challenge["name"]), Vec::new())
        })
        .collect();
    let mut documents = Vec::new();
    for index in list(&spec["indices"]) {
        for kind in list(&index["types"]).iter().filter(|kind| kind["documents"].is_string()) {
            documents.push(Documents {
                includes_action_and_meta_data: kind["includes-action-and-meta-data"] == json!(true),
                target_index: Some(text(&index["name"])),
                target_type: Some(text(&kind["name"])),
                ..Documents::new(text(&kind["documents"]), kind["document-count"].as_u64().unwrap())
            });
        }
    }
    let corpora = vec![Corpus { name: "t".to_owned(), meta: Map::new(), documents }];
    Track { indices, corpora, templates, challenges, ..Track::new("t", Dialect::Rally2017, ".") }
}

fn task(spec: &Value) -> Task {
    let mut params = object(spec.clone());
    params.insert("name".to_owned(), json!("op"));
    Task::new(
        "op",
        Operation {
            name: "op".to_owned(),
            operation_type: text(&spec["operation-type"]),
            param_source: None,
            meta: Map::new(),
            params,
        },
    )
}

/// Data files for the document sets of a track, each with as many lines as declared.
fn documents(directory: &Path, track: &Track, sourcefile: bool) -> Vec<Arc<DocumentSet>> {
    track
        .document_sets()
        .map(|(_, documents)| {
            let path = directory.join(&documents.file_name);
            let pairs = sourcefile || documents.includes_action_and_meta_data;
            let line = if pairs { "{\"index\":{}}\n{}\n" } else { "{}\n" };
            std::fs::write(&path, line.repeat(documents.document_count as usize)).unwrap();
            crate::support::document_set(
                &path,
                documents.target_index.as_deref().unwrap(),
                documents.target_type.as_deref().unwrap(),
                documents.document_count,
                documents.includes_action_and_meta_data,
            )
        })
        .collect()
}

/// What this program says where Rally says something else, or nothing: case, part of the message, reason.
const REJECTED_OTHERWISE: [(&str, &str, &str); 2] = [
    ("bulk-size-2.7", "'bulk-size' must be a whole number but was 2.7", "Rally cuts it to 2 without a word"),
    (
        "passthrough-percolate",
        "unknown operation type 'percolate'",
        "not one of the operations of this dialect's reference",
    ),
];

fn check_param_sources(file: &str) {
    let target = Target::version("2.4.6", |peer, _| peer.answer("200 OK", "{}"));
    let cluster = block_on(target.cluster());
    for case in golden(file) {
        let id = case["id"].as_str().unwrap();
        let (input, expected) = (&case["input"], &case["expected"]);
        if file == "2017/param_sources.json" && id.starts_with("action-and-meta-data-") {
            // 0.7.2 no longer has the parameter; the documentation of July 2017 has it, and the cases of 0.6.2 hold.
            continue;
        }
        let track = track(input, &json!({}));
        let task = task(&input["operation"]);
        let directory = tempfile::tempdir().unwrap();
        let sourcefile = input["operation"]["action-and-meta-data"] == json!("sourcefile");
        let sets = documents(directory.path(), &track, sourcefile);
        let bound = TargetBindings::new(Arc::new(track), sets.clone(), Arc::clone(&cluster)).bind(&task);
        if let Some((_, message, _)) = REJECTED_OTHERWISE.iter().find(|(case, ..)| *case == id) {
            let error = bound.err().unwrap().to_string();
            assert!(error.contains(message), "{id}: {error}");
            continue;
        }
        if expected.get("error").is_some() {
            let error = bound.err().unwrap_or_else(|| panic!("{id} must be rejected")).to_string();
            assert!(error.starts_with("operation 'op': "), "{id}: {error}");
            continue;
        }
        let binding = bound.unwrap_or_else(|error| panic!("{id}: {error}"));
        let mut source =
            crate::support::ahead(&binding).open(Partition { index: 0, total: 1, seed: 1 }).unwrap();
        if let Some(expected_params) = expected.get("params") {
            assert_eq!(Value::Object((*source.constant().unwrap().values).clone()), *expected_params, "{id}");
            // In 0.6.2 sources were asked once; since then they go on for ever.
            assert_eq!(source.size(), None, "{id}");
            assert!(!binding.params.finite(), "{id}");
        } else {
            let factory = BulkSourceFactory::new(&task.operation, &sets, true).unwrap();
            assert_eq!(json!(factory.plan().bulk_size), expected["bulk_size"], "{id}");
            assert_eq!(json!(factory.plan().batch_size), expected["batch_size"], "{id}");
            assert_eq!(json!(source.size()), expected["size"], "{id}");
            let mut bulks = Vec::new();
            while source.next(1000, &mut bulks).unwrap() == rally_race::More::Yes {}
            let mut chosen: Vec<&Value> = bulks.iter().map(|bulk| &bulk.values["index"]).collect();
            chosen.dedup();
            assert_eq!(json!(chosen), expected["chosen"], "{id}");
            assert!(binding.params.finite(), "{id}");
        }
    }
}

#[test]
fn parameters_are_those_of_rally_0_7_2() {
    check_param_sources("2017/param_sources.json");
}

#[test]
fn parameters_with_action_and_meta_data_are_those_of_rally_0_6_2() {
    check_param_sources("2017/param_sources_062.json");
}

/// A request of elasticsearch-py as it goes over the wire here.
fn wire(method: &str, arguments: &Value) -> (String, Value) {
    let none = Map::new();
    let query = |parameters: &Map<String, Value>| {
        let parts: Vec<String> = parameters
            .iter()
            .map(|(name, value)| {
                format!("{name}={}", value.as_str().map_or(value.to_string(), str::to_owned))
            })
            .collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    };
    match method {
        "bulk" => {
            let lines: Vec<&str> =
                arguments["body"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
            let call = format!("POST /_bulk{}", query(arguments["params"].as_object().unwrap_or(&none)));
            (call, json!(format!("{}\n", lines.join("\n"))))
        }
        "search" => {
            let mut parameters = Map::new();
            for name in ["request_cache", "sort", "scroll", "size"] {
                if let Some(value) = arguments.get(name) {
                    parameters.insert(name.to_owned(), value.clone());
                }
            }
            let path = format!("/{}/{}/_search", text(&arguments["index"]), text(&arguments["doc_type"]));
            // POST where elasticsearch-py of 2017 sent a GET with a body, which proxies drop.
            (format!("POST {path}{}", query(&parameters)), json!(arguments["body"].to_string()))
        }
        "transport.perform_request" => {
            let path = text(&arguments["args"][1]);
            if let Some(id) = path.strip_prefix("/_search/scroll/") {
                // The id goes into the body: those of many shards are too long for an address.
                ("DELETE /_search/scroll".to_owned(), json!(json!({"scroll_id": [id]}).to_string()))
            } else {
                let body = json!({"scroll": arguments["params"]["scroll"], "scroll_id": arguments["params"]["scroll_id"]});
                ("POST /_search/scroll".to_owned(), json!(body.to_string()))
            }
        }
        // All indices are meant without naming them.
        "indices.forcemerge" => ("POST /_forcemerge".to_owned(), json!("")),
        "indices.stats" => ("GET /_stats/_all".to_owned(), json!("")),
        "nodes.stats" => ("GET /_nodes/stats/_all".to_owned(), json!("")),
        other => panic!("{other}"),
    }
}

#[test]
fn requests_and_weights_are_those_of_rally_0_7_2() {
    let mut checked = 0;
    for case in golden("2017/runners.json") {
        let id = case["id"].as_str().unwrap();
        let (input, expected) = (&case["input"], &case["expected"]);
        let kind = match input["type"].as_str().unwrap() {
            "Index" => "index",
            "Search" => "search",
            "ForceMerge" => "force-merge",
            "IndicesStats" => "index-stats",
            "NodesStats" => "node-stats",
            // Runners of a track's own come with extensions.
            "custom" => continue,
            other => panic!("{other}"),
        };
        checked += 1;
        let mut answers: Vec<Value> = Vec::new();
        for method in ["bulk", "search", "transport.perform_request"] {
            answers.extend(input["responses"][method].as_array().cloned().unwrap_or_default());
        }
        answers.reverse();
        let answers = std::sync::Mutex::new(answers);
        let target = Target::version("2.4.6", move |peer, _| match answers.lock().unwrap().pop() {
            None => peer.answer("200 OK", "{}"),
            Some(answer) if answer["raise"] == json!("TransportError") => {
                let body = json!({"error": answer["args"][1], "status": answer["args"][0]}).to_string();
                peer.answer(&format!("{} X", answer["args"][0]), &body)
            }
            Some(answer) if answer.get("raise").is_some() => false,
            Some(answer) => peer.answer("200 OK", &answer.to_string()),
        });
        let outcome = block_on(async {
            let cluster = target.cluster().await;
            runner(kind, &cluster).await.run(&params(input["params"].clone())).await
        });
        if expected.get("error").is_some() {
            assert_eq!(id, "bulk-no-size");
            assert!(outcome.unwrap_err().to_string().contains("'bulk-size'"));
            assert_eq!(target.requests().len(), 0);
            continue;
        }
        let outcome = outcome.unwrap();
        assert_eq!(json!(outcome.weight as u64), expected["operations"], "{id}");
        // Deliberate difference: a bulk that failed as a whole is measured in documents like the others, not in operations.
        let lost = kind == "index" && outcome.weight == 0.0;
        let unit = if lost { json!("docs") } else { expected["unit"].clone() };
        assert_eq!(json!(outcome.unit.as_str()), unit, "{id}");
        let meta = &expected["meta"];
        assert_eq!(json!(outcome.failure.is_none()), meta["success"], "{id}");
        if let Some(failure) = outcome.failure {
            if let Some(count) = meta.get("error-count") {
                assert_eq!(json!(failure.count), *count, "{id}");
            }
            if let Some(status) = meta.get("http-status") {
                assert_eq!(json!(failure.status), *status, "{id}");
                assert_eq!(json!(failure.description), meta["error-description"], "{id}");
            }
        }
        let found: Vec<(String, Value)> = target
            .requests()
            .iter()
            .map(|request| (request.call().to_owned(), json!(request.text())))
            .collect();
        let wanted: Vec<(String, Value)> = expected["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|request| wire(request[0].as_str().unwrap(), &request[1]))
            .collect();
        assert_eq!(found, wanted, "{id}");
    }
    assert_eq!(checked, 11);
}

#[test]
fn the_cluster_is_set_up_as_by_rally_0_7_2() {
    for case in golden("2017/cluster.json") {
        let id = case["id"].as_str().unwrap();
        let input = &case["input"];
        if input.get("auto_manage_indices").is_some() {
            // The option is the track loader's: it leaves auto_managed false.
            assert_eq!(id, "override-auto-manage");
            continue;
        }
        let existing: Vec<String> = input["exists"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect();
        let target = Target::version("2.4.6", move |peer, request| {
            let path = request.call().split(' ').nth(1).unwrap().to_owned();
            if request.call().starts_with("HEAD") {
                let name = path.rsplit('/').next().unwrap();
                let there = existing.iter().any(|known| known == name);
                return peer.answer(if there { "200 OK" } else { "404 Not Found" }, "");
            }
            peer.answer(
                "200 OK",
                match path.as_str() {
                    "/_cluster/health" => r#"{"status":"green","relocating_shards":0}"#,
                    "/logs-*/_settings" => r#"{"logs-1":{},"logs-2":{}}"#,
                    _ => r#"{"acknowledged":true}"#,
                },
            )
        });
        let track = track(&input["track"], &input["files"]);
        block_on(async {
            let cluster = target.cluster().await;
            let challenge = track.challenges[0].clone();
            prepare_lap(&cluster, &track, &challenge, &HealthExpectation::default()).await.unwrap();
        });
        let mut wanted: Vec<(String, Value)> = Vec::new();
        for call in case["expected"].as_array().unwrap() {
            let name = |key: &str| text(&call[1][key]);
            match call[0].as_str().unwrap() {
                "indices.exists" => wanted.push((format!("HEAD /{}", name("index")), Value::Null)),
                "indices.exists_template" => {
                    wanted.push((format!("HEAD /_template/{}", name("name")), Value::Null))
                }
                "indices.delete_template" => {
                    wanted.push((format!("DELETE /_template/{}", name("name")), Value::Null))
                }
                "indices.delete" if name("index").contains('*') => {
                    // Found and deleted by name: from 8 on targets refuse to delete by pattern.
                    wanted.push((format!("GET /{}/_settings", name("index")), Value::Null));
                    wanted.push(("DELETE /logs-1".to_owned(), Value::Null));
                    wanted.push(("DELETE /logs-2".to_owned(), Value::Null));
                }
                "indices.delete" => wanted.push((format!("DELETE /{}", name("index")), Value::Null)),
                "indices.create" => wanted.push((format!("PUT /{}", name("index")), call[1]["body"].clone())),
                "indices.put_template" => {
                    wanted.push((format!("PUT /_template/{}", name("name")), call[1]["body"].clone()));
                }
                other => panic!("{other}"),
            }
        }
        wanted.push(("GET /_cluster/health".to_owned(), Value::Null));
        let found: Vec<(String, Value)> = target
            .requests()
            .iter()
            .map(|request| {
                (request.call().to_owned(), serde_json::from_slice(&request.body).unwrap_or(Value::Null))
            })
            .collect();
        assert_eq!(found, wanted, "{id}");
    }
}
