//! Index templates in the form that the target understands.

use rally_track::IndexTemplate;
use serde_json::{Value, json};

use super::mappings::{MappingError, template_mappings};
use crate::version::{Capabilities, MappingTypes};

/// A template that the target cannot take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TemplateError {
    /// The file holds something else.
    #[error("its file does not hold a JSON object")]
    NotAnObject,
    /// Several patterns, where the target takes one.
    #[error("it has several index patterns ({0}), but this target takes one: make a template for each")]
    SeveralPatterns(String),
    /// Several types, where the target takes one.
    #[error("it has several mapping types ({0}), but this target holds one type per index")]
    SeveralTypes(String),
    /// Its mappings do not fit.
    #[error(transparent)]
    Mapping(#[from] MappingError),
}

/// Body of the request that creates a template: the file's, with pattern and mappings as the target writes them.
///
/// # Errors
/// Where the file holds no object or the target cannot take it.
pub fn template_body(template: &IndexTemplate, capabilities: &Capabilities) -> Result<Value, TemplateError> {
    let mut body = template.template.as_object().cloned().ok_or(TemplateError::NotAnObject)?;
    let patterns: Vec<Value> = match (body.get("index_patterns"), body.get("template")) {
        (Some(Value::Array(patterns)), _) => patterns.clone(),
        (Some(pattern @ Value::String(_)), _) | (_, Some(pattern @ Value::String(_))) => {
            vec![pattern.clone()]
        }
        _ => vec![json!(template.index_pattern)],
    };
    if capabilities.index_patterns {
        body.shift_remove("template");
        body.insert("index_patterns".to_owned(), Value::Array(patterns));
    } else {
        let [pattern] = patterns.as_slice() else {
            let names: Vec<String> = patterns.iter().map(Value::to_string).collect();
            return Err(TemplateError::SeveralPatterns(names.join(", ")));
        };
        body.shift_remove("index_patterns");
        body.insert("template".to_owned(), pattern.clone());
    }
    if let Some(Value::Object(mappings)) = body.get("mappings") {
        let adapted = template_mappings(mappings, capabilities)?;
        if capabilities.mapping_types == MappingTypes::One
            && let Some(types) = adapted.as_object()
        {
            let names: Vec<&str> =
                types.keys().map(String::as_str).filter(|name| *name != "_default_").collect();
            if names.len() > 1 {
                return Err(TemplateError::SeveralTypes(names.join(", ")));
            }
        }
        body.insert("mappings".to_owned(), adapted);
    }
    Ok(Value::Object(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::{Product, Version};

    fn on(version: &str, body: Value) -> Result<Value, TemplateError> {
        let template = IndexTemplate {
            name: "t".to_owned(),
            index_pattern: "declared-*".to_owned(),
            delete_matching_indices: true,
            template: body,
        };
        template_body(&template, &Capabilities::of(Product::Elasticsearch, Version::parse(version).unwrap()))
    }

    #[test]
    fn the_pattern_stands_where_the_target_looks_for_it() {
        let old = json!({"template": "logs-*", "order": 1});
        assert_eq!(on("5.6.16", old.clone()).unwrap(), old);
        assert_eq!(on("6.8.23", old.clone()).unwrap(), json!({"order": 1, "index_patterns": ["logs-*"]}));
        let new = json!({"index_patterns": ["logs-*"]});
        assert_eq!(on("2.4.6", new.clone()).unwrap(), json!({"template": "logs-*"}));
        assert_eq!(on("9.0.0", new.clone()).unwrap(), new);
        assert_eq!(on("7.0.0", json!({})).unwrap(), json!({"index_patterns": ["declared-*"]}));
        assert!(on("2.4.6", json!({"index_patterns": ["a", "b"]})).is_err());
    }

    #[test]
    fn mappings_lose_their_types_from_7_on() {
        let body = json!({"template": "x", "mappings": {"logs": {"properties": {"s": {"type": "string"}}}}});
        assert_eq!(
            on("7.0.0", body.clone()).unwrap()["mappings"],
            json!({"properties": {"s": {"type": "text"}}})
        );
        assert_eq!(on("2.4.6", body.clone()).unwrap(), body);
        let two = json!({"mappings": {"a": {}, "b": {}}});
        assert!(on("6.0.0", two.clone()).unwrap_err().to_string().contains("(a, b)"));
        assert!(on("5.0.0", two).is_ok());
    }
}
