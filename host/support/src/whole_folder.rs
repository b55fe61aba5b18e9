//! Folders that are there as a whole or not at all: filled under another name in the same folder, then renamed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that has no place yet. Unless [`WholeFolder::put_at`] succeeds it goes when this is dropped.
#[derive(Debug)]
pub struct WholeFolder {
    /// Private; the folder in it has what the user's umask leaves.
    fresh: TempDir,
    content: PathBuf,
}

impl WholeFolder {
    /// An empty folder on the file system of `parent`, which is made if need be.
    ///
    /// # Errors
    /// Where `parent` cannot be written to.
    pub fn create_in(parent: &Path) -> io::Result<WholeFolder> {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        fs::create_dir_all(parent)?;
        let fresh = tempfile::Builder::new().prefix(".rally-new-").tempdir_in(parent)?;
        let content = fresh.path().join("content");
        fs::create_dir(&content)?;
        Ok(WholeFolder { fresh, content })
    }

    /// Where its content goes.
    pub fn path(&self) -> &Path {
        &self.content
    }

    /// Gives it its place. An empty folder there is replaced.
    ///
    /// # Errors
    /// Where anything else has that place, or it cannot be written to.
    pub fn put_at(self, place: &Path) -> io::Result<()> {
        fs::rename(&self.content, place)?;
        // What is left is an empty folder; if it cannot be removed, it does no harm.
        let _ = self.fresh.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_place_leaves_nothing() {
        let parent = tempfile::tempdir().expect("temporary folder");
        let folder = WholeFolder::create_in(parent.path()).expect("created");
        fs::write(folder.path().join("file"), "text").expect("written");
        drop(folder);
        assert_eq!(fs::read_dir(parent.path()).expect("listing").count(), 0);
    }

    #[test]
    fn a_folder_takes_its_place_with_all_that_is_in_it() {
        let parent = tempfile::tempdir().expect("temporary folder");
        let place = parent.path().join("place");
        fs::create_dir(&place).expect("made");
        let folder = WholeFolder::create_in(parent.path()).expect("created");
        fs::write(folder.path().join("file"), "text").expect("written");
        folder.put_at(&place).expect("put");
        assert_eq!(fs::read_to_string(place.join("file")).expect("read"), "text");
        assert_eq!(fs::read_dir(parent.path()).expect("listing").count(), 1, "nothing is left over");
    }

    #[test]
    fn a_folder_with_something_in_it_is_not_replaced() {
        let parent = tempfile::tempdir().expect("temporary folder");
        let place = parent.path().join("place");
        fs::create_dir(&place).expect("made");
        fs::write(place.join("precious"), "text").expect("written");
        WholeFolder::create_in(parent.path()).expect("created").put_at(&place).expect_err("refused");
        assert_eq!(fs::read_to_string(place.join("precious")).expect("read"), "text");
        assert_eq!(fs::read_dir(parent.path()).expect("listing").count(), 1, "nothing is left over");
    }
}
