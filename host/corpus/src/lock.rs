//! One process at a time prepares a document.

use std::fs::File;
use std::path::Path;

use rally_support::file_lock::{self, LockError};

use super::confine::open_or_create;
use super::error::PrepareError;
use super::progress::{Phase, Progress};

/// An exclusive advisory lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct PrepareLock {
    _file: File,
}

impl PrepareLock {
    /// Waits until no other process holds the lock of this file.
    pub(super) fn acquire(path: &Path, progress: &dyn Progress) -> Result<PrepareLock, PrepareError> {
        let file =
            open_or_create(path).map_err(|error| PrepareError::io("open the lock file", path, error))?;
        let mut announced = false;
        let locked = file_lock::exclusive(&file, |_| {
            if progress.is_cancelled() {
                return Err(PrepareError::Cancelled);
            }
            if !announced {
                announced = true;
                tracing::info!(lock = %path.display(), "another process prepares the same data, waiting for it");
                progress.report(Phase::Waiting, 0, None);
            }
            Ok(())
        });
        locked.map_err(|error| match error {
            LockError::GivenUp(reason) => reason,
            LockError::Io(error) => PrepareError::io("lock the file", path, error),
        })?;
        Ok(PrepareLock { _file: file })
    }
}
