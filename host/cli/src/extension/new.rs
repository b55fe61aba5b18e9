//! `rally extension new`: a track with an extension that works, to begin with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};
use rally_support::whole_folder::WholeFolder;

use crate::ending::CommandError;
use crate::extension::args::{Language, NewArgs};
use crate::terminal;

/// The track, with `{{name}}` where its name goes.
static TEMPLATE: Dir<'_> = include_dir!("$OUT_DIR/template");
/// The SDK. It goes into the sources, so that they build with nothing but a registry of crates, today and in years.
static SDK: Dir<'_> = include_dir!("$OUT_DIR/sdk");

/// What stands for the name of the track.
const PLACEHOLDER: &str = "{{name}}";

/// Names that Rust or the SDK have taken.
const TAKEN: [&str; 7] = ["alloc", "core", "proc-macro", "rally-sdk", "std", "test", "rally"];

/// Longest name.
const LONGEST: usize = 64;

/// A track with an extension cannot be written.
#[derive(Debug, thiserror::Error)]
enum NewError {
    #[error(
        "extensions in {0} are not supported yet: there is an SDK for rust (--lang rust). What is written in another language and \
         exports the interface rally:track runs already"
    )]
    Language(Language),
    #[error(
        "'{name}' cannot be the name of a track and of a crate: use 1 to {LONGEST} lower-case letters, digits and '-', begin with a \
         letter, and is none of {}", TAKEN.join(", ")
    )]
    Name { name: String },
    #[error("'{0}' already exists; choose another name, or another folder with --path")]
    Exists(PathBuf),
    #[error("cannot write '{path}'")]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Writes the track.
pub fn run(arguments: &NewArgs) -> Result<(), CommandError> {
    let name = &arguments.name;
    if arguments.lang != Language::Rust {
        return Err(CommandError::user(NewError::Language(arguments.lang)));
    }
    if !is_name(name) {
        return Err(CommandError::user(NewError::Name { name: name.clone() }));
    }
    let place = arguments.path.join(name);
    if place.symlink_metadata().is_ok() {
        return Err(CommandError::user(NewError::Exists(place)));
    }
    write(&arguments.path, &place, name)
        .map_err(|cause| CommandError::user(NewError::Write { path: place.clone(), cause }))?;
    let shown = place.display();
    let text = format!(
        "Track {name} is in {shown}; its code is in {shown}/_source/src/lib.rs\n  rally extension build {shown}\n  rally extension test {shown}\n  \
         rally run --track-path={shown}\n"
    );
    terminal::print(text).map_err(CommandError::failure)
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && !TAKEN.contains(&name)
}

/// Writes the track to `place` in the folder `parent`: all of it or nothing.
fn write(parent: &Path, place: &Path, name: &str) -> io::Result<()> {
    let fresh = WholeFolder::create_in(parent)?;
    let source = fresh.path().join("_source");
    extract(&TEMPLATE, fresh.path(), name)?;
    extract(&SDK, &source.join("sdk"), name)?;
    if let Some(lock) = SDK.get_file("Cargo.lock") {
        // What the SDK was tested with; cargo adds the track's own crate.
        fs::write(source.join("Cargo.lock"), lock.contents())?;
    }
    fresh.put_at(place)
}

fn extract(from: &Dir<'_>, to: &Path, name: &str) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in from.entries() {
        match entry {
            DirEntry::Dir(folder) => extract_below(folder, to, name)?,
            DirEntry::File(file) => {
                let path = to.join(file.path().file_name().unwrap_or_default());
                match file.contents_utf8() {
                    Some(text) => fs::write(path, text.replace(PLACEHOLDER, name))?,
                    None => fs::write(path, file.contents())?,
                }
            }
        }
    }
    Ok(())
}

fn extract_below(folder: &Dir<'_>, to: &Path, name: &str) -> io::Result<()> {
    extract(folder, &to.join(folder.path().file_name().unwrap_or_default()), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for name in ["a", "my-track", "track2"] {
            assert!(is_name(name), "{name}");
        }
        for name in
            ["", "My", "2track", "-a", "a_b", "a b", "a/b", "..", "test", "rally-sdk", &"x".repeat(65)]
        {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn what_is_written_is_whole_and_has_its_name() {
        let parent = tempfile::tempdir().expect("temporary folder");
        let place = parent.path().join("colours");
        write(parent.path(), &place, "colours").expect("written");
        let manifest = fs::read_to_string(place.join("_source/Cargo.toml")).expect("a manifest");
        assert!(manifest.contains("name = \"colours\"") && !manifest.contains(PLACEHOLDER), "{manifest}");
        for file in
            ["track.json", "README.md", "_source/src/lib.rs", "_source/sdk/Cargo.toml", "_source/Cargo.lock"]
        {
            assert!(place.join(file).is_file(), "{file}");
        }
        assert!(place.join("_source/sdk/wit/world.wit").is_file());
        assert_eq!(fs::read_dir(parent.path()).expect("listing").count(), 1, "nothing is left over");
    }
}
