//! SHA-256 of files, and the memory of what was verified.
//!
//! A document cannot be compared with the checksum of the archive that it came from. So whoever unpacked a verified archive,
//! or verified a document, writes `<document>.verified` beside it: the checksum, and size and time of the document. As long
//! as these fit, nothing is read again.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use rally_support::hex::Hex;
use rally_support::whole_file;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::PrepareError;
use super::progress::{Phase, Progress};
use super::stream::PIECE_BYTES;

/// A seal is some hundred bytes.
const MAX_SEAL_BYTES: u64 = 4096;

/// The checksum of a file as 64 lower-case hexadecimal digits.
pub(super) fn sha256_of(path: &Path, progress: &dyn Progress) -> Result<String, PrepareError> {
    let failed = |error| PrepareError::io("compute the sha256 of", path, error);
    let mut file = File::open(path).map_err(failed)?;
    let total = file.metadata().map_err(failed)?.len();
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut done = 0;
    loop {
        if progress.is_cancelled() {
            return Err(PrepareError::Cancelled);
        }
        progress.report(Phase::Verifying, done, Some(total));
        let count = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(&piece[..count]);
        done += count as u64;
    }
    Ok(Hex(hasher.finalize()).to_string())
}

/// What a document looked like when it was known to be right.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seal {
    /// Checksum of the file that the track names.
    sha256: String,
    /// Size of the document.
    bytes: u64,
    /// Time of its last change, nanoseconds since 1970.
    modified: u128,
}

impl Seal {
    pub(super) fn of(document: &Metadata, sha256: &str) -> io::Result<Seal> {
        let since = document.modified()?.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Seal { sha256: sha256.to_ascii_lowercase(), bytes: document.len(), modified: since.as_nanos() })
    }

    /// Whether this is what stands in the file.
    pub(super) fn is_in(&self, path: &Path) -> bool {
        let mut text = String::new();
        File::open(path).is_ok_and(|file| file.take(MAX_SEAL_BYTES).read_to_string(&mut text).is_ok())
            && serde_json::from_str::<Seal>(&text).is_ok_and(|seal| seal == *self)
    }

    /// Writes it, whole or not at all.
    pub(super) fn store(&self, path: &Path) -> io::Result<()> {
        whole_file::replace(path, &serde_json::to_vec(self)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::progress::NoProgress;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256_of(&path, &NoProgress).unwrap(), expected);
    }

    #[test]
    fn a_seal_fits_only_the_document_that_it_was_made_for() {
        let folder = tempfile::tempdir().unwrap();
        let (path, seal_path) = (folder.path().join("file"), folder.path().join("file.verified"));
        fs::write(&path, b"abc").unwrap();
        let seal = |sha256| Seal::of(&fs::metadata(&path).unwrap(), sha256).unwrap();
        seal("AB").store(&seal_path).unwrap();
        assert!(seal("ab").is_in(&seal_path));
        assert!(!seal("cd").is_in(&seal_path));
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(!seal("ab").is_in(&seal_path));
        fs::write(&seal_path, b"rubbish").unwrap();
        assert!(!seal("ab").is_in(&seal_path));
    }
}
