//! Schedules and allocations are those of Elastic Rally 2.13.

use std::fs;
use std::path::Path;

use rally_plan::{PlanError, plan};
use rally_track::{LoadOptions, TrackSource};
use serde_json::{Value, json};

/// Plans a track with one challenge that has this schedule.
fn planned(schedule: &Value) -> Result<Value, PlanError> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let track = json!({"description": "d", "challenges": [{"name": "c", "schedule": schedule}]});
    fs::write(folder.path().join("track.json"), track.to_string()).expect("written");
    let source = TrackSource::Repository { name: "unittest".to_owned(), directory: folder.path().to_owned() };
    let options = LoadOptions { any_names: true, ..LoadOptions::default() };
    let made = plan(&source, &options, "default")?;
    Ok(serde_json::from_slice(&made.plan.to_json()?)?)
}

/// Who completes the element before each join point, as plans have it.
fn completing(join_points: &Value) -> Value {
    let told = join_points.as_array().expect("join points").iter().filter_map(|point| {
        let list = |key: &str| point[key].as_array().filter(|clients| !clients.is_empty()).cloned();
        let mut entry = serde_json::Map::new();
        entry.extend(
            list("any_task_completes_parent").map(|any| ("any_task_completes_parent".to_owned(), any.into())),
        );
        entry.extend(
            list("clients_executing_completing_task")
                .map(|all| ("task_completes_parent".to_owned(), all.into())),
        );
        (!entry.is_empty()).then(|| (point["id"].to_string(), Value::Object(entry)))
    });
    Value::Object(told.collect())
}

#[test]
fn every_case_of_the_allocator() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/allocator.json");
    let golden: Value = serde_json::from_slice(&fs::read(path).expect("golden file")).expect("golden JSON");
    let cases = golden["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 21);
    for case in cases {
        let id = case["id"].as_str().expect("id");
        let actual = planned(&case["input"]["schedule"]);
        let Some(expected) = case.get("expected") else {
            assert!(matches!(actual, Err(PlanError::Track(_))), "{id}: {actual:?}");
            continue;
        };
        let mut actual = actual.unwrap_or_else(|error| panic!("{id}: {error}"));
        let challenge = &mut actual["track"]["challenges"][0];
        // The cases do not tell whether an element's clients are written or added up.
        for element in challenge["schedule"].as_array_mut().expect("schedule") {
            element.as_object_mut().expect("element").remove("clients_explicit");
        }
        let allocation = &challenge["allocation"];
        assert_eq!(challenge["schedule"], expected["schedule"], "{id}");
        assert_eq!(allocation["matrix"], expected["matrix"], "{id}");
        assert_eq!(allocation["clients"], expected["clients"], "{id}");
        assert_eq!(allocation["completing"], completing(&expected["join_points"]), "{id}");
        let steps = expected["join_points"].as_array().expect("join points").len() - 1;
        assert_eq!(allocation["steps"], steps, "{id}");
    }
}
