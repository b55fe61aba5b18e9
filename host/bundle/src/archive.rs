//! The archive, byte for byte.

use std::io::{self, Write};
use std::ops::Range;

use rally_component::Digest;
use tar::{EntryType, Header};

use crate::limits::Limits;
use crate::lock::TrackLock;
use crate::open::OpenError;
use crate::path::LOCK_FILE;

/// What headers and the padding of contents are a multiple of.
const BLOCK: usize = 512;
/// What an archive ends with.
const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The header of a file, which follows from its name and size alone.
///
/// # Errors
/// Where the name does not fit a header.
pub(crate) fn header(path: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    let mut header = Header::new_ustar();
    header.set_path(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    Ok(*header.as_bytes())
}

/// Writes the archive of a lock and the contents of its files, in its order.
pub(crate) fn write(lock: &TrackLock, contents: &[Vec<u8>], out: &mut dyn Write) -> io::Result<()> {
    let mut entry = |path: &str, content: &[u8]| {
        out.write_all(&header(path, content.len() as u64)?)?;
        out.write_all(content)?;
        out.write_all(&END[..padding(content.len())])
    };
    entry(LOCK_FILE, lock.to_text().as_bytes())?;
    for (file, content) in lock.files().iter().zip(contents) {
        entry(file.path.as_str(), content)?;
    }
    out.write_all(&END)
}

/// Size of the archive of a lock.
pub(crate) fn size(lock: &TrackLock) -> u64 {
    let entry = |size: u64| (BLOCK as u64).saturating_add(size.next_multiple_of(BLOCK as u64));
    let files = lock.files().iter().map(|file| entry(file.size));
    files.fold(entry(lock.to_text().len() as u64) + END.len() as u64, u64::saturating_add)
}

fn padding(size: usize) -> usize {
    size.next_multiple_of(BLOCK) - size
}

/// Reads an archive: its lock, and where in it the content of each file is, in the order of the lock. Every byte has to be what
/// [`write`] would have written, and every file has to have the digest that the lock says.
pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<(TrackLock, Vec<Range<usize>>), OpenError> {
    let mut walk = Walk { bytes, position: 0 };
    let size = lock_size(bytes).ok_or(OpenError::NotABundle { begin: begin(bytes) })?;
    if size > limits.lock {
        return Err(OpenError::LockTooLarge { size, limit: limits.lock });
    }
    let lock = TrackLock::parse(&bytes[walk.entry(LOCK_FILE, size)?])?;
    if lock.files().len() > limits.files {
        return Err(OpenError::TooManyFiles { count: lock.files().len(), limit: limits.files });
    }
    let mut contents = Vec::with_capacity(lock.files().len());
    for file in lock.files() {
        let content = walk.entry(file.path.as_str(), file.size)?;
        if Digest::of(&bytes[content.clone()]) != file.sha256 {
            return Err(OpenError::FileChanged { path: file.path.clone() });
        }
        contents.push(content);
    }
    walk.expect(&END, "the end")?;
    if walk.position < bytes.len() {
        return Err(OpenError::Changed { offset: walk.position as u64, place: "after the end".to_owned() });
    }
    Ok((lock, contents))
}

/// The size that the first header says, where that header is a lock's.
fn lock_size(bytes: &[u8]) -> Option<u64> {
    let block = bytes.first_chunk::<BLOCK>()?;
    let size = Header::from_byte_slice(block).entry_size().ok()?;
    (header(LOCK_FILE, size).ok()? == *block).then_some(size)
}

fn begin(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(16)].escape_ascii().to_string()
}

struct Walk<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Walk<'_> {
    /// Skips a file and returns the position of its content.
    fn entry(&mut self, path: &str, size: u64) -> Result<Range<usize>, OpenError> {
        let begin = self.position;
        let changed =
            |_| OpenError::Changed { offset: begin as u64, place: format!("in the header of '{path}'") };
        self.expect(&header(path, size).map_err(changed)?, &format!("in the header of \"{path}\""))?;
        let end = usize::try_from(size).ok().and_then(|size| self.position.checked_add(size));
        let end = end
            .filter(|end| *end <= self.bytes.len())
            .ok_or(OpenError::CutShort { size: self.bytes.len() as u64, path: path.to_owned() })?;
        let content = self.position..end;
        self.position = end;
        self.expect(&END[..padding(content.len())], &format!("after \"{path}\""))?;
        Ok(content)
    }

    /// Passes bytes that have to be these.
    fn expect(&mut self, expected: &[u8], place: &str) -> Result<(), OpenError> {
        let rest = &self.bytes[self.position..];
        let same = rest.iter().zip(expected).take_while(|(one, other)| one == other).count();
        self.position += same;
        if same == expected.len() {
            return Ok(());
        }
        Err(OpenError::Changed { offset: self.position as u64, place: place.to_owned() })
    }
}
