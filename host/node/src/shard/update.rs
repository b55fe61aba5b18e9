//! The body of an update, and what it makes of a document.

use crate::error::EsError;
use crate::search::json::did_you_mean;
use bytes::Bytes;
use serde_json::{Map, Value};

/// The members of an update.
const KNOWN: [&str; 7] =
    ["doc", "upsert", "doc_as_upsert", "detect_noop", "script", "scripted_upsert", "_source"];

/// An update: a partial document, perhaps with what to index where there is no document yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// Members to merge into the document.
    pub document: Option<Map<String, Value>>,
    /// The document to index where there is none.
    pub upsert: Option<Map<String, Value>>,
    /// Whether `document` is indexed where there is none.
    pub document_as_upsert: bool,
    /// Whether an update that changes nothing writes nothing.
    pub detect_noop: bool,
}

impl Update {
    /// Reads the body of an update.
    ///
    /// # Errors
    /// 400 where it is no JSON object, has unknown members or neither `doc` nor `upsert`; scripts are not supported.
    pub fn parse(body: &[u8]) -> Result<Self, EsError> {
        let value: Value = serde_json::from_slice(body).map_err(|error| EsError::json(&error))?;
        let Value::Object(members) = value else {
            return Err(EsError::parsing("an update must be a JSON object"));
        };
        let mut update = Update { detect_noop: true, ..Update::default() };
        for (name, value) in members {
            match (name.as_str(), value) {
                ("doc", Value::Object(document)) => update.document = Some(document),
                ("upsert", Value::Object(document)) => update.upsert = Some(document),
                ("doc_as_upsert", Value::Bool(boolean)) => update.document_as_upsert = boolean,
                ("detect_noop", Value::Bool(boolean)) => update.detect_noop = boolean,
                ("script" | "scripted_upsert" | "_source", _) => {
                    return Err(EsError::unsupported(format!("[{name}] of an update")));
                }
                ("doc" | "upsert" | "doc_as_upsert" | "detect_noop", _) => {
                    return Err(EsError::new(
                        400,
                        "x_content_parse_exception",
                        format!("[UpdateRequest] {name} doesn't support values of this type"),
                    ));
                }
                _ => {
                    return Err(EsError::new(
                        400,
                        "x_content_parse_exception",
                        format!("[UpdateRequest] unknown field [{name}]{}", did_you_mean(&name, KNOWN)),
                    ));
                }
            }
        }
        if update.document.is_none() {
            if update.document_as_upsert {
                return Err(EsError::validation(&["doc must be specified if doc_as_upsert is enabled"]));
            }
            return Err(EsError::validation(&["script or doc is missing"]));
        }
        Ok(update)
    }

    /// The source after the update of `current`; None where it changes nothing and noops are detected.
    ///
    /// # Errors
    /// 500 where `current` is no JSON object.
    pub fn apply(&self, current: &[u8]) -> Result<Option<Bytes>, EsError> {
        let mut source: Map<String, Value> = serde_json::from_slice(current)
            .map_err(|error| EsError::internal(format!("the stored source is no JSON object: {error}")))?;
        let changed = match &self.document {
            Some(document) => merge(&mut source, document),
            None => false,
        };
        if !changed && self.detect_noop {
            return Ok(None);
        }
        Ok(Some(written(&source)?))
    }

    /// The source to index where there is no document; None where the update does not say.
    ///
    /// # Errors
    /// Never in practice: JSON that was read can be written.
    pub fn insertion(&self) -> Result<Option<Bytes>, EsError> {
        match (&self.upsert, &self.document) {
            (Some(upsert), _) => written(upsert).map(Some),
            (None, Some(document)) if self.document_as_upsert => written(document).map(Some),
            _ => Ok(None),
        }
    }
}

fn written(source: &Map<String, Value>) -> Result<Bytes, EsError> {
    match serde_json::to_vec(source) {
        Ok(bytes) => Ok(Bytes::from(bytes)),
        Err(error) => Err(EsError::internal(format!("the updated source could not be written: {error}"))),
    }
}

/// Merges `changes` into `source`, object by object; tells whether anything changed.
fn merge(source: &mut Map<String, Value>, changes: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (name, change) in changes {
        match (source.get_mut(name), change) {
            (Some(Value::Object(old)), Value::Object(new)) => changed |= merge(old, new),
            (Some(old), new) if old == new => {}
            (_, new) => {
                source.insert(name.clone(), new.clone());
                changed = true;
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_merged_object_by_object() {
        let update = Update::parse(br#"{"doc": {"a": {"b": 1}, "c": [2]}}"#).unwrap();
        let merged = update.apply(br#"{"z":0,"a":{"x":1},"c":[1]}"#).unwrap().unwrap();
        assert_eq!(merged, r#"{"z":0,"a":{"x":1,"b":1},"c":[2]}"#);
        assert_eq!(update.apply(&merged).unwrap(), None);
    }

    #[test]
    fn an_upsert_is_indexed_where_there_is_nothing() {
        let insertion = |body: &str| Update::parse(body.as_bytes()).unwrap().insertion().unwrap();
        assert_eq!(insertion(r#"{"doc": {"a": 1}, "upsert": {"b": 2}}"#).unwrap(), r#"{"b":2}"#);
        assert_eq!(insertion(r#"{"doc": {"a": 1}, "doc_as_upsert": true}"#).unwrap(), r#"{"a":1}"#);
        assert_eq!(insertion(r#"{"doc": {"a": 1}}"#), None);
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for body in [r#"{"script": "x"}"#, r#"{"doc": 1}"#, r#"{"dok": {}}"#, "{}", "[]", "{"] {
            assert_eq!(Update::parse(body.as_bytes()).unwrap_err().status, 400, "{body}");
        }
    }
}
