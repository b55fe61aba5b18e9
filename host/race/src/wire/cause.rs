//! Causes of errors as they cross to another process: their texts.

use std::error::Error;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::seams::Cause;

/// An error of another process, and its cause.
#[derive(Debug)]
struct RelayedError {
    text: String,
    source: Option<Box<RelayedError>>,
}

impl fmt::Display for RelayedError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for RelayedError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

pub(crate) fn serialize<S: Serializer>(cause: &Cause, serializer: S) -> Result<S::Ok, S::Error> {
    let mut texts = vec![cause.to_string()];
    let mut source = cause.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cause, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let innermost_first = texts.into_iter().rev();
    let cause = innermost_first
        .fold(None, |source, text| Some(Box::new(RelayedError { text, source })))
        .ok_or_else(|| de::Error::custom("an error without a text"))?;
    Ok(cause)
}
