//! Folders for what only lives as long as a command does, such as an embedded node's data: they go with it, and where it was
//! killed, with the next one.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// How the names of the folders begin.
const PREFIX: &str = "scratch-";

/// Name of the lock file, of all folders and within each. The kernel releases a lock when the process ends, however it ends.
const LOCK: &str = "lock";

/// A folder of this process's own. It is removed when this is dropped.
#[derive(Debug)]
pub struct ScratchFolder {
    folder: TempDir,
    _lock: File,
}

impl ScratchFolder {
    /// Makes a new folder below `folder`, and removes those there whose process is gone.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn create(folder: &Path) -> io::Result<ScratchFolder> {
        std::fs::create_dir_all(folder)?;
        // Held while folders come and go: one that is not locked yet is not taken for one that is left over.
        let all = open_lock(folder)?;
        match all.lock() {
            Ok(()) => remove_left_over(folder),
            // Without locks nobody can tell what is left over.
            Err(error) => tracing::warn!(%error, "cannot lock, folders of killed processes are left alone"),
        }
        let fresh = tempfile::Builder::new().prefix(PREFIX).tempdir_in(folder)?;
        let lock = open_lock(fresh.path())?;
        if let Err(error) = lock.try_lock() {
            tracing::warn!(%error, "cannot lock the folder");
        }
        std::fs::create_dir(fresh.path().join("content"))?;
        Ok(ScratchFolder { folder: fresh, _lock: lock })
    }

    /// Where there is nothing yet.
    pub fn content(&self) -> PathBuf {
        self.folder.path().join("content")
    }
}

fn open_lock(folder: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(folder.join(LOCK))
}

/// Removes the folders that no process holds.
fn remove_left_over(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        if !named || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let in_use = File::open(path.join(LOCK)).is_ok_and(|lock| lock.try_lock().is_err());
        if !in_use && let Err(error) = std::fs::remove_dir_all(&path) {
            tracing::warn!(%error, folder = %path.display(), "cannot remove what a killed process left over");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).expect("listing");
        let names = entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name != LOCK).collect()
    }

    #[test]
    fn a_folder_goes_with_its_owner() {
        let place = tempfile::tempdir().expect("temporary folder");
        let owner = ScratchFolder::create(place.path()).expect("created");
        std::fs::write(owner.content().join("segment"), "x").expect("written");
        assert_eq!(names(place.path()).len(), 1);
        drop(owner);
        assert_eq!(names(place.path()), Vec::<String>::new());
    }

    #[test]
    fn what_a_killed_process_left_over_goes_with_the_next_one_and_what_is_in_use_stays() {
        let place = tempfile::tempdir().expect("temporary folder");
        let used = ScratchFolder::create(place.path()).expect("created");
        let ScratchFolder { folder, _lock } = ScratchFolder::create(place.path()).expect("created");
        let left_over = folder.keep();
        drop(_lock);
        std::fs::create_dir(place.path().join("other")).expect("made");
        let next = ScratchFolder::create(place.path()).expect("created");
        assert!(!left_over.exists());
        assert!(used.content().is_dir() && next.content().is_dir());
        assert!(place.path().join("other").is_dir(), "only such folders are removed");
    }
}
