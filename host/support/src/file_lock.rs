//! Waiting for an advisory lock on a file. The kernel releases such a lock when the process ends, however it ends. Lock files stay:
//! removing one would let two processes hold locks on two files of the same name.

use std::fs::{File, TryLockError};
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// How often a waiting process tries again. Waiting in the kernel could not be cancelled.
const POLL: Duration = Duration::from_millis(50);

/// Why a file was not locked.
#[derive(Debug)]
pub enum LockError<Reason> {
    /// The caller ended the wait.
    GivenUp(Reason),
    /// The file system refused the lock.
    Io(io::Error),
}

/// Locks the file for this process alone. While another process holds a lock, `waiting` is called every 50 ms with the time since the
/// call; an error of it ends the wait.
///
/// # Errors
/// Where `waiting` fails, or the file system has no locks.
pub fn exclusive<Reason>(
    file: &File,
    mut waiting: impl FnMut(Duration) -> Result<(), Reason>,
) -> Result<(), LockError<Reason>> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => waiting(started.elapsed()).map_err(LockError::GivenUp)?,
            Err(TryLockError::Error(error)) => return Err(LockError::Io(error)),
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(folder: &tempfile::TempDir) -> File {
        File::create(folder.path().join("lock")).expect("opened")
    }

    #[test]
    fn the_lock_is_taken_once_the_holder_lets_go() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut held = Some(open(&folder));
        held.as_ref().expect("held").lock().expect("locked");
        let mut calls = 0;
        let locked = exclusive::<()>(&open(&folder), |_| {
            calls += 1;
            held = None;
            Ok(())
        });
        locked.expect("locked");
        assert_eq!(calls, 1);
    }

    #[test]
    fn an_error_ends_the_wait() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let held = open(&folder);
        held.lock().expect("locked");
        let error = exclusive(&open(&folder), |_| Err("cancelled")).expect_err("given up");
        assert!(matches!(error, LockError::GivenUp("cancelled")));
    }
}
