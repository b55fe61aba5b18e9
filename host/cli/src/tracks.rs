//! Finding and loading tracks.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use rally_track::{ExtensionNames, LoadOptions, Track, TrackSource};

use crate::args::{RunArgs, TrackArgs};
use crate::ending::CommandError;
use crate::home::Home;
use crate::shipped;

/// No track of this name ships with rally.
#[derive(Debug, thiserror::Error)]
#[error("unknown track [{name}]{}; there {} {}. A track of your own is named with --track-path",
    suggestion(name, known), if known.len() == 1 { "is" } else { "are" }, known.join(", "))]
struct UnknownTrack {
    name: String,
    known: Vec<&'static str>,
}

/// The track that the user asks for, loaded as the race needs it; `names` are those that its components register.
pub fn load(arguments: &RunArgs, source: &TrackSource, names: ExtensionNames) -> Result<Track, CommandError> {
    let options = LoadOptions {
        now: now(),
        test_mode: arguments.test_mode,
        include_tasks: filters(arguments.include_tasks.as_deref()),
        exclude_tasks: filters(arguments.exclude_tasks.as_deref()),
        challenge: arguments.challenge.clone(),
        extension_names: names,
        ..LoadOptions::default()
    };
    rally_track::load(source, &options).map_err(CommandError::user)
}

/// Where the track is that the user asks for.
pub fn source(arguments: &TrackArgs, home: &Home) -> Result<TrackSource, CommandError> {
    if let Some(path) = &arguments.track_path {
        return TrackSource::from_path(path).map_err(CommandError::user);
    }
    let name = arguments.track.clone().unwrap_or_default();
    if !shipped::names().contains(&name.as_str()) {
        return Err(CommandError::user(UnknownTrack { name, known: shipped::names() }));
    }
    let folder = shipped::unpack(&home.shipped_tracks()).map_err(CommandError::failure)?;
    TrackSource::from_path(&folder.join(name)).map_err(CommandError::user)
}

/// The folder to list tracks of.
pub fn folder(track_path: Option<PathBuf>, home: &Home) -> Result<PathBuf, CommandError> {
    match track_path {
        Some(path) => Ok(path),
        None => shipped::unpack(&home.shipped_tracks()).map_err(CommandError::failure),
    }
}

/// Seconds since the epoch, for templates.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

fn filters(text: Option<&str>) -> Vec<String> {
    text.into_iter().flat_map(|text| text.split(',')).map(|filter| filter.trim().to_owned()).collect()
}

fn suggestion(name: &str, known: &[&'static str]) -> String {
    known
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map_or(String::new(), |(_, known)| format!(", did you mean [{known}]?"))
}
