//! One process at a time changes the files of a repository; any number read them.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rally_support::file_lock::{self, LockError};

use crate::error::RepositoryError;

/// Cloning a large repository takes minutes; whoever takes longer has hung, or reads tracks through a whole race.
const PATIENCE: Duration = Duration::from_secs(600);

/// An advisory lock on a repository, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// None: on a disk that cannot be written to, there is nothing to guard.
    file: Option<File>,
    path: PathBuf,
    name: String,
}

impl Lock {
    /// Waits until no other process holds the lock.
    pub(crate) fn exclusive(
        folder: &Path,
        name: &str,
        cancelled: &AtomicBool,
    ) -> Result<Lock, RepositoryError> {
        let path = folder.join(format!(".{name}.lock"));
        let file = match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
            Ok(file) => Some(file),
            Err(error) if is_read_only(&error) => None,
            Err(error) => return Err(RepositoryError::io("open the lock file", &path, error)),
        };
        let lock = Lock { file, path, name: name.to_owned() };
        lock.wait(cancelled, PATIENCE)?;
        Ok(lock)
    }

    fn wait(&self, cancelled: &AtomicBool, patience: Duration) -> Result<(), RepositoryError> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut announced = false;
        let locked = file_lock::exclusive(file, |waited| {
            if cancelled.load(Ordering::Relaxed) {
                return Err(RepositoryError::Cancelled);
            }
            if waited >= patience {
                let (name, lock) = (self.name.clone(), self.path.clone());
                return Err(RepositoryError::Locked { name, lock, waited });
            }
            if !announced {
                announced = true;
                tracing::info!(lock = %self.path.display(), "another process uses the tracks, waiting for it");
            }
            Ok(())
        });
        locked.map_err(|error| match error {
            LockError::GivenUp(reason) => reason,
            LockError::Io(error) => RepositoryError::io("lock the file", &self.path, error),
        })
    }

    /// Lets others read, but not change.
    pub(crate) fn share(self) -> Result<Lock, RepositoryError> {
        if let Some(file) = &self.file {
            file.lock_shared()
                .map_err(|error| RepositoryError::io("share the lock on", &self.path, error))?;
        }
        Ok(self)
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contender(folder: &Path) -> Lock {
        let path = folder.join(".tracks.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).unwrap();
        Lock { file: Some(file), path, name: "tracks".to_owned() }
    }

    #[test]
    fn whoever_waits_in_vain_is_told_for_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let never = AtomicBool::new(false);
        let _held = Lock::exclusive(folder.path(), "tracks", &never).unwrap();
        let error = contender(folder.path()).wait(&never, Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains(".tracks.lock"), "{error}");
    }

    #[test]
    fn a_shared_lock_keeps_changes_away_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let never = AtomicBool::new(false);
        let shared = Lock::exclusive(folder.path(), "tracks", &never).unwrap().share().unwrap();
        assert!(contender(folder.path()).wait(&never, Duration::ZERO).is_err());
        drop(shared);
        contender(folder.path()).wait(&never, Duration::ZERO).unwrap();
    }

    #[test]
    fn waiting_can_be_cancelled() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Lock::exclusive(folder.path(), "tracks", &AtomicBool::new(false)).unwrap();
        let error = Lock::exclusive(folder.path(), "tracks", &AtomicBool::new(true)).unwrap_err();
        assert!(matches!(error, RepositoryError::Cancelled));
    }
}
