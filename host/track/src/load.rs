//! Loads a track.

use crate::document::Document;
use crate::files::TrackFiles;
use crate::suggest::closest;
use crate::{LoadOptions, Track, TrackError, TrackSource, dialect, rally2017};

/// Loads a track with everything it refers to but its data.
///
/// # Errors
///
/// What is wrong with it, as [`TrackError`] has it. Everything that a race would stumble over is found here: a track
/// that loads can be raced, given its data and a target.
pub fn load(source: &TrackSource, options: &LoadOptions) -> Result<Track, TrackError> {
    let name = source.name();
    let (directory, file) = source.parts();
    let path = directory.join(&file);
    let files = TrackFiles::new(&directory).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => TrackError::NotFound { path: path.clone() },
        _ => TrackError::Read { path: directory.clone(), source },
    })?;
    if !path.exists() {
        return Err(TrackError::NotFound { path });
    }
    let document = Document::render(&files, &file, options.now)
        .map_err(|problem| TrackError::Invalid { track: name.clone(), problems: vec![*problem] })?;
    if let Some(problem) = dialect::not_yet(&document) {
        return Err(TrackError::Invalid { track: name, problems: vec![problem] });
    }
    let track = rally2017::read(&name, &document, &files, options)?;
    match options.challenge.as_deref().filter(|challenge| !challenge.is_empty()) {
        Some(challenge) if track.challenge(Some(challenge)).is_none() => {
            Err(unknown_challenge(&track, challenge))
        }
        _ => Ok(track),
    }
}

fn unknown_challenge(track: &Track, challenge: &str) -> TrackError {
    let known: Vec<String> = track.challenges.iter().map(|challenge| challenge.name.clone()).collect();
    TrackError::UnknownChallenge {
        track: track.name.clone(),
        challenge: challenge.to_owned(),
        suggestion: closest(challenge, known.iter().map(String::as_str)),
        known,
    }
}
