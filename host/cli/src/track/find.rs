//! From a name or a path to where the track is.

use std::path::{Path, PathBuf};

use rally_repository::{Checkout, DEFAULT_REPOSITORY, Step, TrackRepository};
use rally_support::suggest::closest;
use rally_track::TrackSource;

use super::args::{RepositoryArgs, TrackArgs};
use crate::ending::CommandError;
use crate::home::Home;
use crate::list::ListTracksArgs;
use crate::{shipped, terminal};

/// The name is nearly that of a track that ships with rally: nobody wants a repository cloned for a typing error.
#[derive(Debug, thiserror::Error)]
#[error(
    "unknown track [{name}], did you mean [{similar}], which ships with rally? A track of your own is named with \
     --track-path, one of a track repository with --track-repository"
)]
struct NearlyShipped {
    name: String,
    similar: &'static str,
}

/// A named track is not to be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "track [{name}] neither ships with rally (there {} {}) nor can it be taken from track repository [{repository}]. A \
     track of your own is named with --track-path",
    if shipped.len() == 1 { "is" } else { "are" }, shipped.join(", ")
)]
struct NotFound {
    name: String,
    repository: String,
    shipped: Vec<&'static str>,
    #[source]
    cause: Box<dyn std::error::Error>,
}

/// A track that is there to be read.
#[derive(Debug)]
pub struct FoundTrack {
    /// Where.
    pub source: TrackSource,
    /// What the user should know of how it was found.
    pub warnings: Vec<String>,
    /// The track repository that it comes from. Nobody changes its files while this is there.
    pub checkout: Option<Checkout>,
}

impl FoundTrack {
    /// A track at a path.
    pub fn at(path: &Path) -> Result<FoundTrack, CommandError> {
        let source = TrackSource::from_path(path).map_err(CommandError::user)?;
        Ok(FoundTrack { source, warnings: Vec::new(), checkout: None })
    }
}

/// Finds the track that the user asks for: at its path, among those that ship with rally, or in a track repository, whose
/// branch is chosen by the version of the target if there is one.
pub fn find(
    track: &TrackArgs,
    repository: &RepositoryArgs,
    target_version: Option<&str>,
    home: &Home,
) -> Result<FoundTrack, CommandError> {
    if let Some(path) = &track.track_path {
        return FoundTrack::at(path);
    }
    let name = track.track.clone().unwrap_or_default();
    let is_asked = repository.track_repository.is_some() || repository.track_revision.is_some();
    if !is_asked {
        if shipped::names().contains(&name.as_str()) {
            let folder = shipped::unpack(&home.shipped_tracks()).map_err(CommandError::failure)?;
            return FoundTrack::at(&folder.join(name));
        }
        if let Some(similar) = closest(&name, shipped::names()) {
            return Err(CommandError::user(NearlyShipped { name, similar }));
        }
    }
    let found = checkout(repository, target_version, home).and_then(|(checkout, warnings)| {
        let path = checkout.track_path(&name).map_err(CommandError::user)?;
        let source = TrackSource::Repository { name: name.clone(), directory: path };
        Ok(FoundTrack { source, warnings, checkout: Some(checkout) })
    });
    found.map_err(|error| match is_asked {
        true => error,
        false => error.within(|cause| NotFound {
            name: name.clone(),
            repository: DEFAULT_REPOSITORY.to_owned(),
            shipped: shipped::names(),
            cause,
        }),
    })
}

/// A track repository as it is for a version.
fn checkout(
    arguments: &RepositoryArgs,
    target_version: Option<&str>,
    home: &Home,
) -> Result<(Checkout, Vec<String>), CommandError> {
    let name = arguments.track_repository.as_deref().unwrap_or(DEFAULT_REPOSITORY);
    let mut config = home.config().track_repository(name).map_err(CommandError::user)?;
    config.offline = arguments.offline;
    config.on_step = announce;
    let (mut repository, opened) = TrackRepository::open(config).map_err(CommandError::user)?;
    let version = arguments.distribution_version.as_deref().or(target_version);
    let checkout = match arguments.track_revision.as_deref() {
        Some(revision) => repository.set_revision(revision),
        None => repository.update(version),
    };
    let checkout = checkout.map_err(CommandError::user)?;
    let warnings = opened.iter().chain(&checkout.warnings).map(ToString::to_string).collect();
    Ok((checkout, warnings))
}

/// Says what takes long.
fn announce(step: &Step) {
    match step {
        Step::Clone { url, .. } => terminal::say(format_args!("Cloning tracks from {url}")),
        other => tracing::info!(step = ?other, "track repository"),
    }
}

/// Where tracks are listed from.
#[derive(Debug, Default)]
pub struct TrackFolders {
    /// The folders, the one whose tracks are taken first before the others.
    pub folders: Vec<PathBuf>,
    /// What the user should know of how they were found.
    pub warnings: Vec<String>,
    /// Where more tracks are.
    pub hint: Option<String>,
    /// Nobody changes the files of the track repository while this is there.
    _checkout: Option<Checkout>,
}

/// The folders to list tracks of.
pub fn folders(arguments: &ListTracksArgs, home: &Home) -> Result<TrackFolders, CommandError> {
    if let Some(path) = &arguments.track_path {
        return Ok(TrackFolders { folders: vec![path.clone()], ..TrackFolders::default() });
    }
    let repository = &arguments.repository;
    let is_asked = repository.track_repository.is_some() || repository.track_revision.is_some();
    let mut found = TrackFolders::default();
    if !is_asked {
        found.folders.push(shipped::unpack(&home.shipped_tracks()).map_err(CommandError::failure)?);
        if arguments.shipped {
            return Ok(found);
        }
        let config = home.config();
        let cloned = config.tracks_folder().map_err(CommandError::user)?.join(DEFAULT_REPOSITORY);
        // A rally.ini about other things leaves the default repository out; what ships with rally is there all the same.
        let url = config.tracks_url(DEFAULT_REPOSITORY).map_err(CommandError::user)?;
        if url.is_none() && !cloned.exists() {
            return Ok(found);
        }
        if !config.path().is_file() && !cloned.join(".git").exists() {
            found.hint = Some(format!(
                "More tracks are in the track repository: rally list tracks --track-repository={DEFAULT_REPOSITORY}"
            ));
            return Ok(found);
        }
    }
    let (checkout, warnings) = checkout(repository, None, home)?;
    found.folders.push(checkout.directory.clone());
    found.warnings = warnings;
    found._checkout = Some(checkout);
    Ok(found)
}
