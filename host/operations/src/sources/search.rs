//! `search`, `paginated-search`, `scroll-search`, `composite-agg`.

use serde_json::{Map, Value};

use super::context::Context;
use crate::error::ParamError;
use crate::python;

/// Parameters of a search.
///
/// # Errors
/// Where it is not clear what is searched, or assertions have nothing to look at.
pub fn search(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    let target = target(context, context.filled("index"));
    let mapping_type = context.or_null("type");
    if context.filled("data-stream").is_some() && python::is_true(&mapping_type) {
        return Err(context
            .explained(
                "a data stream has no types: leave 'type' out",
                "'type' not supported with 'data-stream' for operation",
            )
            .names_task());
    }
    let detailed = context.or("detailed-results", false);
    let mut values = Map::new();
    let mut set = |name: &str, value: Value| {
        values.insert(name.to_owned(), value);
    };
    let searches = python::is_true(&target);
    set("index", target);
    set("type", mapping_type);
    set("cache", context.or_null("cache"));
    set("detailed-results", detailed.clone());
    let (name, request_params) = context.request_params();
    set(name, request_params);
    set("response-compression-enabled", context.or("response-compression-enabled", true));
    set("body", context.or_null("body"));
    if !searches {
        return Err(context
            .explained(
                "'index' or 'data-stream' is missing, and mandatory where the track has not exactly one",
                "'index' or 'data-stream' is mandatory and is missing for operation",
            )
            .names_task());
    }
    for name in ["pages", "results-per-page", "with-point-in-time-from"] {
        if let Some(value) = context.filled(name) {
            set(name, value.clone());
        }
    }
    if let Some(assertions) = context.given("assertions") {
        // Pages are always looked into.
        if !python::is_true(&detailed) && context.filled("pages").is_none() {
            return Err(
                context.invalid("The property [detailed-results] must be [true] if assertions are defined")
            );
        }
        set("assertions", assertions.clone());
    }
    for (name, value) in context.client_params() {
        set(name, value);
    }
    Ok(values)
}

/// What an operation goes to: `index`, else its data stream, else the only index or data stream of the track.
pub fn target(context: Context<'_>, index: Option<&Value>) -> Value {
    let default = match (context.track.indices.as_slice(), context.track.data_streams.as_slice()) {
        ([index], _) => Value::from(index.name.as_str()),
        (_, [data_stream]) => Value::from(data_stream.name.as_str()),
        _ => Value::Null,
    };
    index.cloned().unwrap_or_else(|| context.or("data-stream", default))
}
