//! Sources whose requests are all the same.

use std::sync::Arc;

use rally_race::{Cause, More, ParamSource, ParamSourceFactory, Params, Partition};
use rally_track::{Operation, Track};
use serde_json::{Map, Value};

use crate::error::ParamError;

/// Yields the same parameters for ever.
pub struct ConstantSourceFactory {
    params: Params,
}

impl ConstantSourceFactory {
    /// A source of these parameters.
    pub fn new(values: Map<String, Value>) -> Self {
        ConstantSourceFactory { params: Params::of(Arc::new(values)) }
    }
}

impl ParamSourceFactory for ConstantSourceFactory {
    fn open(&self, _partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        Ok(Box::new(ConstantSource { params: self.params.clone() }))
    }

    fn finite(&self) -> bool {
        false
    }
}

struct ConstantSource {
    params: Params,
}

impl ParamSource for ConstantSource {
    fn constant(&self) -> Option<Params> {
        Some(self.params.clone())
    }

    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        out.extend(std::iter::repeat_n(self.params.clone(), limit.max(1)));
        Ok(More::Yes)
    }

    fn size(&self) -> Option<u64> {
        None
    }
}

/// Parameters of a `search` operation, under the names that the search runner reads: `index`, `type`, `body`,
/// `use_request_cache`, `request_params`, `pages`, `items_per_page`.
///
/// # Errors
/// Where the index is not clear, or a parameter is of the wrong kind.
pub fn search_params(operation: &Operation, track: &Track) -> Result<Map<String, Value>, ParamError> {
    let error = |problem: String| ParamError::new(&operation.name, problem);
    let params = &operation.params;
    let only_index = match track.indices.as_slice() {
        [index] => Some(index),
        _ => None,
    };
    let only_type = only_index.and_then(|index| match index.types.as_slice() {
        [only] => Some(only.name.as_str()),
        _ => None,
    });
    let name = |key: &str, default: Option<&str>| match params.get(key) {
        None | Some(Value::Null) => Ok(default.map(str::to_owned)),
        Some(Value::String(name)) if !name.is_empty() => Ok(Some(name.clone())),
        Some(other) => Err(error(format!("'{key}' is {other} but must be a name"))),
    };
    let index = name("index", only_index.map(|index| index.name.as_str()))?
        .ok_or_else(|| error("'index' is mandatory where the track has not exactly one index".to_owned()))?;
    let mapping_type = name("type", only_type)?;
    let body = match params.get("body") {
        // As in Elastic Rally: a search without a body finds everything.
        None | Some(Value::Null) => Value::Null,
        Some(body @ (Value::Object(_) | Value::String(_))) => body.clone(),
        Some(other) => return Err(error(format!("'body' is {other} but must be a search request"))),
    };
    let cache = match params.get("cache") {
        None => Value::Bool(false),
        Some(cache @ (Value::Bool(_) | Value::Null)) => cache.clone(),
        Some(Value::String(text)) if text == "true" || text == "false" => Value::Bool(text == "true"),
        Some(other) => return Err(error(format!("'cache' is {other} but must be true or false"))),
    };
    let request_params = match params.get("request-params") {
        None => Value::Object(Map::new()),
        Some(params @ Value::Object(_)) => params.clone(),
        Some(other) => return Err(error(format!("'request-params' is {other} but must be an object"))),
    };
    let mut values = Map::new();
    values.insert("index".to_owned(), Value::String(index));
    values.insert("type".to_owned(), mapping_type.map_or(Value::Null, Value::String));
    values.insert("use_request_cache".to_owned(), cache);
    values.insert("body".to_owned(), body);
    values.insert("request_params".to_owned(), request_params);
    if let Some(pages) = params.get("pages") {
        let valid = pages.as_u64().is_some_and(|pages| pages > 0) || pages.as_str() == Some("all");
        if !valid {
            return Err(error(format!("'pages' is {pages} but must be a number above 0, or \"all\"")));
        }
        values.insert("pages".to_owned(), pages.clone());
    }
    if let Some(results) = params.get("results-per-page") {
        if results.as_u64().is_none_or(|results| results == 0) {
            return Err(error(format!("'results-per-page' is {results} but must be a number above 0")));
        }
        values.insert("items_per_page".to_owned(), results.clone());
    }
    Ok(values)
}
