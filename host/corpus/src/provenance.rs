//! What a file in the cache was made from.
//!
//! Two tracks may have a corpus of one name and a file of one name in it. So each file that rally puts into the cache has
//! a record beside it, `<file>.source`: where it came from, the SHA-256 of the file that the track names, and a stamp of
//! the file itself. A file whose stamp differs was written by another program, or came from another machine: its record
//! says nothing about it.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rally_support::hex::Hex;
use rally_support::whole_file;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document_file::with_suffix;

/// A record is some hundred bytes; paths and addresses may be long.
const MAX_RECORD_BYTES: u64 = 64 * 1024;

/// Bytes of a digest that name a folder. 64 bits tell the sources of one corpus apart.
const ID_BYTES: usize = 8;

/// Where the file that a track names comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Source {
    /// Path or address, without a password.
    name: String,
    /// Tells sources apart: hexadecimal digits of the digest of the whole path or address.
    id: String,
}

impl Source {
    /// A file beside the track.
    pub(super) fn file(path: &Path) -> Source {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Source::new("file", path.to_string_lossy().into_owned(), path.as_os_str().as_encoded_bytes())
    }

    /// An address that the track names. `shown` is the same without a password.
    pub(super) fn url(url: &str, shown: String) -> Source {
        Source::new("url", shown, url.as_bytes())
    }

    /// The user put the file into the cache, and the track does not say where it comes from.
    pub(super) fn user() -> Source {
        Source::new("user", "the user".to_owned(), b"")
    }

    fn new(kind: &str, name: String, whole: &[u8]) -> Source {
        let mut hasher = Sha256::new();
        hasher.update(kind);
        hasher.update([0]);
        hasher.update(whole);
        Source { name, id: Hex(&hasher.finalize()[..ID_BYTES]).to_string() }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is(&self, other: &Source) -> bool {
        self.id == other.id
    }

    /// The folder for files of this source where the files of another one have the corpus's own folder.
    pub(super) fn folder(&self, cache_dir: &Path) -> PathBuf {
        cache_dir.join(format!("source-{}", self.id))
    }
}

/// What changes when a file is written or replaced. The time of the last change of its state cannot be set by programs,
/// unlike the time of the last change of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What is known about a file that was prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Where it comes from.
    pub(super) source: Source,
    /// SHA-256 of the file that the track names: the archive, or the document if it is not packed.
    pub(super) sha256: String,
    /// That file when its digest was computed.
    pub(super) named: Option<Stamp>,
    /// The prepared file.
    file: Stamp,
}

impl Record {
    /// A record of `file` as it is now.
    pub(super) fn new(
        source: &Source,
        sha256: &str,
        named: Option<Stamp>,
        file: &Path,
    ) -> std::io::Result<Record> {
        let file = Stamp::of(&fs::metadata(file)?);
        Ok(Record { source: source.clone(), sha256: sha256.to_owned(), named, file })
    }

    /// What is recorded in `place`, the path that the record belongs to, about `file`, if that has not changed since.
    pub(super) fn read(place: &Path, file: &Path) -> Option<Record> {
        let mut text = String::new();
        File::open(record_of(place)).ok()?.take(MAX_RECORD_BYTES).read_to_string(&mut text).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        let metadata = fs::metadata(file).ok()?;
        (record.file == Stamp::of(&metadata)).then_some(record)
    }

    /// Keeps the record for `place`, whole or not at all.
    pub(super) fn store(&self, place: &Path) -> std::io::Result<()> {
        whole_file::replace(&record_of(place), &serde_json::to_vec(self)?)
    }
}

fn record_of(place: &Path) -> PathBuf {
    with_suffix(place, ".source")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_record_holds_only_for_the_file_that_it_was_made_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("documents.json");
        fs::write(&path, b"abc").unwrap();
        let time = SystemTime::UNIX_EPOCH;
        let set_time = || File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        set_time();
        let record = Record::new(&Source::user(), "ab", None, &path).unwrap();
        record.store(&path).unwrap();
        assert_eq!(Record::read(&path, &path), Some(record));
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"xyz").unwrap();
        set_time();
        assert_eq!(Record::read(&path, &path), None);
    }

    #[test]
    fn a_record_that_is_damaged_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("documents.json");
        fs::write(&path, b"abc").unwrap();
        fs::write(record_of(&path), b"{\"source\":").unwrap();
        assert_eq!(Record::read(&path, &path), None);
    }

    #[test]
    fn a_path_and_an_address_of_the_same_letters_are_two_sources() {
        let (file, url) = (Source::file(Path::new("http://x/y")), Source::url("http://x/y", String::new()));
        assert!(!file.is(&url));
    }
}
