//! The tracks that ship with rally: inside the program, unpacked when one is first used, so that a program that was moved or
//! installed has them as well.

use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use rally_support::hex::Hex;
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

/// Tells versions of the shipped tracks apart.
fn digest() -> String {
    let mut sha = Sha256::new();
    let mut folders = vec![&TRACKS];
    while let Some(folder) = folders.pop() {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(dir) => folders.push(dir),
                DirEntry::File(file) => {
                    sha.update(file.path().to_string_lossy().as_bytes());
                    sha.update((file.contents().len() as u64).to_le_bytes());
                    sha.update(file.contents());
                }
            }
        }
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
}
