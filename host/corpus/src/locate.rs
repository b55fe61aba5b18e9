//! Finds documents and archives that are there already.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::PrepareError;

/// A file with the right name that is not what the track means.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    pub(super) path: PathBuf,
    pub(super) is_archive: bool,
    pub(super) mismatch: Mismatch,
}

/// What is declared and what there is instead.
#[derive(Debug, Clone)]
pub(super) enum Mismatch {
    /// Bytes.
    Size { expected: u64, actual: u64 },
    /// Checksums in lower-case hexadecimal digits.
    Sha256 { expected: String, actual: String },
    /// It was made from another file than the track's.
    Source { name: String },
    /// Another program put it there, and the track declares no size that it could be compared with.
    Unknown,
}

impl Rejected {
    pub(super) fn reason(&self) -> String {
        let path = self.path.display();
        match &self.mismatch {
            Mismatch::Size { expected, actual } => {
                format!("{path} has {actual} bytes but {expected} are expected")
            }
            Mismatch::Sha256 { expected, actual } => {
                format!("{path} has the sha256 {actual} but {expected} is expected")
            }
            Mismatch::Source { name } => format!("{path} comes from {name}"),
            Mismatch::Unknown => format!("{path} is of unknown origin"),
        }
    }

    /// The error if nothing else is there; files of other sources are not errors.
    pub(super) fn into_error(self) -> Option<PrepareError> {
        let path = self.path;
        match self.mismatch {
            Mismatch::Size { expected, actual } if self.is_archive => {
                Some(PrepareError::WrongArchiveSize { path, expected, actual })
            }
            Mismatch::Size { expected, actual } => {
                Some(PrepareError::WrongDocumentSize { path, expected, actual })
            }
            Mismatch::Sha256 { expected, actual } => {
                Some(PrepareError::WrongSha256 { path, expected, actual })
            }
            Mismatch::Source { .. } | Mismatch::Unknown => None,
        }
    }
}

/// The size in bytes of a file that may be used; `None` if there is no such file.
pub(super) fn size_of(path: &Path) -> Result<Option<u64>, PrepareError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(metadata.len())),
        Ok(_) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(PrepareError::io("look at", path, error)),
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}
