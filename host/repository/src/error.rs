//! Why a repository cannot be used.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rally_support::suggest::{closest, listed};

use crate::config::ConfigError;
use crate::remote_url::RemoteUrlError;
use crate::versions::InvalidVersion;

/// Why a repository of tracks cannot be opened or checked out. Nothing of the user's is lost where one of these comes back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RepositoryError {
    /// The name of the repository would be another folder.
    #[error("'{name}' cannot be the name of a track repository: {reason}")]
    InvalidName {
        /// As it was given.
        name: String,
        /// The problem with it.
        reason: &'static str,
    },
    /// What `rally.ini` says about it cannot be understood.
    #[error("cannot find out where the track repository '{name}' is")]
    Config {
        /// Name of the repository.
        name: String,
        /// Why.
        #[source]
        source: ConfigError,
    },
    /// The repository has an address that rally does not ask.
    #[error(
        "the track repository '{name}' has no valid address; correct '{name}.url' in section [tracks] of rally.ini"
    )]
    InvalidUrl {
        /// Name of the repository.
        name: String,
        /// The problem with the address.
        #[source]
        source: RemoteUrlError,
    },
    /// A local repository without a folder.
    #[error(
        "unknown track repository '{name}': '{}' does not exist; to clone it, set '{name}.url' in section [tracks] of rally.ini",
        directory.display()
    )]
    Unknown {
        /// Name of the repository.
        name: String,
        /// Where it would be.
        directory: PathBuf,
    },
    /// The repository is not cloned yet, and the network is forbidden.
    #[error(
        "the track repository '{name}' is not in '{}', and --offline forbids cloning it from '{url}'; run once without --offline",
        directory.display()
    )]
    NotCloned {
        /// Name of the repository.
        name: String,
        /// Where it would be.
        directory: PathBuf,
        /// Where it would come from.
        url: String,
    },
    /// A folder with something else in it.
    #[error(
        "'{}' is not a git repository ({reason}); run `git -C {} init` and commit the tracks, or move the folder away",
        directory.display(), directory.display()
    )]
    NotARepository {
        /// The folder.
        directory: PathBuf,
        /// What it is instead.
        reason: &'static str,
    },
    /// The repository could not be fetched for the first time. Nothing of it is left.
    #[error("cannot clone the track repository '{name}' from '{url}'{hint}")]
    Clone {
        /// Name of the repository.
        name: String,
        /// Where it was asked for, without password.
        url: String,
        /// What to do, where that is known.
        hint: &'static str,
        /// Why.
        #[source]
        source: Box<gix::Error>,
    },
    /// The repository that is to be cloned has no branch.
    #[error("the track repository at '{url}' is empty")]
    Empty {
        /// Where it is, without password.
        url: String,
    },
    /// A working copy without any commit.
    #[error("the track repository in '{}' has no commits yet; commit the tracks", directory.display())]
    NoCommits {
        /// The working copy.
        directory: PathBuf,
    },
    /// No branch and no tag is for the version.
    #[error(
        "the track repository in '{}' has no branch or tag for version '{version}'; {}. Choose one with --track-revision",
        directory.display(), there_is(branches, tags)
    )]
    NoMatch {
        /// The working copy.
        directory: PathBuf,
        /// The version of Elasticsearch.
        version: String,
        /// Names of all branches.
        branches: Vec<String>,
        /// Names of all tags.
        tags: Vec<String>,
    },
    /// A version that none could be for.
    #[error("cannot choose a branch or tag of the track repository in '{}'", directory.display())]
    InvalidVersion {
        /// The working copy.
        directory: PathBuf,
        /// Why.
        #[source]
        source: InvalidVersion,
    },
    /// The branch or revision is not there.
    #[error(
        "the track repository in '{}' has no branch, tag or commit '{revision}'{} ({})",
        directory.display(), did_you_mean(revision, &[branches.as_slice(), tags.as_slice()].concat()), there_is(branches, tags)
    )]
    NoSuchRevision {
        /// The working copy.
        directory: PathBuf,
        /// What was looked for.
        revision: String,
        /// Names of all branches.
        branches: Vec<String>,
        /// Names of all tags.
        tags: Vec<String>,
    },
    /// Files that the user has changed are in the way.
    #[error(
        "cannot check out '{target}' in '{}': it would overwrite changes in '{}'; commit them, or put them away with `git -C {} stash --include-untracked`",
        directory.display(), listed(paths), directory.display()
    )]
    WouldOverwrite {
        /// The working copy.
        directory: PathBuf,
        /// What was to be checked out.
        target: String,
        /// The files, relative to the working copy.
        paths: Vec<String>,
    },
    /// The working copy is in a state that only its user can end.
    #[error("cannot check out '{target}' in '{}': {reason}", directory.display())]
    NotSwitchable {
        /// The working copy.
        directory: PathBuf,
        /// What was to be checked out.
        target: String,
        /// What has to be ended, and how.
        reason: &'static str,
    },
    /// The commit holds paths that no file system can hold.
    #[error("cannot check out '{target}' in '{}': two of its files have the same path, see '{path}'", directory.display())]
    MalformedTree {
        /// The working copy.
        directory: PathBuf,
        /// What was to be checked out.
        target: String,
        /// A path that is there twice, or is both a file and a folder.
        path: String,
    },
    /// A lock file of git is there.
    #[error(
        "another git command is running in '{}', or was killed there; if none is running, remove '{}'",
        directory.display(), lock.display()
    )]
    Busy {
        /// The working copy.
        directory: PathBuf,
        /// The lock file.
        lock: PathBuf,
    },
    /// Another rally process reads or changes the repository, for too long.
    #[error(
        "another rally process has been using the track repository '{name}' for {} s (lock '{}'); try again when it is done",
        waited.as_secs(), lock.display()
    )]
    Locked {
        /// Name of the repository.
        name: String,
        /// The lock file.
        lock: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Anything else that gix says.
    #[error("cannot {action} in '{}'", directory.display())]
    Git {
        /// What was tried.
        action: String,
        /// The working copy.
        directory: PathBuf,
        /// Why.
        #[source]
        source: Box<gix::Error>,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} '{}'", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The user has had enough.
    #[error("cancelled")]
    Cancelled,
}

impl RepositoryError {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> RepositoryError {
        RepositoryError::Io { action, path: path.to_owned(), source }
    }

    /// For `map_err`: names what was tried.
    pub(crate) fn git(
        action: impl Into<String>,
        directory: &Path,
    ) -> impl FnOnce(gix::Error) -> RepositoryError {
        let (action, directory) = (action.into(), directory.to_owned());
        move |source| RepositoryError::Git { action, directory, source: Box::new(source) }
    }
}

/// An error and its causes in one line, each said once.
pub(crate) fn whole_story(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `, did you mean 'name'?`, where a candidate is like `name`.
fn did_you_mean(name: &str, candidates: &[String]) -> String {
    closest(name, candidates.iter().map(String::as_str))
        .map_or(String::new(), |candidate| format!(", did you mean '{candidate}'?"))
}

fn there_is(branches: &[String], tags: &[String]) -> String {
    match (branches, tags) {
        ([], []) => "it has neither branches nor tags".to_owned(),
        (branches, []) => format!("its branches are {}", listed(branches)),
        ([], tags) => format!("its tags are {}", listed(tags)),
        (branches, tags) => {
            format!("its branches are {}, its tags {}", listed(branches), listed(tags))
        }
    }
}
