//! From a name or a path to where the track is.

use std::path::{Path, PathBuf};

use rally_repository::{Checkout, DEFAULT_REPOSITORY, Step, TrackRepository};
use rally_support::suggest::closest;
use rally_track::TrackSource;

use crate::error::SessionError;
use crate::home::Home;
use crate::shipped;
use crate::spec::{NamedTrack, RepositorySpec};

/// What stands before the name of a track that ships with rally where a track of one's own has the same name.
pub const SHIPPED: &str = "shipped/";

/// The name is nearly that of a track that ships with rally: nobody wants a repository cloned for a typing error.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown track '{name}', did you mean '{similar}', which ships with rally? A track of your own is named with \
     --track-path, one of a track repository with --track-repository"
)]
struct NearlyShipped {
    name: String,
    similar: &'static str,
}

/// A named track is not to be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "track '{name}' neither ships with rally (there {} {}) nor can it be taken from track repository '{repository}'. A \
     track of your own is named with --track-path",
    if shipped.len() == 1 { "is" } else { "are" }, shipped.join(", ")
)]
struct NotFound {
    name: String,
    repository: String,
    shipped: Vec<&'static str>,
    #[source]
    cause: Box<dyn std::error::Error + Send + Sync>,
}

/// A track that is there to be read.
#[derive(Debug)]
pub struct FoundTrack {
    /// Where.
    pub source: TrackSource,
    /// What the user should know of how it was found.
    pub warnings: Vec<String>,
    /// The track repository that it comes from. A lock keeps its files unchanged while this value lives.
    pub checkout: Option<Checkout>,
}

impl FoundTrack {
    /// A track at a path.
    ///
    /// # Errors
    /// Where there is none.
    pub fn at(path: &Path) -> Result<FoundTrack, SessionError> {
        let source = TrackSource::from_path(path).map_err(SessionError::user)?;
        Ok(FoundTrack { source, warnings: Vec::new(), checkout: None })
    }
}

/// Where and how named tracks are looked for.
pub struct TrackFinder<'a> {
    /// Rally's files: unpacked and cloned tracks are among them.
    pub home: &'a Home,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Called at the steps of a track repository that may take long.
    pub on_step: fn(&Step),
}

impl TrackFinder<'_> {
    /// Finds a track by its name: among those that ship with rally, or in a track repository, whose branch is chosen by the
    /// version of the target if there is one.
    ///
    /// # Errors
    /// Where there is no such track, or its repository cannot be used.
    pub fn find(&self, track: &NamedTrack, target_version: Option<&str>) -> Result<FoundTrack, SessionError> {
        let NamedTrack { name, repository } = track;
        if !repository.is_asked() {
            let ships = |name: &str| shipped::names().contains(&name);
            if let Some(name) = name.strip_prefix(SHIPPED).filter(|name| ships(name)) {
                return self.shipped(name);
            }
            // The user's own tracks come before those that ship with rally.
            if self.has_own(name, repository, target_version)? {
                let mut found = self.in_repository(name, repository, target_version)?;
                if ships(name) {
                    found.warnings.push(format!(
                        "this is track [{name}] of track repository [{DEFAULT_REPOSITORY}]; the one that ships with rally is \
                         --track={SHIPPED}{name}"
                    ));
                }
                return Ok(found);
            }
            if ships(name) {
                return self.shipped(name);
            }
            if let Some(similar) = closest(name, shipped::names()) {
                return Err(SessionError::user(NearlyShipped { name: name.clone(), similar }));
            }
        }
        self.in_repository(name, repository, target_version).map_err(|error| match repository.is_asked() {
            true => error,
            false => error.within(|cause| NotFound {
                name: name.clone(),
                repository: DEFAULT_REPOSITORY.to_owned(),
                shipped: shipped::names(),
                cause,
            }),
        })
    }

    fn shipped(&self, name: &str) -> Result<FoundTrack, SessionError> {
        let folder = shipped::unpack(&self.home.shipped_tracks()).map_err(SessionError::failure)?;
        FoundTrack::at(&folder.join(name))
    }

    fn in_repository(
        &self,
        name: &str,
        repository: &RepositorySpec,
        target_version: Option<&str>,
    ) -> Result<FoundTrack, SessionError> {
        let (checkout, warnings) = self.checkout(repository, target_version)?;
        let directory = checkout.track_path(name).map_err(SessionError::user)?;
        let source = TrackSource::Repository { name: name.to_owned(), directory };
        Ok(FoundTrack { source, warnings, checkout: Some(checkout) })
    }

    /// Whether the default track repository is on this machine and has a track of this name. Nothing is fetched for that.
    fn has_own(
        &self,
        name: &str,
        repository: &RepositorySpec,
        target_version: Option<&str>,
    ) -> Result<bool, SessionError> {
        let config = self.home.config();
        let folder = config.tracks_folder().map_err(SessionError::user)?.join(DEFAULT_REPOSITORY);
        let here = TrackFinder { offline: true, ..*self };
        Ok(folder.exists() && here.in_repository(name, repository, target_version).is_ok())
    }

    /// A track repository as it is for a version.
    fn checkout(
        &self,
        repository: &RepositorySpec,
        target_version: Option<&str>,
    ) -> Result<(Checkout, Vec<String>), SessionError> {
        let name = repository.name.as_deref().unwrap_or(DEFAULT_REPOSITORY);
        let mut config = self.home.config().track_repository(name).map_err(SessionError::user)?;
        config.offline = self.offline;
        config.on_step = self.on_step;
        let (mut opened, problems) = TrackRepository::open(config).map_err(SessionError::user)?;
        let version = repository.distribution_version.as_deref().or(target_version);
        let checkout = match repository.revision.as_deref() {
            Some(revision) => opened.set_revision(revision),
            None => opened.update(version),
        };
        let checkout = checkout.map_err(SessionError::user)?;
        let warnings = problems.iter().chain(&checkout.warnings).map(ToString::to_string).collect();
        Ok((checkout, warnings))
    }

    /// The folders that hold the tracks which [`TrackFinder::find`] finds; only those that ship with rally on `shipped_only`.
    ///
    /// # Errors
    /// Where the track repository cannot be used.
    pub fn folders(
        &self,
        repository: &RepositorySpec,
        shipped_only: bool,
    ) -> Result<TrackFolders, SessionError> {
        let mut found = TrackFolders::default();
        if !repository.is_asked() {
            found.shipped =
                Some(shipped::unpack(&self.home.shipped_tracks()).map_err(SessionError::failure)?);
            if shipped_only {
                return Ok(found);
            }
            let config = self.home.config();
            let cloned = config.tracks_folder().map_err(SessionError::user)?.join(DEFAULT_REPOSITORY);
            // A rally.ini about other things leaves the default repository out; what ships with rally is there all the same.
            let url = config.tracks_url(DEFAULT_REPOSITORY).map_err(SessionError::user)?;
            if url.is_none() && !cloned.exists() {
                found.hint = Some(format!(
                    "Elastic's tracks (rally-tracks) are listed once {} names their repository: [tracks], \
                     {DEFAULT_REPOSITORY}.url = https://github.com/elastic/rally-tracks",
                    config.path().display()
                ));
                return Ok(found);
            }
            if !config.path().is_file() && !cloned.join(".git").exists() {
                found.hint = Some(format!(
                    "Elastic's tracks (rally-tracks) are in the track repository: rally list tracks --track-repository={DEFAULT_REPOSITORY}"
                ));
                return Ok(found);
            }
        }
        let (checkout, warnings) = self.checkout(repository, None)?;
        found.folders.push(checkout.directory.clone());
        found.warnings = warnings;
        found._checkout = Some(checkout);
        Ok(found)
    }
}

/// Where tracks are listed from.
#[derive(Debug, Default)]
pub struct TrackFolders {
    /// The folders, the one whose tracks are taken first before the others.
    pub folders: Vec<PathBuf>,
    /// The folder of the tracks that ship with rally, which come last.
    pub shipped: Option<PathBuf>,
    /// What the user should know of how they were found.
    pub warnings: Vec<String>,
    /// Where more tracks are.
    pub hint: Option<String>,
    /// Nobody changes the files of the track repository while this is there.
    _checkout: Option<Checkout>,
}

impl TrackFolders {
    /// One folder.
    pub fn at(path: &Path) -> TrackFolders {
        TrackFolders { folders: vec![path.to_owned()], ..TrackFolders::default() }
    }
}
