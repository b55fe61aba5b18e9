//! Reading request bodies: JSON without duplicate keys, and the small conversions that Elasticsearch's parsers do.

use crate::error::EsError;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The object in `body`; None where it is blank.
///
/// # Errors
/// 400 `json_parse_exception` where it is not JSON or repeats a key, `parsing_exception` where it is not an object.
pub fn object(body: &[u8]) -> Result<Option<Map<String, Value>>, EsError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let parsed: Strict = serde_json::from_slice(body).map_err(|error| {
        let kind = if error.is_eof() { "json_e_o_f_exception" } else { "json_parse_exception" };
        EsError::new(400, kind, error.to_string())
    })?;
    match parsed.0 {
        Value::Object(object) => Ok(Some(object)),
        other => Err(EsError::parsing(format!("Expected [START_OBJECT] but found [{}]", token(&other)))),
    }
}

/// What Elasticsearch calls the first token of `value`.
pub fn token(value: &Value) -> &'static str {
    match value {
        Value::Null => "VALUE_NULL",
        Value::Bool(_) => "VALUE_BOOLEAN",
        Value::Number(_) => "VALUE_NUMBER",
        Value::String(_) => "VALUE_STRING",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

/// The text of a scalar as Java writes it; None for arrays, objects and null.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number given as a number or as text; a fraction is cut off.
///
/// # Errors
/// 400 `number_format_exception` in Java's words.
pub fn integer(value: &Value) -> Result<i64, EsError> {
    let whole = match value {
        Value::Number(number) => number
            .as_i64()
            .or_else(|| number.as_f64().filter(|float| float.abs() < 9e18).map(|float| float as i64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    whole.ok_or_else(|| not_a_number(value))
}

/// A number given as a number or as text.
///
/// # Errors
/// 400 `number_format_exception` in Java's words.
pub fn float(value: &Value) -> Result<f64, EsError> {
    let float = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    float.ok_or_else(|| not_a_number(value))
}

/// A Boolean given as such or as text.
///
/// # Errors
/// 400 `illegal_argument_exception` in the words of Elasticsearch.
pub fn boolean(value: &Value) -> Result<bool, EsError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::String(text) => flag(text),
        other => Err(EsError::illegal_argument(format!(
            "Failed to parse value [{other}] as only [true] or [false] are allowed."
        ))),
    }
}

/// A Boolean in a URL; the empty text, as in `?pretty`, is true.
///
/// # Errors
/// 400 `illegal_argument_exception` in the words of Elasticsearch.
pub fn flag(text: &str) -> Result<bool, EsError> {
    match text {
        "true" | "" => Ok(true),
        "false" => Ok(false),
        _ => Err(EsError::illegal_argument(format!(
            "Failed to parse value [{text}] as only [true] or [false] are allowed."
        ))),
    }
}

/// 400 `number_format_exception` for `value`.
pub fn not_a_number(value: &Value) -> EsError {
    let text = text(value).unwrap_or_else(|| value.to_string());
    EsError::new(400, "number_format_exception", format!("For input string: \"{text}\""))
}

/// ` did you mean [x]?` for the names near `wrong`, nearest first, as Elasticsearch's suggestions: those that share
/// more than half of their letters.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut near: Vec<(f64, &str)> = known
        .into_iter()
        .map(|name| (strsim::normalized_levenshtein(wrong, name), name))
        .filter(|(similarity, _)| *similarity > 0.5)
        .collect();
    near.sort_by(|left, right| right.0.total_cmp(&left.0));
    match near.as_slice() {
        [] => String::new(),
        [(_, one)] => format!(" did you mean [{one}]?"),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, name)| *name).collect();
            format!(" did you mean any of [{}]?", names.join(", "))
        }
    }
}

/// A JSON value whose objects have no duplicate keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
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
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_string()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = members.next_entry::<String, Strict>()? {
            if object.contains_key(&key) {
                return Err(A::Error::custom(format!("Duplicate field '{key}'")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_blank_body_is_none() {
        assert_eq!(object(b" \n").unwrap(), None);
    }

    #[test]
    fn duplicate_keys_are_refused() {
        let error = object(br#"{"query":{"a":1,"a":2}}"#).unwrap_err();
        assert_eq!((error.status, error.kind), (400, "json_parse_exception"));
        assert!(error.reason.starts_with("Duplicate field 'a'"), "{}", error.reason);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (body, kind) in [
            ("[]", "parsing_exception"),
            ("nonsense", "json_parse_exception"),
            ("{\"a\":1", "json_e_o_f_exception"),
            ("{}}", "json_parse_exception"),
        ] {
            assert_eq!(object(body.as_bytes()).unwrap_err().kind, kind, "{body}");
        }
    }

    #[test]
    fn numbers_may_be_text_and_lose_fractions() {
        assert_eq!(integer(&json!("12")).unwrap(), 12);
        assert_eq!(integer(&json!(1.9)).unwrap(), 1);
        assert_eq!(integer(&json!("x")).unwrap_err().kind, "number_format_exception");
    }

    #[test]
    fn suggestions_are_those_of_elasticsearch() {
        let known = ["match_all", "match", "fuzzy", "term"];
        assert_eq!(did_you_mean("matc", known), " did you mean [match]?");
        assert_eq!(did_you_mean("matchall", known), " did you mean any of [match_all, match]?");
        assert_eq!(did_you_mean("zzz", known), "");
    }
}
