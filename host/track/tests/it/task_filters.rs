//! `--include-tasks` and `--exclude-tasks`.

use std::path::Path;

use crate::support::{directory_of, load_value, valid};
use rally_track::{CompletedBy, Element, ExtensionNames, LoadOptions, TrackError};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The track of the cases, which is of the current dialect, as one of 2017: `bulk` is called `index` there, and
/// operations that stand within a task, or only are the name of a type, get an entry of their own.
fn track_of_2017() -> Value {
    let source = golden("task_filters-track.json");
    let mut track = valid();
    let mut operations = source["operations"].as_array().unwrap().clone();
    for operation in &mut operations {
        if operation["operation-type"] == "bulk" {
            operation["operation-type"] = json!("index");
        }
    }
    let mut schedule = source["schedule"].as_array().unwrap().clone();
    for task in &mut schedule {
        let name = match &task["operation"] {
            Value::Object(inline) => {
                let mut operation = inline.clone();
                operation.insert("name".into(), inline["operation-type"].clone());
                operations.push(Value::Object(operation));
                inline["operation-type"].clone()
            }
            Value::String(name) if !operations.iter().any(|operation| operation["name"] == name.as_str()) => {
                operations.push(json!({"name": name, "operation-type": name}));
                json!(name)
            }
            _ => continue,
        };
        task["operation"] = name;
    }
    track["operations"] = json!(operations);
    track["challenges"][0]["schedule"] = json!(schedule);
    track
}

fn options(mode: &str, filters: Vec<String>) -> LoadOptions {
    let types = ["sleep", "delete-index", "custom-operation-type"].map(str::to_owned);
    let extension_names = ExtensionNames { operation_types: types.into(), ..ExtensionNames::default() };
    match mode {
        "include" => LoadOptions { include_tasks: filters, extension_names, ..LoadOptions::default() },
        _ => LoadOptions { exclude_tasks: filters, extension_names, ..LoadOptions::default() },
    }
}

#[test]
fn tasks_are_filtered_as_rally_2_13_does() {
    let directory = directory_of(&track_of_2017());
    let mut compared = 0;
    for case in golden("task_filters.json")["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        if id.starts_with("real/") {
            continue; // Tracks of the current dialect, from a repository that is not here.
        }
        let filters: Vec<String> = case["input"]["filters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|filter| filter.as_str().unwrap().replace("type:bulk", "type:index"))
            .collect();
        let unfiltered = filters.is_empty();
        let outcome = directory.load(&options(case["input"]["mode"].as_str().unwrap(), filters));
        compared += 1;
        let matches_nothing = matches!(
            id,
            // A filter that selects no task is a mistake of the user, which Rally answers by racing nothing or all.
            r#"include/["nope"]"#
                | r#"include/[""]"#
                | r#"include/[" index-1"]"#
                | r#"exclude/["type:Search"]"#
                | r#"exclude/[""]"#
        );
        if matches_nothing || case["error"] != Value::Null {
            assert!(matches!(outcome, Err(TrackError::Filter { .. })), "{id}: {outcome:?}");
            continue;
        }
        let track = outcome.unwrap_or_else(|error| panic!("{id}: {error}"));
        let names: Vec<Value> = track.challenges[0]
            .schedule
            .iter()
            .map(|element| match element {
                Element::Task(task) => json!(task.name),
                Element::Parallel(parallel) => {
                    json!(parallel.tasks.iter().map(|task| &task.name).collect::<Vec<_>>())
                }
            })
            .collect();
        // An element without tasks would do nothing; Rally keeps it.
        let expected: Vec<Value> = case["expected"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|element| **element != json!([]))
            .cloned()
            .collect();
        assert_eq!(names, expected, "{id}");
        assert!(!unfiltered || names.len() == 6);
    }
    assert_eq!(compared, 19);
}

fn message(mode: &str, filters: &[&str]) -> String {
    let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
    directory_of(&track_of_2017()).load(&options(mode, filters)).unwrap_err().to_string()
}

#[test]
fn a_filter_that_selects_nothing_says_what_there_is() {
    let error = message("include", &["node-stats", "match-all-seriall"]);
    assert!(
        error.starts_with(
            "--include-tasks: 'match-all-seriall' matches no task, did you mean 'match-all-serial'?"
        ),
        "{error}"
    );
    let error = message("exclude", &["type:serch"]);
    assert!(
        error.contains("did you mean 'search'?") && error.contains("custom-operation-type, delete-index"),
        "{error}"
    );
    let error = message("exclude", &["tag:wite"]);
    assert!(error.contains("did you mean 'write'?"), "{error}");
    let error = message("include", &["size:5"]);
    assert!(error.contains("is not a filter"), "{error}");
}

#[test]
fn a_challenge_without_tasks_is_not_raced() {
    let all = ["index-1", "index-3", "index-two", "type:search", "node-stats", "tag:setup", "cluster-stats"];
    assert!(message("exclude", &all).contains("no task of challenge 'default' remains"));
}

#[test]
fn both_filters_at_once_are_rejected() {
    let options = LoadOptions {
        include_tasks: vec!["search".to_owned()],
        exclude_tasks: vec!["index".to_owned()],
        ..LoadOptions::default()
    };
    let error = directory_of(&valid()).load(&options).unwrap_err().to_string();
    assert!(error.contains("cannot be used together"), "{error}");
}

#[test]
fn an_element_whose_completing_task_is_left_out_ends_with_its_tasks() {
    let mut track = valid();
    track["challenges"][0]["schedule"] = json!([{"parallel": {"completed-by": "index", "tasks": [
        {"operation": "index"}, {"operation": "search", "iterations": 10}
    ]}}]);
    let load = |track: &Value, include: &str| {
        directory_of(track)
            .load(&LoadOptions { include_tasks: vec![include.to_owned()], ..LoadOptions::default() })
    };
    let completed_by = |include| match &load(&track, include).unwrap().challenges[0].schedule[0] {
        Element::Parallel(parallel) => parallel.completed_by.clone(),
        Element::Task(_) => panic!("the element is still one of several tasks"),
    };
    assert_eq!(completed_by("index"), Some(CompletedBy::Task("index".to_owned())));
    assert_eq!(completed_by("search"), None);
    assert!(load(&track, "search").unwrap().warnings[0].contains("leaves out the task 'index'"));

    track["challenges"][0]["schedule"][0]["parallel"]["tasks"][1] =
        json!({"operation": "search", "warmup-time-period": 5});
    assert!(load(&track, "search").unwrap_err().to_string().contains("would never end"));
}

#[test]
fn a_second_task_of_an_operation_has_a_name_of_its_own() {
    let mut track = valid();
    track["challenges"][0]["schedule"] = json!([{"operation": "search"}, {"operation": "search"}, {"operation": "search", "name": "search-2"}]);
    let names = |include: &[&str]| {
        let include_tasks = include.iter().map(|name| (*name).to_owned()).collect();
        let track =
            directory_of(&track).load(&LoadOptions { include_tasks, ..LoadOptions::default() }).unwrap();
        let tasks = track.challenges[0].schedule.iter().flat_map(Element::tasks);
        tasks.map(|task| task.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["search", "search-3", "search-2"]);
    assert_eq!(names(&["search-3"]), ["search-3"]);
    assert_eq!(names(&["search"]), ["search", "search-3"]);
}

#[test]
fn a_filter_with_two_colons_is_refused_beside_valid_ones() {
    for include in [true, false] {
        for wrong in ["type:bulk:x", "tag:a:b", "type::", "x:y:z"] {
            let filters = vec!["search".to_owned(), wrong.to_owned()];
            let options = match include {
                true => LoadOptions { include_tasks: filters, ..LoadOptions::default() },
                false => LoadOptions { exclude_tasks: filters, ..LoadOptions::default() },
            };
            let error = load_value(&valid(), &options).unwrap_err().to_string();
            assert!(error.contains(&format!("'{wrong}' is not a filter")), "{error}");
        }
    }
}
