//! What the schema finds, said for people.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use rally_support::suggest::{closest, listed};
use serde_json::Value;

use super::reader::MAX_PROBLEMS;
use crate::document::Document;
use crate::error::{Problem, did_you_mean};
use crate::json::{Part, child};

/// The problems that one error of the validator stands for: unknown keys are one each.
pub(super) fn problems(
    document: &Document,
    base: &str,
    schema: &Value,
    error: &ValidationError<'_>,
) -> Vec<Problem> {
    let pointer = format!("{base}{}", error.instance_path().as_str());
    if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
        let known = known_keys(schema, error.schema_path().as_str());
        let unknown = |key: &String| {
            let suggestion = closest(key, known.iter().copied());
            let message = format!("unknown key '{key}'{}", did_you_mean(suggestion));
            let help = suggestion.is_none().then(|| format!("known here: {}", listed(known.iter().copied())));
            document.problem(&child(&pointer, key), Part::Key, message, help)
        };
        return unexpected.iter().take(MAX_PROBLEMS).map(unknown).collect();
    }
    let (message, help) = message(error, &pointer);
    vec![document.problem(&pointer, Part::Value, message, help)]
}

fn message(error: &ValidationError<'_>, pointer: &str) -> (String, Option<String>) {
    let name = subject(pointer);
    let value = shown(error.instance());
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let property = property.as_str().unwrap_or_default();
            let members = error.instance().as_object();
            if property == "operation" && members.is_some_and(|members| members.contains_key("parallel")) {
                return (
                    "'parallel' cannot contain 'parallel'".to_owned(),
                    Some("move the inner tasks to the outer element".to_owned()),
                );
            }
            let keys = members.into_iter().flat_map(|members| members.keys()).map(String::as_str);
            match closest(property, keys) {
                Some(similar) => format!("{name} lacks '{property}'; did you write '{similar}' instead?"),
                None => format!("{name} lacks '{property}'"),
            }
        }
        ValidationErrorKind::Type { kind } => format!("{name} must be {}, not {value}", types(kind)),
        ValidationErrorKind::Minimum { limit } => format!("{name} must be at least {limit}, but is {value}"),
        ValidationErrorKind::Maximum { limit } => format!("{name} must be at most {limit}, but is {value}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{name} must be greater than {limit}, but is {value}")
        }
        ValidationErrorKind::MinItems { .. } | ValidationErrorKind::MinLength { .. } => {
            format!("{name} must not be empty")
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let suggestion =
                error.instance().as_str().and_then(|value| closest(value, options.iter().copied()));
            format!(
                "{name} must be one of {}, not {value}{}",
                listed(options.iter().copied()),
                did_you_mean(suggestion)
            )
        }
        ValidationErrorKind::UniqueItems => format!("{name} has the same element twice"),
        ValidationErrorKind::AnyOf { .. } if pointer.ends_with("/target-throughput") => {
            format!("{name} must be a number that is not negative, or text with a unit, not {value}")
        }
        _ => format!("{name}: {error}"),
    };
    (message, None)
}

/// The key, or what its number says.
fn subject(pointer: &str) -> String {
    let mut tokens = pointer.rsplit('/');
    match tokens.next() {
        None | Some("") => "the track".to_owned(),
        Some(index) if index.bytes().all(|byte| byte.is_ascii_digit()) => match tokens.next() {
            Some("indices") => "this index".to_owned(),
            Some("data-streams") => "this data stream".to_owned(),
            Some("corpora") => "this corpus".to_owned(),
            Some("documents") => "this data file".to_owned(),
            Some("types") => "this type".to_owned(),
            Some("templates" | "composable-templates" | "component-templates") => "this template".to_owned(),
            Some("operations") => "this operation".to_owned(),
            Some("challenges") => "this challenge".to_owned(),
            Some("schedule" | "tasks") => "this task".to_owned(),
            Some(list) => format!("each element of '{list}'"),
            None => "this element".to_owned(),
        },
        Some(key) => format!("'{}'", key.replace("~1", "/").replace("~0", "~")),
    }
}

fn types(kind: &TypeKind) -> String {
    let names: Vec<String> = match kind {
        TypeKind::Single(kind) => vec![kind.to_string()],
        TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
    };
    names.iter().map(|name| described(name)).collect::<Vec<_>>().join(" or ")
}

fn described(kind: &str) -> String {
    match kind {
        "object" => "an object".to_owned(),
        "array" => "a list".to_owned(),
        "integer" => "a whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    }
}

/// A value in a message: short, and not the whole object.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) if text.chars().count() > 40 => {
            Value::String(format!("{}…", text.chars().take(40).collect::<String>())).to_string()
        }
        other => other.to_string(),
    }
}

/// The keys that the schema knows where it met an unknown one.
fn known_keys<'a>(schema: &'a Value, schema_path: &str) -> Vec<&'a str> {
    let mut at = schema;
    for token in schema_path.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if token == "additionalProperties" {
            break;
        }
        if token == "$ref" {
            continue;
        }
        at = match step(at, &token).or_else(|| step(followed(schema, at), &token)) {
            Some(next) => next,
            None => return Vec::new(),
        };
    }
    followed(schema, at)["properties"]
        .as_object()
        .into_iter()
        .flat_map(|keys| keys.keys())
        .map(String::as_str)
        .collect()
}

fn step<'a>(schema: &'a Value, token: &str) -> Option<&'a Value> {
    schema.get(token).or_else(|| schema.get(token.parse::<usize>().ok()?))
}

fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().and_then(|target| root.pointer(target.strip_prefix('#')?)).unwrap_or(schema)
}
