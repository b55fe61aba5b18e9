//! What Rally 2.13 makes of tracks of the current dialect.

use std::path::{Path, PathBuf};

use rally_track::{
    BuildFlavor, Element, LoadOptions, OperationType, Track, TrackError, TrackSource, load, read,
};
use serde_json::{Value, json};

use crate::shape::{Operations, shown, shown_documents, shown_task};
use crate::support::TrackDirectory;

/// What `now` is in the cases.
const NOW: f64 = 1_735_689_600.5;

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(golden_path(name)).unwrap()).unwrap()
}

fn cases(name: &str) -> Vec<Value> {
    golden(name)["cases"].as_array().unwrap().clone()
}

/// A directory with this track and nothing else.
fn directory_of(track: &Value) -> TrackDirectory {
    TrackDirectory::new(&json!({ "track.json": track }))
}

/// A track that sleeps, with something else in it.
fn sleeping(key: &str, value: Value) -> Value {
    json!({
        key: value,
        "indices": [{"name": "i"}],
        "schedule": [{"operation": {"operation-type": "sleep", "duration": 1}}],
    })
}

/// Names of the tasks; those of a parallel element in a list of their own.
fn names_of_tasks(schedule: &[Element]) -> Vec<Value> {
    let shown = |element: &Element| match element {
        Element::Task(task) => json!(task.name),
        Element::Parallel(parallel) => {
            json!(parallel.tasks.iter().map(|task| &task.name).collect::<Vec<_>>())
        }
    };
    schedule.iter().map(shown).collect()
}

#[test]
fn small_tracks_are_read_as_rally_2_13_does() {
    let files = golden("track_parsing-files.json");
    let mut compared = 0;
    for case in cases("track_parsing.json") {
        let id = case["id"].as_str().unwrap();
        let directory = TrackDirectory::new(&files);
        directory.write("track.json", case["input"]["spec"].to_string().as_bytes());
        let options = LoadOptions {
            now: NOW,
            track_params: case["input"]["track_params"].as_object().unwrap().clone(),
            ignore_unused_track_params: true,
            any_names: true,
            ..LoadOptions::default()
        };
        compared += 1;
        match (directory.load(&options), case.get("error")) {
            (Err(TrackError::Invalid { .. }), Some(_)) => {}
            (Ok(track), None) => assert_eq!(shown(&track, None), case["expected"], "{id}"),
            (outcome, _) => panic!("{id}: {outcome:?}"),
        }
    }
    assert_eq!(compared, 27);
}

/// Replaces references to bodies by the bodies.
fn resolve_bodies(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(sha256) = members.get("$body").and_then(Value::as_str) {
                *value = golden(&format!("plan/bodies/{sha256}.json"));
            } else {
                members.values_mut().for_each(resolve_bodies);
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(resolve_bodies),
        _ => {}
    }
}

#[test]
fn a_whole_track_is_read_as_rally_2_13_does() {
    for variant in ["default", "tuned", "test-mode", "serverless-filtered"] {
        let mut plan = golden(&format!("plan/{variant}.json"));
        let inputs = &plan["inputs"];
        let processors: Vec<&str> =
            inputs["processors"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let options = LoadOptions {
            now: NOW,
            track_params: inputs["track_params"].as_object().unwrap().clone(),
            build_flavor: match inputs["build_flavor"].as_str() {
                Some("serverless") => BuildFlavor::Serverless,
                _ => BuildFlavor::Default,
            },
            keep_unavailable: !processors.contains(&"serverless"),
            test_mode: processors.contains(&"test-mode"),
            any_names: true,
            // No key of the track is taken for an unknown one.
            strict: true,
            ..LoadOptions::default()
        };
        let source = TrackSource::Repository {
            name: plan["track_name"].as_str().unwrap().to_owned(),
            directory: golden_path("plan/track"),
        };
        let loaded = read(&source, &options).unwrap_or_else(|error| panic!("{variant}: {error}"));
        assert_eq!(json!(loaded.parameters), plan["track_defined_params"], "{variant}");
        if plan["rendered"] != Value::Null {
            assert_eq!(loaded.rendered, plan["rendered"], "{variant}");
        }
        let mut expected = plan["track"].take();
        resolve_bodies(&mut expected);
        for challenge in expected["challenges"].as_array_mut().unwrap() {
            challenge.as_object_mut().unwrap().remove("allocation");
        }
        let mut actual = shown(&loaded.track, None);
        assert_eq!(actual["operations"], plan["operations"], "{variant}");
        for total in ["compressed_size_in_bytes", "uncompressed_size_in_bytes"] {
            actual["track"].as_object_mut().unwrap().remove(total);
            expected.as_object_mut().unwrap().remove(total);
        }
        assert_eq!(actual["track"], expected, "{variant}");
    }
}

#[test]
fn a_challenge_is_chosen_by_its_name() {
    for case in cases("challenge_selection.json") {
        let challenge = case["input"]["challenge"].as_str().map(str::to_owned);
        let options = LoadOptions { challenge: challenge.clone(), any_names: true, ..LoadOptions::default() };
        let track = directory_of(&case["input"]["spec"]).load(&options).unwrap();
        let found = track.challenge(challenge.as_deref()).map(|challenge| challenge.name.as_str());
        assert_eq!(json!(found), case["expected"]["found"]);
    }
}

#[test]
fn test_mode_takes_what_rally_2_13_takes() {
    let options = LoadOptions { test_mode: true, any_names: true, ..LoadOptions::default() };
    let mut compared = 0;
    for case in cases("test_mode.json") {
        let (id, input, expected) = (case["id"].as_str().unwrap(), &case["input"], &case["expected"]);
        compared += 1;
        if id.starts_with("corpus/") {
            let corpora = json!([{"name": "c", "documents": [input["documents"]]}]);
            let directory = directory_of(&sleeping("corpora", corpora));
            let documents = |track: Track| shown_documents(&track.corpora[0].documents[0]);
            let before = directory.load(&LoadOptions::default()).unwrap();
            assert_eq!(documents(before), expected["before"], "{id}");
            assert_eq!(documents(directory.load(&options).unwrap()), expected["after"], "{id}");
        } else {
            let track = directory_of(&json!({"schedule": input["schedule"]})).load(&options).unwrap();
            let mut operations = Operations::default();
            let tasks = track.challenges[0].schedule.iter().flat_map(Element::tasks);
            let tasks: Vec<Value> = tasks.map(|task| shown_task(task, None, &mut operations)).collect();
            assert_eq!(json!(tasks), *expected, "{id}");
        }
    }
    assert_eq!(compared, 7);
}

#[test]
fn tasks_of_the_current_dialect_are_filtered_as_rally_2_13_does() {
    let directory = directory_of(&golden("task_filters-track.json"));
    let mut compared = 0;
    for case in cases("task_filters.json") {
        let id = case["id"].as_str().unwrap();
        if id.starts_with("real/") {
            continue; // Tracks of rally-tracks, which are not here.
        }
        let filters = case["input"]["filters"].as_array().unwrap();
        let filters: Vec<String> = filters.iter().map(|filter| filter.as_str().unwrap().to_owned()).collect();
        let options = match case["input"]["mode"].as_str() {
            Some("include") => {
                LoadOptions { include_tasks: filters, any_names: true, ..LoadOptions::default() }
            }
            _ => LoadOptions { exclude_tasks: filters, any_names: true, ..LoadOptions::default() },
        };
        compared += 1;
        let track = match (directory.load(&options), case.get("error")) {
            (Err(TrackError::Filter { .. }), Some(_)) => continue,
            (Ok(track), None) => track,
            (outcome, _) => panic!("{id}: {outcome:?}"),
        };
        assert_eq!(json!(names_of_tasks(&track.challenges[0].schedule)), case["expected"], "{id}");
    }
    assert_eq!(compared, 19);
}

#[test]
fn a_target_that_is_not_serverless_offers_everything() {
    for case in cases("serverless_filter.json") {
        let input = &case["input"];
        assert_ne!(input["serverless_mode"], json!(true));
        let options = LoadOptions {
            serverless_operator: input["serverless_operator"].as_bool().unwrap(),
            any_names: true,
            ..LoadOptions::default()
        };
        let track = directory_of(&json!({"schedule": input["schedule"]})).load(&options).unwrap();
        let challenge = &track.challenges[0];
        assert_eq!(json!(names_of_tasks(&challenge.schedule)), case["expected"]["schedule"]);
        assert_eq!(json!(challenge.serverless_info), case["expected"]["serverless_info"]);
    }
}

#[test]
fn a_serverless_target_offers_what_is_public() {
    // The schedule of the golden cases has every core type, and operations that say themselves where they run.
    let track = json!({"schedule": cases("serverless_filter.json")[0]["input"]["schedule"]});
    let load = |serverless_operator| {
        let options = LoadOptions {
            build_flavor: BuildFlavor::Serverless,
            serverless_operator,
            any_names: true,
            ..LoadOptions::default()
        };
        let track = directory_of(&track).load(&options).unwrap();
        let names = names_of_tasks(&track.challenges[0].schedule);
        (names, track.challenges[0].serverless_info.clone())
    };
    let (public, info) = load(false);
    let (operator, _) = load(true);
    let has = |names: &[Value], name: &str| names.contains(&json!(name));
    for (name, for_users, for_operators) in [
        ("search", true, true),
        ("force-merge", false, true),
        ("cluster-health", false, true),
        ("create-index-template", false, false),
        ("custom", true, true),
        ("custom-off", false, false),
        ("blocked-but-forced", true, true),
        ("public-but-off", false, false),
    ] {
        assert_eq!((has(&public, name), has(&operator, name)), (for_users, for_operators), "{name}");
    }
    assert!(public.contains(&json!(["p1", "p2"])), "tasks of parallel elements stay");
    assert_eq!(info[0], "Treating parallel task in challenge [default] as public.");
    assert!(info[1].starts_with("Excluding [index-stats], [node-stats], "), "{}", info[1]);
}

#[test]
fn core_operation_types_are_those_of_rally_2_13() {
    for case in cases("operation_types.json") {
        let name = case["input"]["operation_type"].as_str().unwrap();
        let kind = OperationType::named(name);
        if case.get("error").is_some() {
            assert!(kind.is_none(), "{name}");
            continue;
        }
        let kind = kind.unwrap();
        let expected = &case["expected"];
        assert_eq!(kind.name(), name);
        assert_eq!(json!(kind.is_administrative()), expected["admin"], "{name}");
        assert_eq!(json!(kind.serverless_status().name()), expected["serverless_status"], "{name}");
    }
    assert_eq!(OperationType::all().count(), 59);
}

#[test]
fn an_unknown_challenge_of_the_current_dialect_is_answered_with_those_there_are() {
    let options =
        LoadOptions { challenge: Some("defualt".to_owned()), any_names: true, ..LoadOptions::default() };
    let directory = directory_of(&sleeping("description", json!("d")));
    let error = load(&TrackSource::Directory(directory.path()), &options).unwrap_err();
    assert!(error.to_string().contains("did you mean 'default'?"), "{error}");
}
