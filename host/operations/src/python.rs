//! How Rally's Python takes the JSON values of an operation. Tracks rely on it: `"bulk-size": "500"` is a number,
//! `"index": ""` is no index, and a text is a container of its parts.

use rally_support::python;
use serde_json::Value;

/// Whether a condition on the value holds.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// Name of the value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// The value as text: a text as it is, everything else as [`repr`] shows it.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => repr(other),
    }
}

/// The value as it would be written in a program.
pub fn repr(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(number) => python::float(number),
            None => number.to_string(),
        },
        Value::String(text) => python::quoted(text),
        Value::Array(items) => format!("[{}]", list(items.iter().map(repr).collect())),
        Value::Object(members) => {
            let shown =
                members.iter().map(|(name, value)| format!("{}: {}", python::quoted(name), repr(value)));
            format!("{{{}}}", list(shown.collect()))
        }
    }
}

/// What a loop over the value meets: the items of a list, the keys of an object, the characters of a text.
///
/// # Errors
/// Python's text where there is nothing to loop over.
pub fn items(value: &Value) -> Result<Vec<Value>, String> {
    match value {
        Value::Array(items) => Ok(items.clone()),
        Value::Object(members) => Ok(members.keys().map(|name| Value::from(name.as_str())).collect()),
        Value::String(text) => Ok(text.chars().map(|character| Value::from(character.to_string())).collect()),
        other => Err(format!("'{}' object is not iterable", type_name(other))),
    }
}

/// Whether `name` (`None`: no name) is in the value: an item of a list, a key of an object, a part of a text.
///
/// # Errors
/// Python's text where the value is no container.
pub fn contains(container: &Value, name: Option<&str>) -> Result<bool, String> {
    match (container, name) {
        (Value::Array(items), Some(name)) => Ok(items.iter().any(|item| item.as_str() == Some(name))),
        (Value::Array(items), None) => Ok(items.contains(&Value::Null)),
        (Value::Object(members), name) => Ok(name.is_some_and(|name| members.contains_key(name))),
        (Value::String(text), Some(name)) => Ok(text.contains(name)),
        (Value::String(_), None) => {
            Err("'in <string>' requires string as left operand, not NoneType".to_owned())
        }
        (other, _) => Err(format!("argument of type '{}' is not iterable", type_name(other))),
    }
}

/// Why a value is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotANumber {
    /// Its type has no numbers; Python's text.
    Type(String),
    /// It does not read as one.
    Text,
    /// It is beyond what can be counted.
    TooLarge,
}

/// The value as a whole number: fractions are cut off, texts are read.
///
/// # Errors
/// Where it is none.
pub fn int(value: &Value) -> Result<i64, NotANumber> {
    match value {
        Value::Bool(value) => Ok(i64::from(*value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Ok(whole),
            (None, Some(float)) if number.is_f64() && float.abs() < 9.2e18 => Ok(float as i64),
            _ => Err(NotANumber::TooLarge),
        },
        Value::String(text) => {
            let text = digits(text).ok_or(NotANumber::Text)?;
            let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
            if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(NotANumber::Text);
            }
            text.parse().map_err(|_| NotANumber::TooLarge)
        }
        other => Err(NotANumber::Type(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            type_name(other)
        ))),
    }
}

/// The value as a number; texts are read. "nan" is none: nothing can be compared with it.
///
/// # Errors
/// Where it is none.
pub fn float(value: &Value) -> Result<f64, NotANumber> {
    match value {
        Value::Bool(value) => Ok(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64().ok_or(NotANumber::TooLarge),
        Value::String(text) => {
            let number = digits(text).and_then(|text| text.parse::<f64>().ok()).ok_or(NotANumber::Text)?;
            if number.is_nan() { Err(NotANumber::Text) } else { Ok(number) }
        }
        other => Err(NotANumber::Type(format!(
            "float() argument must be a string or a real number, not '{}'",
            type_name(other)
        ))),
    }
}

/// A number's text without white space around it and without underscores between its digits.
fn digits(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_') {
        if !digit(at.checked_sub(1)) || !digit(Some(at + 1)) {
            return None;
        }
    }
    Some(text.replace('_', ""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_python_shows_them() {
        let value = json!(["a", "it's", "\"it's\"", null, true, 1, 1.0, {"b": [0.5, -0.0]}, "x\n\u{7f}ä"]);
        assert_eq!(
            repr(&value),
            r#"['a', "it's", '"it\'s"', None, True, 1, 1.0, {'b': [0.5, -0.0]}, 'x\n\x7fä']"#
        );
        let floats: Vec<String> = [1e-5, 0.0001, 1e15, 1e16, 1.5e300, 123456.789, 100.0, 2.5e-7, 0.1 + 0.2]
            .iter()
            .map(|number| text(&json!(number)))
            .collect();
        assert_eq!(
            floats,
            [
                "1e-05",
                "0.0001",
                "1000000000000000.0",
                "1e+16",
                "1.5e+300",
                "123456.789",
                "100.0",
                "2.5e-07",
                "0.30000000000000004"
            ]
        );
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        let read = |value: Value| int(&value);
        assert_eq!(read(json!(" 1_000 ")), Ok(1000));
        assert_eq!(read(json!("-5")), Ok(-5));
        assert_eq!(read(json!(10.9)), Ok(10));
        assert_eq!(read(json!(-10.9)), Ok(-10));
        assert_eq!(read(json!(true)), Ok(1));
        for text in ["10.0", "", "_1", "1__0", "1_", "0x10", "+", "+-1"] {
            assert_eq!(read(json!(text)), Err(NotANumber::Text), "{text}");
        }
        assert_eq!(read(json!("99999999999999999999")), Err(NotANumber::TooLarge));
        assert!(matches!(read(json!(null)), Err(NotANumber::Type(text)) if text.ends_with("'NoneType'")));
        assert_eq!(float(&json!(" 12.5\n")), Ok(12.5));
        assert_eq!(float(&json!("1e-2")), Ok(0.01));
        assert_eq!(float(&json!("nan")), Err(NotANumber::Text));
        assert_eq!(float(&json!("5%")), Err(NotANumber::Text));
    }
}
