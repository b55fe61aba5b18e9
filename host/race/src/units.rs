//! What work is counted in.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest name of a unit, bytes: it stands in a column of the report.
const LONGEST: usize = 64;

/// The name of a unit: `docs`, `ops`, `pages`. Cloning one is cheap, and free for the names that rally knows by itself.
#[derive(Clone)]
pub struct Unit(Name);

#[derive(Clone)]
enum Name {
    Known(&'static str),
    Given(Arc<str>),
}

/// A text that cannot be the name of a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a unit: it must be a word of at most {LONGEST} bytes, e.g. \"ops\"")]
pub struct UnitError {
    /// Its beginning.
    pub name: String,
}

impl Unit {
    /// A unit whose name comes from outside.
    ///
    /// # Errors
    /// Where the name is empty, too long, or would spoil a report.
    pub fn new(name: &str) -> Result<Unit, UnitError> {
        if name.is_empty() {
            return Err(UnitError { name: String::new() });
        }
        Unit::or_none(name)
    }

    /// As [`Unit::new`], but the empty name is that of no unit.
    fn or_none(name: &str) -> Result<Unit, UnitError> {
        if name.len() > LONGEST || name.chars().any(char::is_control) {
            return Err(UnitError { name: name.chars().take(LONGEST).collect() });
        }
        Ok(match name {
            "" => Unit::default(),
            name => Unit(Name::Given(Arc::from(name))),
        })
    }

    /// Its name; empty where nothing has been counted yet.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Known(name) => name,
            Name::Given(name) => name,
        }
    }
}

/// No unit: nothing has been counted yet.
impl Default for Unit {
    fn default() -> Unit {
        Unit::from("")
    }
}

impl From<&'static str> for Unit {
    fn from(name: &'static str) -> Unit {
        Unit(Name::Known(name))
    }
}

impl Deref for Unit {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Unit {
    fn eq(&self, other: &Unit) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Unit {}

impl PartialEq<&str> for Unit {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unit, D::Error> {
        let name = String::deserialize(deserializer)?;
        Unit::or_none(&name).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_equal_by_name_wherever_it_comes_from() {
        assert_eq!(Unit::new("docs").unwrap(), Unit::from("docs"));
        assert_ne!(Unit::new("pages").unwrap(), Unit::from("docs"));
    }

    #[test]
    fn a_name_that_would_spoil_a_report_is_not_a_unit() {
        for name in ["", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert!(Unit::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_unit_crosses_as_its_name_and_no_unit_as_the_empty_one() {
        for unit in [Unit::from("docs"), Unit::default()] {
            let text = serde_json::to_string(&unit).unwrap();
            assert_eq!(text, format!("{:?}", unit.as_str()));
            assert_eq!(serde_json::from_str::<Unit>(&text).unwrap(), unit);
        }
        assert!(serde_json::from_str::<Unit>(r#""a\nb""#).is_err());
    }
}
