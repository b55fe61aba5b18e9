//! Repositories to test with, made and looked at with `git` itself: what rally leaves behind has to be sound to git.

pub mod http_server;

use std::path::{Path, PathBuf};
use std::process::Command;

use rally_repository::{Checkout, RepositoryConfig, RepositoryError, TrackRepository, Warning};
use tempfile::TempDir;

/// A folder with a remote repository and rally's folder of repositories.
pub struct World {
    pub folder: TempDir,
}

impl World {
    /// The remote repository has the branch `master` with the track `geonames`.
    pub fn new() -> World {
        let world = World::empty();
        git(&world.remote(), &["init", "--quiet", "--initial-branch=master"]);
        world.commit("master", &[("geonames/track.json", "master 1"), ("README.md", "tracks")]);
        world
    }

    /// The remote repository is an empty folder.
    pub fn empty() -> World {
        let world = World { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir_all(world.remote()).unwrap();
        std::fs::create_dir_all(world.tracks()).unwrap();
        world
    }

    pub fn remote(&self) -> PathBuf {
        self.folder.path().join("remote")
    }

    pub fn tracks(&self) -> PathBuf {
        self.folder.path().join("benchmarks").join("tracks")
    }

    /// The working copy of the repository `default`.
    pub fn copy(&self) -> PathBuf {
        self.tracks().join("default")
    }

    /// Commits files to a branch of the remote repository, which is made where it is not there.
    pub fn commit(&self, branch: &str, files: &[(&str, &str)]) -> String {
        commit(&self.remote(), branch, files)
    }

    pub fn config(&self) -> RepositoryConfig {
        let url = self.remote().to_str().unwrap().to_owned();
        RepositoryConfig::new(&self.tracks(), "default", Some(url)).unwrap()
    }

    pub fn local(&self) -> RepositoryConfig {
        RepositoryConfig { url: None, ..self.config() }
    }

    pub fn offline(&self) -> RepositoryConfig {
        RepositoryConfig { offline: true, ..self.config() }
    }

    /// Opens the repository and checks a version out.
    pub fn update(&self, version: Option<&str>) -> Result<Checkout, RepositoryError> {
        self.opened().update(version)
    }

    pub fn opened(&self) -> TrackRepository {
        let (repository, warnings) = TrackRepository::open(self.config()).unwrap();
        assert_eq!(warnings, []);
        repository
    }

    pub fn write(&self, file: &str, text: &str) {
        write(&self.copy(), file, text);
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.copy().join(file)).unwrap()
    }

    /// What git has to say about the working copy: nothing, where all is sound and clean.
    pub fn status(&self) -> String {
        git(&self.copy(), &["fsck", "--strict"]);
        git(&self.copy(), &["status", "--porcelain"])
    }
}

pub fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub fn commit(repository: &Path, branch: &str, files: &[(&str, &str)]) -> String {
    let exists = !git(repository, &["branch", "--list", branch]).is_empty();
    let is_unborn = git(repository, &["branch", "--list"]).is_empty();
    match (exists, is_unborn) {
        (true, _) => git(repository, &["checkout", "--quiet", branch]),
        (false, true) => git(repository, &["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]),
        (false, false) => git(repository, &["checkout", "--quiet", "-b", branch]),
    };
    for (file, text) in files {
        write(repository, file, text);
    }
    commit_all(repository)
}

/// Commits what lies in the folder; the name of the commit.
pub fn commit_all(repository: &Path) -> String {
    git(repository, &["add", "--all"]);
    git(repository, &["commit", "--quiet", "--allow-empty", "--message=change"]);
    git(repository, &["rev-parse", "HEAD"])
}

/// Runs git, undisturbed by whose machine it is.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=rally", "-c", "user.email=rally@example.org", "-c", "core.autocrlf=false"])
        .args(["-c", "commit.gpgSign=false", "-c", "advice.detachedHead=false"])
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?} in {}: {error}", folder.display());
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The warnings as the user reads them.
pub fn told(warnings: &[Warning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

/// An error and all its causes.
pub fn story(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
