//! `--user-tag`: what the user says about a race.

use std::collections::BTreeMap;

use serde_json::Value;
use thiserror::Error;

/// Name of the tag that a text without a key gets.
pub const FREE_TEXT_TAG: &str = "tag";

/// User tags that cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum UserTagError {
    /// Some tags have a key and this one has not.
    #[error("--user-tag: '{tag}' has no key; write key:value,key:value, or one text without ':' and ','")]
    NoKey {
        /// The tag.
        tag: String,
    },
    /// There is nothing before the colon.
    #[error("--user-tag: the key of '{tag}' is empty; write key:value,key:value")]
    EmptyKey {
        /// The tag.
        tag: String,
    },
    /// Two tags with one key.
    #[error("--user-tag: the key '{key}' is given twice; give each key once")]
    Twice {
        /// The key.
        key: String,
    },
    /// Looks like JSON, but is malformed or holds other than simple values.
    #[error(
        "--user-tag: '{text}' is not a JSON object of texts, numbers and booleans; write {{\"key\": \"value\"}} or key:value"
    )]
    NotAnObject {
        /// What was given.
        text: String,
    },
}

/// Reads `key:value,key:value`, a JSON object of simple values, or a text without a key, which becomes the tag
/// [`FREE_TEXT_TAG`]. The first colon ends the key, so a value may hold some. Empty text means no tags.
///
/// # Errors
/// Where a tag has no key among others that have one, where a key is empty or occurs twice.
pub fn parse_user_tags(text: &str) -> Result<BTreeMap<String, String>, UserTagError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    if text.starts_with('{') {
        return from_json(text).ok_or_else(|| UserTagError::NotAnObject { text: text.to_owned() });
    }
    if !text.contains([':', ',']) {
        return Ok(BTreeMap::from([(FREE_TEXT_TAG.to_owned(), text.to_owned())]));
    }
    let mut tags = BTreeMap::new();
    for tag in text.split(',') {
        let (key, value) =
            tag.split_once(':').ok_or_else(|| UserTagError::NoKey { tag: tag.trim().to_owned() })?;
        let key = key.trim();
        if key.is_empty() {
            return Err(UserTagError::EmptyKey { tag: tag.trim().to_owned() });
        }
        if tags.insert(key.to_owned(), value.trim().to_owned()).is_some() {
            return Err(UserTagError::Twice { key: key.to_owned() });
        }
    }
    Ok(tags)
}

fn from_json(text: &str) -> Option<BTreeMap<String, String>> {
    let object: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
    let simple = |value: Value| match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    object.into_iter().map(|(key, value)| Some((key, simple(value)?))).collect()
}
