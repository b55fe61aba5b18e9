//! What a race would refuse of a track, found before it runs.

use std::ffi::OsStr;
use std::path::Path;

use rally_extension::Extensions;
use rally_operations::check;
use rally_track::{Challenge, Corpus, Documents, Places, Problem, Track, TrackError};

use crate::documents;
use crate::error::SessionError;

/// Refuses what a race of these challenges would refuse: operations, schedules, and data files that are neither here nor
/// anywhere to be downloaded from. `cache`: where data files are kept.
///
/// # Errors
/// All problems, each with its place in the track.
pub fn check(
    track: &Track,
    challenges: &[&Challenge],
    extensions: &Extensions,
    places: &Places,
    cache: &Path,
) -> Result<(), SessionError> {
    let mut problems = check::problems(track, challenges.iter().copied(), &extensions.names(), places);
    if problems.is_empty() {
        let files = track.document_sets().count();
        let mut needed = vec![false; files];
        for challenge in challenges {
            let of_challenge = documents::needed(track, challenge, extensions)?;
            needed.iter_mut().zip(of_challenge).for_each(|(needed, also)| *needed |= also);
        }
        problems = missing_data(track, &needed, places, cache);
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(SessionError::user(TrackError::Invalid { track: track.name.clone(), problems })),
    }
}

fn missing_data(track: &Track, needed: &[bool], places: &Places, cache: &Path) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (position, ((corpus, file), _)) in
        track.document_sets().zip(needed).enumerate().filter(|(_, (_, needed))| **needed)
    {
        if file.base_url.is_none() && !is_here(track, corpus, file, cache) {
            let message = format!("the data file [{}] is missing", file.file_name);
            let help = format!(
                "put it into [{}] or [{}], or say where it can be downloaded: \"base-url\", in tracks of 2017 \"data-url\"",
                track.root.display(),
                cache.join(&corpus.name).display()
            );
            problems.push(places.document_problem(position, message, Some(help)));
        }
    }
    problems
}

/// Whether the file, packed or not, lies beside the track or in the cache. What is wrong with a file that is there shows
/// when a race prepares it.
fn is_here(track: &Track, corpus: &Corpus, file: &Documents, cache: &Path) -> bool {
    let unpacked =
        rally_corpus::ArchiveFormat::split(&file.file_name).map_or(&*file.file_name, |(stem, _)| stem);
    [track.root.clone(), cache.join(&corpus.name)].iter().any(|folder| {
        let path = folder.join(unpacked);
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let starts_with = |entry: &OsStr| entry.to_string_lossy().starts_with(&*name.to_string_lossy());
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name()).any(|entry| starts_with(&entry))
    })
}
