//! Elastic Rally 2.13's answers on versions and branches.

use std::path::Path;

use rally_repository::{best_match, components, is_version_identifier, major_version, variants_of};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What rally answers; `None` is an error.
fn answer(input: &Value, branches: &Value) -> Option<Value> {
    let version = input["version"].as_str();
    let strict = input["strict"].as_bool().unwrap_or(true);
    match input["fn"].as_str().unwrap() {
        "best_match" => {
            let available: Vec<&str> = branches[input["available"].as_str().unwrap()]
                .as_array()
                .unwrap()
                .iter()
                .map(|branch| branch.as_str().unwrap())
                .collect();
            Some(json!(best_match(&available, version)))
        }
        "is_version_identifier" => Some(json!(is_version_identifier(version, strict))),
        "components" => {
            let found = components(version.unwrap(), strict).ok()?;
            Some(json!([found.major, found.minor, found.patch, found.suffix]))
        }
        "major_version" => major_version(version.unwrap()).ok().map(|major| json!(major)),
        "variants_of" => variants_of(version.unwrap()).ok().map(|variants| json!(variants)),
        "compare" => {
            let numbers = |name: &str| {
                let found = components(input[name].as_str().unwrap(), true).unwrap();
                (found.major, found.minor, found.patch)
            };
            let (a, b) = (numbers("a"), numbers("b"));
            Some(json!({"eq": a == b, "lt": a < b, "repr": input["a"]}))
        }
        other => panic!("unknown function {other}"),
    }
}

#[test]
fn answers_every_case_as_rally_does() {
    let (cases, branches) = (golden("versions.json"), golden("versions-branches.json"));
    let cases = cases["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 198);
    for case in cases {
        if case["error"]["type"] == "ValueError" {
            // Rally breaks down over a branch `7.`, a name that git does not allow. Here it counts as 7.
            assert!(answer(&case["input"], &branches).is_some(), "{}", case["id"]);
            continue;
        }
        let expected = if case["error"].is_null() { Some(case["expected"].clone()) } else { None };
        assert_eq!(answer(&case["input"], &branches), expected, "{}", case["id"]);
    }
}

#[test]
fn a_number_too_large_for_a_version_is_none() {
    assert!(components("99999999999999999999.0.0", true).is_err());
    assert_eq!(best_match(&["99999999999999999999", "8"], Some("8.1.0")).as_deref(), Some("8"));
}

#[test]
fn numbers_left_out_in_the_middle_are_no_version() {
    for text in ["7..3", "7..-x", "7.1-x", ".1", "-", "7.1.2-", "7.1.2.3", "+7.1.2", "v7.1.2", "７.1.2"] {
        assert!(components(text, false).is_err(), "{text}");
    }
}
