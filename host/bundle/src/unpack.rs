//! From a verified bundle to a folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rally_support::whole_folder::WholeFolder;

use crate::open::Bundle;
use crate::path::TrackName;

/// A bundle could not be unpacked.
#[derive(Debug, thiserror::Error)]
#[error("cannot unpack the bundle to '{path}'; free some space, or set RALLY_HOME to a writable folder")]
pub struct UnpackError {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

impl Bundle {
    /// Unpacks the track into a fresh folder `parent`/`name` and returns that. It is there as a whole or not at all.
    ///
    /// # Errors
    /// Where `parent` cannot be written to, or has such a folder already.
    pub fn unpack(&self, parent: &Path, name: &TrackName) -> Result<PathBuf, UnpackError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| UnpackError { path, cause }
        };
        let place = parent.join(name.as_str());
        let fresh = WholeFolder::create_in(parent).map_err(failed(parent))?;
        // Renaming would replace an empty folder without a word.
        if place.symlink_metadata().is_ok() {
            return Err(failed(&place)(io::ErrorKind::AlreadyExists.into()));
        }
        for (path, content) in self.contents() {
            let file = path.below(fresh.path());
            write(&file, content).map_err(failed(&path.below(&place)))?;
        }
        fresh.put_at(&place).map_err(failed(&place))?;
        Ok(place)
    }
}

/// Writes a file that is not there yet. On a file system that takes two names for one, the second one finds the first and fails.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(content)
}
