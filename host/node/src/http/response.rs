//! One answer.

use super::request::Parameters;
use crate::error::EsError;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Body,
    /// The `Allow` header, for 405.
    pub allow: Option<String>,
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON to be written.
    Json(Value),
    /// JSON that was written already, so that sources stay as they came.
    Written(Bytes),
    /// Plain text.
    Text(String),
    /// None.
    Empty,
}

impl Response {
    /// 200 with JSON.
    pub fn ok(body: Value) -> Self {
        Response::json(200, body)
    }

    /// JSON with a status.
    pub fn json(status: u16, body: Value) -> Self {
        Response { status, body: Body::Json(body), allow: None }
    }

    /// JSON that was written already, with a status.
    pub fn written(status: u16, body: impl Into<Bytes>) -> Self {
        Response { status, body: Body::Written(body.into()), allow: None }
    }

    /// 200 with text.
    pub fn text(body: String) -> Self {
        Response { status: 200, body: Body::Text(body), allow: None }
    }

    /// A status alone.
    pub fn empty(status: u16) -> Self {
        Response { status, body: Body::Empty, allow: None }
    }

    /// `{"acknowledged": true}`.
    pub fn acknowledged() -> Self {
        Response::ok(json!({ "acknowledged": true }))
    }

    /// The bytes of the body and its content type, shaped by `filter_path` and `pretty`.
    pub fn into_bytes(self, parameters: &Parameters) -> (Bytes, &'static str) {
        const JSON: &str = "application/json; charset=UTF-8";
        let pretty = parameters.boolean("pretty", false).unwrap_or(false);
        let filter = parameters.get("filter_path").filter(|filter| !filter.is_empty());
        let value = match self.body {
            Body::Empty => return (Bytes::new(), JSON),
            Body::Text(text) => return (Bytes::from(text), "text/plain; charset=UTF-8"),
            Body::Written(bytes) if !pretty && filter.is_none() => return (bytes, JSON),
            Body::Written(bytes) => serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            Body::Json(value) => value,
        };
        let value = match filter {
            Some(filter) => filtered(value, filter),
            None => value,
        };
        let written = if pretty {
            serde_json::to_vec_pretty(&value).map(|mut bytes| {
                bytes.push(b'\n');
                bytes
            })
        } else {
            serde_json::to_vec(&value)
        };
        (Bytes::from(written.unwrap_or_default()), JSON)
    }
}

impl From<EsError> for Response {
    fn from(error: EsError) -> Self {
        Response::json(error.status, error.to_body())
    }
}

/// `value` reduced to the paths of a `filter_path`: `*` stands for a part of a name, `**` for any names, `-` excludes.
fn filtered(value: Value, filter: &str) -> Value {
    let (excludes, includes): (Vec<&str>, Vec<&str>) =
        filter.split(',').partition(|path| path.starts_with('-'));
    let paths = |list: &[&str]| -> Vec<Vec<String>> {
        list.iter()
            .map(|path| path.trim_start_matches('-').split('.').map(str::to_string).collect())
            .collect()
    };
    let (includes, excludes) = (paths(&includes), paths(&excludes));
    let mut value = value;
    if !includes.is_empty() {
        let includes: Vec<&[String]> = includes.iter().map(Vec::as_slice).collect();
        value = include(value, &includes).unwrap_or_else(|| Value::Object(Map::new()));
    }
    let excludes: Vec<&[String]> = excludes.iter().map(Vec::as_slice).collect();
    exclude(&mut value, &excludes);
    value
}

/// The rest of each path behind the member `name`; an empty rest means that all of the member is meant.
fn behind<'p>(paths: &[&'p [String]], name: &str) -> Vec<&'p [String]> {
    let mut rests = Vec::new();
    for path in paths {
        match path.split_first() {
            Some((first, rest)) if first == "**" => {
                rests.push(*path);
                rests.extend(behind(&[rest], name));
            }
            Some((first, rest)) if crate::cluster::names::matches(first, name) => rests.push(rest),
            _ => {}
        }
    }
    rests
}

fn include(value: Value, paths: &[&[String]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    match value {
        Value::Object(members) => {
            let kept: Map<String, Value> = members
                .into_iter()
                .filter_map(|(name, value)| {
                    let rests = behind(paths, &name);
                    include(value, &rests).map(|value| (name, value))
                })
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(list) => {
            let kept: Vec<Value> = list.into_iter().filter_map(|value| include(value, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

fn exclude(value: &mut Value, paths: &[&[String]]) {
    if paths.is_empty() {
        return;
    }
    match value {
        Value::Object(members) => members.retain(|name, value| {
            let rests = behind(paths, name);
            if rests.iter().any(|rest| rest.is_empty()) {
                return false;
            }
            exclude(value, &rests);
            true
        }),
        Value::Array(list) => list.iter_mut().for_each(|value| exclude(value, paths)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filter_path_keeps_what_it_names() {
        let body = json!({"took": 1, "errors": false, "items": [{"index": {"status": 201, "_id": "1"}}, {"index": {"status": 400}}]});
        for (filter, expected) in [
            ("took", json!({"took": 1})),
            (
                "took,items.*.status",
                json!({"took": 1, "items": [{"index": {"status": 201}}, {"index": {"status": 400}}]}),
            ),
            ("items.index._id", json!({"items": [{"index": {"_id": "1"}}]})),
            ("**._id", json!({"items": [{"index": {"_id": "1"}}]})),
            ("-items", json!({"took": 1, "errors": false})),
            ("nothing", json!({})),
        ] {
            assert_eq!(filtered(body.clone(), filter), expected, "{filter}");
        }
    }
}
