//! `sleep`, `force-merge`, `downsample`.

use serde_json::{Map, Value};

use super::context::Context;
use super::search::target;
use crate::error::ParamError;
use crate::python;

/// Parameters of a sleep: the operation's own.
///
/// # Errors
/// Where it is not said how long.
pub fn sleep(context: Context<'_>) -> Result<Map<String, Value>, ParamError> {
    match context.given("duration") {
        None => {
            let message = "parameter 'duration' is mandatory for sleep operation";
            Err(context.explained("'duration' is missing: say how many seconds", message))
        }
        Some(Value::Number(number)) if number.as_f64().is_some_and(|seconds| seconds < 0.0) => {
            let duration = python::text(&Value::Number(number.clone()));
            Err(context.invalid(format!("parameter 'duration' must be non-negative but was {duration}")))
        }
        // Python counts truth values among the numbers.
        Some(Value::Number(_) | Value::Bool(_)) => Ok(context.operation.params.clone()),
        Some(other) => Err(context.explained(
            format!("'duration' is {other} but must be a number of seconds"),
            "parameter 'duration' for sleep operation must be a number",
        )),
    }
}

/// Parameters of a force-merge, by default of everything that the track has.
pub fn force_merge(context: Context<'_>) -> Map<String, Value> {
    let track = context.track;
    let names: Vec<&str> = track
        .indices
        .iter()
        .map(|index| index.name.as_str())
        .chain(track.data_streams.iter().map(|data_stream| data_stream.name.as_str()))
        .collect();
    let default = if names.is_empty() { "_all".to_owned() } else { names.join(",") };
    let index = match context.filled("index") {
        Some(index) => index.clone(),
        None => context.or("data-stream", default),
    };
    let own = [
        ("index", index),
        ("max-num-segments", context.or_null("max-num-segments")),
        ("mode", context.or("mode", "blocking")),
        ("poll-period", context.or("poll-period", 10)),
    ];
    named(own.into_iter().chain(context.client_params()))
}

/// Parameters of a downsampling.
pub fn downsample(context: Context<'_>) -> Map<String, Value> {
    let interval = context.or("fixed-interval", "1h");
    let source = target(context, context.filled("source-index"));
    let default = format!("{}-{}", python::text(&source), python::text(&interval));
    let target = context.or("target-index", default);
    let own = [("fixed-interval", interval), ("source-index", source), ("target-index", target)];
    let method = context.filled("sampling-method").map(|method| ("sampling-method", method.clone()));
    named(own.into_iter().chain(method).chain(context.client_params()))
}

fn named(values: impl Iterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    values.map(|(name, value)| (name.to_owned(), value)).collect()
}
