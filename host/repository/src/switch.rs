//! From the files of one commit to those of another, around what the user has changed.
//!
//! As `git checkout` does it: a changed file that is the same in both commits is kept, one that would be overwritten stops
//! everything before anything is done. A file that is as the new commit has it is no change; so a checkout that was killed
//! is simply done again. Each file appears as a whole.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::Duration;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice};
use gix::index::entry::{Flags, Mode, Stat};
use gix::lock::acquire::Fail;

use crate::changes::{Listing, index, listing, modified};
use crate::error::RepositoryError;
use crate::staging::{Staging, on_disk};

/// How long the lock of another git command is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// Checks the files of `after` out where those of `before` are. `target` is how the user calls what is checked out.
pub(crate) fn switch(
    repo: &gix::Repository,
    before: Option<ObjectId>,
    after: ObjectId,
    target: &str,
) -> Result<(), RepositoryError> {
    let directory = repo.workdir().unwrap_or(repo.git_dir());
    let lock_path = repo.index_path().with_extension("lock");
    let mut lock = gix::lock::File::acquire_to_update_resource(
        repo.index_path(),
        Fail::AfterDurationWithBackoff(LOCK_PATIENCE),
        None,
        0,
    )
    .map_err(|error| match lock_path.exists() {
        true => RepositoryError::Busy { directory: directory.to_owned(), lock: lock_path.clone() },
        false => RepositoryError::git("write the index", directory)(error),
    })?;

    let old = index(repo).map_err(RepositoryError::git("read the index", directory))?;
    refuse_unfinished(repo, &old, target)?;
    let new = whole_tree(repo, after, target)?;
    let head = match before {
        Some(tree) => {
            let committed = whole_tree(repo, tree, "HEAD")?;
            listing(&committed)
        }
        None => Listing::new(),
    };
    let plan = Plan::new(&head, &listing(&old), &listing(&new));
    let modified = modified(repo, &old).map_err(RepositoryError::git("look for local changes", directory))?;
    let staging = Staging::write(repo, &new, &plan.write)
        .map_err(RepositoryError::git(format!("write the files of '{target}'"), directory))?;

    let check = Check { directory, plan: &plan, modified: &modified, staging: &staging };
    let in_the_way =
        check.run().map_err(|error| RepositoryError::io("look at the files in", directory, error))?;
    if !in_the_way.is_empty() {
        return Err(RepositoryError::WouldOverwrite {
            directory: directory.to_owned(),
            target: target.to_owned(),
            paths: in_the_way.into_iter().map(|path| path.to_str_lossy().into_owned()).collect(),
        });
    }

    for path in &plan.delete {
        let path = on_disk(directory, path.as_bstr());
        delete(directory, &path).map_err(|error| RepositoryError::io("remove", &path, error))?;
    }
    for path in &plan.write {
        let place = on_disk(directory, path.as_bstr());
        put(&staging.path(path), &place).map_err(|error| RepositoryError::io("write", &place, error))?;
    }
    let updated = updated_index(directory, &old, new, &plan);
    let mut out = BufWriter::new(&mut lock);
    let written = updated.write_to(&mut out, gix::index::write::Options::default());
    written.map_err(RepositoryError::git("write the index", directory))?;
    let index_path = repo.index_path();
    io::Write::flush(&mut out).map_err(|error| RepositoryError::io("write", &index_path, error))?;
    drop(out);
    lock.commit().map_err(|error| RepositoryError::io("write", &index_path, error.error))?;
    Ok(())
}

/// States of a working copy that only its user can end.
fn refuse_unfinished(
    repo: &gix::Repository,
    index: &gix::index::File,
    target: &str,
) -> Result<(), RepositoryError> {
    let entries = index.entries();
    let reason = if entries.iter().any(|entry| entry.stage_raw() != 0) {
        "a merge has conflicts; finish or abort it"
    } else if repo.state().is_some() {
        "a merge or rebase is not finished; finish or abort it"
    } else if index.is_sparse() || entries.iter().any(|entry| entry.flags.contains(Flags::SKIP_WORKTREE)) {
        "it is a sparse checkout, which rally does not support; run `git sparse-checkout disable`"
    } else {
        return Ok(());
    };
    let directory = repo.workdir().unwrap_or(repo.git_dir()).to_owned();
    Err(RepositoryError::NotSwitchable { directory, target: target.to_owned(), reason })
}

/// All files of a tree. Trees come from strangers: one that has a path twice, or as a file and a folder, is refused.
fn whole_tree(
    repo: &gix::Repository,
    tree: ObjectId,
    target: &str,
) -> Result<gix::index::File, RepositoryError> {
    let directory = repo.workdir().unwrap_or(repo.git_dir());
    let index = repo
        .index_from_tree(&tree)
        .map_err(RepositoryError::git(format!("read the files of '{target}'"), directory))?;
    let mut paths = BTreeSet::new();
    let twice = index.entries().iter().map(|entry| entry.path(&index)).find(|path| !paths.insert(*path));
    let ambiguous = twice.or_else(|| {
        paths.iter().copied().find(|path| ancestors(path).any(|ancestor| paths.contains(ancestor)))
    });
    match ambiguous {
        None => Ok(index),
        Some(path) => Err(RepositoryError::MalformedTree {
            directory: directory.to_owned(),
            target: target.to_owned(),
            path: path.to_str_lossy().into_owned(),
        }),
    }
}

/// `a/b` and `a` of `a/b/c`.
fn ancestors(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(end, _)| path[..end].as_bstr())
}

/// What is to be done with each file, by what the commit that is checked out, the index and the new commit have of it.
#[derive(Debug, Default)]
struct Plan {
    write: BTreeSet<BString>,
    delete: BTreeSet<BString>,
    /// Staged by the user, and the same in both commits.
    keep: BTreeSet<BString>,
    /// Staged by the user, but different in the new commit.
    conflict: BTreeSet<BString>,
    /// All that git knows of now.
    tracked: BTreeSet<BString>,
}

impl Plan {
    fn new(head: &Listing, index: &Listing, target: &Listing) -> Plan {
        let mut plan = Plan { tracked: index.keys().cloned().collect(), ..Plan::default() };
        let paths: BTreeSet<&BString> = head.keys().chain(index.keys()).chain(target.keys()).collect();
        for path in paths {
            let (h, i, t) = (head.get(path), index.get(path), target.get(path));
            let is_submodule =
                |entry: Option<&(ObjectId, Mode)>| entry.is_some_and(|(_, mode)| *mode == Mode::COMMIT);
            // Submodules stay as they are, as with git.
            let list = if i == t || (is_submodule(t) && (i.is_none() || is_submodule(i))) {
                continue;
            } else if is_submodule(t) && i == h {
                &mut plan.delete
            } else if i == h {
                if t.is_some() { &mut plan.write } else { &mut plan.delete }
            } else if h == t {
                &mut plan.keep
            } else {
                &mut plan.conflict
            };
            list.insert(path.clone());
        }
        plan
    }
}

/// Whether the plan would overwrite anything that is nowhere else.
struct Check<'a> {
    directory: &'a Path,
    plan: &'a Plan,
    modified: &'a BTreeSet<BString>,
    staging: &'a Staging,
}

impl Check<'_> {
    fn run(&self) -> io::Result<BTreeSet<BString>> {
        let mut in_the_way = self.plan.conflict.clone();
        for path in &self.plan.delete {
            let exists = metadata(&on_disk(self.directory, path.as_bstr()))?.is_some();
            if exists && self.modified.contains(path) {
                in_the_way.insert(path.clone());
            }
        }
        for path in &self.plan.write {
            self.check_write(path, &mut in_the_way)?;
        }
        Ok(in_the_way)
    }

    fn check_write(&self, path: &BString, in_the_way: &mut BTreeSet<BString>) -> io::Result<()> {
        // From the outermost folder on: nothing is looked at through a link.
        let folders: Vec<&BStr> = ancestors(path.as_bstr()).collect();
        for folder in folders.into_iter().rev() {
            match metadata(&on_disk(self.directory, folder))? {
                None => return Ok(()),
                Some(found) if found.is_dir() => {}
                Some(_) => {
                    if !self.goes(folder) {
                        in_the_way.insert(folder.to_owned());
                    }
                    return Ok(());
                }
            }
        }
        let place = on_disk(self.directory, path.as_bstr());
        let Some(found) = metadata(&place)? else { return Ok(()) };
        if found.is_dir() {
            return self.check_folder(path.as_bstr(), in_the_way);
        }
        let is_clean = self.plan.tracked.contains(path) && !self.modified.contains(path);
        if !is_clean && !self.staging.is_like(path, &place)? {
            in_the_way.insert(path.clone());
        }
        Ok(())
    }

    /// A folder that has to make room for a file: all that is in it has to go.
    fn check_folder(&self, folder: &BStr, in_the_way: &mut BTreeSet<BString>) -> io::Result<()> {
        for entry in fs::read_dir(on_disk(self.directory, folder))? {
            let entry = entry?;
            let mut path = folder.to_owned();
            path.push(b'/');
            path.extend_from_slice(&gix::path::os_string_into_bstring(entry.file_name()).unwrap_or_default());
            if entry.file_type()?.is_dir() {
                self.check_folder(path.as_bstr(), in_the_way)?;
            } else if !self.goes(path.as_bstr()) {
                in_the_way.insert(path);
            }
        }
        Ok(())
    }

    /// Whether a file is removed before anything is written, and nothing is lost with it.
    fn goes(&self, path: &BStr) -> bool {
        let path = path.to_owned();
        self.plan.delete.contains(&path) && !self.modified.contains(&path)
    }
}

fn metadata(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A path through a file is missing as well.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Removes a file, and the folders that it leaves empty.
fn delete(directory: &Path, path: &Path) -> io::Result<()> {
    match metadata(path)? {
        None => return Ok(()),
        // A submodule, which may hold anything: git leaves it as well.
        Some(found) if found.is_dir() => return Ok(()),
        Some(_) => fs::remove_file(path)?,
    }
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != directory) {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Moves a new version to its place.
fn put(new: &Path, place: &Path) -> io::Result<()> {
    // Submodules are not written.
    let Some(_) = metadata(new)? else { return Ok(()) };
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    if metadata(place)?.is_some_and(|found| found.is_dir()) {
        remove_empty_folders(place)?;
    }
    fs::rename(new, place)
}

/// Fails on anything that is not an empty folder.
fn remove_empty_folders(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_empty_folders(&entry.path())?;
        }
    }
    fs::remove_dir(folder)
}

/// The index of the new commit, with what is known about files that stay, and what the user has staged.
fn updated_index(
    directory: &Path,
    old: &gix::index::File,
    mut new: gix::index::File,
    plan: &Plan,
) -> gix::index::File {
    for (entry, path) in new.entries_mut_with_paths() {
        if plan.write.contains(path) {
            entry.stat = gix::index::fs::Metadata::from_path_no_follow(&on_disk(directory, path))
                .ok()
                .and_then(|metadata| Stat::from_fs(&metadata).ok())
                .unwrap_or_default();
        } else if let Some(known) = old.entry_by_path(path)
            && (known.id, known.mode) == (entry.id, entry.mode)
        {
            entry.stat = known.stat;
            entry.flags = known.flags;
        }
    }
    new.remove_entries(|_, path, _| plan.keep.contains(path));
    for path in &plan.keep {
        if let Some(staged) = old.entry_by_path(path.as_bstr()) {
            new.dangerously_push_entry(staged.stat, staged.id, staged.flags, staged.mode, path.as_bstr());
        }
    }
    new.sort_entries();
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(entries: &[(&str, u8)]) -> Listing {
        let id = |number: u8| ObjectId::from_bytes_or_panic(&[number; 20]);
        entries.iter().map(|(path, number)| (BString::from(*path), (id(*number), Mode::FILE))).collect()
    }

    #[test]
    fn only_what_differs_between_the_commits_is_touched() {
        let before = entries(&[("same", 1), ("changed", 1), ("gone", 1)]);
        let plan = Plan::new(&before, &before, &entries(&[("same", 1), ("changed", 2), ("new", 1)]));
        assert_eq!(plan.write, ["changed", "new"].map(BString::from).into());
        assert_eq!(plan.delete, ["gone"].map(BString::from).into());
        assert!(plan.keep.is_empty() && plan.conflict.is_empty());
    }

    #[test]
    fn what_is_staged_is_kept_or_in_conflict() {
        let head = entries(&[("a", 1), ("b", 1), ("c", 1)]);
        let staged = entries(&[("a", 9), ("b", 9), ("c", 2), ("d", 9)]);
        let plan = Plan::new(&head, &staged, &entries(&[("a", 1), ("b", 2), ("c", 2)]));
        assert_eq!(plan.keep, ["a", "d"].map(BString::from).into());
        assert_eq!(plan.conflict, ["b"].map(BString::from).into());
    }

    #[test]
    fn ancestors_go_from_the_innermost_folder_out() {
        let found: Vec<&BStr> = ancestors("a/b/c".into()).collect();
        assert_eq!(found, ["a/b", "a"]);
    }
}
