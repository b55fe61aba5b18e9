//! The JSON schema of the dialect.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::messages;
use crate::document::Document;
use crate::error::Problem;

/// Text of the schema, with a description of every key.
pub const TRACK_2017_SCHEMA: &str = include_str!("../../resources/track-2017-schema.json");

static SCHEMA: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(TRACK_2017_SCHEMA).unwrap_or(Value::Bool(false)));

/// A part of the schema that a part of a track is checked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Definition {
    /// A whole track.
    Track,
    /// An operation of a built-in type, e.g. `operation-index`.
    Operation(&'static str),
    /// A task whose scheduler takes no parameters.
    TaskOfBuiltInScheduler,
}

/// Checks the value at a pointer; all problems, in the order of the document.
pub(super) fn check(document: &Document, pointer: &str, definition: Definition) -> Vec<Problem> {
    let schema = match definition {
        Definition::Track => SCHEMA.clone(),
        Definition::Operation(kind) => reference(&format!("operation-{kind}")),
        Definition::TaskOfBuiltInScheduler => reference("task-of-built-in-scheduler"),
    };
    let Some(value) = document.value.pointer(pointer) else { return Vec::new() };
    match jsonschema::draft202012::new(&schema) {
        Ok(validator) => validator
            .iter_errors(value)
            .flat_map(|error| messages::problems(document, pointer, &schema, &error))
            .collect(),
        // The schema is part of the program and checked by a test.
        Err(error) => vec![document.problem(
            pointer,
            crate::json::Part::Value,
            format!("unusable schema: {error}"),
            None,
        )],
    }
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}"), "$defs": SCHEMA["$defs"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_valid_schema() {
        jsonschema::draft202012::new(&serde_json::from_str(TRACK_2017_SCHEMA).unwrap()).unwrap();
        assert!(jsonschema::draft202012::meta::is_valid(&SCHEMA));
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
