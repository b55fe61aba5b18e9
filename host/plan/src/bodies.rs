//! Bodies of indices and templates: kept once each, named by their digest.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rally_support::whole_file;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::canonical::{self, Sorted};

/// Stands in a plan for a body: `{"$body": <SHA-256 of its canonical JSON>}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BodyReference {
    /// 64 lower-case hexadecimal digits.
    #[serde(rename = "$body")]
    pub sha256: String,
}

impl From<BodyReference> for Value {
    fn from(reference: BodyReference) -> Value {
        Value::Object(Map::from_iter([("$body".to_owned(), Value::String(reference.sha256))]))
    }
}

/// The bodies that a plan refers to.
#[derive(Debug, Clone, Default)]
pub struct Bodies {
    /// Canonical JSON by digest.
    kept: BTreeMap<String, Vec<u8>>,
}

/// The bodies could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the body {}", path.display())]
pub struct WriteBodiesError {
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Bodies {
    /// Keeps a body.
    ///
    /// # Errors
    /// Where it cannot be JSON.
    pub fn keep(&mut self, body: &Value) -> serde_json::Result<BodyReference> {
        let bytes = canonical::to_vec(&Sorted(body))?;
        let sha256 = canonical::hexadecimal(&bytes);
        self.kept.entry(sha256.clone()).or_insert(bytes);
        Ok(BodyReference { sha256 })
    }

    /// Digests and canonical JSON, in the order of the digests.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.kept.iter().map(|(sha256, bytes)| (sha256.as_str(), bytes.as_slice()))
    }

    /// Writes each body to `<directory>/<digest>.json`, canonical JSON and a line feed. Files that are there already have this content and
    /// stay.
    ///
    /// # Errors
    /// Where the directory or a file cannot be written.
    pub fn write_to(&self, directory: &Path) -> Result<(), WriteBodiesError> {
        fs::create_dir_all(directory)
            .map_err(|source| WriteBodiesError { path: directory.to_owned(), source })?;
        self.iter().try_for_each(|(sha256, bytes)| {
            let path = directory.join(format!("{sha256}.json"));
            write(&path, bytes).map_err(|source| WriteBodiesError { path, source })
        })
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there.strip_suffix(b"\n") == Some(bytes)) {
        return Ok(());
    }
    whole_file::replace(path, &[bytes, b"\n"].concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_bodies_are_kept_once_whatever_the_order_of_their_keys() {
        let mut bodies = Bodies::default();
        let one = bodies.keep(&json!({"settings": {}, "mappings": {}})).expect("JSON");
        let other = bodies.keep(&json!({"mappings": {}, "settings": {}})).expect("JSON");
        assert_eq!(one, other);
        assert_eq!(bodies.iter().count(), 1);
    }

    #[test]
    fn bodies_are_written_under_their_digest() {
        let mut bodies = Bodies::default();
        let reference = bodies.keep(&json!({"b": 1, "a": 0.5})).expect("JSON");
        let folder = tempfile::tempdir().expect("temporary folder");
        let target = folder.path().join("deep/bodies");
        bodies.write_to(&target).expect("written");
        bodies.write_to(&target).expect("written again");
        let text = fs::read_to_string(target.join(format!("{}.json", reference.sha256))).expect("read");
        assert_eq!(text, "{\"a\":0.5,\"b\":1}\n");
        assert_eq!(fs::read_dir(&target).expect("listing").count(), 1);
    }

    #[test]
    fn a_file_with_other_content_under_a_digest_is_replaced() {
        let mut bodies = Bodies::default();
        let reference = bodies.keep(&json!({})).expect("JSON");
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join(format!("{}.json", reference.sha256));
        fs::write(&path, "half").expect("written");
        bodies.write_to(folder.path()).expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"{}\n");
    }
}
