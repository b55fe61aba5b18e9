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
                "Could not update the track repository [{name}] from [{url}]. Continuing with your locally available state. Cause: {reason}"
            ),
            Warning::OtherUrl { directory, configured, used } => write!(
                f,
                "The track repository in [{}] was cloned from [{used}] and is updated from there, not from [{configured}] as in rally.ini. Remove the folder to clone it anew.",
                directory.display()
            ),
            Warning::LocalChanges { directory, target, paths, outdated: true } => write!(
                f,
                "Local changes in [{}] prevent the update of [{target}] from the remote repository: [{}]. Please commit your changes.",
                directory.display(),
                listed(paths)
            ),
            Warning::LocalChanges { directory, target, paths, outdated: false } => write!(
                f,
                "The tracks in [{}] have changes on top of [{target}] that are not committed: [{}].",
                directory.display(),
                listed(paths)
            ),
            Warning::LocalCommits { directory, branch, ahead, behind: 0 } => write!(
                f,
                "The branch [{branch}] in [{}] has {} that the remote repository has not.",
                directory.display(),
                commits(*ahead)
            ),
            Warning::LocalCommits { directory, branch, ahead, behind } => write!(
                f,
                "The branch [{branch}] in [{}] and the remote one have diverged: {} only here, {} only there. It is used as it is here; [git -C {} rebase origin/{branch}] brings it up to date.",
                directory.display(),
                commits(*ahead),
                commits(*behind),
                directory.display()
            ),
            Warning::Behind { directory, branch, behind } => write!(
                f,
                "The branch [{branch}] in [{}] is {} behind the remote one and is used as it is; --track-revision=origin/{branch} takes the remote one.",
                directory.display(),
                commits(*behind)
            ),
            Warning::NoRemoteBranch { directory, branch } => write!(
                f,
                "The branch [{branch}] in [{}] is not in the remote repository and is used as it is.",
                directory.display()
            ),
            Warning::TagsKept { directory, tags } => write!(
                f,
                "The tags [{}] in [{}] are others than in the remote repository and stay as they are; remove them to get the remote ones.",
                listed(tags),
                directory.display()
            ),
        }
    }
}

fn commits(number: usize) -> String {
    if number == 1 { "1 commit".to_owned() } else { format!("{number} commits") }
}
