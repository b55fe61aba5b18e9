//! Names of units that come from outside: a race keeps each of them once and for good.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Longest name of a unit, bytes: it stands in a column of the report.
const LONGEST: usize = 64;

/// So many names are kept at most, as they are never given back. Arbitrary: a track has one or two.
const MOST: usize = 4096;

static KNOWN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// A name that is none of a unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// It would spoil the report.
    #[error("{name:?} is no unit: it must be a word of at most {LONGEST} bytes, e.g. \"ops\"")]
    NoName {
        /// Its beginning.
        name: String,
    },
    /// Somebody makes up units.
    #[error("{name:?} would be one unit more than the {MOST} that a process keeps")]
    TooMany {
        /// The name.
        name: String,
    },
}

/// The one copy of a unit's name.
///
/// # Errors
/// Where it is no name, or there are too many.
pub fn unit_name(name: &str) -> Result<&'static str, UnitError> {
    if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        return Err(UnitError::NoName { name: name.chars().take(LONGEST).collect() });
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(unit) = known.get(name) {
        return Ok(unit);
    }
    if known.len() >= MOST {
        return Err(UnitError::TooMany { name: name.to_owned() });
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    known.insert(kept);
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let again = String::from("pages of a test");
        assert!(std::ptr::eq(unit_name("pages of a test").unwrap(), unit_name(&again).unwrap()));
    }

    #[test]
    fn what_would_spoil_a_report_is_no_unit() {
        for name in ["", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert!(matches!(unit_name(name), Err(UnitError::NoName { .. })), "{name:?}");
        }
    }
}
