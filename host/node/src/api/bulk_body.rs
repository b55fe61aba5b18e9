//! The body of a bulk: action lines and sources.

use crate::error::EsError;
use crate::shard::update::Update;
use crate::shard::write::Action;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

/// One item of a bulk.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// `index`, `create`, `delete` or `update`, as it is answered.
    pub verb: &'static str,
    /// The index it names, or that of the path.
    pub index: String,
    /// Its type, where it names one.
    pub type_name: Option<String>,
    /// The document, where it names one.
    pub id: Option<String>,
    /// What to do, or what is wrong with it alone.
    pub action: Result<Action, EsError>,
    /// `if_seq_no`.
    pub if_sequence: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ActionLine {
    Index(Meta),
    Create(Meta),
    Delete(Meta),
    Update(Meta),
}

/// What almost every action line holds; others go the long way.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_type")]
    type_name: Option<String>,
    #[serde(rename = "_id")]
    id: Option<String>,
    if_seq_no: Option<u64>,
    if_primary_term: Option<u64>,
    retry_on_conflict: Option<u64>,
}

/// Reads a bulk; `default_index` is that of the path, empty for none.
///
/// # Errors
/// 400 where it is no bulk at all: nothing of it is performed then.
pub(super) fn parse(body: &Bytes, default_index: &str) -> Result<Vec<Item>, EsError> {
    if body.is_empty() {
        return Err(EsError::new(400, "parse_exception", "request body is required"));
    }
    if body.last() != Some(&b'\n') {
        return Err(EsError::illegal_argument("The bulk request must be terminated by a newline [\\n]"));
    }
    let mut items = Vec::new();
    let mut lines = Lines { body, at: 0, number: 0 };
    let mut without_index = 0;
    while let Some(line) = lines.next() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = lines.number;
        let (verb, meta) = match serde_json::from_slice::<ActionLine>(&line) {
            Ok(ActionLine::Index(meta)) => ("index", meta),
            Ok(ActionLine::Create(meta)) => ("create", meta),
            Ok(ActionLine::Delete(meta)) => ("delete", meta),
            Ok(ActionLine::Update(meta)) => ("update", meta),
            Err(_) => read_slowly(&line, number)?,
        };
        let action = if verb == "delete" {
            Ok(Action::Delete)
        } else {
            let Some(source) = lines.next() else {
                return Err(EsError::illegal_argument(format!(
                    "Malformed bulk request: action/metadata line [{number}] is the last line, but [{verb}] needs a source"
                )));
            };
            match verb {
                "create" => Ok(Action::Create(source)),
                "update" => Ok(Action::Update(Update::parse(&source)?)),
                _ => Ok(Action::Index(source)),
            }
        };
        if meta.if_seq_no.is_some() != meta.if_primary_term.is_some() {
            return Err(EsError::validation(&["if_seq_no and if_primary_term must be given together"]));
        }
        if meta.if_primary_term.is_some_and(|term| term != 1) {
            return Err(EsError::unsupported("[if_primary_term] other than 1"));
        }
        let index = meta.index.unwrap_or_else(|| default_index.to_string());
        without_index += usize::from(index.is_empty());
        if meta.id.is_none() && (verb == "delete" || verb == "update") {
            return Err(EsError::validation(&["id is missing"]));
        }
        // An empty id is none: Elasticsearch refuses it for the item alone.
        let action = match &meta.id {
            Some(id) if id.is_empty() => {
                Err(EsError::illegal_argument("if _id is specified it must not be empty"))
            }
            Some(id) if id.len() > 512 => Err(EsError::illegal_argument(format!(
                "id [{id}] is too long, must be no longer than 512 bytes but was: {}",
                id.len()
            ))),
            _ => action,
        };
        items.push(Item {
            verb,
            index,
            type_name: meta.type_name,
            id: meta.id,
            action,
            if_sequence: meta.if_seq_no,
        });
    }
    if without_index > 0 {
        return Err(EsError::validation(&vec!["index is missing"; without_index]));
    }
    if items.is_empty() {
        return Err(EsError::validation(&["no requests added"]));
    }
    Ok(items)
}

/// The lines of a body, shared with it.
struct Lines<'b> {
    body: &'b Bytes,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    fn next(&mut self) -> Option<Bytes> {
        if self.at >= self.body.len() {
            return None;
        }
        let rest = &self.body[self.at..];
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let end = if rest[..length].ends_with(b"\r") { length - 1 } else { length };
        let line = self.body.slice(self.at..self.at + end);
        self.at += length + 1;
        self.number += 1;
        Some(line)
    }
}

/// Reads an action line that is out of the ordinary, or says what is wrong with it.
fn read_slowly(line: &Bytes, number: usize) -> Result<(&'static str, Meta), EsError> {
    let value: Value = serde_json::from_slice(line).map_err(|error| {
        EsError::illegal_argument(format!("Malformed action/metadata line [{number}]: {error}"))
            .caused_by(EsError::new(400, "json_parse_exception", error.to_string()))
    })?;
    let malformed = |what: String| {
        EsError::illegal_argument(format!("Malformed action/metadata line [{number}], {what}"))
    };
    let Value::Object(members) = &value else {
        return Err(malformed(format!(
            "expected START_OBJECT but found [{}]",
            crate::search::json::token(&value)
        )));
    };
    let mut members = members.iter();
    let Some((verb, body)) = members.next() else {
        return Err(malformed("expected FIELD_NAME but found [END_OBJECT]".to_string()));
    };
    if members.next().is_some() {
        return Err(malformed("expected END_OBJECT but found [FIELD_NAME]".to_string()));
    }
    let verb = match verb.as_str() {
        "index" => "index",
        "create" => "create",
        "delete" => "delete",
        "update" => "update",
        other => {
            return Err(malformed(format!(
                "expected field [create], [delete], [index] or [update] but found [{other}]"
            )));
        }
    };
    let Value::Object(body) = body else {
        return Err(malformed(format!(
            "expected START_OBJECT or END_OBJECT but found [{}]",
            crate::search::json::token(body)
        )));
    };
    let mut meta = Meta::default();
    for (name, value) in body {
        let text = || match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(boolean) => Some(boolean.to_string()),
            _ => None,
        };
        let wrong = || {
            EsError::illegal_argument(format!(
                "Malformed action/metadata line [{number}], expected a simple value for field [{name}] but found [{}]",
                crate::search::json::token(value)
            ))
        };
        let count = || text().and_then(|text| text.parse().ok()).ok_or_else(wrong);
        match name.as_str() {
            _ if value.is_null() => {}
            "_index" => meta.index = Some(text().ok_or_else(wrong)?),
            "_type" => meta.type_name = Some(text().ok_or_else(wrong)?),
            "_id" => meta.id = Some(text().ok_or_else(wrong)?),
            "if_seq_no" => meta.if_seq_no = Some(count()?),
            "if_primary_term" => meta.if_primary_term = Some(count()?),
            "retry_on_conflict" => meta.retry_on_conflict = Some(count()?),
            "require_alias" if value == &Value::Bool(false) => {}
            "routing" | "_routing" | "version" | "_version" | "version_type" | "_version_type"
            | "pipeline" | "require_alias" | "op_type" | "_source" => {
                return Err(EsError::unsupported(format!(
                    "parameter [{name}] of action/metadata line [{number}]"
                )));
            }
            _ => {
                return Err(EsError::illegal_argument(format!(
                    "Action/metadata line [{number}] contains an unknown parameter [{name}]"
                )));
            }
        }
    }
    Ok((verb, meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_text(text: &str) -> Result<Vec<Item>, EsError> {
        parse(&Bytes::copy_from_slice(text.as_bytes()), "")
    }

    #[test]
    fn actions_come_with_their_sources() {
        let items = parse_text(
            "{\"index\":{\"_index\":\"a\",\"_id\":\"1\"}}\r\n{\"x\":1}\r\n\n{\"delete\":{\"_index\":\"a\",\"_id\":2}}\n{\"create\":{\"_index\":\"b\"}}\n{}\n",
        )
        .unwrap();
        let seen: Vec<_> =
            items.iter().map(|item| (item.verb, item.index.as_str(), item.id.as_deref())).collect();
        assert_eq!(seen, [("index", "a", Some("1")), ("delete", "a", Some("2")), ("create", "b", None)]);
        assert!(matches!(&items[0].action, Ok(Action::Index(source)) if source == "{\"x\":1}"));
    }

    #[test]
    fn what_is_no_bulk_is_refused_with_the_line() {
        for (text, reason) in [
            ("", "request body is required"),
            ("{\"index\":{}}", "The bulk request must be terminated by a newline [\\n]"),
            ("\n", "Validation Failed: 1: no requests added;"),
            ("{\"index\":{}}\n{}\n", "Validation Failed: 1: index is missing;"),
            (
                "{\"index\":{\"_index\":\"a\"}}\n",
                "Malformed bulk request: action/metadata line [1] is the last line, but [index] needs a source",
            ),
            ("5\n", "Malformed action/metadata line [1], expected START_OBJECT but found [VALUE_NUMBER]"),
            (
                "{\"foo\":{}}\n{}\n",
                "Malformed action/metadata line [1], expected field [create], [delete], [index] or [update] but found [foo]",
            ),
            (
                "{\"delete\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"index\":{\"_index\":\"a\",\"foo\":1}}\n{}\n",
                "Action/metadata line [2] contains an unknown parameter [foo]",
            ),
            (
                "{\"index\":{\"_index\":\"a\",\"routing\":\"x\"}}\n{}\n",
                "parameter [routing] of action/metadata line [1] is not supported by the embedded node",
            ),
            ("{\"delete\":{\"_index\":\"a\"}}\n", "Validation Failed: 1: id is missing;"),
        ] {
            let error = parse_text(text).unwrap_err();
            assert_eq!((error.status, error.reason.as_str()), (400, reason), "{text}");
        }
    }
}
