//! Archives of tracks that a developer has made by any tool.

use std::io;
use std::ops::Range;

use rally_component::Digest;
use tar::{Archive, EntryType};

use crate::limits::Limits;
use crate::lock::TrackLock;
use crate::open::OpenError;
use crate::path::{BundlePath, LOCK_FILE, clash};

/// What is in an archive.
pub(crate) struct Loose {
    /// Its lock, if it has one.
    pub lock: Option<TrackLock>,
    /// Its files, sorted, and where in the archive their contents are.
    pub files: Vec<(BundlePath, Range<usize>)>,
}

/// Reads an archive: files and folders only, with names that lead nowhere else, each once. Where it has a lock, it has the files
/// of the lock and no others.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Loose, OpenError> {
    let mut lock = None;
    let mut files = Vec::new();
    for entry in Archive::new(bytes).entries().map_err(OpenError::Tar)? {
        let entry = entry.map_err(OpenError::Tar)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = name.strip_prefix("./").unwrap_or(&name);
        match entry.header().entry_type() {
            EntryType::Directory => {
                check_folder(name)?;
                continue;
            }
            EntryType::Regular => {}
            // What an archive says of itself.
            EntryType::XGlobalHeader => continue,
            kind => {
                return Err(OpenError::NotAFile {
                    name: rally_support::printable::name(name),
                    kind: describe(kind),
                });
            }
        }
        let content = content(bytes, entry.raw_file_position(), entry.size())?;
        if name == LOCK_FILE {
            if content.len() as u64 > limits.lock {
                return Err(OpenError::LockTooLarge { size: content.len() as u64, limit: limits.lock });
            }
            lock = Some(TrackLock::parse(&bytes[content])?);
            continue;
        }
        if files.len() == limits.files {
            return Err(OpenError::TooManyFiles { count: files.len() + 1, limit: limits.files });
        }
        files.push((name.parse::<BundlePath>()?, content));
    }
    files.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(path) = clash(files.iter().map(|(path, _)| path)) {
        return Err(OpenError::Clash { path: path.clone() });
    }
    if let Some(lock) = &lock {
        compare(lock, &files, bytes)?;
    }
    Ok(Loose { lock, files })
}

fn check_folder(name: &str) -> Result<(), OpenError> {
    match name.trim_end_matches('/') {
        "" | "." => Ok(()),
        name => name.parse::<BundlePath>().map(drop).map_err(OpenError::Path),
    }
}

fn content(bytes: &[u8], begin: u64, size: u64) -> Result<Range<usize>, OpenError> {
    let begin = usize::try_from(begin).ok();
    let end = begin.zip(usize::try_from(size).ok()).and_then(|(begin, size)| begin.checked_add(size));
    match begin.zip(end) {
        Some((begin, end)) if end <= bytes.len() => Ok(begin..end),
        _ => Err(OpenError::Tar(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn compare(lock: &TrackLock, files: &[(BundlePath, Range<usize>)], bytes: &[u8]) -> Result<(), OpenError> {
    let mut locked = lock.files().iter();
    for (path, content) in files {
        match locked.next() {
            Some(file) if file.path == *path => {
                if file.sha256 != Digest::of(&bytes[content.clone()]) {
                    return Err(OpenError::FileChanged { path: path.clone() });
                }
            }
            Some(file) if file.path < *path => {
                return Err(OpenError::FileMissing { path: file.path.clone() });
            }
            _ => return Err(OpenError::FileExtra { path: path.clone() }),
        }
    }
    locked.next().map_or(Ok(()), |file| Err(OpenError::FileMissing { path: file.path.clone() }))
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink => "a symbolic link",
        EntryType::Link => "a hard link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        EntryType::GNUSparse => "a sparse file",
        _ => "neither a file nor a folder",
    }
}
