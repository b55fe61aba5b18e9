//! Files of keys and signatures.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rally_bundle::{KeyError, PublicKey, SecretKey};

use crate::home::Home;

/// Longest file of a key or signature that is read, in bytes: a line, and room for remarks.
const LONGEST: u64 = 16 << 10;

/// A file of a key or signature cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is something else.
    #[error("{path}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        cause: KeyError,
    },
    /// Others may read a secret key.
    #[error(
        "other users of this machine can read '{path}' (mode {mode:03o}); make it private with `chmod 600 {path}`"
    )]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
}

/// The name of a file that belongs to another one, e.g. `my.bundle.sig`.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The text of a file.
///
/// # Errors
/// Where a file cannot be read, or has something else in it.
pub fn read(path: &Path) -> Result<String, KeyFileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_end(&mut bytes))
        .map_err(|cause| KeyFileError::Read { path: path.to_owned(), cause })?;
    // What is no text is no key: the reader of keys says so.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The signature beside a bundle, if there is one.
///
/// # Errors
/// Where a file cannot be read, or has something else in it.
pub fn signature(bundle: &Path) -> Result<Option<String>, KeyFileError> {
    match read(&beside(bundle, ".sig")) {
        Ok(text) => Ok(Some(text)),
        Err(KeyFileError::Read { cause, .. }) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The keys that are trusted: those that were named, or else those in rally's home.
///
/// # Errors
/// Where a file cannot be read, or has something else in it.
pub fn trusted(named: &[PathBuf], home: &Home) -> Result<Vec<PublicKey>, KeyFileError> {
    if !named.is_empty() {
        return named.iter().map(|path| parse(path)).collect();
    }
    let folder = home.trusted_keys();
    let unreadable = |cause| KeyFileError::Read { path: folder.clone(), cause };
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "pub") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(|path| parse(path)).collect()
}

/// A secret key, from a file that nobody else may read.
///
/// # Errors
/// Where a file cannot be read, or has something else in it.
pub fn secret(path: &Path) -> Result<SecretKey, KeyFileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let status =
            std::fs::metadata(path).map_err(|cause| KeyFileError::Read { path: path.to_owned(), cause })?;
        let mode = status.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Readable { path: path.to_owned(), mode });
        }
    }
    parse(path)
}

fn parse<Key: FromStr<Err = KeyError>>(path: &Path) -> Result<Key, KeyFileError> {
    read(path)?.parse().map_err(|cause| KeyFileError::Content { path: path.to_owned(), cause })
}
