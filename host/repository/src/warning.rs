//! What a user should know about a repository that is used all the same.

use std::fmt;
use std::path::PathBuf;

use rally_support::suggest::listed;

/// Something that kept a repository from being brought up to date. What is there is used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The remote repository could not be asked.
    FetchFailed {
        /// Name of the repository.
        name: String,
        /// Where it was asked for, without password.
        url: String,
        /// Why it could not be fetched, with all causes.
        reason: String,
    },
    /// The working copy was cloned from elsewhere than `rally.ini` says.
    OtherUrl {
        /// The working copy.
        directory: PathBuf,
        /// The address in `rally.ini`.
        configured: String,
        /// The address that is fetched from.
        used: String,
    },
    /// Files differ from what is checked out.
    LocalChanges {
        /// The working copy.
        directory: PathBuf,
        /// The branch, tag or commit that is checked out.
        target: String,
        /// The files, relative to the working copy.
        paths: Vec<String>,
        /// Whether there are new commits that were not checked out for it.
        outdated: bool,
    },
    /// The branch has commits that the remote branch has not.
    LocalCommits {
        /// The working copy.
        directory: PathBuf,
        /// The branch.
        branch: String,
        /// Commits that only the local branch has.
        ahead: usize,
        /// Commits that only the remote branch has.
        behind: usize,
    },
    /// The branch is older than the remote one, as `--track-revision` takes a branch as it is.
    Behind {
        /// The working copy.
        directory: PathBuf,
        /// The branch.
        branch: String,
        /// Commits that only the remote branch has.
        behind: usize,
    },
    /// The branch is gone from the remote repository, or never was there.
    NoRemoteBranch {
        /// The working copy.
        directory: PathBuf,
        /// The branch.
        branch: String,
    },
    /// Tags have moved in the remote repository; as with git, the local ones stay.
    TagsKept {
        /// The working copy.
        directory: PathBuf,
        /// The tags.
        tags: Vec<String>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::FetchFailed { name, url, reason } => write!(
                f,
                "cannot update the track repository '{name}' from '{url}', continuing with the local state: {reason}"
            ),
            Warning::OtherUrl { directory, configured, used } => write!(
                f,
                "the track repository in '{}' was cloned from '{used}' and is updated from there, but rally.ini has '{configured}'; remove the folder to clone it again",
                directory.display()
            ),
            Warning::LocalChanges { directory, target, paths, outdated: true } => write!(
                f,
                "local changes in '{}' prevent the update of '{target}' from the remote repository: {}; commit them",
                directory.display(),
                listed(paths)
            ),
            Warning::LocalChanges { directory, target, paths, outdated: false } => write!(
                f,
                "the track repository in '{}' has changes on top of '{target}' that are not committed: {}",
                directory.display(),
                listed(paths)
            ),
            Warning::LocalCommits { directory, branch, ahead, behind: 0 } => write!(
                f,
                "the branch '{branch}' in '{}' has {} that the remote repository lacks",
                directory.display(),
                commits(*ahead)
            ),
            Warning::LocalCommits { directory, branch, ahead, behind } => write!(
                f,
                "the branch '{branch}' in '{}' and the remote branch have diverged: {} only here, {} only there; using the local branch. Run `git -C {} rebase origin/{branch}` to update it",
                directory.display(),
                commits(*ahead),
                commits(*behind),
                directory.display()
            ),
            Warning::Behind { directory, branch, behind } => write!(
                f,
                "the branch '{branch}' in '{}' is {} behind the remote branch; using the local branch. --track-revision=origin/{branch} uses the remote one",
                directory.display(),
                commits(*behind)
            ),
            Warning::NoRemoteBranch { directory, branch } => write!(
                f,
                "the branch '{branch}' in '{}' is not in the remote repository; using the local branch",
                directory.display()
            ),
            Warning::TagsKept { directory, tags } => write!(
                f,
                "the tags {} in '{}' differ from those of the remote repository and were kept; remove them to get the remote ones",
                listed(tags),
                directory.display()
            ),
        }
    }
}

fn commits(number: usize) -> String {
    if number == 1 { "1 commit".to_owned() } else { format!("{number} commits") }
}
