//! Mirrors: other servers that have the same files, in the format of Rally's `storage-mirrors.json`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Servers that have what another server has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mirror {
    /// Beginnings of addresses whose files are mirrored.
    pub sources: Vec<String>,
    /// What such a beginning is replaced with; tried in this order.
    pub destinations: Vec<String>,
}

/// Why a file with mirrors was not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorFileError {
    /// It cannot be read.
    #[error("cannot read the mirrors in '{}': {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// It is not what it must be.
    #[error(
        "'{}' is not a list of mirrors: {source}. It must be an object with \"mirrors\": a list of objects with \"sources\" \
         and \"destinations\", each a list of URLs.",
        path.display()
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What does not fit, with line and column.
        source: serde_json::Error,
    },
    /// A mirror without sources or destinations.
    #[error("'{}': the {what} of mirror {number} are empty, but at least one URL is needed", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// Number of the mirror in the list, counted from 1.
        number: usize,
        /// What is empty.
        what: &'static str,
    },
}

/// Reads a file of mirrors, such as Rally's `~/.rally/storage-mirrors.json`.
///
/// # Errors
/// [`MirrorFileError`] says what is wrong with it.
pub fn read_mirrors(path: &Path) -> Result<Vec<Mirror>, MirrorFileError> {
    #[derive(Deserialize)]
    struct Mirrors {
        #[serde(default)]
        mirrors: Vec<Mirror>,
    }
    let path = path.to_owned();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(MirrorFileError::Io { path, source }),
    };
    let Mirrors { mirrors } = match serde_json::from_str(&text) {
        Ok(mirrors) => mirrors,
        Err(source) => return Err(MirrorFileError::Invalid { path, source }),
    };
    for (index, mirror) in mirrors.iter().enumerate() {
        for (what, urls) in [("sources", &mirror.sources), ("destinations", &mirror.destinations)] {
            if urls.is_empty() {
                return Err(MirrorFileError::Empty { path, number: index + 1, what });
            }
        }
    }
    Ok(mirrors)
}

/// The addresses of a file, in the order in which they are tried: that of the track is the last.
pub(super) fn addresses(url: &str, mirrors: &[Mirror]) -> Vec<String> {
    let mut addresses: Vec<String> = Vec::new();
    for mirror in mirrors {
        let rest = mirror.sources.iter().find_map(|source| {
            let rest = url.strip_prefix(source.trim_end_matches('/'))?;
            // `http://a.b/c` is no source of `http://a.b/cd`.
            rest.starts_with('/').then(|| rest.trim_start_matches('/'))
        });
        for destination in rest.map(|_| &mirror.destinations).into_iter().flatten() {
            let address = format!("{}/{}", destination.trim_end_matches('/'), rest.unwrap_or_default());
            if address != url && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
    }
    addresses.push(url.to_owned());
    addresses
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mirror(sources: &[&str], destinations: &[&str]) -> Mirror {
        let owned = |urls: &[&str]| urls.iter().map(|url| (*url).to_owned()).collect();
        Mirror { sources: owned(sources), destinations: owned(destinations) }
    }

    #[test]
    fn the_address_of_the_track_is_tried_last() {
        let mirrors = [
            mirror(&["http://a.b/c/"], &["http://m1", "http://m2/x/"]),
            mirror(&["http://other", "http://a.b"], &["http://m3", "http://m1"]),
        ];
        assert_eq!(
            addresses("http://a.b/c/d/f.json", &mirrors),
            [
                "http://m1/d/f.json",
                "http://m2/x/d/f.json",
                "http://m3/c/d/f.json",
                "http://m1/c/d/f.json",
                "http://a.b/c/d/f.json"
            ]
        );
    }

    #[test]
    fn a_source_is_whole_parts_of_an_address() {
        let mirrors = [mirror(&["http://a.b/c"], &["http://m1"])];
        assert_eq!(addresses("http://a.b/cd/f.json", &mirrors), ["http://a.b/cd/f.json"]);
    }

    #[test]
    fn rallys_file_of_mirrors_is_understood() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("storage-mirrors.json");
        fs::write(
            &path,
            r#"{"mirrors": [{"sources": ["https://a"], "destinations": ["https://b", "s3://c"]}]}"#,
        )
        .unwrap();
        assert_eq!(read_mirrors(&path).unwrap(), [mirror(&["https://a"], &["https://b", "s3://c"])]);
        fs::write(&path, "{}").unwrap();
        assert_eq!(read_mirrors(&path).unwrap(), []);
    }

    #[test]
    fn a_wrong_file_of_mirrors_is_named_with_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("storage-mirrors.json");
        for (text, part) in [
            (
                r#"{"mirrors": [{"sources": [], "destinations": ["https://b"]}]}"#,
                "the sources of mirror 1 are empty",
            ),
            (r#"{"mirrors": [{"sources": ["https://b"]}]}"#, "missing field `destinations` at line 1"),
            (r#"{"mirrors": {}}"#, "is not a list of mirrors"),
            ("", "is not a list of mirrors"),
        ] {
            fs::write(&path, text).unwrap();
            let message = read_mirrors(&path).unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("storage-mirrors.json"), "{message}");
        }
        let message = read_mirrors(&folder.path().join("none")).unwrap_err().to_string();
        assert!(message.starts_with("cannot read the mirrors in '"), "{message}");
    }
}
