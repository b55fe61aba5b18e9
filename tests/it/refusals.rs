//! What `rally run` refuses `rally validate-track` refuses too, each with file and line.

use serde_json::{Value, json};

use crate::support::{Machine, track};

/// A track that both commands accept.
fn current() -> Value {
    json!({
        "version": 2,
        "description": "d",
        "indices": [{"name": "places", "body": "index.json"}],
        "corpora": [{"name": "places", "documents": [
            {"source-file": "documents.json", "document-count": 2, "target-index": "places"}
        ]}],
        "operations": [
            {"name": "bulk", "operation-type": "bulk", "bulk-size": 1},
            {"name": "all", "operation-type": "search", "index": "places", "body": {"query": {"match_all": {}}}}
        ],
        "challenges": [{"name": "only", "schedule": [{"operation": "bulk"}, {"operation": "all"}]}]
    })
}

/// The same, written as in 2017.
fn of_2017() -> Value {
    json!({
        "short-description": "s",
        "description": "d",
        "indices": [{"name": "places", "types": [
            {"name": "doc", "mapping": "mapping.json", "documents": "documents.json", "document-count": 2}
        ]}],
        "operations": [
            {"name": "bulk", "operation-type": "index", "bulk-size": 1},
            {"name": "all", "operation-type": "search", "body": {"query": {"match_all": {}}}}
        ],
        "challenges": [{"name": "only", "description": "d", "schedule": [{"operation": "bulk"}, {"operation": "all"}]}]
    })
}

/// A change to a track: JSON pointer and new value.
type Change = (&'static str, Value);

fn folder(mut value: Value, (pointer, new): Change) -> tempfile::TempDir {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    match value.pointer_mut(parent).expect("something to change") {
        Value::Object(members) => drop(members.insert(key.to_owned(), new)),
        Value::Array(elements) => elements[key.parse::<usize>().expect("a position")] = new,
        other => panic!("{other}"),
    }
    let text = serde_json::to_string_pretty(&value).expect("JSON");
    track(&[
        ("track.json", &text),
        ("index.json", "{}"),
        ("mapping.json", r#"{"doc": {"properties": {}}}"#),
        ("documents.json", "{\"a\": 1}\n{\"a\": 2}\n"),
    ])
}

/// Asserts that both commands refuse the changed track with these words, at the last line that has `marker`.
fn refused(value: Value, change: Change, marker: &str, words: &[&str]) {
    let folder = folder(value, change.clone());
    refused_in(&folder, marker, words);
}

fn refused_in(folder: &tempfile::TempDir, marker: &str, words: &[&str]) {
    let text = std::fs::read_to_string(folder.path().join("track.json")).expect("written");
    let lines: Vec<&str> = text.lines().collect();
    let line = 1 + lines.iter().rposition(|line| line.contains(marker)).expect("the marker");
    let place = format!("track.json:{line}:");
    let words: Vec<&str> = words.iter().copied().chain([place.as_str()]).collect();
    let path = format!("--track-path={}", folder.path().display());
    let machine = Machine::new();
    for command in ["validate-track", "run"] {
        machine.rally([command, &path]).expect_code(64).expect_error(&words);
    }
}

#[test]
fn the_unchanged_tracks_are_valid() {
    for value in [current(), of_2017()] {
        let folder = folder(value, ("/description", json!("e")));
        let path = format!("--track-path={}", folder.path().display());
        Machine::new().rally(["validate-track", "--strict", &path]).expect_code(0);
    }
}

#[test]
fn an_unknown_operation_type() {
    let change = ("/operations/1/operation-type", json!("serch"));
    refused(current(), change.clone(), "serch", &["unknown operation type 'serch', did you mean 'search'?"]);
    refused(of_2017(), change, "serch", &["unknown operation type 'serch', did you mean 'search'?"]);
}

#[test]
fn an_unknown_operation_type_of_an_inline_operation() {
    let change = ("/challenges/0/schedule/1/operation", json!({"operation-type": "forcemerge"}));
    refused(current(), change, "forcemerge", &["did you mean 'force-merge'?"]);
}

#[test]
fn an_unknown_operation_type_in_a_composite_operation() {
    let requests = json!([{"stream": [{"operation-type": "search", "index": "i", "body": {}}, {"operation-type": "serch"}]}]);
    let operation = json!({"operation-type": "composite", "requests": requests});
    let change = ("/challenges/0/schedule/1/operation", operation);
    refused(
        current(),
        change,
        "serch",
        &["'serch' cannot be a part of a composite operation, did you mean 'search'?"],
    );
}

#[test]
fn a_wrong_parameter_in_a_composite_operation() {
    for (parameter, value) in
        [("request-timeout", json!("soon")), ("pages", json!(0)), ("results-per-page", json!(-1))]
    {
        let mut part = json!({"operation-type": "paginated-search", "index": "i", "body": {}, "pages": 1});
        part[parameter] = value;
        let operation = json!({"operation-type": "composite", "requests": [{"stream": [part]}]});
        let change = ("/challenges/0/schedule/1/operation", operation);
        refused(current(), change, &format!("\"{parameter}\""), &[parameter]);
    }
}

#[test]
fn an_operation_that_the_track_does_not_have() {
    let change = ("/challenges/0/schedule/1/operation", json!("al"));
    refused(current(), change.clone(), "\"al\"", &["unknown operation 'al', did you mean 'all'?"]);
    refused(of_2017(), change, "\"al\"", &["unknown operation 'al', did you mean 'all'?"]);
    let change = ("/challenges/0/schedule/1", json!({"parallel": {"tasks": [{"operation": "bluk"}]}}));
    refused(current(), change.clone(), "\"bluk\"", &["did you mean 'bulk'?"]);
    refused(of_2017(), change, "\"bluk\"", &["did you mean 'bulk'?"]);
}

#[test]
fn an_unknown_scheduler() {
    let change = ("/challenges/0/schedule/1/schedule", json!("poison"));
    refused(current(), change.clone(), "poison", &["unknown scheduler 'poison', did you mean 'poisson'?"]);
    refused(of_2017(), change, "poison", &["unknown scheduler 'poison', did you mean 'poisson'?"]);
}

#[test]
fn a_parameter_source_that_nothing_registers() {
    let change = ("/operations/1/param-source", json!("mine"));
    refused(current(), change.clone(), "mine", &["unknown parameter source 'mine'"]);
    refused(of_2017(), change, "mine", &["unknown parameter source 'mine'"]);
}

#[test]
fn bulk_sizes_that_are_no_numbers_above_zero() {
    for value in
        [json!(-5), json!(0), json!("abc"), json!("0"), json!(true), json!([5]), json!(null), json!({})]
    {
        let change = ("/operations/0/bulk-size", value);
        refused(current(), change.clone(), "\"bulk-size\"", &["bulk-size"]);
        refused(of_2017(), change, "\"bulk-size\"", &["bulk-size"]);
    }
}

#[test]
fn batches_that_do_not_hold_whole_bulks() {
    let change = (
        "/operations/0",
        json!({"name": "bulk", "operation-type": "bulk", "bulk-size": 10, "batch-size": 15}),
    );
    refused(current(), change, "\"batch-size\"", &["'batch-size'", "multiple of 'bulk-size'"]);
    let change = (
        "/operations/0",
        json!({"name": "bulk", "operation-type": "index", "bulk-size": 10, "batch-size": 15}),
    );
    refused(of_2017(), change, "\"batch-size\"", &["'batch-size'", "multiple of 'bulk-size'"]);
}

#[test]
fn parameters_of_bulks_out_of_their_range() {
    for (pointer, value) in [
        ("/operations/0/ingest-percentage", json!(101)),
        ("/operations/0/ingest-percentage", json!("0")),
        ("/operations/0/conflicts", json!("sometimes")),
        ("/operations/0/corpora", json!("nowhere")),
        ("/operations/0/detailed-results", json!("maybe")),
        ("/operations/0/request-timeout", json!(-1)),
        ("/operations/0/retries_on_429", json!(1.5)),
    ] {
        let key = pointer.rsplit('/').next().expect("a key");
        refused(current(), (pointer, value), &format!("\"{key}\""), &[key]);
    }
}

#[test]
fn parameters_of_searches_of_the_wrong_kind() {
    for (pointer, value) in [
        ("/operations/1/pages", json!(-1)),
        ("/operations/1/pages", json!("many")),
        ("/operations/1/results-per-page", json!(2.5)),
        ("/operations/1/index", json!(7)),
        ("/operations/1/request-params", json!([1])),
        ("/operations/1/headers", json!({"x": 5})),
        ("/operations/1/detailed-results", json!(2)),
    ] {
        let key = pointer.rsplit('/').next().expect("a key");
        refused(current(), (pointer, value), &format!("\"{key}\""), &[key]);
    }
    for (pointer, value) in [
        ("/operations/1/pages", json!(0)),
        ("/operations/1/cache", json!("maybe")),
        ("/operations/1/index", json!(7)),
        ("/operations/1/request-params", json!([1])),
    ] {
        let key = pointer.rsplit('/').next().expect("a key");
        refused(of_2017(), (pointer, value), &format!("\"{key}\""), &[key]);
    }
}

#[test]
fn parameters_of_other_operations_of_the_wrong_kind() {
    for (operation, key) in [
        (json!({"operation-type": "sleep", "duration": -1}), "duration"),
        (json!({"operation-type": "sleep", "duration": "long"}), "duration"),
        (json!({"operation-type": "force-merge", "max-num-segments": 0}), "max-num-segments"),
        (json!({"operation-type": "cluster-health", "retries": -1}), "retries"),
        (json!({"operation-type": "cluster-health", "retry-wait-period": "soon"}), "retry-wait-period"),
        (json!({"operation-type": "raw-request", "path": "_cat"}), "path"),
        (json!({"operation-type": "refresh", "request-timeout": 0}), "request-timeout"),
        (json!({"operation-type": "delete-index", "only-if-exists": "perhaps"}), "only-if-exists"),
    ] {
        let change = ("/challenges/0/schedule/1/operation", operation);
        refused(current(), change, &format!("\"{key}\""), &[key]);
    }
}

#[test]
fn a_mandatory_parameter_that_is_missing() {
    for (operation, key) in [
        (json!({"operation-type": "put-pipeline", "id": "p"}), "body"),
        (json!({"operation-type": "create-snapshot", "body": {}, "repository": "r"}), "snapshot"),
        (json!({"operation-type": "paginated-search", "index": "i", "pages": 1}), "body"),
        (json!({"operation-type": "sleep"}), "duration"),
    ] {
        let marker = operation["operation-type"].as_str().expect("a type").to_owned();
        let change = ("/challenges/0/schedule/1/operation", operation.clone());
        let folder = folder(current(), change);
        let text = std::fs::read_to_string(folder.path().join("track.json")).expect("written");
        // The operation begins on the line before its first key.
        let marker_line = text.lines().position(|line| line.contains(&marker)).expect("the operation");
        let path = format!("--track-path={}", folder.path().display());
        let place = format!("track.json:{marker_line}:");
        for command in ["validate-track", "run"] {
            Machine::new().rally([command, &path]).expect_code(64).expect_error(&[
                &format!("'{key}'"),
                "missing",
                &place,
            ]);
        }
    }
}

#[test]
fn tasks_without_clients() {
    for value in [json!(0), json!(-1), json!("two"), json!(1.5), json!(null)] {
        let change = ("/challenges/0/schedule/1/clients", value);
        refused(current(), change.clone(), "\"clients\"", &["clients"]);
        refused(of_2017(), change, "\"clients\"", &["clients"]);
    }
}

#[test]
fn iterations_and_times_that_are_none() {
    for (key, value) in [
        ("iterations", json!(-1)),
        ("iterations", json!("many")),
        ("time-period", json!(-1)),
        ("warmup-time-period", json!("long")),
        ("target-throughput", json!("fast")),
        ("target-throughput", json!(-1)),
        ("target-interval", json!(true)),
    ] {
        let mut task = json!({"operation": "all"});
        task[key] = value;
        let change = ("/challenges/0/schedule/1", task);
        refused(current(), change.clone(), &format!("\"{key}\""), &[key]);
        refused(of_2017(), change, &format!("\"{key}\""), &[key]);
    }
}

#[test]
fn limits_that_exclude_each_other() {
    let task = json!({"operation": "all", "warmup-iterations": 3, "time-period": 5});
    let change = ("/challenges/0/schedule/1", task);
    refused(current(), change.clone(), "\"warmup-iterations\"", &["exclude each other"]);
    refused(of_2017(), change, "\"warmup-iterations\"", &["cannot be combined with"]);
}

#[test]
fn two_targets_of_one_task() {
    let task = json!({"operation": "all", "target-throughput": 3, "target-interval": 5});
    let change = ("/challenges/0/schedule/1", task);
    refused(current(), change.clone(), "\"target-interval\"", &["both set the rate"]);
    refused(of_2017(), change, "\"target-interval\"", &["both set the rate"]);
}

#[test]
fn a_completing_task_that_the_element_does_not_have() {
    let change = (
        "/challenges/0/schedule/1",
        json!({"parallel": {"completed-by": "al", "tasks": [{"operation": "all"}]}}),
    );
    refused(current(), change.clone(), "\"completed-by\"", &["completed-by"]);
    refused(of_2017(), change, "\"completed-by\"", &["completed-by"]);
}

#[test]
fn a_data_file_that_is_missing() {
    for (value, key) in [(current(), "source-file"), (of_2017(), "\"documents\": \"")] {
        let folder = folder(value, ("/description", json!("e")));
        std::fs::remove_file(folder.path().join("documents.json")).expect("removed");
        refused_in(&folder, key, &["the data file [documents.json] is missing"]);
    }
}

#[test]
fn a_problem_in_an_included_part_has_the_place_of_the_part() {
    let folder = folder(current(), ("/operations", json!(["PARTS"])));
    let file = folder.path().join("track.json");
    let text = std::fs::read_to_string(&file).expect("written");
    let imports = "{% import \"rally.helpers\" as rally with context %}\n";
    let text = text.replace("\"PARTS\"", "{{ rally.collect(parts=\"operations/*.json\") }}");
    std::fs::write(&file, format!("{imports}{text}")).expect("written");
    std::fs::create_dir(folder.path().join("operations")).expect("made");
    let parts = "{\"name\": \"all\", \"operation-type\": \"search\", \"index\": \"i\", \"body\": {}},\n\
                 {\"name\": \"bulk\", \"operation-type\": \"bulk\",\n  \"bulk-size\": \"x\"}\n";
    std::fs::write(folder.path().join("operations/default.json"), parts).expect("written");
    let path = format!("--track-path={}", folder.path().display());
    for command in ["validate-track", "run"] {
        Machine::new().rally([command, &path]).expect_code(64).expect_error(&["operations/default.json:3:"]);
    }
}

#[test]
fn unknown_keys_are_warnings_unless_the_user_is_strict() {
    let folder = folder(current(), ("/challenges/0/schedule/1/itertions", json!(5)));
    let path = format!("--track-path={}", folder.path().display());
    let machine = Machine::new();
    let run = machine.rally(["validate-track", &path]);
    run.expect_code(0);
    assert!(run.errors.contains("unknown key 'itertions' of a task"), "{}", run.errors);
    for command in ["validate-track", "run", "plan", "info"] {
        machine
            .rally([command, "--strict", &path])
            .expect_code(64)
            .expect_error(&["unknown key 'itertions' of a task, did you mean 'iterations'?", "track.json:"]);
    }
}

#[test]
fn unknown_keys_of_tracks_of_2017_are_errors() {
    let change = ("/challenges/0/schedule/1/itertions", json!(5));
    refused(of_2017(), change, "itertions", &["itertions", "iterations"]);
}

#[test]
fn names_of_a_track_with_python_code_pass() {
    let folder = folder(current(), ("/operations/1/operation-type", json!("knn-recall")));
    std::fs::write(folder.path().join("track.py"), "def register(registry):\n    pass\n").expect("written");
    let path = format!("--track-path={}", folder.path().display());
    Machine::new().rally(["validate-track", &path]).expect_code(0);
}

#[test]
fn the_tracks_that_ship_with_rally_are_valid_strictly() {
    let machine = Machine::new();
    for name in ["tutorial", "percolate", "random-profession", "random-scheduler"] {
        let folder = format!("--track-path={}/../../tracks/{name}", env!("CARGO_MANIFEST_DIR"));
        machine.rally(["validate-track", "--strict", &folder]).expect_code(0);
    }
}
