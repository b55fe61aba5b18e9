//! What is different between two JSON values.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// Characters that are shown of a value.
const MOST_SHOWN: usize = 120;

/// A place where two values differ.
#[derive(Debug, PartialEq)]
pub struct Difference {
    /// JSON pointer.
    pub pointer: String,
    /// What is expected there; `None` if nothing is.
    pub expected: Option<Value>,
    /// What is there.
    pub actual: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "(all)" } else { &self.pointer };
        write!(formatter, "{pointer}: expected {}, actual {}", shown(&self.expected), shown(&self.actual))
    }
}

fn shown(value: &Option<Value>) -> String {
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// All differences. Integers and floats are distinct.
pub fn between(expected: &Value, actual: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare(String::new(), Some(expected), Some(actual), &mut differences);
    differences
}

fn compare(
    pointer: String,
    expected: Option<&Value>,
    actual: Option<&Value>,
    differences: &mut Vec<Difference>,
) {
    match (expected, actual) {
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            let keys: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
            for key in keys {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                compare(format!("{pointer}/{escaped}"), expected.get(key), actual.get(key), differences);
            }
        }
        (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
            for index in 0..expected.len().max(actual.len()) {
                compare(format!("{pointer}/{index}"), expected.get(index), actual.get(index), differences);
            }
        }
        (expected, actual) if expected == actual => {}
        (expected, actual) => {
            differences.push(Difference { pointer, expected: expected.cloned(), actual: actual.cloned() })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(expected: Value, actual: Value) -> Vec<String> {
        between(&expected, &actual).into_iter().map(|difference| difference.pointer).collect()
    }

    #[test]
    fn equal_values_have_no_differences_whatever_the_order_of_their_keys() {
        assert!(
            pointers(json!({"a": [1, {"b": null}], "c": 2.0}), json!({"c": 2.0, "a": [1, {"b": null}]}))
                .is_empty()
        );
    }

    #[test]
    fn integers_and_floats_are_distinct() {
        assert_eq!(pointers(json!({"a": 1}), json!({"a": 1.0})), ["/a"]);
    }

    #[test]
    fn what_one_side_lacks_is_a_difference() {
        assert_eq!(pointers(json!({"a/b": [1, 2]}), json!({"a/b": [1], "c~": null})), ["/a~1b/1", "/c~0"]);
    }
}
