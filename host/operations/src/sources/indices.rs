//! `create-index`, `delete-index`, `create-data-stream`, `delete-data-stream`.

use serde_json::{Map, Value};

use super::context::{Context, pair};
use crate::error::ParamError;
use crate::python;

/// Parameters of `create-index`: names and bodies under `indices`.
///
/// # Errors
/// Where there is nothing to create, or `settings` cannot be merged.
pub fn create_index(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let mut created = Vec::new();
    if context.track.indices.is_empty() {
        let Some(index) = context.given("index") else {
            return Err(context.explained(
                "'index' is missing, and mandatory where the track has no indices",
                "Please set the property 'index' for the create-index operation",
            ));
        };
        for name in context.names("index", index)? {
            created.push(pair(name, context.or_null("body")));
        }
    } else {
        let settings = context.filled("settings");
        for index in &context.track.indices {
            if context.lets_through("index", &index.name)? {
                let mut body = index.body.clone();
                if let Some(settings) = settings {
                    merge_settings(context, &mut body, settings)?;
                }
                created.push(pair(index.name.as_str(), body));
            }
        }
    }
    Ok(context.with([("indices", Value::Array(created)), context.request_params()]))
}

/// Sets these settings in a body, over those it has. What is below the first level is replaced as a whole.
///
/// # Errors
/// Where one of both is no object.
pub fn merge_settings(
    context: Context<'_>,
    body: &mut Map<String, Value>,
    settings: &Value,
) -> Result<(), ParamError> {
    let Some(present) = body.get_mut("settings") else {
        body.insert("settings".to_owned(), settings.clone());
        return Ok(());
    };
    match (present, settings) {
        (Value::Object(present), Value::Object(settings)) => {
            present.extend(settings.iter().map(|(name, value)| (name.clone(), value.clone())));
            Ok(())
        }
        (Value::Object(_), other) => {
            let (class, python) = not_settings(other);
            let problem = format!("'settings' is {other} but must be an object of settings");
            Err(ParamError::new(&context.operation.name, problem).in_rally(class, python))
        }
        (other, _) => {
            let problem =
                format!("the body has {other} as 'settings', which 'settings' cannot be merged into");
            let python = format!("'{}' object has no attribute 'update'", python::type_name(other));
            Err(ParamError::new(&context.operation.name, problem).in_rally("AttributeError", python))
        }
    }
}

/// What Python says where it is to merge this into a dictionary: it takes lists of pairs too, and complains of the first that
/// is none.
fn not_settings(value: &Value) -> (&'static str, String) {
    let first = match python::items(value) {
        Err(python) => return ("TypeError", python),
        Ok(items) => items.into_iter().next(),
    };
    let length = match first {
        Some(Value::String(text)) => text.chars().count(),
        Some(Value::Array(items)) => items.len(),
        Some(Value::Object(members)) => members.len(),
        _ => {
            return (
                "TypeError",
                "cannot convert dictionary update sequence element #0 to a sequence".to_owned(),
            );
        }
    };
    ("ValueError", format!("dictionary update sequence element #0 has length {length}; 2 is required"))
}

/// Parameters of `delete-index`: names under `indices`.
///
/// # Errors
/// Where there is nothing to delete.
pub fn delete_index(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let own = context.track.indices.iter().map(|index| index.name.as_str());
    let deleted = deleted(context, "index", own, "delete-index operation targets no index")?;
    Ok(context.with([("indices", deleted), context.request_params(), context.only_if_exists()]))
}

/// Parameters of `create-data-stream`: names under `data-streams`.
///
/// # Errors
/// Where there is nothing to create.
pub fn create_data_stream(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let mut created = Vec::new();
    if context.track.data_streams.is_empty() {
        let Some(data_stream) = context.given("data-stream") else {
            return Err(context.explained(
                "'data-stream' is missing, and mandatory where the track has no data streams",
                "Please set the property 'data-stream' for the create-data-stream operation",
            ));
        };
        created = context.names("data-stream", data_stream)?;
    } else {
        for data_stream in &context.track.data_streams {
            if context.lets_through("data-stream", &data_stream.name)? {
                created.push(Value::from(data_stream.name.as_str()));
            }
        }
    }
    Ok(context.with([("data-streams", Value::Array(created)), context.request_params()]))
}

/// Parameters of `delete-data-stream`: names under `data-streams`.
///
/// # Errors
/// Where there is nothing to delete.
pub fn delete_data_stream(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let own = context.track.data_streams.iter().map(|data_stream| data_stream.name.as_str());
    let message = "delete-data-stream operation targets no data stream";
    let deleted = deleted(context, "data-stream", own, message)?;
    Ok(context.with([("data-streams", deleted), context.request_params(), context.only_if_exists()]))
}

/// What the operation names, else all that the track has.
fn deleted<'a>(
    context: Context<'_>,
    name: &str,
    own: impl Iterator<Item = &'a str>,
    nothing: &str,
) -> Result<Value, ParamError> {
    if let Some(named) = context.filled(name) {
        return context.names(name, named).map(Value::Array);
    }
    let own: Vec<Value> = own.map(Value::from).collect();
    if own.is_empty() {
        let problem =
            format!("'{name}' is missing, and the track has none of its own: there is nothing to delete");
        return Err(context.explained(problem, nothing));
    }
    Ok(Value::Array(own))
}
