//! JSON in one form only, so that equal plans are equal bytes: keys sorted, no blanks, text unescaped, numbers as Python
//! writes them. Digests of Elastic Rally's plans are of this form.

use std::io;

use rally_support::hex::Hex;
use rally_support::python;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::ser::{Formatter, Serializer as JsonSerializer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// Canonical JSON. Keys of [`Value`]s have to be sorted by [`sorted`] or [`Sorted`]; those of structs are as they are declared.
///
/// # Errors
/// Where the value cannot be JSON.
pub fn to_vec(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    value.serialize(&mut JsonSerializer::with_formatter(&mut bytes, PythonNumbers))?;
    Ok(bytes)
}

/// SHA-256 of the canonical JSON, 64 lower-case hexadecimal digits.
///
/// # Errors
/// Where the value cannot be JSON.
pub fn sha256(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(hexadecimal(&to_vec(value)?))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    Hex(Sha256::digest(bytes)).to_string()
}

/// A value whose objects are written with sorted keys, at any depth.
#[derive(Debug, Clone, Copy)]
pub struct Sorted<'value>(pub &'value Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => sorted_map(members, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Sorted)),
            plain => plain.serialize(serializer),
        }
    }
}

/// Writes a value with sorted keys.
pub fn sorted<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Sorted(value).serialize(serializer)
}

/// Writes an object with sorted keys.
pub fn sorted_map<S: Serializer>(members: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    let mut map = serializer.serialize_map(Some(members.len()))?;
    for (key, value) in members {
        map.serialize_entry(key, &Sorted(value))?;
    }
    map.end()
}

/// Writes an object with sorted keys, if there is one.
pub fn sorted_optional_map<S: Serializer>(
    members: &Option<Map<String, Value>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match members {
        Some(members) => sorted_map(members, serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes a value with sorted keys, if there is one.
pub fn sorted_optional<S: Serializer>(value: &Option<Value>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => sorted(value, serializer),
        None => serializer.serialize_none(),
    }
}

struct PythonNumbers;

impl Formatter for PythonNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(python::float(value).as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: &Value) -> String {
        String::from_utf8(to_vec(&Sorted(value)).expect("JSON")).expect("UTF-8")
    }

    #[test]
    fn keys_are_sorted_at_any_depth() {
        let value = json!({"b": [{"z": 1, "a": 2}], "B": null, "ä": "ü\u{1}\"", "a": 1.0});
        assert_eq!(text(&value), r#"{"B":null,"a":1.0,"b":[{"a":2,"z":1}],"ä":"ü\u0001\""}"#);
    }

    #[test]
    fn integers_and_floats_stay_what_they_are() {
        assert_eq!(
            text(&json!([1, 1.0, -1, u64::MAX, i64::MIN])),
            "[1,1.0,-1,18446744073709551615,-9223372036854775808]"
        );
    }
}
