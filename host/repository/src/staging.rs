//! New versions of files, written to a hidden folder first, so that each appears at its place as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::bstr::{BStr, BString, ByteSlice};
use gix::error::ErrorExt;
use gix::index::entry::Flags;
use gix::progress::Discard;
use gix::worktree::stack::state::attributes::Source;
use tempfile::TempDir;

const PREFIX: &str = "rally-checkout-";

/// A folder inside `.git` with some files of a commit, as git would check them out.
pub(crate) struct Staging {
    folder: TempDir,
}

impl Staging {
    /// Writes the files `paths` of the index `target`.
    pub(crate) fn write(
        repo: &gix::Repository,
        target: &gix::index::File,
        paths: &BTreeSet<BString>,
    ) -> gix::Result<Staging> {
        remove_leftovers(repo.git_dir()).map_err(|error| error.raise())?;
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(repo.git_dir())
            .map_err(|error| error.raise())?;
        if paths.is_empty() {
            return Ok(Staging { folder });
        }
        let mut index = target.clone();
        for (entry, path) in index.entries_mut_with_paths() {
            if !paths.contains(path) {
                entry.flags.insert(Flags::SKIP_WORKTREE);
            }
        }
        // The attributes (line ends, filters) are those of the commit.
        let mut options = repo.checkout_options(Source::IdMapping)?;
        options.destination_is_initially_empty = true;
        let outcome = gix::worktree::state::checkout(
            &mut index,
            folder.path(),
            repo.objects.clone().into_arc().map_err(|error| error.raise())?,
            &Discard,
            &Discard,
            &AtomicBool::new(false),
            options,
        )?;
        if let Some(collision) = outcome.collisions.first() {
            let text = format!("'{}' has the same path as another file", collision.path);
            return Err(io::Error::new(collision.error_kind, text).raise());
        }
        Ok(Staging { folder })
    }

    /// Where the new version of a file is.
    pub(crate) fn path(&self, path: &BString) -> PathBuf {
        on_disk(self.folder.path(), path.as_bstr())
    }

    /// Whether the file on disk is like the new version already.
    pub(crate) fn is_like(&self, path: &BString, on_disk: &Path) -> io::Result<bool> {
        let new = self.path(path);
        let (new_kind, kind) = match (fs::symlink_metadata(&new), fs::symlink_metadata(on_disk)) {
            (Ok(new), Ok(old)) => (new, old),
            (Err(error), _) | (_, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error);
            }
            _ => return Ok(false),
        };
        if new_kind.file_type() != kind.file_type() {
            return Ok(false);
        }
        if kind.is_symlink() {
            return Ok(fs::read_link(&new)? == fs::read_link(on_disk)?);
        }
        Ok(kind.is_file()
            && new_kind.len() == kind.len()
            && is_executable(&new_kind) == is_executable(&kind)
            && fs::read(&new)? == fs::read(on_disk)?)
    }
}

/// Where a file of a repository is below a folder.
pub(crate) fn on_disk(folder: &Path, path: &BStr) -> PathBuf {
    match gix::path::from_bstr(path) {
        Ok(path) => folder.join(path),
        // Not on Unix, where any bytes are a path; elsewhere git cannot check such files out.
        Err(_) => folder.join(path.to_str_lossy().as_ref()),
    }
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &fs::Metadata) -> bool {
    false
}

/// Of processes that were killed.
fn remove_leftovers(git_dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(git_dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
