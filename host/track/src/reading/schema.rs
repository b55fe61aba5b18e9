//! A JSON schema and its definitions, ready for use.

use std::collections::HashMap;

use jsonschema::{Draft, Validator};
use serde_json::{Map, Value};

use super::messages;
use super::reader::MAX_PROBLEMS;
use crate::document::Document;
use crate::error::Problem;
use crate::json::Part;

/// The schema of a dialect.
pub(crate) struct Schema {
    /// By name; the schema itself has the empty one.
    definitions: HashMap<String, Definition>,
}

/// A definition ready for use.
struct Definition {
    schema: Value,
    validator: Validator,
}

impl Schema {
    /// The definition of a whole track.
    pub(crate) const TRACK: &str = "";

    /// Compiles a schema with those of its definitions that are used on their own; they stand below `key`. What does not
    /// compile is missing, and checks say so: a test sees to it that all do.
    pub(crate) fn new(text: &str, draft: Draft, key: &str, used: impl Fn(&str) -> bool) -> Self {
        let schema: Value = serde_json::from_str(text).unwrap_or(Value::Bool(false));
        let mut definitions = HashMap::new();
        let mut add = |name: &str, schema: Value| {
            let validator =
                jsonschema::options().with_draft(draft).should_validate_formats(false).build(&schema);
            if let Ok(validator) = validator {
                definitions.insert(name.to_owned(), Definition { schema, validator });
            }
        };
        for name in schema[key].as_object().into_iter().flat_map(|all| all.keys()).filter(|name| used(name)) {
            let mut definition = Map::new();
            definition.insert("$ref".to_owned(), format!("#/{key}/{name}").into());
            definition.insert(key.to_owned(), schema[key].clone());
            add(name, Value::Object(definition));
        }
        add(Self::TRACK, schema);
        Self { definitions }
    }

    /// Checks the value at a pointer with a definition; the first problems, in the order of the document.
    pub(crate) fn check(&self, document: &Document, pointer: &str, definition: &str) -> Vec<Problem> {
        let Some(value) = document.value.pointer(pointer) else { return Vec::new() };
        let Some(Definition { schema, validator }) = self.definitions.get(definition) else {
            let message = format!("the schema has no usable definition '{definition}'");
            return vec![document.problem(pointer, Part::Value, message, None)];
        };
        let errors = validator.iter_errors(value);
        errors
            .flat_map(|error| messages::problems(document, pointer, schema, &error))
            .take(MAX_PROBLEMS)
            .collect()
    }

    /// Names of all definitions that compiled.
    #[cfg(test)]
    pub(crate) fn names(&self) -> Vec<&str> {
        self.definitions.keys().map(String::as_str).collect()
    }
}

/// Asserts that every key that a schema has is described, where it stands or where it refers to.
#[cfg(test)]
pub(crate) fn assert_every_key_is_described(text: &str, definitions: &str) {
    fn walk(root: &Value, path: &str, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if property == &Value::Bool(true) {
                continue; // Described where the general definition has it.
            }
            let target = property["$ref"].as_str().and_then(|target| root.pointer(&target[1..]));
            let described = property.get("description").or_else(|| target?.get("description"));
            assert!(described.is_some(), "{path}/{name} has no description");
            walk(root, &format!("{path}/{name}"), property);
        }
    }
    let root: Value = serde_json::from_str(text).unwrap();
    walk(&root, "", &root);
    for (name, definition) in root[definitions].as_object().unwrap() {
        walk(&root, name, definition);
    }
}
