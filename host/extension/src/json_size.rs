//! What a JSON text takes once it is parsed, before it is parsed.

use std::mem::size_of;

use serde_json::Value;

/// Bytes of an element of a list. Lists have room for as many again.
const ELEMENT: usize = 2 * size_of::<Value>();

/// Bytes of an entry of an object: its key, its value, its hash, its place in the index; with room for as many again.
const ENTRY: usize = 2 * (size_of::<Value>() + size_of::<String>() + 3 * size_of::<usize>());

/// Allocations are rounded up, and have a head: bytes for each that holds a text, a list or an object.
const ALLOCATION: usize = 32;

/// An upper bound on the bytes that [`serde_json::Value`]s of a text take. Looks at the text once and allocates nothing.
pub(crate) fn parsed_size(text: &str) -> usize {
    let mut size = ELEMENT + text.len();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        size += match byte {
            b'"' => {
                // To the end of the string; whether it is one is for the parser to say.
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
                ALLOCATION
            }
            // The first element comes without a comma. Small lists and objects have room for four.
            b'[' => ALLOCATION + 4 * size_of::<Value>(),
            b'{' => ALLOCATION + 4 * ENTRY,
            b',' => ELEMENT,
            b':' => ENTRY,
            _ => 0,
        };
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that a value holds.
    fn held(value: &Value) -> usize {
        size_of::<Value>()
            + match value {
                Value::String(text) => text.capacity(),
                Value::Array(list) => {
                    (list.capacity() - list.len()) * size_of::<Value>() + list.iter().map(held).sum::<usize>()
                }
                Value::Object(map) => map
                    .iter()
                    .map(|(key, value)| {
                        size_of::<String>() + key.capacity() + 2 * size_of::<usize>() + held(value)
                    })
                    .sum(),
                _ => 0,
            }
    }

    #[test]
    fn no_text_takes_more_than_was_said() {
        for text in [
            "{}".to_owned(),
            "7".to_owned(),
            format!("[{}0]", "0,".repeat(10_000)),
            format!("[{}[]]", "[],".repeat(10_000)),
            format!("[{}{{}}]", "{},".repeat(10_000)),
            format!("[{}\"\"]", "\"\",".repeat(10_000)),
            format!("{}{}", "[".repeat(100), "]".repeat(100)),
            format!("{{{}\"x\":1}}", (0..10_000).map(|key| format!("\"{key}\":0,")).collect::<String>()),
            r#"{"a,b[{:\"c": "[[[[[[[["}"#.to_owned(),
        ] {
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(parsed_size(&text) >= held(&value), "{}: {}", &text[..text.len().min(40)], held(&value));
        }
    }

    #[test]
    fn what_is_in_strings_counts_as_text() {
        let text = format!("{{\"a\":\"{}\"}}", "[,".repeat(10_000));
        assert!(parsed_size(&text) < 2 * text.len());
    }
}
