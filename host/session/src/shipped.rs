//! The tracks that ship with rally: inside the program, unpacked when one is first used, so that a program that was moved or
//! installed has them as well.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, File, include_dir};
use rally_support::hex::Hex;
use rally_support::whole_file;
use rally_support::whole_folder::WholeFolder;
use sha2::{Digest, Sha256};

static TRACKS: Dir<'_> = include_dir!("$OUT_DIR/tracks");

/// A shipped track could not be unpacked.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot unpack the tracks that ship with rally to '{folder}'; free some space, or set RALLY_HOME to a writable folder"
)]
pub struct UnpackError {
    folder: PathBuf,
    #[source]
    cause: io::Error,
}

/// Names of the tracks that ship with rally.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = TRACKS.dirs().filter_map(|dir| dir.path().to_str()).collect();
    names.sort_unstable();
    names
}

/// Unpacks all tracks below `folder` unless this version of them is there already, and gives the folder that holds one folder
/// per track. Several processes may do this at once.
///
/// # Errors
/// Where nothing can be written there.
pub fn unpack(folder: &Path) -> Result<PathBuf, UnpackError> {
    let place = folder.join(digest());
    let failed = |cause| UnpackError { folder: folder.to_owned(), cause };
    if place.is_dir() {
        put_back(&place).map_err(failed)?;
        return Ok(place);
    }
    let fresh = WholeFolder::create_in(folder).map_err(failed)?;
    TRACKS.extract(fresh.path()).map_err(failed)?;
    match fresh.put_at(&place) {
        Ok(()) => Ok(place),
        // Another process was faster.
        Err(_) if place.is_dir() => Ok(place),
        Err(cause) => Err(failed(cause)),
    }
}

/// Restores the unpacked files that are not what the program holds: a race of a shipped track must be that of the program.
fn put_back(place: &Path) -> io::Result<()> {
    for file in files() {
        let path = place.join(file.path());
        if fs::read(&path).is_ok_and(|content| content == file.contents()) {
            continue;
        }
        tracing::warn!(path = %path.display(), "this file of a shipped track was changed or removed; it is restored");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        whole_file::replace(&path, file.contents())?;
    }
    Ok(())
}

/// All files of the shipped tracks.
fn files() -> Vec<&'static File<'static>> {
    let mut files = Vec::new();
    let mut folders = vec![&TRACKS];
    while let Some(folder) = folders.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(dir) => folders.push(dir),
                DirEntry::File(file) => files.push(file),
            }
        }
    }
    files
}

/// Tells versions of the shipped tracks apart.
fn digest() -> String {
    let mut sha = Sha256::new();
    for file in files() {
        sha.update(file.path().to_string_lossy().as_bytes());
        sha.update((file.contents().len() as u64).to_le_bytes());
        sha.update(file.contents());
    }
    Hex(&sha.finalize()[..8]).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tutorial_ships_and_unpacks_once() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let place = unpack(folder.path()).expect("unpacked");
        assert!(names().contains(&"tutorial"));
        assert!(place.join("tutorial").join("track.json").is_file());
        assert_eq!(unpack(folder.path()).expect("there already"), place);
        assert_eq!(std::fs::read_dir(folder.path()).expect("listing").count(), 1, "nothing is left over");
    }

    #[test]
    fn a_file_that_was_changed_or_removed_is_restored() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let track = unpack(folder.path()).expect("unpacked").join("tutorial").join("track.json");
        let original = fs::read(&track).expect("track");
        fs::write(&track, "{}").expect("changed");
        unpack(folder.path()).expect("restored");
        assert_eq!(fs::read(&track).expect("track"), original);
        fs::remove_file(&track).expect("removed");
        unpack(folder.path()).expect("restored");
        assert_eq!(fs::read(&track).expect("track"), original);
    }
}
