//! JSON to [`Percolate`].

use super::ast::{Percolate, Query, QueryKind};
use super::parse;
use crate::error::EsError;
use crate::search::json;
use serde_json::{Map, Value};

const KEYS: [&str; 13] = [
    "field",
    "document",
    "documents",
    "document_type",
    "name",
    "boost",
    "_name",
    "index",
    "type",
    "id",
    "routing",
    "preference",
    "version",
];

pub(super) fn parse(body: &Map<String, Value>) -> Result<Query, EsError> {
    let (mut weight, mut field, mut document_type, mut name) = (1.0, None, None, None);
    let (mut document, mut documents) = (None, None);
    for (key, value) in body {
        match (key.as_str(), value) {
            ("field", Value::String(path)) => field = Some(path.clone()),
            ("document", Value::Object(_)) => document = Some(vec![value.clone()]),
            ("documents", Value::Array(list)) => documents = Some(list.clone()),
            ("documents", Value::Object(_)) => documents = Some(vec![value.clone()]),
            ("document_type", Value::String(given)) => document_type = Some(given.clone()),
            ("name", Value::String(given)) => name = Some(given.clone()),
            ("boost", value) => weight = parse::boost(value)?,
            ("_name", _) => return Err(parse::name_is_unsupported()),
            ("index" | "type" | "id" | "routing" | "preference" | "version", _) => {
                return Err(EsError::unsupported("[percolate] query with a document of an index"));
            }
            (key, value) if KEYS.contains(&key) => {
                let token = json::token(value);
                return Err(wrong(format!("[percolate] {key} doesn't support values of type: {token}")));
            }
            (key, _) => {
                let suggestion = json::did_you_mean(key, KEYS);
                return Err(wrong(format!("[percolate] unknown field [{key}]{suggestion}")));
            }
        }
    }
    let field = field.ok_or_else(|| EsError::illegal_argument("Required [field]"))?;
    let documents = match (document, documents) {
        (Some(_), Some(_)) => {
            return Err(EsError::illegal_argument(
                "The following fields are not allowed together: [document, documents] ",
            ));
        }
        (None, None) => {
            return Err(EsError::illegal_argument(
                "Required one of fields [document, documents, id], but none were specified. ",
            ));
        }
        (Some(documents), None) | (None, Some(documents)) => documents,
    };
    if documents.is_empty() {
        return Err(EsError::illegal_argument(
            "[percolate] query needs at least one document in [documents]",
        ));
    }
    let percolate = Percolate { field, documents, document_type, name };
    Ok(Query { kind: QueryKind::Percolate(percolate), boost: weight })
}

fn wrong(reason: String) -> EsError {
    EsError::new(400, "x_content_parse_exception", reason)
}
