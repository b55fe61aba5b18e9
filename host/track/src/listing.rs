//! `rally list tracks`: what there is, broken tracks included.

use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::source::main_file;
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
    /// Whether the track has no challenges, only a schedule.
    pub auto_generated: bool,
    /// The challenge that is raced when none is named.
    pub default_challenge: String,
    /// Names of all challenges, in the track's order.
    pub challenges: Vec<String>,
}

impl From<&Track> for TrackSummary {
    fn from(track: &Track) -> Self {
        let sum = |size: fn(&crate::Documents) -> Option<u64>| {
            track
                .document_sets()
                .map(|(_, documents)| size(documents))
                .try_fold(0_u64, |total, size| Some(total.saturating_add(size?)))
        };
        Self {
            description: track.short_description.clone().unwrap_or_else(|| track.description.clone()),
            documents: track
                .document_sets()
                .fold(0, |total, (_, documents)| total.saturating_add(documents.document_count)),
            compressed_bytes: sum(|documents| documents.compressed_bytes),
            uncompressed_bytes: sum(|documents| documents.uncompressed_bytes),
            auto_generated: track.challenge(None).is_some_and(|challenge| challenge.auto_generated),
            default_challenge: track
                .challenge(None)
                .map(|challenge| challenge.name.clone())
                .unwrap_or_default(),
            challenges: track.challenges.iter().map(|challenge| challenge.name.clone()).collect(),
        }
    }
}

/// Directories are not looked for deeper than this: tracks lie near the top.
const MAX_DEPTH: usize = 8;

/// The tracks in a directory, by name: its sub-directories at any depth with a `track.json`; the name is the path. Of a track's
/// own directory or file it is that track. A broken track is listed with its error.
///
/// Links to directories are only taken for tracks that are in the directory as well.
///
/// # Errors
///
/// [`TrackError::Read`] if the directory itself cannot be read.
pub fn list(directory: &Path, options: &LoadOptions) -> Result<Vec<ListedTrack>, TrackError> {
    if let Ok(source) = TrackSource::from_path(directory) {
        return Ok(load_all(&[source], options));
    }
    let failed = |source| TrackError::Read { path: directory.to_owned(), source };
    let root = fs::canonicalize(directory).map_err(failed)?;
    let mut found = Vec::new();
    find(directory, "", MAX_DEPTH, &root, &mut found).map_err(failed)?;
    let mut tracks = load_all(&found, options);
    tracks.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tracks)
}

/// Adds the tracks below a directory. Unreadable folders are skipped.
fn find(
    directory: &Path,
    prefix: &str,
    depth: usize,
    root: &Path,
    found: &mut Vec<TrackSource>,
) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let (path, file_name) = (entry.path(), entry.file_name());
        let name = file_name.to_string_lossy();
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        let is_link = entry.file_type()?.is_symlink();
        if is_link && !fs::canonicalize(&path).is_ok_and(|target| target.starts_with(root)) {
            continue;
        }
        let name = format!("{prefix}{name}");
        if main_file(&path).is_some() {
            found.push(TrackSource::Repository { name: name.clone(), directory: path.clone() });
        }
        // Links can lead in circles.
        if depth > 1 && !is_link {
            // Nobody misses tracks in a directory that they cannot read.
            find(&path, &format!("{name}/"), depth - 1, root, found).unwrap_or_default();
        }
    }
    Ok(())
}

/// Loads tracks on all processors.
fn load_all(sources: &[TrackSource], options: &LoadOptions) -> Vec<ListedTrack> {
    let next = AtomicUsize::new(0);
    let tracks = Mutex::new(Vec::new());
    let work = || {
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            let content = load(source, options).map(|track| TrackSummary::from(&track));
            let listed = ListedTrack { name: source.name(), path: source.folder(), content };
            tracks.lock().unwrap_or_else(PoisonError::into_inner).push(listed);
        }
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(sources.len());
    thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(work);
        }
        work();
    });
    tracks.into_inner().unwrap_or_else(PoisonError::into_inner)
}
