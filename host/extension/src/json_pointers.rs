//! JsonPointers values out of a JSON text without building the rest: what a runner wants to know of an answer.

use std::fmt;

use indexmap::IndexMap;
use rally_support::printable::quoted;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// JSON pointers, made ready to be looked for together.
#[derive(Debug, Default)]
pub struct JsonPointers {
    root: Node,
    count: usize,
}

/// A place in the JSON text.
#[derive(Debug, Default)]
struct Node {
    /// Pointers that end here.
    wanted: Vec<usize>,
    children: IndexMap<String, Node>,
}

/// Pointers that cannot be looked for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointerError {
    /// One is none.
    #[error(
        "{} is not a JSON pointer (RFC 6901): a pointer is empty or begins with a slash, and '~' is followed by 0 or 1", quoted(.0)
    )]
    NoPointer(String),
    /// There are too many.
    #[error(
        "more than {MOST_POINTERS} JSON pointers, or more than {LONGEST_POINTERS} bytes of them, for one answer"
    )]
    TooMany,
}

/// Values that cannot be picked.
#[derive(Debug, thiserror::Error)]
pub enum PickError {
    /// The text is not JSON.
    #[error("this is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// Together they are larger than allowed.
    #[error("the values that were picked are too large")]
    TooMuch,
}

/// Pointers for one answer at most. Arbitrary: a runner wants a few; looking happens where others wait for their due times.
const MOST_POINTERS: usize = 1000;

/// Bytes of all pointers for one answer at most.
const LONGEST_POINTERS: usize = 64 * 1024;

/// Depth to which values are picked. Arbitrary; the JSON reader ends at 128 as well.
const DEEPEST: usize = 128;

impl JsonPointers {
    /// Reads pointers, e.g. `/hits/total/value`.
    ///
    /// # Errors
    /// Where one is no JSON pointer.
    pub fn new(pointers: &[String]) -> Result<JsonPointers, PointerError> {
        if pointers.len() > MOST_POINTERS
            || pointers.iter().map(String::len).sum::<usize>() > LONGEST_POINTERS
        {
            return Err(PointerError::TooMany);
        }
        let mut picks = JsonPointers { root: Node::default(), count: pointers.len() };
        for (number, pointer) in pointers.iter().enumerate() {
            let mut node = &mut picks.root;
            for token in tokens(pointer)? {
                node = node.children.entry(token).or_default();
            }
            node.wanted.push(number);
        }
        Ok(picks)
    }

    /// The JSON texts of the values that the pointers name, in their order, at most `most` bytes in all; `None` where there is
    /// no such value.
    ///
    /// # Errors
    /// Where the text is not JSON, or the values are too large.
    pub fn pick(&self, text: &[u8], most: usize) -> Result<Vec<Option<String>>, PickError> {
        let mut found = Found { values: vec![None; self.count], room: most, full: false };
        let mut reader = serde_json::Deserializer::from_slice(text);
        let read =
            Seed { node: &self.root, found: &mut found }.deserialize(&mut reader).and_then(|()| reader.end());
        if found.full {
            return Err(PickError::TooMuch);
        }
        read.map(|()| found.values).map_err(PickError::NotJson)
    }
}

fn tokens(pointer: &str) -> Result<Vec<String>, PointerError> {
    let wrong = || PointerError::NoPointer(pointer.chars().take(200).collect());
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let rest = pointer.strip_prefix('/').ok_or_else(wrong)?;
    let tokens: Vec<String> = rest
        .split('/')
        .map(|token| {
            let mut parts = token.split('~');
            let mut plain = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                plain.push(match part.as_bytes().first() {
                    Some(b'0') => '~',
                    Some(b'1') => '/',
                    _ => return Err(wrong()),
                });
                plain.push_str(&part[1..]);
            }
            Ok(plain)
        })
        .collect::<Result<_, _>>()?;
    if tokens.len() > DEEPEST { Err(wrong()) } else { Ok(tokens) }
}

/// What was found so far.
struct Found {
    values: Vec<Option<String>>,
    /// Bytes that there is room for.
    room: usize,
    full: bool,
}

struct Seed<'a> {
    node: &'a Node,
    found: &'a mut Found,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.node.wanted.is_empty() {
            return deserializer.deserialize_any(Walk { node: self.node, found: self.found });
        }
        // Wanted as a whole; what is wanted of its inside is looked for in the text of it.
        let raw = <&RawValue as serde::Deserialize>::deserialize(deserializer)?;
        for number in &self.node.wanted {
            let Some(room) = self.found.room.checked_sub(raw.get().len()) else {
                self.found.full = true;
                return Err(serde::de::Error::custom("there is no room for more"));
            };
            self.found.room = room;
            self.found.values[*number] = Some(raw.get().to_owned());
        }
        if !self.node.children.is_empty() {
            let mut reader = serde_json::Deserializer::from_str(raw.get());
            // It was read once: it is JSON.
            let _ = reader.deserialize_any(Walk { node: self.node, found: self.found });
        }
        Ok(())
    }
}

struct Walk<'a> {
    node: &'a Node,
    found: &'a mut Found,
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.node.children.get(key.as_ref()) {
                Some(node) => map.next_value_seed(Seed { node, found: self.found })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        // Beyond the last place that somebody wants, nothing is looked up.
        let last = self.node.children.keys().filter_map(|name| name.parse::<usize>().ok()).max();
        let mut index = 0usize;
        loop {
            let wanted = last.is_some_and(|last| index <= last);
            let child = wanted.then(|| self.node.children.get(index.to_string().as_str())).flatten();
            let more = match child {
                Some(node) => sequence.next_element_seed(Seed { node, found: self.found })?.is_some(),
                None => sequence.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn pick(pointers: &[&str], text: &str) -> Vec<Option<String>> {
        let pointers: Vec<String> = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        JsonPointers::new(&pointers).unwrap().pick(text.as_bytes(), 10_000).unwrap()
    }

    #[test]
    fn values_come_as_they_are_written() {
        let text = r#"{"took": 3, "hits": {"total": {"value": 1e2}, "hits": [{"_id": "ä"}, 7]}}"#;
        let found = pick(&["/hits/total/value", "/took", "/hits/hits/0/_id", "/hits/hits/1", "/no"], text);
        let texts: Vec<_> = found.iter().map(Option::as_deref).collect();
        assert_eq!(texts, [Some("1e2"), Some("3"), Some("\"ä\""), Some("7"), None]);
    }

    #[test]
    fn a_value_and_a_part_of_it_can_be_wanted_together() {
        let found = pick(&["/a", "/a/b", ""], r#"{"a":{"b":[1]}}"#);
        let texts: Vec<_> = found.iter().map(Option::as_deref).collect();
        assert_eq!(texts, [Some(r#"{"b":[1]}"#), Some("[1]"), Some(r#"{"a":{"b":[1]}}"#)]);
    }

    #[test]
    fn what_is_cut_off_is_not_json() {
        assert!(JsonPointers::new(&["/a".to_owned()]).unwrap().pick(b"{\"a\": 1", 100).is_err());
    }

    #[test]
    fn many_pointers_to_one_large_value_take_no_more_than_allowed() {
        let picks = JsonPointers::new(&vec![String::new(); 100]).unwrap();
        let text = format!("\"{}\"", "x".repeat(1000));
        assert!(matches!(picks.pick(text.as_bytes(), 10_000), Err(PickError::TooMuch)));
        assert!(picks.pick(text.as_bytes(), 200_000).is_ok());
    }

    #[test]
    fn more_pointers_than_anybody_needs_are_refused() {
        let many: Vec<String> = (0..=MOST_POINTERS).map(|number| format!("/{number}")).collect();
        assert_eq!(JsonPointers::new(&many).unwrap_err(), PointerError::TooMany);
        assert_eq!(JsonPointers::new(&["/x".repeat(LONGEST_POINTERS)]).unwrap_err(), PointerError::TooMany);
    }

    #[test]
    fn pointers_that_are_none_are_refused() {
        for pointer in ["a", "/~", "/~2"] {
            assert!(JsonPointers::new(&[pointer.to_owned()]).is_err(), "{pointer}");
        }
    }

    proptest! {
        #[test]
        fn the_same_is_found_as_in_the_whole_value(keys in proptest::collection::vec("[a-c~/]{0,2}", 0..4)) {
            let value = json!({"a": {"b": [1, {"c": null}], "": 2}, "~": {"/": "x"}, "c/": [[], 5]});
            let pointer: String =
                keys.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect();
            let found = pick(&[&pointer], &value.to_string());
            let found: Option<Value> = found[0].as_ref().map(|text| serde_json::from_str(text).unwrap());
            prop_assert_eq!(found.as_ref(), value.pointer(&pointer));
        }
    }
}
