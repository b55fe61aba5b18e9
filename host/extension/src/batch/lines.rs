//! Requests as lines of JSON.

use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use rally_race::{BodyKind, More, Params};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{BatchError, BatchReader, excerpt};

impl BatchReader {
    /// The same for requests as lines of JSON.
    ///
    /// # Errors
    /// What is wrong with the lines; then none of them is used.
    pub fn read_lines(
        &mut self,
        text: &str,
        exhausted: bool,
        limit: usize,
        memory: usize,
        out: &mut Vec<Params>,
    ) -> Result<More, BatchError> {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_ascii().is_empty()).collect();
        self.check(lines.len(), exhausted, limit)?;
        self.parsed.forget_dropped();
        let before = out.len();
        for line in lines {
            match self.line(line, memory) {
                Ok(params) => out.push(params),
                Err(problem) => {
                    out.truncate(before);
                    return Err(problem);
                }
            }
        }
        self.exhausted = exhausted;
        Ok(if exhausted { More::Exhausted } else { More::Yes })
    }

    fn line(&mut self, line: &str, memory: usize) -> Result<Params, BatchError> {
        let wrong = |problem: serde_json::Error| {
            format!("a line that is not a JSON object ({problem}): {}", excerpt(line))
        };
        let Fields(fields) = match serde_json::from_str::<Fields<'_, &str>>(line) {
            Ok(fields) => fields,
            // Keys with escapes cannot be borrowed.
            Err(_) => return self.escaped_line(line, memory, wrong),
        };
        let (mut body, mut body_kind) = (Bytes::new(), BodyKind::default());
        let mut rest = String::with_capacity(64);
        for (name, value) in &fields {
            if *name == "body" {
                (body, body_kind) = line_body(value.get()).map_err(wrong)?;
                continue;
            }
            rest.push_str(if rest.is_empty() { "{\"" } else { ",\"" });
            rest.push_str(name);
            rest.push_str("\":");
            rest.push_str(value.get());
        }
        rest.push_str(if rest.is_empty() { "{}" } else { "}" });
        let values = match &self.last_line {
            Some((text, values)) if *text == rest => Arc::clone(values),
            _ => {
                let values = self.parsed.parse(&rest, memory, wrong)?;
                self.last_line = Some((rest, Arc::clone(&values)));
                values
            }
        };
        Ok(with_body(values, body, body_kind))
    }

    fn escaped_line(
        &mut self,
        line: &str,
        memory: usize,
        wrong: impl Fn(serde_json::Error) -> String,
    ) -> Result<Params, BatchError> {
        let Fields(fields) = serde_json::from_str::<Fields<'_, String>>(line).map_err(&wrong)?;
        let (mut body, mut kind) = (Bytes::new(), BodyKind::default());
        let mut rest = Vec::new();
        for (name, value) in fields {
            if name == "body" {
                (body, kind) = line_body(value.get()).map_err(&wrong)?;
            } else {
                rest.push(format!("{}:{}", Value::from(name), value.get()));
            }
        }
        let rest = format!("{{{}}}", rest.join(","));
        let values = self.parsed.parse(&rest, memory, wrong)?;
        Ok(with_body(values, body, kind))
    }
}

/// Most fields of a line. Arbitrary: each takes memory of its own while the line is read.
pub(super) const MOST_FIELDS: usize = 10_000;

/// The fields of a line, their values as text.
struct Fields<'de, K>(IndexMap<K, &'de RawValue>);

impl<'de, K: Deserialize<'de> + Hash + Eq> Deserialize<'de> for Fields<'de, K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

struct FieldsVisitor<K>(PhantomData<K>);

impl<'de, K: Deserialize<'de> + Hash + Eq> Visitor<'de> for FieldsVisitor<K> {
    type Value = Fields<'de, K>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = IndexMap::new();
        while let Some((name, value)) = map.next_entry()? {
            fields.insert(name, value);
            if fields.len() > MOST_FIELDS {
                return Err(serde::de::Error::custom(format_args!("more than {MOST_FIELDS} fields")));
            }
        }
        Ok(Fields(fields))
    }
}

fn with_body(values: Arc<Map<String, Value>>, body: Bytes, body_kind: BodyKind) -> Params {
    let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0);
    let documents = u32::try_from(documents).unwrap_or(u32::MAX);
    Params { body, body_kind, documents, ..Params::of(values) }
}

/// A body as JSON has it: text stands for itself, `null` for none.
fn line_body(raw: &str) -> Result<(Bytes, BodyKind), serde_json::Error> {
    match raw.as_bytes().first() {
        Some(b'"') => {
            let text: String = serde_json::from_str(raw)?;
            Ok((Bytes::from(text), BodyKind::Text))
        }
        Some(b'n') => Ok((Bytes::new(), BodyKind::default())),
        _ => Ok((Bytes::copy_from_slice(raw.as_bytes()), BodyKind::Json)),
    }
}
