//! A file that appears under its name only when it is whole.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rally_support::disk;

use super::confine::create_anew;
use super::error::{PrepareError, UnpackError};
use super::offsets::{LINES_PER_OFFSET, LineCounter, LineOffsets};

/// Without a declaration this much may always be unpacked ...
const LIMIT_FLOOR: u64 = 1 << 30;

/// ... and this many times the size of the archive. JSON packs 5 to 30 times; archives made to explode, 1000 times and more.
const LIMIT_RATIO: u64 = 250;

/// How much a document may grow.
#[derive(Debug, Clone, Copy)]
pub(super) enum SizeLimit {
    /// The track says how large it is.
    Declared(u64),
    /// The track does not say.
    Undeclared { bytes: u64, reason: &'static str },
}

impl SizeLimit {
    /// The limit for an archive, checked against the free space of the directory that it is unpacked to.
    pub(super) fn of(
        declared: Option<u64>,
        archive_bytes: u64,
        target: &Path,
    ) -> Result<SizeLimit, PrepareError> {
        let folder = target.parent().unwrap_or(Path::new("."));
        let available = disk::free_space(folder)
            .map_err(|error| PrepareError::io("find out the free space of", folder, error))?;
        if let Some(declared) = declared {
            check_space(target, declared, available)?;
            return Ok(SizeLimit::Declared(declared));
        }
        let by_ratio = archive_bytes.saturating_mul(LIMIT_RATIO).max(LIMIT_FLOOR);
        // A document of unknown size must not take the last bytes of the disk from everybody else.
        let by_space = available - available / 20;
        Ok(if by_ratio <= by_space {
            SizeLimit::Undeclared { bytes: by_ratio, reason: "1 GiB or 250 times the size of the archive" }
        } else {
            SizeLimit::Undeclared { bytes: by_space, reason: "95 % of the free disk space" }
        })
    }

    pub(super) fn bytes(self) -> u64 {
        match self {
            SizeLimit::Declared(bytes) | SizeLimit::Undeclared { bytes, .. } => bytes,
        }
    }

    pub(super) fn exceeded(self) -> UnpackError {
        match self {
            SizeLimit::Declared(declared) => UnpackError::LargerThanDeclared { declared },
            SizeLimit::Undeclared { bytes, reason } => UnpackError::LargerThanLimit { limit: bytes, reason },
        }
    }
}

/// Fails before anything is written if the file cannot fit.
pub(super) fn check_space(target: &Path, needed: u64, available: u64) -> Result<(), PrepareError> {
    if needed > available {
        return Err(PrepareError::DiskFull {
            path: target.to_owned(),
            needed: Some(needed),
            available: Some(available),
            source: None,
        });
    }
    Ok(())
}

/// Where the content of an archive goes.
pub(super) trait Output {
    /// Takes the next bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<(), PrepareError>;

    /// Bytes taken so far.
    fn byte_count(&self) -> u64;
}

/// A document while it is unpacked: bytes go to `<name>.unpacking`, lines are counted on the way. Dropped before
/// [`DocumentFile::finish`], it removes that file. After a crash the next attempt overwrites it; the caller's lock
/// makes sure that there is one writer.
#[derive(Debug)]
pub(super) struct DocumentFile {
    target: PathBuf,
    temporary: PathBuf,
    file: File,
    lines: LineCounter,
    finished: bool,
}

impl DocumentFile {
    pub(super) fn create(target: &Path) -> Result<DocumentFile, PrepareError> {
        let temporary = with_suffix(target, ".unpacking");
        let file = create_anew(&temporary).map_err(|error| PrepareError::io("create", &temporary, error))?;
        Ok(DocumentFile {
            target: target.to_owned(),
            temporary,
            file,
            lines: LineCounter::new(LINES_PER_OFFSET),
            finished: false,
        })
    }

    /// Makes the document durable, gives it the time of its archive and its name.
    pub(super) fn finish(mut self, modified: Option<SystemTime>) -> Result<LineOffsets, PrepareError> {
        if let Some(modified) = modified {
            self.file
                .set_modified(modified)
                .map_err(|error| PrepareError::io("set the time of", &self.temporary, error))?;
        }
        publish(&self.file, &self.temporary, &self.target)
            .map_err(|error| PrepareError::io("write", &self.target, error))?;
        self.finished = true;
        Ok(std::mem::replace(&mut self.lines, LineCounter::new(LINES_PER_OFFSET)).finish())
    }
}

impl Output for DocumentFile {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PrepareError> {
        self.file.write_all(bytes).map_err(|error| PrepareError::io("write", &self.target, error))?;
        self.lines.push(bytes);
        Ok(())
    }

    fn byte_count(&self) -> u64 {
        self.lines.byte_count()
    }
}

/// A document that is there already, compared with what comes out of an archive. The first difference ends the unpacking.
#[derive(Debug)]
pub(super) struct ComparedFile {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    lines: LineCounter,
    differs: bool,
}

impl ComparedFile {
    pub(super) fn open(path: &Path) -> Result<ComparedFile, PrepareError> {
        let file = File::open(path).map_err(|error| PrepareError::io("open", path, error))?;
        let lines = LineCounter::new(LINES_PER_OFFSET);
        Ok(ComparedFile { path: path.to_owned(), file, buffer: Vec::new(), lines, differs: false })
    }

    /// Whether a difference was found.
    pub(super) fn differs(&self) -> bool {
        self.differs
    }

    /// The offsets of the document if it ends where the archive's content does.
    pub(super) fn finish(mut self) -> Result<Option<LineOffsets>, PrepareError> {
        let rest = self.file.read(&mut [0]).map_err(|error| PrepareError::io("read", &self.path, error))?;
        Ok((rest == 0 && !self.differs).then(|| self.lines.finish()))
    }
}

impl Output for ComparedFile {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PrepareError> {
        self.buffer.resize(bytes.len(), 0);
        match self.file.read_exact(&mut self.buffer) {
            Ok(()) if self.buffer == bytes => {
                self.lines.push(bytes);
                Ok(())
            }
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                Err(PrepareError::io("read", &self.path, error))
            }
            _ => {
                self.differs = true;
                let reason = io::Error::other("it is not what its archive holds");
                Err(PrepareError::io("compare", &self.path, reason))
            }
        }
    }

    fn byte_count(&self) -> u64 {
        self.lines.byte_count()
    }
}

impl Drop for DocumentFile {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Flushes a finished file to disk and renames it, and the rename too.
pub(super) fn publish(file: &File, temporary: &Path, target: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(temporary, target)?;
    if let Some(folder) = target.parent() {
        // Not every file system can flush a directory; the rename is atomic all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// The path with something appended to its file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn without_a_declaration_the_limit_grows_with_the_archive_and_ends_with_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("documents.json");
        let available = disk::free_space(folder.path()).unwrap();
        let small = SizeLimit::of(None, 10, &target).unwrap().bytes();
        assert!(small <= LIMIT_FLOOR && small <= available);
        let huge = SizeLimit::of(None, u64::MAX / 2, &target).unwrap();
        assert!(huge.bytes() < available + available / 10);
        let UnpackError::LargerThanLimit { reason, .. } = huge.exceeded() else { panic!("wrong error") };
        assert_eq!(reason, "95 % of the free disk space");
    }

    #[test]
    fn a_document_that_is_not_finished_does_not_appear() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("documents.json");
        let mut document = DocumentFile::create(&target).unwrap();
        document.write(b"{}\n").unwrap();
        drop(document);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_finished_document_has_the_time_of_its_archive() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("documents.json");
        let mut document = DocumentFile::create(&target).unwrap();
        document.write(b"{}\n{}\n").unwrap();
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_500_000_000);
        assert_eq!(document.finish(Some(time)).unwrap().line_count(), 2);
        assert_eq!(fs::metadata(&target).unwrap().modified().unwrap(), time);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
