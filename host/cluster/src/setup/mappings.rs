//! The mappings of an index, in the form that the target understands.

use rally_track::Index;
use serde_json::{Map, Value};

use super::adapt::adapt_mapping;
use crate::version::Capabilities;

/// Mapping that every other type started from, before 7.
const DEFAULT_TYPE: &str = "_default_";

/// What can stand at the top of a mapping without types.
const MAPPING_KEYS: [&str; 14] = [
    "properties",
    "dynamic",
    "dynamic_templates",
    "dynamic_date_formats",
    "date_detection",
    "numeric_detection",
    "_source",
    "_routing",
    "_meta",
    "_all",
    "_field_names",
    "_size",
    "runtime",
    "_parent",
];

/// Mappings that do not fit together, or not to the target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MappingError {
    /// A mapping is not an object.
    #[error("the mapping of type '{name}' is not a JSON object")]
    NotAnObject {
        /// The type.
        name: String,
    },
    /// Types without which there is only one mapping say different things about it.
    #[error(
        "its types cannot be merged into one mapping, which this target needs: '{path}' is {first} in one type and {second} in another"
    )]
    Conflict {
        /// The place in the mapping, joined by dots.
        path: String,
        /// What one type says.
        first: String,
        /// What another one says.
        second: String,
    },
}

/// The value of `mappings` for the request that creates an index. By type where the target knows types, otherwise merged
/// into one. Fields are brought into the target's terms (`string` or `text` and `keyword`).
///
/// # Errors
/// Where mappings are no objects, or types contradict each other on a target without types.
pub fn index_mappings(index: &Index, capabilities: &Capabilities) -> Result<Value, MappingError> {
    let mut by_type = Map::new();
    for kind in &index.types {
        let mapping =
            kind.mapping.as_object().ok_or_else(|| MappingError::NotAnObject { name: kind.name.clone() })?;
        by_type.extend(named(&kind.name, mapping));
    }
    mappings(by_type, capabilities)
}

/// The same for the mappings of a template, which are already by type, or without.
///
/// # Errors
/// As [`index_mappings`].
pub fn template_mappings(
    mappings_of: &Map<String, Value>,
    capabilities: &Capabilities,
) -> Result<Value, MappingError> {
    if !mappings_of.is_empty() && is_untyped(mappings_of) {
        let name = if capabilities.all_field { "type" } else { "_doc" };
        return mappings(named(name, mappings_of), capabilities);
    }
    mappings(mappings_of.clone(), capabilities)
}

fn mappings(mut by_type: Map<String, Value>, capabilities: &Capabilities) -> Result<Value, MappingError> {
    for (name, mapping) in &mut by_type {
        let mapping =
            mapping.as_object_mut().ok_or_else(|| MappingError::NotAnObject { name: name.clone() })?;
        adapt_mapping(mapping, capabilities);
    }
    if capabilities.typed() {
        return Ok(Value::Object(by_type));
    }
    let mut merged = by_type.shift_remove(DEFAULT_TYPE).and_then(into_map).unwrap_or_default();
    let types: Vec<Map<String, Value>> =
        by_type.into_iter().filter_map(|(_, mapping)| into_map(mapping)).collect();
    // Documents of all types go into one index: it may only be as strict as all of them are.
    let agreed = types.windows(2).all(|pair| pair[0].get("dynamic") == pair[1].get("dynamic"));
    for mut mapping in types {
        if !agreed {
            mapping.shift_remove("dynamic");
        }
        merge(&mut merged, mapping, "")?;
    }
    Ok(Value::Object(merged))
}

fn into_map(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(map) => Some(map),
        _ => None,
    }
}

/// A mapping file by type: as it is, or with the type's name around it where the file is written without types.
fn named(name: &str, mapping: &Map<String, Value>) -> Map<String, Value> {
    if mapping.contains_key(name) || !is_untyped(mapping) {
        return mapping.clone();
    }
    let mut by_type = Map::new();
    by_type.insert(name.to_owned(), Value::Object(mapping.clone()));
    by_type
}

fn is_untyped(mapping: &Map<String, Value>) -> bool {
    mapping.keys().all(|key| MAPPING_KEYS.contains(&key.as_str()))
}

/// Adds `more` to `merged`. Objects are merged, lists joined, equal values kept.
fn merge(merged: &mut Map<String, Value>, more: Map<String, Value>, path: &str) -> Result<(), MappingError> {
    for (key, value) in more {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (merged.get_mut(&key), value) {
            (None, value) => {
                merged.insert(key, value);
            }
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new, &path)?,
            (Some(Value::Array(old)), Value::Array(new)) => {
                old.extend(new.into_iter().filter(|item| !old.contains(item)).collect::<Vec<_>>());
            }
            (Some(old), new) if *old == new => {}
            (Some(old), new) => {
                return Err(MappingError::Conflict { path, first: old.to_string(), second: new.to_string() });
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rally_track::MappingType;
    use serde_json::json;

    use super::*;
    use crate::version::{Product, Version};

    fn index(types: &[(&str, Value)]) -> Index {
        Index {
            auto_managed: true,
            types: types
                .iter()
                .map(|(name, mapping)| MappingType { name: (*name).to_owned(), mapping: mapping.clone() })
                .collect(),
            ..Index::new("idx")
        }
    }

    fn on(version: &str, types: &[(&str, Value)]) -> Result<Value, MappingError> {
        let capabilities = Capabilities::of(Product::Elasticsearch, Version::parse(version).unwrap());
        index_mappings(&index(types), &capabilities)
    }

    #[test]
    fn types_stay_where_the_target_has_them() {
        let types = [("a", json!({"a": {"properties": {"x": {"type": "long"}}}}))];
        for version in ["1.7.6", "2.4.6", "5.6.16", "6.8.23"] {
            assert_eq!(on(version, &types).unwrap(), json!({"a": {"properties": {"x": {"type": "long"}}}}));
        }
        assert_eq!(on("7.0.0", &types).unwrap(), json!({"properties": {"x": {"type": "long"}}}));
    }

    #[test]
    fn several_types_are_merged_where_there_are_none() {
        let types = [
            (
                "a",
                json!({"_default_": {"date_detection": false}, "a": {"properties": {"x": {"type": "long"}, "o": {"properties": {"p": {"type": "date"}}}}}}),
            ),
            (
                "b",
                json!({"b": {"dynamic": "strict", "properties": {"y": {"type": "keyword"}, "o": {"properties": {"q": {"type": "ip"}}}}}}),
            ),
        ];
        assert_eq!(
            on("8.0.0", &types).unwrap(),
            json!({"date_detection": false, "properties": {
                "x": {"type": "long"}, "o": {"properties": {"p": {"type": "date"}, "q": {"type": "ip"}}},
                "y": {"type": "keyword"}}})
        );
    }

    #[test]
    fn types_that_contradict_each_other_are_an_error() {
        let types = [
            ("a", json!({"a": {"properties": {"x": {"type": "long"}}}})),
            ("b", json!({"b": {"properties": {"x": {"type": "keyword"}}}})),
        ];
        assert_eq!(
            on("7.10.2", &types).unwrap_err().to_string(),
            "its types cannot be merged into one mapping, which this target needs: 'properties.x.type' is \"long\" in one \
             type and \"keyword\" in another"
        );
        assert!(on("2.4.6", &types).is_ok());
    }

    #[test]
    fn a_mapping_without_type_gets_one_where_the_target_needs_it() {
        let types = [("a", json!({"properties": {"x": {"type": "long"}}}))];
        assert_eq!(on("6.8.23", &types).unwrap(), json!({"a": {"properties": {"x": {"type": "long"}}}}));
        assert_eq!(on("9.0.0", &types).unwrap(), json!({"properties": {"x": {"type": "long"}}}));
    }

    #[test]
    fn a_mapping_that_is_no_object_is_an_error() {
        assert!(on("7.0.0", &[("a", json!([]))]).is_err());
        assert!(on("7.0.0", &[("a", json!({"a": 3}))]).is_err());
    }
}
