//! JSON with positions: where a value stands in the text, and which keys are there twice.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::invisible;

/// A JSON document and the pointers of its keys that occur more than once. As in Python, the last one counts.
pub(crate) struct Document {
    pub(crate) value: Value,
    pub(crate) duplicates: Vec<String>,
}

/// Text that is no JSON.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    /// What is wrong, without a position.
    pub(crate) message: String,
    /// Byte offset of the place.
    pub(crate) offset: usize,
}

/// Parses a whole text.
pub(crate) fn parse(text: &str) -> Result<Document, SyntaxError> {
    let mut found = Found::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let seed = Node { path: String::new(), found: &mut found };
    let parsed = seed.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    let value = parsed.map_err(|error| syntax_error(text, &error))?;
    // Python knows whole numbers of any size. One that is silently another number would be worse than none.
    if found.large_float
        && let Some(offset) = oversized_integer(text)
    {
        let message = "whole numbers of more than 64 bits are not supported".to_owned();
        return Err(SyntaxError { message, offset });
    }
    Ok(Document { value, duplicates: found.duplicates })
}

/// Where a whole number begins that fits into no integer, in JSON.
fn oversized_integer(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            b'-' | b'0'..=b'9' => {
                let length = bytes[at..]
                    .iter()
                    .take_while(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count();
                let number = text.get(at..at + length)?;
                let is_whole = !number.contains(['.', 'e', 'E']);
                if is_whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some(at);
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

/// What is found on the way.
#[derive(Default)]
struct Found {
    /// Pointers of keys that are there twice.
    duplicates: Vec<String>,
    /// Values so far.
    values: usize,
    /// Whether there is a float that a whole number may have become.
    large_float: bool,
}

fn syntax_error(text: &str, error: &serde_json::Error) -> SyntaxError {
    let line_start = text
        .match_indices('\n')
        .nth(error.line().saturating_sub(2))
        .filter(|_| error.line() > 1)
        .map_or(0, |(at, _)| at + 1);
    let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
    let full = error.to_string();
    let message = full.rsplit_once(" at line ").map_or(full.as_str(), |(message, _)| message);
    // The position of a character of several bytes is that of one of them.
    let near = (offset.saturating_sub(3)..=offset + 1).filter(|at| text.is_char_boundary(*at));
    let invisible =
        near.rev().find_map(|at| Some((at, invisible::described(text.get(at..)?.chars().next()?)?)));
    match invisible {
        Some((offset, character)) => {
            SyntaxError { message: format!("{message}; the text contains {character} here"), offset }
        }
        None => SyntaxError { message: message.to_owned(), offset },
    }
}

struct Node<'a> {
    path: String,
    found: &'a mut Found,
}

/// Values in one document. The largest track of elastic/rally-tracks has less than a hundredth.
const MAX_VALUES: usize = 1_000_000;

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.found.values += 1;
        if self.found.values > MAX_VALUES {
            return Err(serde::de::Error::custom(format!("the text has more than {MAX_VALUES} values")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        self.found.large_float |= value.abs() >= i64::MAX as f64;
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        let Node { path, found } = self;
        while let Some(value) =
            elements.next_element_seed(Node { path: format!("{path}/{}", values.len()), found })?
        {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        let mut seen = HashSet::new();
        let Node { path, found } = self;
        while let Some(key) = entries.next_key::<String>()? {
            let path = child(&path, &key);
            if !seen.insert(key.clone()) && !key.starts_with('#') {
                found.duplicates.push(path.clone());
            }
            let value = entries.next_value_seed(Node { path, found })?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

/// The pointer of a member.
pub(crate) fn child(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Which part of a member is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Key,
    Value,
}

/// Byte range of what a pointer points to, in a text that [`parse`] accepts. `None` if there is no such thing.
pub(crate) fn locate(text: &str, pointer: &str, part: Part) -> Option<Range<usize>> {
    let mut raw: &RawValue = serde_json::from_str(text).ok()?;
    let mut key_range = None;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let start = offset_in(text, raw.get());
        if raw.get().starts_with('{') {
            let members: Members<'_> = serde_json::from_str(raw.get()).ok()?;
            // From one member's end to the next key there are only spaces and a comma.
            let mut end = start + 1;
            let mut found = None;
            for (key, value) in members.0 {
                let key_start = end + text.get(end..)?.find('"')?;
                let value_start = offset_in(text, value.get());
                let key_end = key_start + 1 + text.get(key_start + 1..value_start)?.rfind('"')? + 1;
                end = value_start + value.get().len();
                if key == token {
                    found = Some((key_start..key_end, value));
                }
            }
            let (range, value) = found?;
            key_range = Some(range);
            raw = value;
        } else {
            let elements: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
            raw = elements.get(token.parse::<usize>().ok()?)?;
            key_range = None;
        }
    }
    let start = offset_in(text, raw.get());
    match (part, key_range) {
        (Part::Key, Some(range)) => Some(range),
        _ => Some(start..start + raw.get().len()),
    }
}

fn offset_in(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> serde::Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = entries.next_entry::<String, &'de RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locates_keys_and_values() {
        let text = r#"{ "a" : [1, {"b\"/~": "x", "c": 2}], "c" :3 }"#;
        let at = |pointer, part| locate(text, pointer, part).map(|range| &text[range]);
        assert_eq!(at("/a/1/b\"~1~0", Part::Key), Some(r#""b\"/~""#));
        assert_eq!(at("/a/1/b\"~1~0", Part::Value), Some(r#""x""#));
        assert_eq!(at("/a/1/c", Part::Key), Some(r#""c""#));
        assert_eq!(at("/a/0", Part::Key), Some("1"));
        assert_eq!(at("/c", Part::Value), Some("3"));
        assert_eq!(at("", Part::Value), Some(text));
        assert_eq!(at("/d", Part::Value), None);
        assert_eq!(at("/c/0", Part::Value), None);
    }

    #[test]
    fn the_last_of_two_equal_keys_counts_and_is_reported() {
        let document = parse(r##"{"a": {"b": 1, "b": 2}, "#": 1, "#": 2}"##).ok().unwrap();
        assert_eq!(document.value["a"]["b"], 2);
        assert_eq!(document.duplicates, ["/a/b"]);
    }

    #[test]
    fn whole_numbers_that_fit_nowhere_are_errors() {
        let error = parse(r#"{"a\"1": [18446744073709551615, -9223372036854775808, 18446744073709551616]}"#);
        let error = error.err().unwrap();
        assert_eq!(error.offset, 54);
        assert!(error.message.contains("64 bits"));
        assert!(parse("[1e300, 18446744073709551616.0, \"99999999999999999999\"]").is_ok());
    }

    #[test]
    fn a_document_has_a_bounded_number_of_values() {
        let list = |values: usize| format!("[{}0]", "0,".repeat(values - 2));
        assert!(parse(&list(MAX_VALUES)).is_ok());
        let error = parse(&list(MAX_VALUES + 1)).err().unwrap();
        assert!(error.message.contains("more than 1000000 values"), "{error:?}");
    }

    #[test]
    fn syntax_errors_have_an_offset() {
        let error = parse("{\n  \"a\": 1,\n}").err().unwrap();
        assert_eq!((error.offset, error.message.as_str()), (12, "trailing comma"));
        assert!(parse("NaN").is_err() && parse("[1e999]").is_err() && parse("{} x").is_err());
    }
}
