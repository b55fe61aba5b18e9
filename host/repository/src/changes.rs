//! What a user has changed in a working copy.

use std::collections::{BTreeMap, BTreeSet};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::index::entry::Mode;
use gix::progress::Discard;
use gix::status::index_worktree::Item;
use gix::status::plumbing::index_as_worktree::EntryStatus;
use gix::worktree::IndexPersistedOrInMemory;

/// What git keeps of a file, by path.
pub(crate) type Listing = BTreeMap<BString, (ObjectId, Mode)>;

/// The index on disk; empty if there is none yet.
pub(crate) fn index(repo: &gix::Repository) -> gix::Result<gix::index::File> {
    if repo.index_path().exists() {
        return repo.open_index();
    }
    let empty = gix::index::State::new(repo.object_hash());
    Ok(gix::index::File::from_state(empty, repo.index_path()))
}

/// The files that an index holds; of a file in conflict, any of its sides.
pub(crate) fn listing(index: &gix::index::State) -> Listing {
    index.entries().iter().map(|entry| (entry.path(index).to_owned(), (entry.id, entry.mode))).collect()
}

/// Files on disk that are not as the index has them.
pub(crate) fn modified(repo: &gix::Repository, index: &gix::index::File) -> gix::Result<BTreeSet<BString>> {
    let status = repo
        .status(Discard)?
        .index(IndexPersistedOrInMemory::InMemory(index.clone()))
        .index_worktree_rewrites(None)
        .index_worktree_submodules(None)
        .index_worktree_options_mut(|options| options.dirwalk_options = None);
    let mut paths = BTreeSet::new();
    for item in status.into_index_worktree_iter(Vec::new())? {
        if let Item::Modification { rela_path, status, .. } = item?
            && !matches!(status, EntryStatus::NeedsUpdate(_))
        {
            paths.insert(rela_path);
        }
    }
    Ok(paths)
}

/// Files that git knows and that differ from the commit that is checked out.
pub(crate) fn local_changes(repo: &gix::Repository) -> gix::Result<Vec<String>> {
    let index = index(repo)?;
    let mut paths = modified(repo, &index)?;
    let committed = match repo.head()?.try_into_peeled_id()? {
        Some(id) => {
            let committed = repo.index_from_tree(&id.object()?.peel_to_tree()?.id)?;
            listing(&committed)
        }
        None => Listing::new(),
    };
    let staged = listing(&index);
    for (path, entry) in &staged {
        if committed.get(path) != Some(entry) {
            paths.insert(path.clone());
        }
    }
    paths.extend(committed.into_keys().filter(|path| !staged.contains_key(path)));
    Ok(paths.into_iter().map(|path| path.to_str_lossy().into_owned()).collect())
}
