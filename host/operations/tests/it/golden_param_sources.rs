//! What the built-in parameter sources of the current dialect yield, and how documents are dealt to clients, as Elastic
//! Rally does it. Differences on purpose are named here together with the reason.

use std::path::{Path, PathBuf};

use rally_operations::{BulkPlan, PartitionPlan, built_in_params, bulk_plan};
use rally_track::{
    ComponentTemplate, Corpus, DataStream, Dialect, Documents, Index, IndexTemplate, Meta, Operation, Track,
};
use serde_json::{Map, Value, json};

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    read(&golden_path(name))["cases"].as_array().unwrap().clone()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} of {value}")).to_owned()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn operation(params: &Value, operation_type: &str, name: &str) -> Operation {
    Operation {
        name: name.to_owned(),
        operation_type: operation_type.to_owned(),
        param_source: None,
        meta: Meta::new(),
        params: params.as_object().unwrap().clone(),
    }
}

/// The track of a case, as its author writes it.
fn written_track(written: &Value) -> Track {
    let files = read(&golden_path("param_sources-files.json"));
    let body = |named: &Value| match named.as_str() {
        None => Value::Object(Map::new()),
        Some(name) => serde_json::from_str(files[name].as_str().unwrap()).unwrap(),
    };
    let mut track = Track::new("unittest", Dialect::Current, "");
    for index in list(written, "indices") {
        let body = body(&index["body"]).as_object().unwrap().clone();
        track.indices.push(Index { body, ..Index::new(text(index, "name")) });
    }
    for data_stream in list(written, "data-streams") {
        track.data_streams.push(DataStream { name: text(data_stream, "name") });
    }
    let template = |template: &Value| IndexTemplate {
        name: text(template, "name"),
        index_pattern: text(template, "index-pattern"),
        delete_matching_indices: template["delete-matching-indices"].as_bool().unwrap_or(true),
        template: body(&template["template"]),
    };
    track.templates = list(written, "templates").map(template).collect();
    track.composable_templates = list(written, "composable-templates").map(template).collect();
    track.component_templates = list(written, "component-templates")
        .map(|template| ComponentTemplate {
            name: text(template, "name"),
            template: body(&template["template"]),
        })
        .collect();
    let only_index = match track.indices.as_slice() {
        [index] => Some(index.name.clone()),
        _ => None,
    };
    for corpus in list(written, "corpora") {
        let documents = list(corpus, "documents").map(|file| {
            let target = |key: &str| file[key].as_str().or(corpus[key].as_str()).map(str::to_owned);
            let includes = file["includes-action-and-meta-data"] == json!(true);
            Documents {
                includes_action_and_meta_data: includes,
                target_index: target("target-index").or(only_index.clone()).filter(|_| !includes),
                target_data_stream: target("target-data-stream").filter(|_| !includes),
                ..Documents::new(text(file, "source-file"), file["document-count"].as_u64().unwrap())
            }
        });
        track.corpora.push(Corpus {
            name: text(corpus, "name"),
            meta: Meta::new(),
            documents: documents.collect(),
        });
    }
    track
}

#[test]
fn parameters_are_those_of_current_rally() {
    for case in cases("param_sources.json") {
        let (id, input) = (&case["id"], &case["input"]);
        let track = written_track(&input["track"]);
        let operation = operation(&input["operation"], input["operation_type"].as_str().unwrap(), "the-op");
        match (built_in_params(&track, &operation), case.get("error")) {
            (Ok(found), None) => {
                let expected = &case["expected"];
                assert_eq!(json!(found.source.rally_name()), expected["class"], "{id}");
                assert_eq!(json!(found.infinite), expected["infinite"], "{id}");
                let values = Value::Object(found.into_values(&operation));
                assert_eq!(values, expected["params"], "{id}");
            }
            (Err(error), Some(expected)) => {
                let found = json!({"type": error.rally_class(), "message": error.rally_message("the-task")});
                assert_eq!(found, *expected, "{id}");
                assert!(error.to_string().starts_with("operation 'the-op': "), "{id}: {error}");
            }
            (found, expected) => panic!("{id}: {found:?} {expected:?}"),
        }
    }
}

fn shown(plan: &PartitionPlan) -> Value {
    let readers: Vec<Value> = plan
        .readers
        .iter()
        .map(|reader| json!([reader.file_name, reader.first_line, reader.lines, reader.documents]))
        .collect();
    json!({"readers": readers, "total_bulks": plan.total_bulks})
}

#[test]
fn partitions_are_those_of_current_rally() {
    let mut rejected = 0;
    for case in cases("bulk_partitions.json") {
        let (id, input) = (&case["id"], &case["input"]);
        let track = written_track(&input["track"]);
        let clients = input["total_partitions"].as_u64().unwrap() as u32;
        let plan = bulk_plan(&track, &operation(&input["operation"], "bulk", "bulk"), clients);
        if let Some(expected) = case.get("error") {
            let error = plan.unwrap_err();
            let found = json!({"type": error.rally_class(), "message": error.rally_message("bulk")});
            assert_eq!(found, *expected, "{id}");
            rejected += 1;
            continue;
        }
        let plan = plan.unwrap();
        for (name, expected) in case["expected"].as_object().unwrap() {
            if name == "partitions" {
                let found: Vec<Value> =
                    (0..clients).map(|client| shown(&plan.partition(client..=client))).collect();
                assert_eq!(json!(found), *expected, "{id}");
            } else {
                // A worker of Rally reads the parts of its clients, in whatever order they come, as one.
                let served: Vec<u32> = name
                    .strip_prefix("worker ")
                    .unwrap()
                    .split(',')
                    .map(|client| client.parse().unwrap())
                    .collect();
                let (first, last) = (*served.iter().min().unwrap(), *served.iter().max().unwrap());
                assert_eq!(shown(&plan.partition(first..=last)), *expected, "{id} {name}");
            }
        }
    }
    assert_eq!(rejected, 14);
}

/// The cases list parts as Rally opens them. It reads them in turns, so that as many corpora as possible are read at once.
#[test]
fn files_are_read_in_turns_over_the_corpora_from_another_corpus_for_each_client() {
    let track = written_track(&json!({"corpora": [
        {"name": "a", "target-index": "i", "documents": [
            {"source-file": "a1.json", "document-count": 90},
            {"source-file": "a2.json", "document-count": 9},
            {"source-file": "a3.json", "document-count": 9}
        ]},
        {"name": "b", "target-index": "i", "documents": [{"source-file": "b1.json", "document-count": 9}]},
        {"name": "c", "target-index": "i", "documents": [
            {"source-file": "c1.json.bz2", "document-count": 9},
            {"source-file": "c2.json.gz", "document-count": 9}
        ]}
    ]}));
    let plan = bulk_plan(&track, &operation(&json!({"bulk-size": 10}), "bulk", "bulk"), 4).unwrap();
    let order = |client: u32| {
        let part = plan.partition(client..=client);
        part.in_reading_order().map(|reader| reader.file_name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(order(0), ["a1.json", "b1.json", "c1.json", "a2.json", "c2.json", "a3.json"]);
    assert_eq!(order(1), ["b1.json", "c1.json", "a1.json", "c2.json", "a2.json", "a3.json"]);
    assert_eq!(order(2), ["c1.json", "a1.json", "b1.json", "c2.json", "a2.json", "a3.json"]);
    assert_eq!(order(3), order(0));
}

#[test]
fn documents_of_2017_are_dealt_in_the_order_of_the_track() {
    let file = |name: &str, index: &str, includes: bool| Documents {
        target_index: Some(index.to_owned()),
        target_type: Some("doc".to_owned()),
        includes_action_and_meta_data: includes,
        ..Documents::new(name, 11)
    };
    let documents =
        vec![file("a.json.bz2", "i", false), file("b.json", "j", true), file("c.json", "i", false)];
    let mut track = Track::new("old", Dialect::Rally2017, "");
    track.corpora.push(Corpus { name: "old".to_owned(), meta: Meta::new(), documents });
    let plan = |params: Value| bulk_plan(&track, &operation(&params, "index", "bulk"), 2);
    let all = plan(json!({"bulk-size": 5})).unwrap();
    assert_eq!(
        shown(&all.partition(1..=1)),
        json!({"readers": [["a.json", 6, 5, 5], ["b.json", 12, 10, 5], ["c.json", 6, 5, 5]], "total_bulks": 3})
    );
    let one = plan(json!({"bulk-size": 5, "index": "i", "conflicts": "random"})).unwrap();
    assert_eq!(one.id_conflicts, "RandomConflicts");
    let part = one.partition(0..=1);
    assert_eq!(
        shown(&part),
        json!({"readers": [["a.json", 0, 11, 11], ["c.json", 0, 11, 11]], "total_bulks": 6})
    );
    let error = plan(json!({"bulk-size": 5, "index": "k"})).unwrap_err();
    assert_eq!(error.problem, "index 'k' is none of the indices with documents: i, j");
}

/// A track as a plan shows it. Bodies are files named by their digest.
fn planned_track(plan: &Value, bodies: &Path) -> Track {
    let shown = &plan["track"];
    let body = |body: &Value| match body["$body"].as_str() {
        Some(digest) => read(&bodies.join(format!("{digest}.json"))),
        None => body.clone(),
    };
    let mut track = Track::new(text(shown, "name"), Dialect::Current, "");
    for index in list(shown, "indices") {
        let body = body(&index["body"]).as_object().cloned().unwrap_or_default();
        track.indices.push(Index { body, ..Index::new(text(index, "name")) });
    }
    track.data_streams = list(shown, "data_streams")
        .map(|data_stream| DataStream { name: text(data_stream, "name") })
        .collect();
    let template = |template: &Value| IndexTemplate {
        name: text(template, "name"),
        index_pattern: text(template, "index_pattern"),
        delete_matching_indices: template["delete_matching_indices"].as_bool().unwrap(),
        template: body(&template["content"]),
    };
    track.templates = list(shown, "templates").map(template).collect();
    track.composable_templates = list(shown, "composable_templates").map(template).collect();
    track.component_templates = list(shown, "component_templates")
        .map(|template| ComponentTemplate {
            name: text(template, "name"),
            template: body(&template["content"]),
        })
        .collect();
    for corpus in list(shown, "corpora") {
        let documents = list(corpus, "documents").map(|file| {
            let named = |key: &str| file[key].as_str().map(str::to_owned);
            let name = named("document_archive").or(named("document_file")).unwrap();
            Documents {
                includes_action_and_meta_data: file["includes_action_and_meta_data"] == json!(true),
                target_index: named("target_index"),
                target_type: named("target_type"),
                target_data_stream: named("target_data_stream"),
                ..Documents::new(name, file["number_of_documents"].as_u64().unwrap())
            }
        });
        let documents = documents.collect();
        track.corpora.push(Corpus { name: text(corpus, "name"), meta: Meta::new(), documents });
    }
    track
}

fn bulk_shown(plan: &BulkPlan) -> Value {
    let shown = |part: PartitionPlan| {
        let mut all = shown(&part);
        all["number_of_readers"] = json!(part.readers.len());
        all
    };
    let partitions: Map<String, Value> = (0..plan.clients)
        .map(|client| (client.to_string(), shown(plan.partition(client..=client))))
        .collect();
    json!({
        "all_in_one_worker": shown(plan.partition(0..=plan.clients - 1)),
        "batch_size": plan.batch_size,
        "bulk_size": plan.bulk_size,
        "id_conflicts": plan.id_conflicts,
        "ingest_percentage": plan.ingest_percentage,
        "looped": plan.looped_as_written,
        "partitions": partitions,
        "total_partitions": plan.clients,
    })
}

/// Name of the first task that performs an operation: Rally's errors name it.
fn first_task(plan: &Value, operation: u64) -> String {
    let tasks = list(&plan["track"], "challenges")
        .flat_map(|challenge| list(challenge, "schedule"))
        .flat_map(|element| list(element, "tasks"));
    tasks.filter(|task| task["op"] == json!(operation)).map(|task| text(task, "name")).next().unwrap()
}

/// Compares what a plan shows of parameter sources; returns how many it shows.
fn check_plan(path: &Path, bodies: &Path) -> usize {
    let plan = read(path);
    let path = path.display();
    let track = planned_track(&plan, bodies);
    let operation_of = |number: u64| {
        let shown = &plan["operations"][number as usize];
        let params = operation(&shown["params"], &text(shown, "type"), &text(shown, "name"));
        Operation { param_source: shown["param_source"].as_str().map(str::to_owned), ..params }
    };
    let error = |error: rally_operations::ParamError, number| json!({"error": {"type": error.rally_class(), "message": error.rally_message(&first_task(&plan, number))}});
    let mut checked = 0;
    for (key, expected) in plan["param_sources"]["params"].as_object().into_iter().flatten() {
        let number = key.parse().unwrap();
        let found = match built_in_params(&track, &operation_of(number)) {
            Err(problem) => error(problem, number),
            Ok(found) => match found.params {
                None => json!({"infinite": found.infinite, "verbatim": true}),
                Some(params) => {
                    json!({"infinite": found.infinite, "source": found.source.rally_name(), "params": params})
                }
            },
        };
        assert_eq!(found, with_bodies(expected, bodies), "{path} operation {key}");
        checked += 1;
    }
    for (key, expected) in plan["param_sources"]["bulk"].as_object().into_iter().flatten() {
        let (number, clients) = key.split_once('/').unwrap();
        let number = number.parse().unwrap();
        let found = match bulk_plan(&track, &operation_of(number), clients.parse().unwrap()) {
            Err(problem) => error(problem, number),
            Ok(plan) => bulk_shown(&plan),
        };
        assert_eq!(found, *expected, "{path} bulk {key}");
        checked += 1;
    }
    checked
}

/// Bodies in the place of their digests.
fn with_bodies(value: &Value, bodies: &Path) -> Value {
    match value {
        Value::Object(members) => match members.get("$body").and_then(Value::as_str) {
            Some(digest) => read(&bodies.join(format!("{digest}.json"))),
            None => members
                .iter()
                .map(|(name, value)| (name.clone(), with_bodies(value, bodies)))
                .collect::<Map<_, _>>()
                .into(),
        },
        Value::Array(items) => items.iter().map(|item| with_bodies(item, bodies)).collect(),
        other => other.clone(),
    }
}

#[test]
fn plans_show_the_parameters_and_partitions_of_current_rally() {
    let plans = golden_path("plan");
    for name in ["default", "tuned", "strings", "serverless", "serverless-operator"] {
        assert!(check_plan(&plans.join(format!("{name}.json")), &plans.join("bodies")) >= 9, "{name}");
    }
}
