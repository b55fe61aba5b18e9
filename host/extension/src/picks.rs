//! Picks values out of a JSON text without building the rest: what a runner wants to know of an answer.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// JSON pointers, made ready to be looked for together.
#[derive(Debug, Default)]
pub struct Picks {
    root: Node,
    count: usize,
}

/// A place in the JSON text.
#[derive(Debug, Default)]
struct Node {
    /// Pointers that end here.
    wanted: Vec<usize>,
    children: Vec<(String, Node)>,
}

/// A pointer that is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no JSON pointer (RFC 6901): it is empty or begins with a slash, and '~' is followed by 0 or 1"
)]
pub struct PointerError(String);

/// Depth to which values are picked. Arbitrary; the JSON reader ends at 128 as well.
const DEEPEST: usize = 128;

impl Picks {
    /// Reads pointers, e.g. `/hits/total/value`.
    ///
    /// # Errors
    /// Where one is no JSON pointer.
    pub fn new(pointers: &[String]) -> Result<Picks, PointerError> {
        let mut picks = Picks { root: Node::default(), count: pointers.len() };
        for (number, pointer) in pointers.iter().enumerate() {
            let mut node = &mut picks.root;
            for token in tokens(pointer)? {
                let known = node.children.iter().position(|(name, _)| *name == token);
                let index = known.unwrap_or_else(|| {
                    node.children.push((token, Node::default()));
                    node.children.len() - 1
                });
                node = &mut node.children[index].1;
            }
            node.wanted.push(number);
        }
        Ok(picks)
    }

    /// The JSON texts of the values that the pointers name, in their order; `None` where there is no such value.
    ///
    /// # Errors
    /// Where the text is not JSON.
    pub fn pick(&self, text: &[u8]) -> Result<Vec<Option<String>>, serde_json::Error> {
        let mut found = vec![None; self.count];
        let mut reader = serde_json::Deserializer::from_slice(text);
        Seed { node: &self.root, found: &mut found }.deserialize(&mut reader)?;
        reader.end()?;
        Ok(found)
    }
}

fn tokens(pointer: &str) -> Result<Vec<String>, PointerError> {
    let wrong = || PointerError(pointer.chars().take(200).collect());
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

struct Seed<'a> {
    node: &'a Node,
    found: &'a mut Vec<Option<String>>,
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
            self.found[*number] = Some(raw.get().to_owned());
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
    found: &'a mut Vec<Option<String>>,
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.node.children.iter().find(|(name, _)| *name == key) {
                Some((_, node)) => map.next_value_seed(Seed { node, found: self.found })?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let mut index = 0usize;
        loop {
            let name = index.to_string();
            let more = match self.node.children.iter().find(|(child, _)| *child == name) {
                Some((_, node)) => sequence.next_element_seed(Seed { node, found: self.found })?.is_some(),
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
        Picks::new(&pointers).unwrap().pick(text.as_bytes()).unwrap()
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
        assert!(Picks::new(&["/a".to_owned()]).unwrap().pick(b"{\"a\": 1").is_err());
    }

    #[test]
    fn pointers_that_are_none_are_refused() {
        for pointer in ["a", "/~", "/~2"] {
            assert!(Picks::new(&[pointer.to_owned()]).is_err(), "{pointer}");
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
