//! What Rally's own engine prints (Jinja2 3.1 in golden/templates.json, 2.9 in golden/2017/templates.json).

use std::collections::BTreeMap;
use std::path::Path;

use minijinja::Value;
use serde_json::Value as Json;

use super::*;
use crate::files::TrackFiles;

const NOW: f64 = 1_735_689_600.5;

fn golden(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn write_files(directory: &Path, files: &Json) {
    for (name, text) in files.as_object().into_iter().flatten() {
        let path = directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.as_str().unwrap()).unwrap();
    }
}

fn render_in(directory: &Path, variables: BTreeMap<String, Value>) -> Result<String, Failure> {
    let files = TrackFiles::new(directory).unwrap();
    Renderer::new(files, NOW).with_variables(variables).render("track.json").map(|rendered| rendered.text)
}

fn render(files: &Json) -> Result<String, Failure> {
    let directory = tempfile::tempdir().unwrap();
    write_files(directory.path(), files);
    render_in(directory.path(), BTreeMap::new())
}

fn render_text(text: &str) -> Result<String, Failure> {
    render(&serde_json::json!({ "track.json": text }))
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::from(integer),
            None => Value::from(number.as_f64().unwrap()),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(elements) => elements.iter().map(from_json).collect(),
        Json::Object(members) => {
            Value::from_pairs(members.iter().map(|(key, value)| (key.as_str(), from_json(value))))
        }
    }
}

/// Cases that differ on purpose, with the reason.
const DIFFERENT: &[(&str, &str)] = &[];

#[test]
fn renders_as_rally_2_13_does() {
    let mut failures = Vec::new();
    for case in golden("templates.json")["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let directory = tempfile::tempdir().unwrap();
        write_files(directory.path(), &case["input"]["files"]);
        std::fs::write(directory.path().join("track.json"), case["input"]["template"].as_str().unwrap())
            .unwrap();
        let variables = case["input"]["vars"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), from_json(value)))
            .collect();
        let outcome = render_in(directory.path(), variables);
        if DIFFERENT.iter().any(|(different, _)| *different == id) {
            continue;
        }
        match (&outcome, case["expected"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(_), None) => {}
            _ => failures.push(format!("{id}: {outcome:?}, expected {case}")),
        }
    }
    assert!(failures.is_empty(), "{}\n{} cases differ", failures.join("\n"), failures.len());
}

#[test]
fn renders_as_rally_of_2017_does() {
    let mut failures = Vec::new();
    for case in golden("2017/templates.json")["cases"].as_array().unwrap() {
        let outcome = render(&case["input"]["files"]);
        match (&outcome, case["expected"].as_str()) {
            (Ok(text), Some(expected)) if text == expected => {}
            (Err(_), None) => {}
            _ => failures.push(format!("{}: {outcome:?}, expected {}", case["id"], case["expected"])),
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
