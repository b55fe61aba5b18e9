//! The first fetch: a repository is there as a whole, or not at all.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::bstr::{BStr, ByteSlice};
use gix::protocol::handshake::Ref;
use gix::refs::Target;
use gix::refs::transaction::{PreviousValue, RefEdit};
use gix::remote::fetch::RefMap;

use crate::error::{RepositoryError, whole_story};
use crate::fetch::{REFSPEC, REMOTE, REMOTE_BRANCHES, fetch};
use crate::remote_url::RemoteUrl;
use crate::working_copy::{WorkingCopy, full_name};

/// Clones into a folder beside `directory` and renames it. The caller holds the lock of the repository, so whatever lies
/// there from earlier was left by a process that was killed.
pub(crate) fn clone(
    name: &str,
    url: &RemoteUrl,
    directory: &Path,
    cancelled: &AtomicBool,
) -> Result<(), RepositoryError> {
    let folder = directory.parent().unwrap_or(Path::new("."));
    let prefix = format!(".{name}.clone-");
    remove_leftovers(folder, &prefix)?;
    let temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(folder)
        .map_err(|error| RepositoryError::io("create a folder in", folder, error))?;

    let failed = |source: gix::Error| RepositoryError::Clone {
        name: name.to_owned(),
        url: url.to_string(),
        hint: hint(url, &source),
        source: Box::new(source),
    };
    let fetched = fetch_into(temporary.path(), url, cancelled);
    if cancelled.load(Ordering::Relaxed) {
        return Err(RepositoryError::Cancelled);
    }
    let ref_map = fetched.map_err(failed)?;
    let working_copy = WorkingCopy::open(temporary.path())?;
    let branches = working_copy.remote_branches()?;
    let branch =
        default_branch(&ref_map, &branches).ok_or_else(|| RepositoryError::Empty { url: url.to_string() })?;
    record_default_branch(working_copy.gix(), &branch).map_err(failed)?;
    working_copy.checkout_branch(&branch)?;
    drop(working_copy);

    let temporary = temporary.keep();
    std::fs::rename(&temporary, directory).map_err(|error| {
        // Whatever is in the way is not ours; our copy is.
        let _ = std::fs::remove_dir_all(&temporary);
        RepositoryError::io("put the cloned repository into", directory, error)
    })
}

fn fetch_into(directory: &Path, url: &RemoteUrl, cancelled: &AtomicBool) -> gix::Result<RefMap> {
    let repo = gix::init(directory)?;
    let mut config = repo.config_file_mut(repo.config_path(gix::config::Source::Local)?)?;
    let origin: &BStr = REMOTE.into();
    config.set_raw_value_by("remote", Some(origin), "url", url.whole())?;
    config.set_raw_value_by("remote", Some(origin), "fetch", REFSPEC)?;
    config.commit()?;
    let mut repo = gix::open(directory)?;
    Ok(fetch(&mut repo, cancelled)?.ref_map)
}

/// The branch that the remote repository has checked out; where it has none, `master` or `main`, or else the first.
fn default_branch(ref_map: &RefMap, branches: &[String]) -> Option<String> {
    let head = ref_map.remote_refs.iter().find_map(|reference| match reference {
        Ref::Symbolic { full_ref_name, target, .. } if full_ref_name == "HEAD" => target.to_str().ok(),
        _ => None,
    });
    let named = head.and_then(|head| head.strip_prefix("refs/heads/"));
    let candidates = named.into_iter().chain(["master", "main"]);
    candidates
        .into_iter()
        .find(|candidate| branches.iter().any(|branch| branch == candidate))
        .or_else(|| branches.first().map(String::as_str))
        .map(str::to_owned)
}

/// `refs/remotes/origin/HEAD`, as git leaves it.
fn record_default_branch(repo: &gix::Repository, branch: &str) -> gix::Result<()> {
    let target = Target::Symbolic(full_name(format!("{REMOTE_BRANCHES}{branch}"))?);
    let head = full_name(format!("{REMOTE_BRANCHES}HEAD"))?;
    repo.edit_reference(RefEdit::update(head, target, PreviousValue::Any, "clone"))?;
    Ok(())
}

fn remove_leftovers(folder: &Path, prefix: &str) -> Result<(), RepositoryError> {
    let listing = std::fs::read_dir(folder).map_err(|error| RepositoryError::io("list", folder, error))?;
    for entry in listing {
        let entry = entry.map_err(|error| RepositoryError::io("list", folder, error))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let path = entry.path();
            std::fs::remove_dir_all(&path)
                .map_err(|error| RepositoryError::io("remove the unfinished copy", &path, error))?;
        }
    }
    Ok(())
}

/// What helps against the usual causes.
fn hint(url: &RemoteUrl, error: &gix::Error) -> &'static str {
    let story = whole_story(error);
    if error.is_unauthenticated() || story.contains("redentials") {
        "; check the address: servers often ask for credentials where there is no repository. rally takes credentials from \
         git's credential helpers"
    } else if story.contains("git-upload-pack") && error.is_not_found() {
        "; to read local repositories rally needs git-upload-pack, which comes with git"
    } else if url.is_local() {
        ""
    } else {
        "; without an Internet connection, use --offline"
    }
}
