//! The JSON schema of the dialect.

use std::collections::HashMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

use super::messages;
use super::reader::MAX_PROBLEMS;
use crate::document::Document;
use crate::error::Problem;
use crate::json::Part;

/// Text of the schema, with a description of every key.
pub const TRACK_2017_SCHEMA: &str = include_str!("../../resources/track-2017-schema.json");

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(TRACK_2017_SCHEMA).unwrap_or(Value::Bool(false)));

/// A part of a track with a definition in the schema; a whole track has the schema itself.
pub(super) const TRACK: &str = "";
/// A task whose scheduler takes no parameters.
pub(super) const TASK_OF_BUILT_IN_SCHEDULER: &str = "task-of-built-in-scheduler";

/// A definition ready for use.
struct Compiled {
    schema: Value,
    validator: Validator,
}

/// All definitions by name. That they compile is checked by a test.
static DEFINITIONS: LazyLock<HashMap<&'static str, Compiled>> = LazyLock::new(|| {
    let names = SCHEMA["$defs"]
        .as_object()
        .into_iter()
        .flat_map(|definitions| definitions.keys())
        .map(String::as_str);
    names.chain([TRACK]).filter_map(|name| compile(name).map(|compiled| (name, compiled))).collect()
});

fn compile(name: &str) -> Option<Compiled> {
    let schema = match name {
        TRACK => SCHEMA.clone(),
        name => json!({ "$ref": format!("#/$defs/{name}"), "$defs": SCHEMA["$defs"] }),
    };
    let validator = jsonschema::draft202012::new(&schema).ok()?;
    Some(Compiled { schema, validator })
}

/// Checks the value at a pointer with a definition; the first problems, in the order of the document.
pub(super) fn check(document: &Document, pointer: &str, definition: &str) -> Vec<Problem> {
    let Some(value) = document.value.pointer(pointer) else { return Vec::new() };
    let Some(Compiled { schema, validator }) = DEFINITIONS.get(definition) else {
        let message = format!("the schema has no usable definition [{definition}]");
        return vec![document.problem(pointer, Part::Value, message, None)];
    };
    let errors = validator.iter_errors(value);
    errors
        .flat_map(|error| messages::problems(document, pointer, schema, &error))
        .take(MAX_PROBLEMS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_valid_schema() {
        let schema: Value = serde_json::from_str(TRACK_2017_SCHEMA).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&schema));
        assert_eq!(DEFINITIONS.len(), schema["$defs"].as_object().unwrap().len() + 1);
    }

    #[test]
    fn every_key_is_described() {
        fn walk(path: &str, schema: &Value) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                if property == &Value::Bool(true) {
                    continue; // Described where the general definition has it.
                }
                let target = property["$ref"].as_str().and_then(|target| SCHEMA.pointer(&target[1..]));
                let described = property.get("description").or_else(|| target?.get("description"));
                assert!(described.is_some(), "{path}/{name} has no description");
                walk(&format!("{path}/{name}"), property);
            }
        }
        walk("", &SCHEMA);
        for (name, definition) in SCHEMA["$defs"].as_object().unwrap() {
            walk(name, definition);
        }
    }
}
