//! One request.

use crate::cluster::IndexOptions;
use crate::cluster::settings::interval;
use crate::error::EsError;
use bytes::Bytes;
use hyper::Method;
use serde_json::Value;
use std::time::Duration;

/// A request that was read whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path as it came, for messages.
    pub path: String,
    /// What stood in the path for `{index}`, `{id}` and so on, decoded.
    pub captures: Vec<(&'static str, String)>,
    /// The parameters.
    pub parameters: Parameters,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// What stood in the path for `{name}`; empty where the path has none.
    pub fn capture(&self, name: &str) -> &str {
        self.captures.iter().find(|(each, _)| *each == name).map_or("", |(_, value)| value)
    }

    /// The body as JSON; an empty object where there is none.
    ///
    /// # Errors
    /// 400 where it is no JSON.
    pub fn json(&self) -> Result<Value, EsError> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|error| {
            EsError::new(400, "parse_exception", "Failed to parse content to map")
                .caused_by(EsError::json(&error))
        })
    }

    /// How missing indices are taken.
    ///
    /// # Errors
    /// 400 where a parameter is no boolean.
    pub fn index_options(&self) -> Result<IndexOptions, EsError> {
        if let Some(wildcards) = self.parameters.get("expand_wildcards") {
            for word in wildcards.split(',') {
                if !["open", "closed", "hidden", "none", "all"].contains(&word) {
                    return Err(EsError::illegal_argument(format!(
                        "No valid expand wildcard value [{word}]"
                    )));
                }
            }
        }
        Ok(IndexOptions {
            ignore_unavailable: self.parameters.boolean("ignore_unavailable", false)?,
            allow_no_indices: self.parameters.boolean("allow_no_indices", true)?,
        })
    }
}

/// Parameters of the URL, decoded, in their order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(pub Vec<(String, String)>);

impl Parameters {
    /// Reads what is behind the `?`.
    ///
    /// # Errors
    /// 400 where an escape is wrong.
    pub fn parse(query: &str) -> Result<Self, EsError> {
        let mut list = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            list.push((decode(name, true)?, decode(value, true)?));
        }
        Ok(Parameters(list))
    }

    /// The value of `name`; the last one where it is there more than once.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(each, _)| each == name).map(|(_, value)| value.as_str())
    }

    /// The value of `name` as a boolean; present without a value is true.
    ///
    /// # Errors
    /// 400 where it is none.
    pub fn boolean(&self, name: &str, default: bool) -> Result<bool, EsError> {
        match self.get(name) {
            None => Ok(default),
            Some("" | "true") => Ok(true),
            Some("false") => Ok(false),
            Some(other) => Err(EsError::illegal_argument(format!(
                "Failed to parse value [{other}] as only [true] or [false] are allowed."
            ))),
        }
    }

    /// The value of `name` as a whole number.
    ///
    /// # Errors
    /// 400 where it is none.
    pub fn number(&self, name: &str) -> Result<Option<u64>, EsError> {
        self.get(name)
            .map(|text| {
                text.parse().map_err(|_| {
                    EsError::illegal_argument(format!(
                        "Failed to parse int parameter [{name}] with value [{text}]"
                    ))
                    .caused_by(EsError::not_a_number(text))
                })
            })
            .transpose()
    }

    /// The value of `name` as a time.
    ///
    /// # Errors
    /// 400 where it is none.
    pub fn duration(&self, name: &str, default: Duration) -> Result<Duration, EsError> {
        match self.get(name) {
            None => Ok(default),
            Some(text) => interval(text).ok_or_else(|| {
                EsError::illegal_argument(format!(
                    "failed to parse setting [{name}] with value [{text}] as a time value: unit is missing or unrecognized"
                ))
            }),
        }
    }
}

/// `text` with its percent escapes resolved; in a query `+` is a space.
///
/// # Errors
/// 400 where an escape is wrong or the result is no UTF-8.
pub fn decode(text: &str, plus: bool) -> Result<String, EsError> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_string());
    }
    let wrong = || EsError::illegal_argument(format!("invalid escape sequence in [{text}]"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let digits =
                    rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
                rest = &rest[2..];
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(*other),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded() {
        let parameters = Parameters::parse("a=1&b=x%20y+z&c&a=2").unwrap();
        assert_eq!(parameters.get("a"), Some("2"));
        assert_eq!(parameters.get("b"), Some("x y z"));
        assert_eq!(parameters.boolean("c", false), Ok(true));
        assert_eq!(parameters.number("b").unwrap_err().status, 400);
        for wrong in ["a=%", "a=%zz", "a=%ff"] {
            assert_eq!(Parameters::parse(wrong).unwrap_err().status, 400, "{wrong}");
        }
    }
}
