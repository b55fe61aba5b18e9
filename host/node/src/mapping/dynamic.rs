//! What a field becomes that no mapping names: dynamic templates first, then the rules of Elasticsearch.

use super::date::{DEFAULT_FORMAT, DateFormat};
use super::parse::{self, Definition, ObjectDefinition};
use super::table::RootOptions;
use crate::error::EsError;
use regex::Regex;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

/// The date formats tried on new string fields, unless the mapping has others.
static DATE_FORMATS: LazyLock<Vec<Arc<DateFormat>>> = LazyLock::new(|| {
    [DEFAULT_FORMAT, "yyyy/MM/dd HH:mm:ss||yyyy/MM/dd||epoch_millis"]
        .iter()
        .filter_map(|format| DateFormat::new(format).ok().map(Arc::new))
        .collect()
});

/// The first value seen of a new field.
#[derive(Debug, Clone, PartialEq)]
pub enum DynamicValue {
    /// A string.
    String(String),
    /// A whole number.
    Long,
    /// A number with a fraction.
    Double,
    /// true or false.
    Boolean,
    /// An object.
    Object,
}

/// One entry of `dynamic_templates`.
#[derive(Debug, Clone, PartialEq)]
pub struct DynamicTemplate {
    /// The whole entry, `{"name": {…}}`, as given.
    pub source: Value,
    mapping_type: Option<String>,
    name: Option<Pattern>,
    not_name: Option<Pattern>,
    path: Option<Pattern>,
    not_path: Option<Pattern>,
    mapping: Map<String, Value>,
}

#[derive(Debug, Clone)]
struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Pattern {
    fn new(text: &str, regex: bool) -> Result<Self, EsError> {
        let source = if regex { text.to_string() } else { regex::escape(text).replace("\\*", ".*") };
        Regex::new(&format!("^(?:{source})$")).map(Pattern).map_err(|error| {
            EsError::illegal_argument(format!("Pattern [{text}] of a dynamic template: {error}"))
        })
    }

    fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl DynamicTemplate {
    /// Reads the list of templates of a mapping.
    ///
    /// # Errors
    /// 400 where one has not the shape `{"name": {"mapping": {…}, …}}` or a member that is not known.
    pub fn list(value: &Value) -> Result<Vec<Self>, EsError> {
        let malformed = || {
            EsError::mapper_parsing("Dynamic template syntax error. An array of named objects is expected.")
        };
        value.as_array().ok_or_else(malformed)?.iter().map(Self::new).collect()
    }

    fn new(source: &Value) -> Result<Self, EsError> {
        let malformed = || EsError::mapper_parsing("A dynamic template must be defined with a name");
        let entry = source.as_object().filter(|entry| entry.len() == 1).ok_or_else(malformed)?;
        let (label, body) = entry.iter().next().ok_or_else(malformed)?;
        let body = body.as_object().ok_or_else(malformed)?;
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        for member in body.keys() {
            let known = [
                "match",
                "unmatch",
                "path_match",
                "path_unmatch",
                "match_mapping_type",
                "match_pattern",
                "mapping",
            ];
            if !known.contains(&member.as_str()) {
                return Err(EsError::illegal_argument(format!(
                    "Illegal dynamic template parameter: [{member}]"
                )));
            }
        }
        let regex = match text("match_pattern") {
            None | Some("simple") => false,
            Some("regex") => true,
            Some(other) => {
                return Err(EsError::illegal_argument(format!("No matching pattern matched on [{other}]")));
            }
        };
        let mapping_type = text("match_mapping_type");
        let types = ["*", "object", "string", "long", "double", "boolean", "date", "binary"];
        if let Some(unknown) = mapping_type.filter(|name| !types.contains(name)) {
            return Err(EsError::illegal_argument(format!(
                "No field type matched on [{unknown}], possible values are [object, string, long, double, boolean, date, binary]"
            )));
        }
        let pattern = |member: &str, regex| text(member).map(|each| Pattern::new(each, regex)).transpose();
        if mapping_type.is_none() && !["match", "path_match"].iter().any(|member| body.contains_key(*member))
        {
            return Err(EsError::mapper_parsing(format!(
                "template [{label}] must have match, path_match or match_mapping_type set"
            )));
        }
        let mapping = body.get("mapping").and_then(Value::as_object).cloned();
        Ok(DynamicTemplate {
            source: source.clone(),
            mapping_type: mapping_type.map(str::to_string),
            name: pattern("match", regex)?,
            not_name: pattern("unmatch", regex)?,
            path: pattern("path_match", regex)?,
            not_path: pattern("path_unmatch", regex)?,
            mapping: mapping.ok_or_else(|| {
                EsError::mapper_parsing(format!("template [{label}] must have mapping set"))
            })?,
        })
    }

    fn fits(&self, path: &str, name: &str, dynamic_type: &str) -> bool {
        self.mapping_type.as_deref().is_none_or(|wanted| wanted == "*" || wanted == dynamic_type)
            && self.name.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && self.not_name.as_ref().is_none_or(|pattern| !pattern.is_match(name))
            && self.path.as_ref().is_none_or(|pattern| pattern.is_match(path))
            && self.not_path.as_ref().is_none_or(|pattern| !pattern.is_match(path))
    }

    fn definition(&self, name: &str, dynamic_type: &str, default_type: &str) -> Result<Definition, EsError> {
        let mut mapping = substituted(&Value::Object(self.mapping.clone()), name, dynamic_type);
        if let Value::Object(members) = &mut mapping {
            members.entry("type").or_insert_with(|| default_type.into());
            return parse::definition(name, members);
        }
        Err(EsError::mapper_parsing("the mapping of a dynamic template must be an object"))
    }
}

fn substituted(value: &Value, name: &str, dynamic_type: &str) -> Value {
    let text = |text: &str| text.replace("{name}", name).replace("{dynamic_type}", dynamic_type);
    match value {
        Value::String(each) => Value::String(text(each)),
        Value::Array(list) => list.iter().map(|each| substituted(each, name, dynamic_type)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, each)| (text(key), substituted(each, name, dynamic_type))).collect(),
        ),
        other => other.clone(),
    }
}

/// What the new field `path` becomes; `value` is the first one seen.
pub(super) fn definition(
    options: &RootOptions,
    path: &str,
    value: &DynamicValue,
) -> Result<Definition, EsError> {
    let name = path.rsplit('.').next().unwrap_or(path);
    let (dynamic_type, default_type, default) = detect(options, value);
    for template in options.dynamic_templates.iter().flatten() {
        if template.fits(path, name, dynamic_type) {
            return template.definition(name, dynamic_type, default_type);
        }
    }
    match default.as_object() {
        Some(members) if dynamic_type != "object" => parse::definition(name, members),
        _ => Ok(Definition::Object(ObjectDefinition::default())),
    }
}

/// The type as dynamic templates call it, the type it becomes in one that names none, and the definition without any.
fn detect(options: &RootOptions, value: &DynamicValue) -> (&'static str, &'static str, Value) {
    match value {
        DynamicValue::Object => ("object", "object", json!({})),
        DynamicValue::Boolean => ("boolean", "boolean", json!({ "type": "boolean" })),
        DynamicValue::Long => ("long", "long", json!({ "type": "long" })),
        DynamicValue::Double => ("double", "float", json!({ "type": "float" })),
        DynamicValue::String(text) => {
            let long = text.parse::<i64>().is_ok();
            let double = text.parse::<f64>().is_ok();
            if options.numeric_detection.unwrap_or(false) && (long || double) {
                return detect(options, &if long { DynamicValue::Long } else { DynamicValue::Double });
            }
            let formats = options.dynamic_date_formats.as_ref().unwrap_or(&DATE_FORMATS);
            if options.date_detection.unwrap_or(true)
                && !(long || double)
                && let Some(format) = formats.iter().find(|format| format.parse(text).is_some())
            {
                let definition = if format.source() == DEFAULT_FORMAT {
                    json!({ "type": "date" })
                } else {
                    json!({ "type": "date", "format": format.source() })
                };
                return ("date", "date", definition);
            }
            let definition = json!({ "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } });
            ("string", "text", definition)
        }
    }
}
