//! Brings the remote branches and tags up to date; the working copy stays as it is.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use gix::bstr::{BString, ByteSlice};
use gix::progress::Discard;
use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::remote::fetch::refs::update::Mode;
use gix::remote::fetch::{RefMap, Tags};
use gix::remote::{Direction, ref_map};

use crate::connection::connect;

/// The only remote repository that counts.
pub(crate) const REMOTE: &str = "origin";
/// Where its branches are kept.
pub(crate) const REMOTE_BRANCHES: &str = "refs/remotes/origin/";
/// All its branches, also those that were rewritten.
pub(crate) const REFSPEC: &str = "+refs/heads/*:refs/remotes/origin/*";

/// What a fetch brought.
pub(crate) struct Fetched {
    /// What the remote repository has.
    pub(crate) ref_map: RefMap,
    /// Tags that are others than the remote ones; they stay.
    pub(crate) kept_tags: Vec<String>,
}

/// `git fetch --prune --tags origin`.
pub(crate) fn fetch(repo: &mut gix::Repository, cancelled: &AtomicBool) -> gix::Result<Fetched> {
    // For the log of references, if git has no name of the user.
    repo.committer_or_set_generic_fallback()?;
    let repo = &*repo;
    let mut remote = repo.find_remote(REMOTE)?.with_fetch_tags(Tags::All);
    if remote.refspecs(Direction::Fetch).is_empty() {
        remote = remote.with_refspecs([REFSPEC], Direction::Fetch)?;
    }
    // Tells which branch is the default one.
    let head = gix::refspec::parse("HEAD".into(), gix::refspec::parse::Operation::Fetch)?.to_owned();
    let options = ref_map::Options { extra_refspecs: vec![head], ..Default::default() };
    let prepared = connect(&remote)?.prepare_fetch(Discard, options)?;
    // First, as a new branch `a/b` has no place beside an old `a`.
    prune(repo, prepared.ref_map())?;
    let outcome = prepared.receive(Discard, cancelled)?;

    let updates = match &outcome.status {
        gix::remote::fetch::Status::NoPackReceived { update_refs, .. } => update_refs,
        gix::remote::fetch::Status::Change { update_refs, .. } => update_refs,
    };
    let kept_tags = updates
        .updates
        .iter()
        .zip(&outcome.ref_map.mappings)
        .filter(|(update, _)| matches!(update.mode, Mode::RejectedTagUpdate))
        .filter_map(|(_, mapping)| mapping.local.as_ref())
        .map(|name| name.to_str_lossy().trim_start_matches("refs/tags/").to_owned())
        .collect();
    Ok(Fetched { ref_map: outcome.ref_map, kept_tags })
}

/// Removes remote branches that are gone.
fn prune(repo: &gix::Repository, ref_map: &RefMap) -> gix::Result<()> {
    let there: HashSet<&BString> =
        ref_map.mappings.iter().filter_map(|mapping| mapping.local.as_ref()).collect();
    let mut gone = Vec::new();
    for reference in repo.references()?.prefixed(REMOTE_BRANCHES)? {
        let reference = reference?.detach();
        let is_branch = matches!(reference.target, gix::refs::Target::Object(_));
        if is_branch && !there.contains(&reference.name.as_bstr().to_owned()) {
            gone.push(RefEdit::delete(reference.name, PreviousValue::Any));
        }
    }
    if !gone.is_empty() {
        repo.edit_references(gone)?;
    }
    Ok(())
}
