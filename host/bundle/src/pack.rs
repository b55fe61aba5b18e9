//! From a track folder to a bundle.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rally_component::{Bounds, Digest, InspectError, inspect};

use crate::archive;
use crate::limits::Limits;
use crate::lock::{LockError, LockedComponent, LockedFile, TrackLock};
use crate::path::{BundlePath, LOCK_FILE, PathError, TrackName};

/// The file that makes a folder a track.
pub const TRACK_FILE: &str = "track.json";

/// How to pack.
#[derive(Debug, Clone)]
pub struct PackOptions {
    /// Name of the track.
    pub name: TrackName,
    /// Names, relative to the folder, of what is fetched from elsewhere: documents with a URL.
    pub fetched: BTreeSet<String>,
    /// Bounds on the bundle.
    pub limits: Limits,
    /// Bounds on components.
    pub bounds: Bounds,
}

/// Something in the folder that is not in the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name; that of a folder ends with `/`.
    pub name: String,
    /// Why.
    pub reason: &'static str,
}

/// A packed track.
#[derive(Debug, Clone)]
pub struct Packed {
    lock: TrackLock,
    contents: Vec<Vec<u8>>,
    left_out: Vec<LeftOut>,
}

/// Why a folder cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It is not a track.
    #[error("'{folder}' is not a track: it has no {TRACK_FILE}")]
    NoTrack {
        /// The folder.
        folder: PathBuf,
    },
    /// Something cannot be read.
    #[error("cannot read '{path}'")]
    Read {
        /// What.
        path: PathBuf,
        #[source]
        /// Why.
        cause: io::Error,
    },
    /// There is a link.
    #[error(
        "'{path}' is a link, which would lead elsewhere on another machine; replace it with a copy of its target"
    )]
    Link {
        /// Where.
        path: PathBuf,
    },
    /// There is something that is neither file nor folder.
    #[error("'{path}' is neither a file nor a folder; remove it from the track")]
    Special {
        /// Where.
        path: PathBuf,
    },
    /// A name is not allowed in a bundle.
    #[error("cannot pack '{folder}'; rename the file")]
    Name {
        /// The folder.
        folder: PathBuf,
        #[source]
        /// Which name, and why.
        cause: PathError,
    },
    /// A name is not a text.
    #[error("the name of '{path}' is not valid Unicode; rename the file")]
    NotUnicode {
        /// Where.
        path: PathBuf,
    },
    /// A name does not fit the header of an archive.
    #[error("the name '{path}' is too long for an archive; shorten the names of its folders")]
    LongName {
        /// The name.
        path: BundlePath,
    },
    /// A component would not run.
    #[error("rally cannot run the component '{path}'; build it again, or remove it from the track")]
    Component {
        /// Where.
        path: PathBuf,
        #[source]
        /// Why.
        cause: InspectError,
    },
    /// There are too many files.
    #[error(
        "the track has more than {limit} files; put files that rally does not need into a folder whose name begins with '_'"
    )]
    TooManyFiles {
        /// How many are allowed.
        limit: usize,
    },
    /// There is too much.
    #[error(
        "the track has more than {limit} bytes, with {path} too many; documents of that size belong behind a URL (data-url), put what \
         rally does not need into a folder whose name begins with \"_\""
    )]
    TooLarge {
        /// How much is allowed.
        limit: u64,
        /// Where it became too much.
        path: PathBuf,
    },
    /// The files cannot be in one bundle.
    #[error(transparent)]
    Lock(#[from] LockError),
}

impl Packed {
    /// What is in it.
    pub fn lock(&self) -> &TrackLock {
        &self.lock
    }

    /// What of the folder is not in it, sorted by name.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// Size of the bundle in bytes.
    pub fn size(&self) -> u64 {
        archive::size(&self.lock)
    }

    /// Writes the bundle and returns the digest of all that was written.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<Digest> {
        let mut hashing = Hashing { out, hash: rally_component::Hasher::default() };
        archive::write(&self.lock, &self.contents, &mut hashing)?;
        hashing.out.flush()?;
        Ok(hashing.hash.finish())
    }

    /// The bundle's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A header was made of each name before, and writing to memory does not fail.
        let _ = archive::write(&self.lock, &self.contents, &mut bytes);
        bytes
    }
}

struct Hashing<'a> {
    out: &'a mut dyn Write,
    hash: rally_component::Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Packs the folder of a track. The same files give the same bundle, whatever their times, owners and modes.
///
/// Not packed are folders whose names begin with `_` (sources), hidden files and folders, lock files of components
/// (`*.wasm.lock`), what editors leave behind, and what the track fetches from elsewhere. Links are refused, even those that stay
/// inside: what they mean depends on the machine.
///
/// # Errors
/// What cannot be packed, and where; nothing is left out silently.
pub fn pack(folder: &Path, options: &PackOptions) -> Result<Packed, PackError> {
    if !folder.join(TRACK_FILE).is_file() {
        return Err(PackError::NoTrack { folder: folder.to_owned() });
    }
    let mut packer = Packer { folder, options, files: Vec::new(), left_out: Vec::new(), size: 0 };
    packer.folder(folder, "")?;
    let Packer { mut files, mut left_out, .. } = packer;
    files.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
    left_out.sort_by(|one, other| one.name.cmp(&other.name));
    let (locked, contents) = files.into_iter().unzip();
    let lock = TrackLock::new(options.name.clone(), locked)?;
    let size = archive::size(&lock);
    if size > options.limits.size || lock.to_text().len() as u64 > options.limits.lock {
        return Err(PackError::TooLarge { limit: options.limits.size, path: folder.to_owned() });
    }
    Ok(Packed { lock, contents, left_out })
}

struct Packer<'a> {
    folder: &'a Path,
    options: &'a PackOptions,
    files: Vec<(LockedFile, Vec<u8>)>,
    left_out: Vec<LeftOut>,
    size: u64,
}

impl Packer<'_> {
    /// Takes in what is in a folder; `prefix` is its name with a slash at the end, empty for the track's own.
    fn folder(&mut self, folder: &Path, prefix: &str) -> Result<(), PackError> {
        let unreadable = |cause| PackError::Read { path: folder.to_owned(), cause };
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let path = entry.path();
            let file_name = entry.file_name();
            let kind = entry.file_type().map_err(|cause| PackError::Read { path: path.clone(), cause })?;
            // What is left out may have any name.
            let shown = file_name.to_string_lossy();
            let name = format!("{prefix}{shown}");
            if let Some(reason) = self.left_out(&shown, &name, kind.is_dir()) {
                let name = if kind.is_dir() { format!("{name}/") } else { name };
                self.left_out.push(LeftOut { name: rally_support::printable::name(&name), reason });
                continue;
            }
            if kind.is_symlink() {
                return Err(PackError::Link { path });
            }
            if file_name.to_str().is_none() {
                return Err(PackError::NotUnicode { path });
            }
            if kind.is_dir() {
                self.folder(&path, &format!("{name}/"))?;
            } else if kind.is_file() {
                self.file(&path, &name)?;
            } else {
                return Err(PackError::Special { path });
            }
        }
        Ok(())
    }

    fn left_out(&self, file_name: &str, name: &str, is_folder: bool) -> Option<&'static str> {
        if file_name.starts_with('.') {
            Some("hidden")
        } else if is_folder {
            file_name.starts_with('_').then_some("sources")
        } else if name == LOCK_FILE {
            Some("generated")
        } else if file_name.ends_with(".wasm.lock") {
            Some("part of the sources")
        } else if is_leftover(file_name) {
            Some("left behind by an editor")
        } else if self.options.fetched.contains(name) {
            Some("fetched from its URL")
        } else {
            None
        }
    }

    fn file(&mut self, path: &Path, name: &str) -> Result<(), PackError> {
        let limits = &self.options.limits;
        if self.files.len() == limits.files {
            return Err(PackError::TooManyFiles { limit: limits.files });
        }
        let too_large = || PackError::TooLarge { limit: limits.size, path: path.to_owned() };
        let bundle_path: BundlePath =
            name.parse().map_err(|cause| PackError::Name { folder: self.folder.to_owned(), cause })?;
        let mut content = Vec::new();
        let room = limits.size - self.size;
        File::open(path)
            .and_then(|file| file.take(room + 1).read_to_end(&mut content))
            .map_err(|cause| PackError::Read { path: path.to_owned(), cause })?;
        let size = content.len() as u64;
        if size > room {
            return Err(too_large());
        }
        if archive::header(name, size).is_err() {
            return Err(PackError::LongName { path: bundle_path });
        }
        let component = if bundle_path.is_component() {
            let facts = inspect(&content, &self.options.bounds)
                .map_err(|cause| PackError::Component { path: path.to_owned(), cause })?;
            Some(LockedComponent::from(&facts))
        } else {
            None
        };
        self.size += size;
        let sha256 = Digest::of(&content);
        self.files.push((LockedFile { path: bundle_path, size, sha256, component }, content));
        Ok(())
    }
}

/// Whether an editor or a merge leaves files with such a name behind.
fn is_leftover(name: &str) -> bool {
    let ends = ["~", ".bak", ".orig", ".rej", ".swp", ".swo", ".tmp"];
    ends.iter().any(|end| name.ends_with(end)) || (name.starts_with('#') && name.ends_with('#'))
}
