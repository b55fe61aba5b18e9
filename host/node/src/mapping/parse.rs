//! Mapping JSON to definitions. What the node would not honour is refused, with Elasticsearch's words where it has some.

use super::date::{DEFAULT_FORMAT, DateFormat};
use super::dynamic::DynamicTemplate;
use super::field::{FieldDefinition, FieldType};
use super::table::{Dynamic, RootOptions};
use crate::error::EsError;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A field or an object with fields.
#[derive(Debug, Clone)]
pub(super) enum Definition {
    Object(ObjectDefinition),
    Field(Box<FieldDefinition>),
}

/// What a mapping says about an object.
#[derive(Debug, Clone, Default)]
pub(super) struct ObjectDefinition {
    pub dynamic: Option<Dynamic>,
    pub enabled: Option<bool>,
    pub properties: Vec<(String, Definition)>,
}

/// A whole mapping: `{"dynamic": …, "properties": {…}}`.
#[derive(Debug, Clone, Default)]
pub(super) struct RootDefinition {
    pub options: RootOptions,
    pub object: ObjectDefinition,
}

pub(super) fn root(body: &Value) -> Result<RootDefinition, EsError> {
    let mut root = RootDefinition::default();
    let object = expect_object(body, "Expected map for the mapping")?;
    let mut unsupported = Vec::new();
    for (name, value) in object {
        let options = &mut root.options;
        match name.as_str() {
            "properties" => root.object.properties = properties(value)?,
            "dynamic" => root.object.dynamic = Some(dynamic(value)?),
            "date_detection" => options.date_detection = Some(boolean(name, value)?),
            "numeric_detection" => options.numeric_detection = Some(boolean(name, value)?),
            "dynamic_date_formats" => options.dynamic_date_formats = Some(date_formats(value)?),
            "dynamic_templates" => options.dynamic_templates = Some(DynamicTemplate::list(value)?),
            "_meta" => options.meta = Some(value.clone()),
            "_source" => options.source_enabled = source(value)?.or(options.source_enabled),
            "_field_names" => meta_field(name, value, &[("enabled", None)])?,
            "_routing" => meta_field(name, value, &[("required", Some(false))])?,
            _ => unsupported.push((name, value)),
        }
    }
    if unsupported.is_empty() {
        return Ok(root);
    }
    Err(EsError::mapper_parsing(format!(
        "Root mapping definition has unsupported parameters: {}",
        listed(&unsupported)
    )))
}

fn source(value: &Value) -> Result<Option<bool>, EsError> {
    let object = expect_object(value, "_source must be an object")?;
    let mut enabled = None;
    for (name, value) in object {
        match name.as_str() {
            "enabled" => enabled = Some(boolean(name, value)?),
            _ => return Err(EsError::unsupported(format!("[{name}] of [_source]"))),
        }
    }
    Ok(enabled)
}

/// Checks a metadata field: only the parameters of `allowed`, and where it names a value, only that one.
fn meta_field(field: &str, value: &Value, allowed: &[(&str, Option<bool>)]) -> Result<(), EsError> {
    for (name, value) in expect_object(value, "metadata fields must be objects")? {
        let Some((_, only)) = allowed.iter().find(|(known, _)| known == name) else {
            return Err(EsError::mapper_parsing(format!(
                "Mapping definition for [{field}] has unsupported parameters:  [{name} : {value}]"
            )));
        };
        let given = boolean(name, value)?;
        if only.is_some_and(|only| only != given) {
            return Err(EsError::unsupported(format!("[{name}: {given}] of [{field}]")));
        }
    }
    Ok(())
}

fn properties(value: &Value) -> Result<Vec<(String, Definition)>, EsError> {
    let mut parsed: Vec<(String, Definition)> = Vec::new();
    let Value::Object(members) = value else {
        return Err(EsError::new(400, "parse_exception", "properties must be a map type"));
    };
    for (name, value) in members {
        if name.is_empty() || name.split('.').any(|part| part.trim().is_empty()) {
            return Err(EsError::illegal_argument("name cannot be empty string"));
        }
        let object = expect_object(value, &format!("Expected map for property [fields] on field [{name}]"))?;
        let mut definition = definition(name, object)?;
        let mut parts: Vec<&str> = name.split('.').collect();
        let first = parts.remove(0);
        for part in parts.into_iter().rev() {
            let properties = vec![(part.to_string(), definition)];
            definition = Definition::Object(ObjectDefinition { properties, ..ObjectDefinition::default() });
        }
        parsed.push((first.to_string(), definition));
    }
    Ok(parsed)
}

/// The definition of `name`, a field or an object.
pub(super) fn definition(name: &str, object: &Map<String, Value>) -> Result<Definition, EsError> {
    match object.get("type") {
        None if object.contains_key("properties")
            || (object.len() == 1 && object.contains_key("enabled")) =>
        {
            Ok(Definition::Object(object_definition(name, object)?))
        }
        None => Err(EsError::mapper_parsing(format!("No type specified for field [{name}]"))),
        Some(Value::String(kind)) if kind == "object" => {
            Ok(Definition::Object(object_definition(name, object)?))
        }
        Some(Value::String(kind)) => match FieldType::from_name(kind) {
            Some(field_type) => Ok(Definition::Field(Box::new(field(name, field_type, object)?))),
            None => Err(EsError::mapper_parsing(format!(
                "No handler for type [{kind}] declared on field [{name}]"
            ))),
        },
        Some(other) => {
            Err(EsError::mapper_parsing(format!("No handler for type [{other}] declared on field [{name}]")))
        }
    }
}

fn object_definition(name: &str, object: &Map<String, Value>) -> Result<ObjectDefinition, EsError> {
    let mut definition = ObjectDefinition::default();
    let mut unsupported = Vec::new();
    for (parameter, value) in object {
        match parameter.as_str() {
            "type" => {}
            "properties" => definition.properties = properties(value)?,
            "dynamic" => definition.dynamic = Some(dynamic(value)?),
            "enabled" => definition.enabled = Some(boolean(parameter, value)?),
            _ => unsupported.push((parameter, value)),
        }
    }
    refuse(name, &unsupported)?;
    Ok(definition)
}

fn field(name: &str, field_type: FieldType, object: &Map<String, Value>) -> Result<FieldDefinition, EsError> {
    let text = field_type == FieldType::Text;
    let keyword = field_type == FieldType::Keyword;
    let numeric = field_type.is_numeric() && field_type != FieldType::GeoPoint;
    let mut definition = FieldDefinition {
        field_type,
        index: true,
        doc_values: !text,
        norms: text,
        coerce: true,
        ignore_malformed: false,
        ignore_above: None,
        null_value: None,
        format: Arc::new(DateFormat::new(DEFAULT_FORMAT)?),
        scaling_factor: 1.0,
        parameters: Map::new(),
        fields: Vec::new(),
    };
    if field_type == FieldType::Percolator {
        let others: Vec<_> = object.iter().filter(|(parameter, _)| *parameter != "type").collect();
        refuse(name, &others)?;
        definition.doc_values = false;
        return Ok(definition);
    }
    let mut unsupported = Vec::new();
    for (parameter, value) in object {
        match parameter.as_str() {
            "type" => continue,
            "fields" => {
                definition.fields = multi_fields(name, value)?;
                continue;
            }
            "index" => definition.index = flag(value)?,
            "doc_values" if !text => definition.doc_values = flag(value)?,
            "store" | "eager_global_ordinals" => _ = flag(value)?,
            "meta" => _ = expect_object(value, &format!("[meta] must be an object for field [{name}]"))?,
            "boost" => only(name, parameter, value, |v| v.as_f64() == Some(1.0), "1")?,
            "similarity" if text || keyword => only(name, parameter, value, |v| v == "BM25", "BM25")?,
            "norms" if text => definition.norms = flag(value)?,
            "norms" if keyword => {
                only(name, parameter, value, |v| v == &Value::Bool(false), "false")?;
            }
            "index_options" if text => {
                only(name, parameter, value, |v| v == "positions" || v == "offsets", "positions")?;
            }
            "index_options" if keyword => only(name, parameter, value, |v| v == "docs", "docs")?,
            "analyzer" | "search_analyzer" | "search_quote_analyzer" if text => {
                if value != "standard" && value != "default" {
                    return Err(EsError::illegal_argument(format!(
                        "analyzer [{}] has not been configured in mappings: the embedded node has the standard analyzer only",
                        value.as_str().unwrap_or_default()
                    )));
                }
            }
            "term_vector" if text => {}
            "fielddata" if text => only(name, parameter, value, |v| v == &Value::Bool(false), "false")?,
            "position_increment_gap" if text => only(name, parameter, value, |v| v == 100, "100")?,
            "split_queries_on_whitespace" if keyword => {
                only(name, parameter, value, |v| v == &Value::Bool(false), "false")?;
            }
            "ignore_above" if keyword => match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
                Some(count) => definition.ignore_above = Some(count),
                None => {
                    return Err(EsError::illegal_argument(format!(
                        "[ignore_above] must be a whole number from 0 on, got [{value}]"
                    )));
                }
            },
            "null_value" if !text => definition.null_value = Some(value.clone()).filter(|v| !v.is_null()),
            "coerce" if numeric => definition.coerce = flag(value)?,
            "ignore_malformed" if numeric || !(text || keyword || field_type == FieldType::Boolean) => {
                definition.ignore_malformed = flag(value)?;
            }
            "ignore_z_value" if field_type == FieldType::GeoPoint => {
                only(name, parameter, value, |v| v == &Value::Bool(true), "true")?;
            }
            "format" if field_type == FieldType::Date => {
                definition.format = Arc::new(DateFormat::new(string(parameter, value)?)?);
            }
            "locale" if field_type == FieldType::Date => _ = string(parameter, value)?,
            "scaling_factor" if field_type == FieldType::ScaledFloat => match number(value) {
                Some(factor) if factor > 0.0 => definition.scaling_factor = factor,
                _ => {
                    return Err(EsError::illegal_argument(
                        "[scaling_factor] must be a positive number, got [".to_string()
                            + &value.to_string()
                            + "]",
                    ));
                }
            },
            _ => {
                unsupported.push((parameter, value));
                continue;
            }
        }
        if !is_default(field_type, parameter, value) {
            definition.parameters.insert(parameter.clone(), value.clone());
        }
    }
    match unsupported.first() {
        // The older mappers of Elasticsearch 7.10 list what is left over, the newer ones name the first.
        Some((parameter, _)) if field_type != FieldType::GeoPoint => {
            return Err(EsError::mapper_parsing(format!(
                "unknown parameter [{parameter}] on mapper [{name}] of type [{}]",
                field_type.name()
            )));
        }
        _ => refuse(name, &unsupported)?,
    }
    check_null_value(&definition)?;
    if field_type == FieldType::ScaledFloat && !object.contains_key("scaling_factor") {
        return Err(EsError::illegal_argument("Field [scaling_factor] is required"));
    }
    Ok(definition)
}

/// Checks that what stands in for null is a value of the field.
fn check_null_value(definition: &FieldDefinition) -> Result<(), EsError> {
    let Some(value) = &definition.null_value else { return Ok(()) };
    let fits = match definition.field_type {
        FieldType::Boolean => return flag(value).map(|_| ()),
        FieldType::Date => definition.format.parse(&shown(value)).is_some(),
        FieldType::Ip => shown(value).parse::<std::net::IpAddr>().is_ok(),
        FieldType::Keyword | FieldType::Text | FieldType::GeoPoint | FieldType::Percolator => true,
        _ => number(value).is_some(),
    };
    if fits { Ok(()) } else { Err(EsError::not_a_number(&shown(value))) }
}

/// Whether a parameter says what holds anyway: such ones are not shown again.
fn is_default(field_type: FieldType, parameter: &str, value: &Value) -> bool {
    let text = field_type == FieldType::Text;
    match parameter {
        "index" | "doc_values" => value == &Value::Bool(true),
        "store" | "eager_global_ordinals" => value == &Value::Bool(false),
        "norms" => value == &Value::Bool(text),
        "index_options" => value == if text { "positions" } else { "docs" },
        "boost" => true,
        _ => false,
    }
}

fn multi_fields(name: &str, value: &Value) -> Result<Vec<(String, FieldDefinition)>, EsError> {
    let mut fields = Vec::new();
    for (sub_name, value) in
        expect_object(value, &format!("expected map for property [fields] on field [{name}]"))?
    {
        let path = format!("{name}.{sub_name}");
        let object = expect_object(value, &format!("expected map for property [fields] on field [{path}]"))?;
        match definition(&path, object)? {
            Definition::Field(definition) if definition.field_type == FieldType::Percolator => {
                return Err(EsError::unsupported(format_args!("multi-field [{path}] of type [percolator]")));
            }
            Definition::Field(definition) if definition.fields.is_empty() && !sub_name.contains('.') => {
                fields.push((sub_name.clone(), *definition));
            }
            Definition::Field(_) if sub_name.contains('.') => {
                return Err(EsError::mapper_parsing(format!(
                    "Field name [{sub_name}] which is a multi field of [{name}] cannot contain '.'"
                )));
            }
            _ => {
                return Err(EsError::mapper_parsing(format!(
                    "Type [object] cannot be used in multi field, nor can a field with fields of its own: [{path}]"
                )));
            }
        }
    }
    Ok(fields)
}

fn refuse(name: &str, unsupported: &[(&String, &Value)]) -> Result<(), EsError> {
    if unsupported.is_empty() {
        return Ok(());
    }
    Err(EsError::mapper_parsing(format!(
        "Mapping definition for [{name}] has unsupported parameters: {}",
        listed(unsupported)
    )))
}

fn listed(parameters: &[(&String, &Value)]) -> String {
    parameters.iter().map(|(name, value)| format!(" [{name} : {}]", shown(value))).collect()
}

/// A value as Java prints it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}

/// Refuses a parameter that the node would have to honour but cannot, unless it has the one value that changes nothing.
fn only(
    name: &str,
    parameter: &str,
    value: &Value,
    fits: impl Fn(&Value) -> bool,
    only: &str,
) -> Result<(), EsError> {
    if fits(value) {
        return Ok(());
    }
    Err(EsError::mapper_parsing(format!(
        "Mapping definition for [{name}]: [{parameter} : {value}] is not supported by the embedded node, only [{only}] is"
    )))
}

fn expect_object<'v>(value: &'v Value, message: &str) -> Result<&'v Map<String, Value>, EsError> {
    value.as_object().ok_or_else(|| {
        EsError::mapper_parsing(format!(
            "{message} but got {}",
            match value {
                Value::String(_) => "a class java.lang.String",
                Value::Array(_) => "a class java.util.ArrayList",
                _ => "another type",
            }
        ))
    })
}

fn dynamic(value: &Value) -> Result<Dynamic, EsError> {
    match value {
        Value::String(word) if word == "strict" => Ok(Dynamic::Strict),
        other => Ok(if boolean("dynamic", other)? { Dynamic::True } else { Dynamic::False }),
    }
}

/// A boolean parameter of an object or of the root; `"true"` and `"false"` count, as in Elasticsearch 7.
pub(super) fn boolean(name: &str, value: &Value) -> Result<bool, EsError> {
    flag(value).map_err(|cause| {
        EsError::illegal_argument(format!("Could not convert [{name}.{name}] to boolean")).caused_by(cause)
    })
}

/// A boolean parameter of a field.
fn flag(value: &Value) -> Result<bool, EsError> {
    match value {
        Value::Bool(boolean) => Ok(*boolean),
        Value::String(word) if word == "true" => Ok(true),
        Value::String(word) if word == "false" => Ok(false),
        other => Err(EsError::illegal_argument(format!(
            "Failed to parse value [{}] as only [true] or [false] are allowed.",
            shown(other)
        ))),
    }
}

fn string<'v>(name: &str, value: &'v Value) -> Result<&'v str, EsError> {
    value
        .as_str()
        .ok_or_else(|| EsError::illegal_argument(format!("[{name}] must be a string, got [{value}]")))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn date_formats(value: &Value) -> Result<Vec<Arc<DateFormat>>, EsError> {
    match value {
        Value::Array(list) => list
            .iter()
            .map(|each| Ok(Arc::new(DateFormat::new(string("dynamic_date_formats", each)?)?)))
            .collect(),
        Value::String(text) if text == "none" => Ok(Vec::new()),
        other => Ok(vec![Arc::new(DateFormat::new(string("dynamic_date_formats", other)?)?)]),
    }
}
