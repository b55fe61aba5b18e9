//! What all runners share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rally_race::{Failure, FailureKind, Outcome, Params, Unit};
use serde_json::{Map, Value};

use crate::answer::failure_of;
use crate::http::{Answer, ExchangeError, JsonObject, Request, encode_path};

/// Unit of everything that does not count documents.
pub const OPS: &str = "ops";

/// A request made of parameters, kept for as long as the named ones stay the same: the body may differ each time.
pub struct Prepared<More = ()> {
    values: Arc<Map<String, Value>>,
    body_given: bool,
    made: Made<More>,
}

/// What is made of named parameters.
pub struct Made<More = ()> {
    /// The request.
    pub request: Request,
    /// Its body, where it stands among the named parameters.
    pub body: Bytes,
    /// What else the runner wants to know of them.
    pub more: More,
}

impl<More> Made<More> {
    /// The body of a request.
    pub fn body(&self, params: &Params) -> Bytes {
        if params.body.is_empty() { self.body.clone() } else { params.body.clone() }
    }
}

impl<More> Prepared<More> {
    /// Returns the request for `params`, reusing the cached one if it was built from the same map. `make` learns whether the
    /// body comes beside them.
    ///
    /// # Errors
    /// What `make` says is wrong with the parameters.
    pub fn of<'a>(
        kept: &'a mut Option<Prepared<More>>,
        operation: &'static str,
        params: &Params,
        make: impl FnOnce(&Map<String, Value>, bool) -> Result<Made<More>, String>,
    ) -> Result<&'a Made<More>, UnusableParams> {
        let body_given = !params.body.is_empty();
        let same = kept.as_ref().is_some_and(|prepared| {
            Arc::ptr_eq(&prepared.values, &params.values) && prepared.body_given == body_given
        });
        let unusable = |problem| UnusableParams::new(operation, problem, &params.values);
        if !same {
            // Nothing of another request is kept, should this one fail.
            *kept = None;
            let made = make(&params.values, body_given).map_err(unusable)?;
            *kept = Some(Prepared { values: Arc::clone(&params.values), body_given, made });
        }
        match kept {
            Some(prepared) => Ok(&prepared.made),
            None => Err(unusable("nothing was made of them".to_owned())),
        }
    }
}

/// Parameters that make no request: whoever gave them is broken, and so is the task.
#[derive(Debug, thiserror::Error)]
#[error("cannot execute '{operation}': {problem}; the provided parameters are {}", provided.join(", "))]
pub struct UnusableParams {
    operation: &'static str,
    problem: String,
    provided: Vec<String>,
}

impl UnusableParams {
    /// These named parameters have a problem.
    pub fn new(operation: &'static str, problem: String, values: &Map<String, Value>) -> Self {
        UnusableParams { operation, problem, provided: values.keys().cloned().collect() }
    }
}

/// The first of these parameters that is there and not null, with its name: param sources of a track's own use Rally's names,
/// which have changed over time.
pub fn named<'a, 'n>(values: &'a Map<String, Value>, names: &[&'n str]) -> Option<(&'n str, &'a Value)> {
    names
        .iter()
        .find_map(|name| values.get(*name).filter(|value| !value.is_null()).map(|value| (*name, value)))
}

/// A parameter that must be there.
///
/// # Errors
/// Where it is not.
pub fn mandatory<'a>(values: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    values
        .get(name)
        .filter(|value| !value.is_null())
        .ok_or_else(|| format!("'{name}' is mandatory and missing"))
}

/// A text that must be there.
///
/// # Errors
/// Where it is not, or is no text.
pub fn mandatory_text<'a>(values: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    match mandatory(values, name)? {
        Value::String(text) if !text.is_empty() => Ok(text),
        other => Err(format!("'{name}' is {other} but must be a name")),
    }
}

/// The first of these parameters, which is true or false, if it is there.
///
/// # Errors
/// Where it is something else.
pub fn flag(values: &Map<String, Value>, names: &[&'static str]) -> Result<Option<bool>, String> {
    match named(values, names) {
        None => Ok(None),
        Some((_, Value::Bool(flag))) => Ok(Some(*flag)),
        Some((_, Value::String(text))) if text == "true" || text == "false" => Ok(Some(text == "true")),
        Some((name, other)) => Err(format!("'{name}' is {other} but must be true or false")),
    }
}

/// The first of these parameters, which is a number of seconds, if it is there.
///
/// # Errors
/// Where it is something else.
pub fn seconds(values: &Map<String, Value>, names: &[&'static str]) -> Result<Option<Duration>, String> {
    let Some((name, value)) = named(values, names) else { return Ok(None) };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    match number.and_then(|number: f64| Duration::try_from_secs_f64(number).ok()) {
        Some(time) => Ok(Some(time)),
        None => Err(format!("'{name}' is {value} but must be a number of seconds")),
    }
}

/// One name or a list of them, encoded for a path.
///
/// # Errors
/// Where it is something else.
pub fn names(values: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match values.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name.is_empty() => Ok(None),
        Some(Value::String(name)) => Ok(Some(encode_path(name))),
        Some(Value::Array(names)) => {
            let names: Option<Vec<_>> = names.iter().map(|name| name.as_str().map(encode_path)).collect();
            names.map(|names| Some(names.join(","))).ok_or_else(|| format!("'{key}' must be a list of names"))
        }
        Some(other) => Err(format!("'{key}' is {other} but must be a name")),
    }
}

/// Adds the headers that the parameters ask for (`headers`, `opaque-id`).
///
/// # Errors
/// Where they are no headers, or not theirs to set.
pub fn add_headers(values: &Map<String, Value>, request: &mut Request) -> Result<(), String> {
    let headers = match named(values, &["headers"]) {
        None => None,
        Some((_, Value::Object(headers))) => Some(headers),
        Some((name, other)) => return Err(format!("'{name}' is {other} but must be an object of texts")),
    };
    let opaque_id = named(values, &["opaque-id"]).map(|(_, id)| ("x-opaque-id", id));
    let all = headers.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).chain(opaque_id);
    for (name, value) in all {
        let text =
            value.as_str().ok_or_else(|| format!("the header '{name}' is {value} but must be a text"))?;
        request.set_header(name, text).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Parameters of the address: the runner's own, and over them those of `request-params`.
///
/// # Errors
/// Where `request-params` is no object.
pub fn add_request_params(values: &Map<String, Value>, query: &mut Map<String, Value>) -> Result<(), String> {
    match named(values, &["request-params", "request_params"]) {
        None => Ok(()),
        Some((_, Value::Object(more))) => {
            query.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
            Ok(())
        }
        Some((name, other)) => Err(format!("'{name}' is {other} but must be an object")),
    }
}

/// First byte sent and last byte received of the requests of one operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    sent: Option<Instant>,
    received: Option<Instant>,
}

impl Span {
    /// Takes another request in.
    pub fn extend(&mut self, result: &Result<Answer, ExchangeError>) {
        let (sent, received) = match result {
            Ok(answer) => (Some(answer.sent), answer.received),
            Err(error) => (error.sent, error.ended),
        };
        self.sent = self.sent.or(sent).or(Some(received));
        self.received = Some(received);
    }

    /// Takes in a time in which nothing, or something else, was sent.
    pub fn covers(&mut self, sent: Instant, received: Instant) {
        self.sent = Some(self.sent.map_or(sent, |known| known.min(sent)));
        self.received = Some(self.received.map_or(received, |known| known.max(received)));
    }

    /// First byte sent and last byte received, if anything was.
    pub fn times(self) -> Option<(Instant, Instant)> {
        self.sent.zip(self.received)
    }

    /// An outcome over all requests that were taken in.
    pub fn outcome(self, weight: f64, unit: impl Into<Unit>, failure: Option<Failure>) -> Outcome {
        let received = self.received.unwrap_or_else(Instant::now);
        Outcome { failure, ..Outcome::new(self.sent.unwrap_or(received), received, weight, unit) }
    }

    /// The outcome of an operation that failed as a whole.
    pub fn failed(self, failure: Failure) -> Outcome {
        self.outcome(0.0, OPS, Some(failure))
    }
}

/// What an exchange came to, where the answer only has to be a JSON object.
pub fn failure(result: &Result<Answer, ExchangeError>, body: &JsonObject) -> Option<Failure> {
    match result {
        Err(error) => Some(error.failure()),
        Ok(answer) => {
            failure_of(answer).or_else(|| body.problem().map(|problem| malformed(answer, problem.to_owned())))
        }
    }
}

/// A successful status over a malformed body.
pub fn malformed(answer: &Answer, problem: String) -> Failure {
    Failure {
        kind: FailureKind::Transport,
        status: Some(answer.status.as_u16()),
        description: problem,
        count: 1,
    }
}
