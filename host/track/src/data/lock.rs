//! One process at a time prepares a document.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use fs4::{FileExt, TryLockError};

use super::confine::open_or_create;
use super::error::PrepareError;
use super::progress::{Phase, Progress};

/// How often a waiting process asks again. Waiting in the kernel could not be cancelled.
const POLL: Duration = Duration::from_millis(50);

/// An exclusive advisory lock. The kernel releases it when the process ends, however it ends. The lock file stays:
/// removing it would let two processes hold locks on two files of the same name.
#[derive(Debug)]
pub(super) struct PrepareLock {
    _file: File,
}

impl PrepareLock {
    /// Waits until no other process holds the lock of this file.
    pub(super) fn acquire(path: &Path, progress: &dyn Progress) -> Result<PrepareLock, PrepareError> {
        let file =
            open_or_create(path).map_err(|error| PrepareError::io("open the lock file", path, error))?;
        let mut waiting = false;
        loop {
            match FileExt::try_lock(&file) {
                Ok(()) => return Ok(PrepareLock { _file: file }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(PrepareError::io("lock the file", path, error));
                }
            }
            if progress.is_cancelled() {
                return Err(PrepareError::Cancelled);
            }
            if !waiting {
                waiting = true;
                tracing::info!(lock = %path.display(), "another process prepares the same data, waiting for it");
                progress.report(Phase::Waiting, 0, None);
            }
            thread::sleep(POLL);
        }
    }
}
