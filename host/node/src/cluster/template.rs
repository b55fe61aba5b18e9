//! Legacy index templates: settings and mappings for indices to come.

use super::names;
use super::settings::Settings;
use crate::error::EsError;
use crate::mapping::Mapping;
use serde_json::{Map, Value, json};

/// An index template, `_template/…`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Template {
    /// Patterns of the names it applies to.
    pub patterns: Vec<String>,
    /// Templates with a higher order win.
    pub order: i64,
    /// Free for the user.
    pub version: Option<Value>,
    /// Settings it gives.
    pub settings: Settings,
    /// Mapping it gives; an empty object for none.
    pub mappings: Value,
}

impl Template {
    /// Reads the body of `PUT _template`.
    ///
    /// # Errors
    /// 400 where it is wrong or asks for what the node does not have.
    pub fn parse(body: &Value, typed: bool) -> Result<Self, EsError> {
        let Value::Object(members) = body else {
            return Err(EsError::new(400, "parse_exception", "the template must be an object"));
        };
        let mut template = Template {
            patterns: Vec::new(),
            order: 0,
            version: None,
            settings: Settings::default(),
            mappings: json!({}),
        };
        for (name, value) in members {
            match name.as_str() {
                "index_patterns" => template.patterns = patterns(value)?,
                "order" => {
                    let order = value.as_i64().or_else(|| value.as_str()?.parse().ok());
                    template.order = order.ok_or_else(|| {
                        EsError::illegal_argument(format!("[order] must be a number, got [{value}]"))
                    })?;
                }
                "version" => template.version = Some(value.clone()),
                "settings" => template.settings.overlay(&Settings::parse(value)?),
                "mappings" => template.mappings = untyped(value, typed)?.1,
                "aliases" => refuse_aliases(value)?,
                _ => {
                    let reason = format!("unknown key [{name}] in the template ");
                    return Err(EsError::new(400, "parse_exception", reason));
                }
            }
        }
        if template.patterns.is_empty() {
            return Err(EsError::validation(&["index patterns are missing"]));
        }
        Mapping::new(&template.mappings).map_err(mapping_failed)?;
        Ok(template)
    }

    /// Whether it applies to an index called `name`.
    pub fn fits(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| names::matches(pattern, name))
    }

    /// The template as `GET _template` answers it.
    pub fn to_json(&self, flat: bool, typed: bool) -> Value {
        let mut object = Map::new();
        object.insert("order".to_string(), self.order.into());
        if let Some(version) = &self.version {
            object.insert("version".to_string(), version.clone());
        }
        object.insert("index_patterns".to_string(), json!(self.patterns));
        object.insert("settings".to_string(), self.settings.to_json(flat));
        let mappings = if typed && self.mappings != json!({}) {
            json!({ "_doc": self.mappings })
        } else {
            self.mappings.clone()
        };
        object.insert("mappings".to_string(), mappings);
        object.insert("aliases".to_string(), json!({}));
        Value::Object(object)
    }
}

fn patterns(value: &Value) -> Result<Vec<String>, EsError> {
    let wrong = || EsError::illegal_argument("index_patterns must be a string or an array of strings");
    match value {
        Value::String(one) => Ok(vec![one.clone()]),
        Value::Array(list) => {
            list.iter().map(|each| each.as_str().map(str::to_string).ok_or_else(wrong)).collect()
        }
        _ => Err(wrong()),
    }
}

/// The mapping in `value`, and the type it was under where types are included.
///
/// # Errors
/// 400 where a type is there but was not announced, or the other way round.
pub fn untyped(value: &Value, typed: bool) -> Result<(Option<String>, Value), EsError> {
    let members = match value {
        Value::Object(members) => members,
        Value::Null => return Ok((None, json!({}))),
        _ => return Err(EsError::mapper_parsing("Expected map for the mapping")),
    };
    if typed {
        return match members.iter().next() {
            None => Ok((None, json!({}))),
            Some((name, mapping)) if members.len() == 1 && mapping.is_object() => {
                Ok((Some(name.clone()), mapping.clone()))
            }
            Some(_) => Err(EsError::mapper_parsing(
                "with include_type_name=true the mapping must be nested under exactly one type",
            )),
        };
    }
    if members.len() == 1 && members.contains_key("_doc") {
        return Err(EsError::illegal_argument(
            "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
        ));
    }
    Ok((None, value.clone()))
}

/// Refuses aliases, which the node does not have.
///
/// # Errors
/// 400 where there is any.
pub fn refuse_aliases(value: &Value) -> Result<(), EsError> {
    match value {
        Value::Object(aliases) if aliases.is_empty() => Ok(()),
        _ => Err(EsError::unsupported("[aliases]")),
    }
}

/// An error in a mapping as it is answered where an index or template is created.
pub fn mapping_failed(error: EsError) -> EsError {
    // Only errors of Elasticsearch's own count as root causes, not Java's.
    let is_root = ["mapper_parsing_exception", "parse_exception"].contains(&error.kind);
    let mut outer = EsError::new(
        error.status,
        "mapper_parsing_exception",
        format!("Failed to parse mapping [_doc]: {}", error.reason),
    )
    .caused_by(error);
    outer.root_is_cause = is_root;
    outer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_read_and_written() {
        let body = json!({"index_patterns": ["a*", "b"], "order": 3, "settings": {"number_of_shards": 1}, "mappings": {"properties": {"x": {"type": "long"}}}});
        let template = Template::parse(&body, false).unwrap();
        assert!(template.fits("abc") && template.fits("b") && !template.fits("c"));
        let expected = json!({"order": 3, "index_patterns": ["a*", "b"], "settings": {"index": {"number_of_shards": "1"}}, "mappings": {"properties": {"x": {"type": "long"}}}, "aliases": {}});
        assert_eq!(template.to_json(false, false), expected);
    }

    #[test]
    fn wrong_templates_are_refused() {
        for (body, reason) in [
            (json!({"order": 1}), "Validation Failed: 1: index patterns are missing;"),
            (json!({"index_patterns": "a", "foo": 1}), "unknown key [foo] in the template "),
            (
                json!({"index_patterns": "a", "aliases": {"x": {}}}),
                "[aliases] is not supported by the embedded node",
            ),
            (
                json!({"index_patterns": "a", "mappings": {"_doc": {}}}),
                "The mapping definition cannot be nested under a type [_doc] unless include_type_name is set to true.",
            ),
            (
                json!({"index_patterns": "a", "mappings": {"properties": {"x": {"type": "foo"}}}}),
                "Failed to parse mapping [_doc]: No handler for type [foo] declared on field [x]",
            ),
        ] {
            assert_eq!(Template::parse(&body, false).unwrap_err().reason, reason);
        }
    }
}
