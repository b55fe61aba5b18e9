//! Units of work that guests name. A race tells them apart by address, so each name is kept once and for good.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Longest name of a unit, bytes.
const LONGEST: usize = 64;

/// Names that are kept at most: they are never given back. Arbitrary; a track has one or two.
const MOST: usize = 4096;

static KNOWN: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);

/// The one copy of a unit's name.
///
/// # Errors
/// What is wrong with the name.
pub(crate) fn unit(name: &str) -> Result<&'static str, String> {
    if name.is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        let shown: String = name.chars().take(LONGEST).collect();
        return Err(format!(
            "{shown:?} as the unit: it must be a word of at most {LONGEST} bytes, e.g. \"ops\""
        ));
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(unit) = known.get(name) {
        return Ok(unit);
    }
    if known.len() >= MOST {
        return Err(format!("{name:?} as one more unit, after {MOST} others"));
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    known.insert(kept);
    Ok(kept)
}
