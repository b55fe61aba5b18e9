//! A repository of tracks: brought up to date, and checked out as a race needs it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix::ObjectId;

use crate::clone::clone;
use crate::error::{RepositoryError, whole_story};
use crate::fetch::{REMOTE, fetch};
use crate::lock::Lock;
use crate::remote_url::{RemoteUrl, without_password};
use crate::tracks::{self, FindTrackError};
use crate::versions::{best_match, variants_of};
use crate::warning::Warning;
use crate::working_copy::{Revision, WorkingCopy};

/// Which repository, and how it may be used.
#[derive(Debug, Clone)]
pub struct RepositoryConfig {
    /// Its name, as in `--track-repository`.
    pub name: String,
    /// Where it is fetched from (`<name>.url` in `rally.ini`); `None` or empty: it is only here.
    pub url: Option<String>,
    /// Its working copy: `<root.dir>/tracks/<name>`. Beside it lies its lock file, `.<name>.lock`.
    pub directory: PathBuf,
    /// Whether the network is taboo.
    pub offline: bool,
    /// Ends what takes long: waiting, cloning, fetching.
    pub cancelled: Arc<AtomicBool>,
    /// Hears of each step before it is taken.
    pub on_step: fn(&Step),
}

impl RepositoryConfig {
    /// The repository `name` among those in the folder `tracks`.
    ///
    /// # Errors
    /// Where the name would be a folder elsewhere.
    pub fn new(tracks: &Path, name: &str, url: Option<String>) -> Result<RepositoryConfig, RepositoryError> {
        check_name(name)?;
        Ok(RepositoryConfig {
            name: name.to_owned(),
            url,
            directory: tracks.join(name),
            offline: false,
            cancelled: Arc::default(),
            on_step: |_| {},
        })
    }

    /// The folder of all repositories.
    fn folder(&self) -> &Path {
        self.directory.parent().unwrap_or(Path::new("."))
    }

    fn remote(&self) -> Result<Option<RemoteUrl>, RepositoryError> {
        let url = self.url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        url.map(RemoteUrl::parse)
            .transpose()
            .map_err(|source| RepositoryError::InvalidUrl { name: self.name.clone(), source })
    }
}

fn check_name(name: &str) -> Result<(), RepositoryError> {
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.starts_with(['.', '-']) {
        "it begins with a dot or a dash"
    } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
        "it contains a slash or a control character"
    } else {
        return Ok(());
    };
    Err(RepositoryError::InvalidName { name: name.to_owned(), reason })
}

/// What is done with a repository, in the order in which Rally calls git.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// It is cloned.
    Clone {
        /// From where, without password.
        url: String,
    },
    /// Branches and tags are fetched.
    Fetch {
        /// From where, without password.
        url: String,
    },
    /// A branch, tag or commit is checked out.
    Checkout {
        /// Its name.
        revision: String,
    },
    /// The branch that is checked out is moved on to where the remote one is, if nothing local is lost with it.
    Update {
        /// Its name.
        branch: String,
    },
}

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BranchOrTag {
    /// A branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit, named in another way.
    Commit(String),
}

impl BranchOrTag {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            BranchOrTag::Branch(name) | BranchOrTag::Tag(name) | BranchOrTag::Commit(name) => name,
        }
    }
}

/// Tracks that can be read. While this lives, no other rally process changes their files; those that would wait. Drop it
/// once the tracks are read.
#[derive(Debug)]
pub struct Checkout {
    /// The working copy.
    pub directory: PathBuf,
    /// The commit, as hexadecimal digits.
    pub revision: String,
    /// What was checked out.
    pub branch_or_tag: BranchOrTag,
    /// What kept it from being up to date, and what is not part of the commit.
    pub warnings: Vec<Warning>,
    _lock: Lock,
}

impl Checkout {
    /// All tracks, by name, with their folders: those below the root that hold a `track.json`, named by their path
    /// (`elastic/logs`).
    ///
    /// # Errors
    /// Where a folder cannot be read.
    pub fn tracks(&self) -> Result<Vec<(String, PathBuf)>, FindTrackError> {
        tracks::list(&self.directory)
    }

    /// The folder of a track.
    ///
    /// # Errors
    /// Where there is no such track, or its name or a link leads out of the repository.
    pub fn track_path(&self, name: &str) -> Result<PathBuf, FindTrackError> {
        tracks::find(&self.directory, name, self.branch_or_tag.name())
    }
}

/// A repository of tracks.
#[derive(Debug)]
pub struct TrackRepository {
    config: RepositoryConfig,
    has_remote: bool,
    steps: Vec<Step>,
}

impl TrackRepository {
    /// Makes sure that the repository is here: clones or fetches it, unless it is a local one or the network is taboo. A
    /// fetch that fails is a warning, as there is something to go on with.
    ///
    /// # Errors
    /// Where there is nothing to use.
    pub fn open(config: RepositoryConfig) -> Result<(TrackRepository, Vec<Warning>), RepositoryError> {
        check_name(&config.name)?;
        let remote = config.remote()?;
        let mut repository = TrackRepository { has_remote: remote.is_some(), steps: Vec::new(), config };
        let warnings = match remote {
            Some(url) if !repository.config.offline => repository.fetch_or_clone(&url)?,
            _ => {
                repository.refuse_missing()?;
                Vec::new()
            }
        };
        Ok((repository, warnings))
    }

    /// What was done, from the first step on; one that failed is the last.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Checks out what is for a version of Elasticsearch: the best matching branch of the remote repository, moved on to
    /// where it is there; or else the best matching local branch; or else the tag `v<version>`. Without version that is
    /// `master`; offline, whatever is checked out.
    ///
    /// # Errors
    /// Where nothing is for the version, or changes of the user's are in the way.
    pub fn update(&mut self, distribution_version: Option<&str>) -> Result<Checkout, RepositoryError> {
        let lock = self.lock()?;
        let copy = WorkingCopy::open(&self.config.directory)?;
        let version = distribution_version.map(str::trim).filter(|version| !version.is_empty());
        if self.config.offline && version.is_none() {
            let name = match copy.current_branch()? {
                Some(branch) => BranchOrTag::Branch(branch),
                None => BranchOrTag::Commit("HEAD".to_owned()),
            };
            return self.finish(&copy, lock, name, None);
        }
        if self.has_remote
            && let Some(branch) = best_match(&copy.remote_branches()?, version)
        {
            self.take(Step::Checkout { revision: branch.clone() });
            copy.checkout_branch(&branch)?;
            self.take(Step::Update { branch: branch.clone() });
            let outdated = self.follow_remote(&copy, &branch)?;
            return self.finish(&copy, lock, BranchOrTag::Branch(branch), outdated);
        }
        if let Some(branch) = best_match(&copy.local_branches()?, version) {
            if copy.current_branch()?.as_deref() != Some(branch.as_str()) {
                self.take(Step::Checkout { revision: branch.clone() });
                copy.checkout_branch(&branch)?;
            }
            return self.finish(&copy, lock, BranchOrTag::Branch(branch), None);
        }
        let version = version.unwrap_or_default();
        let directory = self.config.directory.clone();
        let variants = variants_of(version)
            .map_err(|source| RepositoryError::InvalidVersion { directory: directory.clone(), source })?;
        // By convention with a `v`; the most specific one first.
        for tag in variants.into_iter().map(|variant| format!("v{variant}")) {
            if let Some(commit) = copy.tag(&tag)? {
                self.take(Step::Checkout { revision: tag.clone() });
                copy.checkout_commit(commit, &tag)?;
                return self.finish(&copy, lock, BranchOrTag::Tag(tag), None);
            }
        }
        let (branches, tags) = (copy.all_branches()?, copy.tags()?);
        Err(RepositoryError::NoMatch { directory, version: version.to_owned(), branches, tags })
    }

    /// Checks out a branch, a tag or a commit (`--track-revision`). As in Rally, a branch is taken as it is here; a warning
    /// reports where the remote one is ahead.
    ///
    /// # Errors
    /// Where there is no such revision, or changes of the user's are in the way.
    pub fn set_revision(&mut self, revision: &str) -> Result<Checkout, RepositoryError> {
        let lock = self.lock()?;
        let copy = WorkingCopy::open(&self.config.directory)?;
        let revision = revision.trim();
        match copy.resolve(revision)? {
            Revision::Branch => {
                if copy.current_branch()?.as_deref() != Some(revision) {
                    self.take(Step::Checkout { revision: revision.to_owned() });
                    copy.checkout_branch(revision)?;
                }
                let name = BranchOrTag::Branch(revision.to_owned());
                let mut checkout = self.finish(&copy, lock, name, None)?;
                checkout.warnings.extend(self.behind(&copy, revision)?);
                Ok(checkout)
            }
            Revision::Tag(commit) => {
                self.checkout_commit(&copy, commit, revision)?;
                self.finish(&copy, lock, BranchOrTag::Tag(revision.to_owned()), None)
            }
            Revision::Commit(commit) => {
                self.checkout_commit(&copy, commit, revision)?;
                self.finish(&copy, lock, BranchOrTag::Commit(revision.to_owned()), None)
            }
        }
    }

    /// Nothing is done where the whole name of the commit is given, or `HEAD`, and it is checked out, on whatever branch.
    fn checkout_commit(
        &mut self,
        copy: &WorkingCopy,
        commit: ObjectId,
        revision: &str,
    ) -> Result<(), RepositoryError> {
        let is_there =
            copy.head_commit()? == Some(commit) && [&commit.to_hex().to_string(), "HEAD"].contains(&revision);
        if !is_there {
            self.take(Step::Checkout { revision: revision.to_owned() });
            copy.checkout_commit(commit, revision)?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<Lock, RepositoryError> {
        Lock::exclusive(self.config.folder(), &self.config.name, &self.config.cancelled)
    }

    fn take(&mut self, step: Step) {
        tracing::info!(repository = self.config.name, ?step, "track repository");
        (self.config.on_step)(&step);
        self.steps.push(step);
    }

    fn fetch_or_clone(&mut self, url: &RemoteUrl) -> Result<Vec<Warning>, RepositoryError> {
        let folder = self.config.folder();
        std::fs::create_dir_all(folder).map_err(|error| RepositoryError::io("create", folder, error))?;
        let _lock = self.lock()?;
        let directory = self.config.directory.clone();
        if WorkingCopy::is_at(&directory) {
            return self.fetch(url);
        }
        if !is_vacant(&directory).map_err(|error| RepositoryError::io("look into", &directory, error))? {
            let reason = "it holds other files";
            return Err(RepositoryError::NotARepository { directory, reason });
        }
        self.take(Step::Clone { url: url.to_string() });
        clone(&self.config.name, url, &directory, &self.config.cancelled)?;
        Ok(Vec::new())
    }

    fn fetch(&mut self, configured: &RemoteUrl) -> Result<Vec<Warning>, RepositoryError> {
        let (name, directory) = (self.config.name.clone(), self.config.directory.clone());
        let failed = |url, reason| Ok(vec![Warning::FetchFailed { name, url, reason }]);
        let mut copy = WorkingCopy::open(&directory)?;
        let Some(origin) = copy.origin() else {
            let reason = format!("the working copy has no remote repository '{REMOTE}'");
            return failed(configured.to_string(), reason);
        };
        // A working copy may have come from anywhere.
        let used = match RemoteUrl::parse(&origin) {
            Ok(used) => used,
            Err(error) => return failed(without_password(&origin), error.to_string()),
        };
        self.take(Step::Fetch { url: used.to_string() });
        let fetched = fetch(copy.gix_mut(), &self.config.cancelled);
        if self.config.cancelled.load(Ordering::Relaxed) {
            return Err(RepositoryError::Cancelled);
        }
        let mut warnings = match fetched {
            Ok(fetched) if fetched.kept_tags.is_empty() => Vec::new(),
            Ok(fetched) => vec![Warning::TagsKept { directory: directory.clone(), tags: fetched.kept_tags }],
            Err(error) => failed(used.to_string(), whole_story(&error))?,
        };
        if !used.is_same_as(configured) {
            let (configured, used) = (configured.to_string(), used.to_string());
            warnings.push(Warning::OtherUrl { directory, configured, used });
        }
        Ok(warnings)
    }

    /// A repository that will not be fetched has to be there.
    fn refuse_missing(&self) -> Result<(), RepositoryError> {
        let directory = self.config.directory.clone();
        if WorkingCopy::is_at(&directory) {
            return Ok(());
        }
        let name = self.config.name.clone();
        if directory.symlink_metadata().is_ok() {
            let reason = if directory.is_dir() { "it has no .git" } else { "it is not a folder" };
            return Err(RepositoryError::NotARepository { directory, reason });
        }
        Err(match self.config.remote()? {
            Some(url) => RepositoryError::NotCloned { name, directory, url: url.to_string() },
            None => RepositoryError::Unknown { name, directory },
        })
    }

    /// Moves the current branch on to the remote one. Where that cannot be done without loss, all stays as it is, and a
    /// warning gives the reason.
    fn follow_remote(&self, copy: &WorkingCopy, branch: &str) -> Result<Option<Warning>, RepositoryError> {
        let directory = self.config.directory.clone();
        let branch = branch.to_owned();
        let (Some(local), remote) = (copy.local_branch(&branch)?, copy.remote_branch(&branch)?) else {
            return Ok(None);
        };
        let Some(remote) = remote else {
            return Ok(Some(Warning::NoRemoteBranch { directory, branch }));
        };
        if local == remote {
            return Ok(None);
        }
        let divergence = copy.divergence(local, remote)?;
        // A remote branch that was rewritten leaves commits that are only here, but were not made here.
        if divergence.ahead > 0 && !copy.was_remote(&branch, local)? {
            let (ahead, behind) = (divergence.ahead, divergence.behind);
            return Ok(Some(Warning::LocalCommits { directory, branch, ahead, behind }));
        }
        let paths = copy.local_changes()?;
        if !paths.is_empty() {
            return Ok(Some(Warning::LocalChanges { directory, target: branch, paths, outdated: true }));
        }
        match copy.fast_forward(&branch, remote) {
            Ok(()) => Ok(None),
            Err(RepositoryError::WouldOverwrite { paths, .. }) => {
                Ok(Some(Warning::LocalChanges { directory, target: branch, paths, outdated: true }))
            }
            Err(error) => Err(error),
        }
    }

    fn behind(&self, copy: &WorkingCopy, branch: &str) -> Result<Option<Warning>, RepositoryError> {
        let (Some(local), Some(remote)) = (copy.local_branch(branch)?, copy.remote_branch(branch)?) else {
            return Ok(None);
        };
        let behind = copy.divergence(local, remote)?.behind;
        let (directory, branch) = (self.config.directory.clone(), branch.to_owned());
        Ok((behind > 0).then_some(Warning::Behind { directory, branch, behind }))
    }

    fn finish(
        &self,
        copy: &WorkingCopy,
        lock: Lock,
        branch_or_tag: BranchOrTag,
        warning: Option<Warning>,
    ) -> Result<Checkout, RepositoryError> {
        let directory = self.config.directory.clone();
        let Some(revision) = copy.head_commit()? else {
            return Err(RepositoryError::NoCommits { directory });
        };
        let is_told = matches!(warning, Some(Warning::LocalChanges { .. }));
        let mut warnings: Vec<Warning> = warning.into_iter().collect();
        let paths = if is_told { Vec::new() } else { copy.local_changes()? };
        if !paths.is_empty() {
            let target = branch_or_tag.name().to_owned();
            warnings.push(Warning::LocalChanges {
                directory: directory.clone(),
                target,
                paths,
                outdated: false,
            });
        }
        let revision = revision.to_string();
        Ok(Checkout { directory, revision, branch_or_tag, warnings, _lock: lock.share()? })
    }
}

/// Whether a repository can be put there: nothing or an empty folder is there.
fn is_vacant(directory: &Path) -> io::Result<bool> {
    match std::fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(directory.symlink_metadata().is_err()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}
