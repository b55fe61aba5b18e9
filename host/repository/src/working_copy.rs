//! A repository on disk: what it has, and what is checked out.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice};
use gix::error::ResultExt;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::refs::transaction::{LogChange, PreviousValue, RefEdit};
use gix::refs::{FullName, Target};
use gix::remote::Direction;

use crate::changes::local_changes;
use crate::error::RepositoryError;
use crate::fetch::{REMOTE, REMOTE_BRANCHES};
use crate::switch::switch;

const PACK_CACHE_BYTES: usize = 32 << 20;

const LOCAL_BRANCHES: &str = "refs/heads/";
const TAGS: &str = "refs/tags/";

/// What a revision names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Revision {
    /// A branch, here or (only) in the remote repository.
    Branch,
    /// A tag.
    Tag(ObjectId),
    /// Any other way to name a commit.
    Commit(ObjectId),
}

/// How two branches differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Divergence {
    /// Commits that only the local branch has.
    pub(crate) ahead: usize,
    /// Commits that only the remote branch has.
    pub(crate) behind: usize,
}

/// A name that references may have.
pub(crate) fn full_name(name: String) -> gix::Result<FullName> {
    FullName::try_from(BString::from(name)).or_error()
}

/// A working copy.
pub(crate) struct WorkingCopy {
    repo: gix::Repository,
    directory: PathBuf,
}

impl WorkingCopy {
    /// Whether there is one, by Rally's own rule.
    pub(crate) fn is_at(directory: &Path) -> bool {
        directory.join(".git").exists()
    }

    pub(crate) fn open(directory: &Path) -> Result<WorkingCopy, RepositoryError> {
        let failed = |error| RepositoryError::git("open the git repository", directory)(error);
        let mut repo = gix::open(directory).map_err(failed)?;
        // For the log of references, if git has no name of the user.
        repo.committer_or_set_generic_fallback().map_err(failed)?;
        // Most files are stored as differences to others, which are needed again and again.
        repo.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(PACK_CACHE_BYTES)));
        Ok(WorkingCopy { repo, directory: directory.to_owned() })
    }

    pub(crate) fn gix(&self) -> &gix::Repository {
        &self.repo
    }

    pub(crate) fn gix_mut(&mut self) -> &mut gix::Repository {
        &mut self.repo
    }

    pub(crate) fn local_branches(&self) -> Result<Vec<String>, RepositoryError> {
        self.names(LOCAL_BRANCHES)
    }

    pub(crate) fn remote_branches(&self) -> Result<Vec<String>, RepositoryError> {
        let mut names = self.names(REMOTE_BRANCHES)?;
        names.retain(|name| name != "HEAD");
        Ok(names)
    }

    pub(crate) fn tags(&self) -> Result<Vec<String>, RepositoryError> {
        self.names(TAGS)
    }

    /// Local and remote branches by name, each once.
    pub(crate) fn all_branches(&self) -> Result<Vec<String>, RepositoryError> {
        let mut names = self.local_branches()?;
        names.extend(self.remote_branches()?);
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, RepositoryError> {
        let list = || -> gix::Result<Vec<String>> {
            let mut names = Vec::new();
            for reference in self.repo.references()?.prefixed(prefix)? {
                let reference = reference?;
                let name = reference.name().as_bstr().to_str_lossy();
                names.push(name.strip_prefix(prefix).unwrap_or(&name).to_owned());
            }
            names.sort();
            Ok(names)
        };
        list().map_err(RepositoryError::git("list branches and tags", &self.directory))
    }

    /// The branch that is checked out; `None`: a commit is.
    pub(crate) fn current_branch(&self) -> Result<Option<String>, RepositoryError> {
        let name = self
            .repo
            .head_name()
            .map_err(RepositoryError::git("tell which branch is checked out", &self.directory))?;
        Ok(name.map(|name| name.shorten().to_str_lossy().into_owned()))
    }

    /// The commit that is checked out; `None` before the first commit.
    pub(crate) fn head_commit(&self) -> Result<Option<ObjectId>, RepositoryError> {
        let find = || Ok(self.repo.head()?.try_into_peeled_id()?.map(|id| id.detach()));
        find().map_err(RepositoryError::git("tell which commit is checked out", &self.directory))
    }

    /// The commit that a reference names.
    fn commit_at(&self, reference: String) -> Result<Option<ObjectId>, RepositoryError> {
        let find = || -> gix::Result<Option<ObjectId>> {
            // What cannot be a name is the name of nothing.
            let Ok(name) = full_name(reference.clone()) else { return Ok(None) };
            let Some(mut found) = self.repo.try_find_reference(name.as_ref())? else { return Ok(None) };
            Ok(Some(found.peel_to_commit()?.id))
        };
        find().map_err(RepositoryError::git(format!("find '{reference}'"), &self.directory))
    }

    pub(crate) fn local_branch(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        self.commit_at(format!("{LOCAL_BRANCHES}{name}"))
    }

    /// `HEAD` of the remote repository is not a branch, but points at one.
    pub(crate) fn remote_branch(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        if name == "HEAD" {
            return Ok(None);
        }
        self.commit_at(format!("{REMOTE_BRANCHES}{name}"))
    }

    pub(crate) fn tag(&self, name: &str) -> Result<Option<ObjectId>, RepositoryError> {
        self.commit_at(format!("{TAGS}{name}"))
    }

    /// Where the remote repository is.
    pub(crate) fn origin(&self) -> Option<String> {
        let remote = self.repo.find_remote(REMOTE).ok()?;
        remote.url(Direction::Fetch).map(|url| url.to_bstring().to_string())
    }

    /// What `revision` names: a local branch, a tag, a remote branch or anything else that git understands.
    pub(crate) fn resolve(&self, revision: &str) -> Result<Revision, RepositoryError> {
        if self.local_branch(revision)?.is_some() {
            return Ok(Revision::Branch);
        }
        if let Some(commit) = self.tag(revision)? {
            return Ok(Revision::Tag(commit));
        }
        if self.remote_branch(revision)?.is_some() {
            return Ok(Revision::Branch);
        }
        let parsed = || -> gix::Result<ObjectId> {
            Ok(self.repo.rev_parse_single(revision)?.object()?.peel_to_commit()?.id)
        };
        match parsed() {
            Ok(commit) if !revision.starts_with('-') => Ok(Revision::Commit(commit)),
            _ => Err(self.no_such_revision(revision)?),
        }
    }

    pub(crate) fn no_such_revision(&self, revision: &str) -> Result<RepositoryError, RepositoryError> {
        Ok(RepositoryError::NoSuchRevision {
            directory: self.directory.clone(),
            revision: revision.to_owned(),
            branches: self.all_branches()?,
            tags: self.tags()?,
        })
    }

    /// Checks out a branch; one that only the remote repository has is made here, as `git checkout` does.
    pub(crate) fn checkout_branch(&self, name: &str) -> Result<(), RepositoryError> {
        let (commit, is_new) = match self.local_branch(name)? {
            Some(commit) => (commit, false),
            None => match self.remote_branch(name)? {
                Some(commit) => (commit, true),
                None => return Err(self.no_such_revision(name)?),
            },
        };
        if !is_new && self.current_branch()?.as_deref() == Some(name) {
            return Ok(());
        }
        self.switch_files(commit, name)?;
        let point = || -> gix::Result<()> {
            let branch = full_name(format!("{LOCAL_BRANCHES}{name}"))?;
            let mut edits = Vec::new();
            if is_new {
                let log = format!("branch: Created from {REMOTE_BRANCHES}{name}");
                edits.push(RefEdit::update(branch.clone(), commit, PreviousValue::MustNotExist, log));
            }
            edits.push(self.head_edit(Target::Symbolic(branch), name)?);
            if is_new {
                self.track(name)?;
            }
            self.repo.edit_references(edits)?;
            Ok(())
        };
        point().map_err(RepositoryError::git(format!("check out the branch '{name}'"), &self.directory))
    }

    /// Checks out a commit that is not the tip of a branch.
    pub(crate) fn checkout_commit(&self, commit: ObjectId, name: &str) -> Result<(), RepositoryError> {
        self.switch_files(commit, name)?;
        let point = || self.repo.edit_reference(self.head_edit(Target::Object(commit), name)?);
        point().map(drop).map_err(RepositoryError::git(format!("check out '{name}'"), &self.directory))
    }

    /// Moves the current branch, which is behind, on to a commit.
    pub(crate) fn fast_forward(&self, branch: &str, commit: ObjectId) -> Result<(), RepositoryError> {
        let before = self.head_commit()?;
        self.switch_files(commit, branch)?;
        let point = || -> gix::Result<()> {
            let expected = match before {
                Some(before) => PreviousValue::MustExistAndMatch(Target::Object(before)),
                None => PreviousValue::MustNotExist,
            };
            let log = format!("merge {REMOTE}/{branch}: Fast-forward");
            let name = full_name("HEAD".to_owned())?;
            self.repo.edit_reference(RefEdit::update(name, commit, expected, log).with_deref(true))?;
            Ok(())
        };
        point().map_err(RepositoryError::git(format!("move the branch '{branch}' on"), &self.directory))
    }

    fn head_edit(&self, target: Target, name: &str) -> gix::Result<RefEdit> {
        let head = full_name("HEAD".to_owned())?;
        let from =
            self.repo.head_name()?.map_or_else(|| "a commit".to_owned(), |name| name.shorten().to_string());
        let log = LogChange {
            message: format!("checkout: moving from {from} to {name}").into(),
            ..Default::default()
        };
        Ok(RefEdit::update_with_log(head, target, PreviousValue::Any, log))
    }

    /// Lets `git pull` know where the branch comes from.
    fn track(&self, branch: &str) -> gix::Result<()> {
        let path = self.repo.config_path(gix::config::Source::Local)?;
        let mut config = self.repo.config_file_mut(path)?;
        let section: &gix::bstr::BStr = branch.into();
        config.set_raw_value_by("branch", Some(section), "remote", REMOTE)?;
        let merged = format!("{LOCAL_BRANCHES}{branch}");
        config.set_raw_value_by("branch", Some(section), "merge", merged.as_str())?;
        config.commit()
    }

    fn switch_files(&self, commit: ObjectId, target: &str) -> Result<(), RepositoryError> {
        let trees = || -> gix::Result<(Option<ObjectId>, ObjectId)> {
            let before = match self.repo.head()?.try_into_peeled_id()? {
                Some(id) => Some(id.object()?.peel_to_tree()?.id),
                None => None,
            };
            Ok((before, self.repo.find_object(commit)?.peel_to_tree()?.id))
        };
        let (before, after) = trees()
            .map_err(RepositoryError::git(format!("read the files of '{target}'"), &self.directory))?;
        switch(&self.repo, before, after, target)
    }

    /// Files that differ from what is checked out, those that git does not know aside.
    pub(crate) fn local_changes(&self) -> Result<Vec<String>, RepositoryError> {
        local_changes(&self.repo).map_err(RepositoryError::git("look for local changes", &self.directory))
    }

    /// Whether the remote branch has been at a commit, as its log knows: then no commit up to it was made here.
    pub(crate) fn was_remote(&self, branch: &str, commit: ObjectId) -> Result<bool, RepositoryError> {
        let look = || -> gix::Result<bool> {
            let Some(found) =
                self.repo.try_find_reference(&full_name(format!("{REMOTE_BRANCHES}{branch}"))?)?
            else {
                return Ok(false);
            };
            let mut log = found.log_iter();
            let Some(lines) = log.all().or_error()? else { return Ok(false) };
            // A line that cannot be read proves nothing.
            Ok(lines.flatten().any(|line| line.previous_oid() == commit || line.new_oid() == commit))
        };
        look().map_err(RepositoryError::git("read the log of the remote branch", &self.directory))
    }

    /// How two commits differ.
    pub(crate) fn divergence(
        &self,
        local: ObjectId,
        remote: ObjectId,
    ) -> Result<Divergence, RepositoryError> {
        let count = |tip: ObjectId, hidden: ObjectId| -> gix::Result<usize> {
            let mut number = 0;
            for commit in self.repo.rev_walk([tip]).with_hidden([hidden]).all()? {
                commit?;
                number += 1;
            }
            Ok(number)
        };
        let both = || Ok(Divergence { ahead: count(local, remote)?, behind: count(remote, local)? });
        both().map_err(RepositoryError::git("compare the branch with the remote one", &self.directory))
    }
}
