//! Names in a bundle, the same on each machine.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rally_support::printable;

/// Name of the lock in a bundle.
pub const LOCK_FILE: &str = "track.lock";

/// Longest name of a file with its folders, in bytes: what a tar header holds, less what its split may cost.
const LONGEST: usize = 200;
/// Longest part of a name, in bytes.
const LONGEST_PART: usize = 100;

/// Where a file lies in the track folder: parts with `/` between them. It leads nowhere else on any system: no part is empty,
/// `.` or `..`, and none holds what some system takes for a separator, a drive or a command to a terminal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundlePath(String);

/// A name cannot be in a bundle.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a bundle cannot contain the file name '{shown}': {reason}")]
pub struct PathError {
    shown: String,
    reason: &'static str,
}

impl BundlePath {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it lies below a folder.
    pub fn below(&self, folder: &Path) -> PathBuf {
        self.0.split('/').fold(folder.to_owned(), |path, part| path.join(part))
    }

    /// The folders that lead to it, the outermost first.
    fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    /// Whether rally takes it for a component of the track: `*.wasm`, unless it or a folder that it lies in is hidden or begins
    /// with `_`.
    pub fn is_component(&self) -> bool {
        let is_hidden = |part: &str| part.starts_with(['_', '.']);
        self.0.ends_with(".wasm") && !self.0.split('/').any(is_hidden)
    }
}

impl FromStr for BundlePath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<BundlePath, PathError> {
        match text.split('/').find_map(wrong_part).or_else(|| wrong_whole(text)) {
            Some(reason) => Err(PathError { shown: printable::name(text), reason }),
            None => Ok(BundlePath(text.to_owned())),
        }
    }
}

fn wrong_whole(text: &str) -> Option<&'static str> {
    if text.len() > LONGEST {
        Some("it is longer than 200 bytes")
    } else if text == LOCK_FILE {
        Some("the bundle's own lock has that name")
    } else {
        None
    }
}

fn wrong_part(part: &str) -> Option<&'static str> {
    if part.is_empty() {
        Some("it is empty, begins or ends with '/', or contains '//'")
    } else if part == "." || part == ".." {
        Some("'.' and '..' lead elsewhere")
    } else if part.contains(['\\', ':']) {
        Some("'\\' and ':' mean something else on other systems")
    } else if !printable::is_safe(part) && part.len() <= LONGEST_PART {
        Some("it contains invisible characters")
    } else if part.len() > LONGEST_PART {
        Some("a part of it is longer than 100 bytes")
    } else {
        None
    }
}

impl fmt::Display for BundlePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first of these names, which are sorted, that cannot be there with the others: it is there twice, or is a folder as well.
pub(crate) fn clash<'a>(sorted: impl Iterator<Item = &'a BundlePath> + Clone) -> Option<&'a BundlePath> {
    let folders: BTreeSet<&str> = sorted.clone().flat_map(BundlePath::folders).collect();
    sorted.clone().zip(sorted.clone().skip(1)).find(|(one, next)| one == next).map(|(one, _)| one).or_else(
        || {
            let mut paths = sorted;
            paths.find(|path| folders.contains(path.as_str()))
        },
    )
}

/// Name of a track: one part of a path that is not hidden. Folders are named after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackName(String);

/// A text is not a name of a track.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{shown}' cannot be the name of a bundled track: use 1 to 100 letters, digits, '-', '_' and '.', and begin with a \
     letter or digit; rename the folder of the track"
)]
pub struct TrackNameError {
    shown: String,
}

impl TrackName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TrackName {
    type Err = TrackNameError;

    fn from_str(text: &str) -> Result<TrackName, TrackNameError> {
        let fine = text.len() <= LONGEST_PART
            && text.starts_with(char::is_alphanumeric)
            && text.chars().all(|character| character.is_alphanumeric() || "-_.".contains(character));
        if fine {
            Ok(TrackName(text.to_owned()))
        } else {
            Err(TrackNameError { shown: printable::name(text) })
        }
    }
}

impl fmt::Display for TrackName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_are_fine() {
        for text in ["track.json", "parts/größe.json", "a/b/c.txt", "..hidden", "with space", "_x"] {
            assert_eq!(text.parse::<BundlePath>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        let long = "x/".repeat(101);
        for text in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            "..\\x",
            "c:x",
            "a\0b",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "track.lock",
            &"x".repeat(101),
            &long[..201],
        ] {
            assert!(text.parse::<BundlePath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn components_are_what_a_race_takes_for_them() {
        let is = |text: &str| text.parse::<BundlePath>().expect("a name").is_component();
        assert!(is("my.wasm") && is("more/my.wasm"));
        assert!(!is("my.wasm.txt") && !is("_my.wasm") && !is("_more/my.wasm") && !is(".wasm"));
    }

    #[test]
    fn a_track_name_is_the_name_of_a_folder() {
        for text in ["geonames", "so-vector_2.1", "größe"] {
            assert!(text.parse::<TrackName>().is_ok(), "{text}");
        }
        for text in ["", "..", ".x", "_x", "-x", "a/b", "a b", "a\n", &"x".repeat(101)] {
            assert!(text.parse::<TrackName>().is_err(), "{text:?}");
        }
    }
}
