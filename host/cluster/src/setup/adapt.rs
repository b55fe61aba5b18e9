//! Field definitions in the terms of the target's version.
//!
//! Only what has an exact counterpart is rewritten; everything else goes to the target as it is written, and the target
//! says what it does not understand.

use serde_json::{Map, Value, json};

use crate::version::{Capabilities, StringFields};

/// Brings one mapping (without its type's name) into the target's terms.
pub fn adapt_mapping(mapping: &mut Map<String, Value>, capabilities: &Capabilities) {
    if !capabilities.all_field
        && let Some(all) = mapping.get("_all")
        && all.get("enabled") == Some(&Value::Bool(false))
    {
        // There is no such field any more, so it is as switched off as it was asked to be.
        mapping.shift_remove("_all");
    }
    if let Some(properties) = mapping.get_mut("properties") {
        adapt_fields(properties, capabilities);
    }
    if let Some(Value::Array(templates)) = mapping.get_mut("dynamic_templates") {
        let named =
            templates.iter_mut().filter_map(Value::as_object_mut).flat_map(|template| template.values_mut());
        for template in named {
            if let Some(Value::Object(field)) = template.get_mut("mapping") {
                adapt_field(field, capabilities);
            }
        }
    }
}

fn adapt_fields(fields: &mut Value, capabilities: &Capabilities) {
    for field in fields.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Value::Object(field) = field {
            adapt_field(field, capabilities);
        }
    }
}

fn adapt_field(field: &mut Map<String, Value>, capabilities: &Capabilities) {
    match capabilities.string_fields {
        StringFields::Analyzed => to_string_fields(field),
        StringFields::TextKeyword => to_text_and_keyword(field),
    }
    if !capabilities.all_field {
        // It chose what went into `_all`, which is gone.
        field.shift_remove("include_in_all");
    }
    for nested in ["properties", "fields"] {
        if let Some(nested) = field.get_mut(nested) {
            adapt_fields(nested, capabilities);
        }
    }
}

/// For targets before 5.0.
fn to_string_fields(field: &mut Map<String, Value>) {
    match field.get("type").and_then(Value::as_str) {
        Some("text") => {
            field.insert("type".to_owned(), json!("string"));
            match field.get("index") {
                Some(Value::Bool(false)) => field.insert("index".to_owned(), json!("no")),
                _ => field.shift_remove("index"),
            };
            if field.get("fielddata").is_some_and(Value::is_boolean) {
                // Analyzed strings could always be loaded; there was nothing to allow.
                field.shift_remove("fielddata");
            }
        }
        Some("keyword") => {
            field.insert("type".to_owned(), json!("string"));
            let index = if field.get("index") == Some(&Value::Bool(false)) { "no" } else { "not_analyzed" };
            field.insert("index".to_owned(), json!(index));
        }
        Some("half_float") => {
            field.insert("type".to_owned(), json!("float"));
        }
        Some("scaled_float") => {
            field.insert("type".to_owned(), json!("double"));
            field.shift_remove("scaling_factor");
        }
        _ => {}
    }
    match field.get("index") {
        Some(Value::Bool(false)) => {
            field.insert("index".to_owned(), json!("no"));
        }
        Some(Value::Bool(true)) => {
            field.shift_remove("index");
        }
        _ => {}
    }
    if let Some(Value::Bool(enabled)) = field.get("norms") {
        let enabled = *enabled;
        field.insert("norms".to_owned(), json!({ "enabled": enabled }));
    }
}

/// For targets from 5.0 on.
fn to_text_and_keyword(field: &mut Map<String, Value>) {
    if field.get("type").and_then(Value::as_str) == Some("string") {
        let (kind, index) = match field.get("index").and_then(Value::as_str) {
            Some("not_analyzed") => ("keyword", None),
            Some("no") => ("keyword", Some(Value::Bool(false))),
            _ => ("text", None),
        };
        field.insert("type".to_owned(), json!(kind));
        match index {
            Some(index) => field.insert("index".to_owned(), index),
            None => field.shift_remove("index"),
        };
    }
    match field.get("index").and_then(Value::as_str) {
        Some("no") => {
            field.insert("index".to_owned(), Value::Bool(false));
        }
        Some("analyzed" | "not_analyzed") => {
            field.shift_remove("index");
        }
        _ => {}
    }
    if let Some(norms) = field.get("norms").and_then(Value::as_object) {
        let enabled = norms.get("enabled").and_then(Value::as_bool).unwrap_or(true);
        field.insert("norms".to_owned(), Value::Bool(enabled));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::{Product, Version};

    fn adapted(version: &str, mapping: Value) -> Value {
        let capabilities = Capabilities::of(Product::Elasticsearch, Version::parse(version).unwrap());
        let Value::Object(mut mapping) = mapping else { panic!() };
        adapt_mapping(&mut mapping, &capabilities);
        Value::Object(mapping)
    }

    #[test]
    fn new_fields_become_strings_before_5() {
        let new = json!({"properties": {
            "name": {"type": "text", "norms": false, "fielddata": true, "fields": {"raw": {"type": "keyword"}}},
            "code": {"type": "keyword", "index": false},
            "area": {"type": "half_float", "index": false},
            "place": {"properties": {"city": {"type": "text", "index": true, "analyzer": "german"}}}
        }});
        let old = json!({"properties": {
            "name": {"type": "string", "norms": {"enabled": false}, "fields": {"raw": {"type": "string", "index": "not_analyzed"}}},
            "code": {"type": "string", "index": "no"},
            "area": {"type": "float", "index": "no"},
            "place": {"properties": {"city": {"type": "string", "analyzer": "german"}}}
        }});
        assert_eq!(adapted("2.4.6", new.clone()), old);
        assert_eq!(adapted("7.10.2", new.clone()), new);
    }

    #[test]
    fn strings_become_text_and_keyword_from_5_on() {
        let old = json!({"_all": {"enabled": false}, "properties": {
            "name": {"type": "string", "norms": {"enabled": false}, "include_in_all": false},
            "code": {"type": "string", "index": "not_analyzed"},
            "blob": {"type": "string", "index": "no"},
            "n": {"type": "long", "index": "not_analyzed"}
        }, "dynamic_templates": [{"s": {"match_mapping_type": "string", "mapping": {"type": "string", "index": "not_analyzed"}}}]});
        assert_eq!(
            adapted("7.10.2", old.clone()),
            json!({"properties": {
                "name": {"type": "text", "norms": false},
                "code": {"type": "keyword"},
                "blob": {"type": "keyword", "index": false},
                "n": {"type": "long"}
            }, "dynamic_templates": [{"s": {"match_mapping_type": "string", "mapping": {"type": "keyword"}}}]})
        );
        assert_eq!(adapted("2.4.6", old.clone()), old);
    }

    #[test]
    fn an_all_field_that_is_asked_for_is_not_silently_left_out() {
        let mapping = json!({"_all": {"enabled": true}});
        assert_eq!(adapted("7.10.2", mapping.clone()), mapping);
    }
}
