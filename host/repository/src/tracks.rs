//! The tracks of a working copy.

use std::io;
use std::path::{Component, Path, PathBuf};

use rally_support::suggest::{closest, listed};

/// The file that makes a folder a track.
const TRACK_FILE: &str = "track.json";

/// Why a track cannot be found in a repository.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FindTrackError {
    /// The name would be a folder outside the repository.
    #[error("'{name}' cannot be the name of a track: it leads out of the track repository in '{}'", directory.display())]
    Outside {
        /// As it was given.
        name: String,
        /// The working copy.
        directory: PathBuf,
    },
    /// There is no such track in the branch that is checked out.
    #[error(
        "unknown track '{name}'{} The track repository in '{}' (branch '{branch}') {}",
        suggestion(name, known), directory.display(), there_is(known)
    )]
    Unknown {
        /// As it was given.
        name: String,
        /// The working copy.
        directory: PathBuf,
        /// The branch, tag or commit.
        branch: String,
        /// Names of all tracks.
        known: Vec<String>,
    },
    /// A folder cannot be read.
    #[error("cannot list the tracks in '{}'", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// All tracks, by name: folders at any depth with a `track.json`, named by their path (`elastic/logs`). As in Rally, links
/// to folders are not followed, and the root of the repository is not a track.
pub(crate) fn list(directory: &Path) -> Result<Vec<(String, PathBuf)>, FindTrackError> {
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), directory.to_owned())];
    while let Some((name, folder)) = folders.pop() {
        let failed = |source| FindTrackError::Io { path: folder.clone(), source };
        let mut is_track = false;
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let file_name = entry.file_name().to_string_lossy().into_owned();
            if !entry.file_type().map_err(failed)?.is_dir() {
                is_track |= file_name == TRACK_FILE && entry.path().is_file();
            } else if file_name != ".git" {
                let name = if name.is_empty() { file_name } else { format!("{name}/{file_name}") };
                folders.push((name, entry.path()));
            }
        }
        if is_track && !name.is_empty() {
            found.push((name, folder));
        }
    }
    found.sort();
    Ok(found)
}

/// The folder of a track.
pub(crate) fn find(directory: &Path, name: &str, branch: &str) -> Result<PathBuf, FindTrackError> {
    let outside = || FindTrackError::Outside { name: name.to_owned(), directory: directory.to_owned() };
    let unknown = || -> FindTrackError {
        match list(directory) {
            Ok(tracks) => FindTrackError::Unknown {
                name: name.to_owned(),
                directory: directory.to_owned(),
                branch: branch.to_owned(),
                known: tracks.into_iter().map(|(name, _)| name).collect(),
            },
            Err(error) => error,
        }
    };
    let relative = Path::new(name);
    let stays = |component| matches!(component, Component::Normal(_) | Component::CurDir);
    if !relative.components().all(stays) || name.contains(['\\', '\0']) {
        return Err(outside());
    }
    let folder: PathBuf = directory.join(relative.components().collect::<PathBuf>());
    if !folder.join(TRACK_FILE).is_file()
        || !relative.components().any(|part| matches!(part, Component::Normal(_)))
    {
        return Err(unknown());
    }
    // A link in the repository may lead anywhere.
    let real = |path: &Path| {
        path.canonicalize().map_err(|source| FindTrackError::Io { path: path.to_owned(), source })
    };
    if real(&folder)?.starts_with(real(directory)?) { Ok(folder) } else { Err(outside()) }
}

fn suggestion(name: &str, known: &[String]) -> String {
    closest(name, known.iter().map(String::as_str))
        .map_or_else(|| ".".to_owned(), |similar| format!(", did you mean '{similar}'?"))
}

fn there_is(known: &[String]) -> String {
    match known {
        [] => "has no tracks".to_owned(),
        [one] => format!("has only '{one}'"),
        many => format!("has {}", listed(many)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(tracks: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for track in tracks {
            std::fs::create_dir_all(folder.path().join(track)).unwrap();
            std::fs::write(folder.path().join(track).join(TRACK_FILE), "{}").unwrap();
        }
        folder
    }

    #[test]
    fn tracks_are_found_at_any_depth_and_named_by_their_path() {
        let folder = repository(&["geonames", "elastic/logs", "elastic/security", "", ".git"]);
        std::fs::create_dir(folder.path().join("elastic/shared")).unwrap();
        let names: Vec<String> = list(folder.path()).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["elastic/logs", "elastic/security", "geonames"]);
    }

    #[test]
    fn a_track_is_found_by_its_name() {
        let folder = repository(&["geonames", "elastic/logs"]);
        assert_eq!(
            find(folder.path(), "elastic/logs", "master").unwrap(),
            folder.path().join("elastic/logs")
        );
        assert_eq!(find(folder.path(), "./geonames/", "master").unwrap(), folder.path().join("geonames"));
    }

    #[test]
    fn an_unknown_track_gets_a_suggestion() {
        let folder = repository(&["geonames", "pmc"]);
        let text = find(folder.path(), "geonmaes", "8.11").unwrap_err().to_string();
        assert!(text.contains("did you mean 'geonames'?") && text.contains("'8.11'"), "{text}");
        let text = find(folder.path(), "", "8.11").unwrap_err().to_string();
        assert!(text.contains("has geonames, pmc"), "{text}");
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_repository() {
        let folder = repository(&["outside", "repository/inside"]);
        let inside = folder.path().join("repository");
        for name in ["../outside", "/etc", "inside/../../outside", "..\\outside"] {
            assert!(matches!(find(&inside, name, "master"), Err(FindTrackError::Outside { .. })), "{name}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_cannot_lead_out_of_the_repository() {
        let folder = repository(&["outside", "repository/inside"]);
        let inside = folder.path().join("repository");
        std::os::unix::fs::symlink("../outside", inside.join("link")).unwrap();
        std::os::unix::fs::symlink("inside", inside.join("alias")).unwrap();
        assert!(matches!(find(&inside, "link", "master"), Err(FindTrackError::Outside { .. })));
        find(&inside, "alias", "master").unwrap();
        let names: Vec<String> = list(&inside).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["inside"]);
    }
}
