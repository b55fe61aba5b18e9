//! Plans of tracks of 2017.

use std::path::Path;

use rally_track::{LoadOptions, TrackSource};
use serde_json::{Value, json};

fn tutorial() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tracks/tutorial");
    let source = TrackSource::from_path(&path).unwrap();
    let options = LoadOptions { now: 1.5, any_names: true, ..LoadOptions::default() };
    let made = rally_plan::plan(&source, &options, "default").unwrap();
    serde_json::from_slice(&made.plan.to_json().unwrap()).unwrap()
}

#[test]
fn iterations_that_nobody_said_are_those_of_that_time() {
    let plan = tutorial();
    let challenges = plan["track"]["challenges"].as_array().unwrap();
    let challenge = challenges.iter().find(|challenge| challenge["name"] == "append-no-conflicts").unwrap();
    let index = &challenge["schedule"][0]["tasks"][0];
    assert_eq!(index["name"], "index");
    assert_eq!((&index["iterations"], &index["warmup_iterations"]), (&json!(1), &json!(0)));
}

#[test]
fn documents_of_all_types_are_in_one_corpus_and_every_one_is_planned() {
    let plan = tutorial();
    assert_eq!(plan["track"]["corpora"][0]["name"], "tutorial");
    let bulk = plan["param_sources"]["bulk"].as_object().unwrap().values().next().unwrap();
    let partitions = bulk["partitions"].as_object().unwrap().values();
    let documents: u64 = partitions
        .flat_map(|partition| partition["readers"].as_array().unwrap())
        .map(|reader| reader[3].as_u64().unwrap())
        .sum();
    assert_eq!(Some(documents), plan["track"]["number_of_documents"].as_u64());
}
