//! `rally list tracks`: what there is, broken tracks included.

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::TRACK_FILE;
use crate::{LoadOptions, Track, TrackError, TrackSource, load};

/// One track of a directory of tracks.
#[derive(Debug)]
pub struct ListedTrack {
    /// Name of the track.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it contains, or why it cannot be loaded.
    pub content: Result<TrackSummary, TrackError>,
}

/// What a listing shows of a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackSummary {
    /// One line about the track.
    pub description: String,
    /// Number of documents of all types.
    pub documents: u64,
    /// Size of all archives in bytes; unknown if one does not declare its own.
    pub compressed_bytes: Option<u64>,
    /// Size of all plain data files in bytes; unknown if one does not declare its own.
    pub uncompressed_bytes: Option<u64>,
    /// The challenge that is raced when none is named.
    pub default_challenge: String,
    /// Names of all challenges, in the track's order.
    pub challenges: Vec<String>,
}

impl From<&Track> for TrackSummary {
    fn from(track: &Track) -> Self {
        let sum = |size: fn(&crate::Documents) -> Option<u64>| {
            track.document_sets().map(|(_, documents)| size(documents)).sum::<Option<u64>>()
        };
        Self {
            description: track.short_description.clone().unwrap_or_else(|| track.description.clone()),
            documents: track.document_sets().map(|(_, documents)| documents.document_count).sum(),
            compressed_bytes: sum(|documents| documents.compressed_bytes),
            uncompressed_bytes: sum(|documents| documents.uncompressed_bytes),
            default_challenge: track
                .challenge(None)
                .map(|challenge| challenge.name.clone())
                .unwrap_or_default(),
            challenges: track.challenges.iter().map(|challenge| challenge.name.clone()).collect(),
        }
    }
}

/// The tracks in a directory, by name: its sub-directories with a `track.json`. A broken track is listed with its
/// error.
///
/// # Errors
///
/// [`TrackError::Read`] if the directory itself cannot be read.
pub fn list(directory: &Path, options: &LoadOptions) -> Result<Vec<ListedTrack>, TrackError> {
    let unreadable = |source| TrackError::Read { path: directory.to_owned(), source };
    let mut tracks = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if !path.join(TRACK_FILE).is_file() {
            continue;
        }
        let source = TrackSource::Directory(path.clone());
        let content = load(&source, options).map(|track| TrackSummary::from(&track));
        tracks.push(ListedTrack { name: source.name(), path, content });
    }
    tracks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tracks)
}

/// A size as Rally prints it: `2.0 kB`, `4.8 MB`, in powers of 1024; `N/A` if unknown.
pub fn human_size(bytes: Option<u64>) -> String {
    let Some(bytes) = bytes else { return "N/A".to_owned() };
    let size = bytes as f64;
    // As in Rally a unit starts above, not at, its size.
    for (unit, factor) in [("GB", 1024.0 * 1024.0 * 1024.0), ("MB", 1024.0 * 1024.0), ("kB", 1024.0)] {
        if size > factor {
            return format!("{:.1} {unit}", size / factor);
        }
    }
    format!("{bytes} bytes")
}
