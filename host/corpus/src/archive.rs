//! Takes the one document out of an archive, and nothing else.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;
use std::rc::Rc;

use super::data_set::{ArchiveFormat, last_part};
use super::document_file::{Output, SizeLimit};
use super::error::{PrepareError, UnpackError};
use super::progress::{Phase, Progress};
use super::stream::{Compression, PIECE_BYTES, Position, damage, unpacked};

/// What may come out of a tar archive beside the document: headers, padding, folders, files of macOS.
const BESIDE_DOCUMENT_BYTES: u64 = 64 << 20;

/// Names and attributes of one member of a tar archive. The tar library holds them in memory.
const TAR_HEADER_BYTES: u64 = 1 << 20;

/// Unpacks the document `document_name` from an archive into `output`. The archive is read to its end, so that all
/// its checksums are verified and a second file is found.
pub(super) fn unpack(
    archive: &Path,
    format: ArchiveFormat,
    document_name: &str,
    limit: SizeLimit,
    output: &mut dyn Output,
    progress: &dyn Progress,
) -> Result<(), PrepareError> {
    let file = File::open(archive).map_err(|error| PrepareError::io("open", archive, error))?;
    let archive_bytes =
        file.metadata().map_err(|error| PrepareError::io("read the size of", archive, error))?.len();
    let mut task = Task {
        archive,
        archive_bytes,
        expected: last_part(document_name),
        limit,
        output,
        position: Position::default(),
        progress,
    };
    if archive_bytes == 0 {
        return Err(task.unpack_error(UnpackError::Truncated { offset: 0 }));
    }
    match format {
        ArchiveFormat::Zip => task.zip(file),
        ArchiveFormat::Bzip2 => task.compressed(file, Compression::Bzip2),
        ArchiveFormat::Gzip => task.compressed(file, Compression::Gzip),
        ArchiveFormat::Zstd => task.compressed(file, Compression::Zstd),
        ArchiveFormat::Tar => task.tar(file, Compression::None),
        ArchiveFormat::TarGzip => task.tar(file, Compression::Gzip),
        ArchiveFormat::TarBzip2 => task.tar(file, Compression::Bzip2),
    }
}

struct Task<'a> {
    archive: &'a Path,
    archive_bytes: u64,
    expected: &'a str,
    limit: SizeLimit,
    output: &'a mut dyn Output,
    position: Position,
    progress: &'a dyn Progress,
}

/// What a member of an archive is, apart from its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MemberKind {
    File,
    Folder,
    Special(&'static str),
}

impl Task<'_> {
    fn compressed(&mut self, file: File, compression: Compression) -> Result<(), PrepareError> {
        let mut content = self.open(file, compression)?;
        self.copy(&mut content)?;
        Ok(())
    }

    fn tar(&mut self, file: File, compression: Compression) -> Result<(), PrepareError> {
        let content = self.open(file, compression)?;
        let beside = Rc::new(Cell::new(TAR_HEADER_BYTES));
        let stream = Budgeted { inner: content, left: Rc::clone(&beside) };
        let mut tar = tar::Archive::new(stream);
        let mut found = false;
        let mut beside_document = 0_u64;
        let mut entries = tar.entries().map_err(|error| self.read_error(error))?;
        loop {
            // A member's name may be as long as its header says, and is read into memory.
            beside.set(TAR_HEADER_BYTES);
            let Some(entry) = entries.next() else { break };
            let mut entry = entry.map_err(|error| self.read_error(error))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = match entry.header().entry_type() {
                tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                    MemberKind::File
                }
                // Written by git archive; says nothing about files.
                tar::EntryType::Directory | tar::EntryType::XGlobalHeader => MemberKind::Folder,
                tar::EntryType::Symlink => MemberKind::Special("a symbolic link"),
                tar::EntryType::Link => MemberKind::Special("a hard link"),
                _ => MemberKind::Special("a special file"),
            };
            let is_document = self.check_member(&name, kind, found)?;
            let size = entry.size();
            if is_document {
                found = true;
                beside.set(u64::MAX);
                let copied = self.copy(&mut io::BufReader::with_capacity(PIECE_BYTES, &mut entry))?;
                if copied < size {
                    return Err(self.unpack_error(UnpackError::Truncated { offset: self.archive_bytes }));
                }
            } else {
                beside_document = beside_document.saturating_add(size);
                if beside_document > BESIDE_DOCUMENT_BYTES {
                    return Err(self.unexpected(&name));
                }
                beside.set(BESIDE_DOCUMENT_BYTES);
                let skipped =
                    io::copy(&mut entry, &mut io::sink()).map_err(|error| self.read_error(error))?;
                if skipped < size {
                    return Err(self.unpack_error(UnpackError::Truncated { offset: self.archive_bytes }));
                }
            }
        }
        // The checksums of the compressed stream stand at its very end, after the padding.
        beside.set(BESIDE_DOCUMENT_BYTES);
        let mut rest = tar.into_inner();
        io::copy(&mut rest, &mut io::sink()).map_err(|error| self.read_error(error))?;
        self.require(found)
    }

    fn zip(&mut self, file: File) -> Result<(), PrepareError> {
        let mut zip =
            zip::ZipArchive::new(file).map_err(|error| self.zip_error(error, self.archive_bytes))?;
        if zip.has_duplicate_names() {
            let member = self.expected.to_owned();
            return Err(self.unpack_error(UnpackError::DuplicateMember { member }));
        }
        let mut document = None;
        for index in 0..zip.len() {
            let member = zip.by_index_raw(index).map_err(|error| self.zip_error(error, 0))?;
            let name = String::from_utf8_lossy(member.name_raw()).into_owned();
            let kind = if member.is_symlink() {
                MemberKind::Special("a symbolic link")
            } else if member.is_dir() {
                MemberKind::Folder
            } else {
                MemberKind::File
            };
            if self.check_member(&name, kind, document.is_some())? {
                document = Some(index);
            }
        }
        self.require(document.is_some())?;
        let index = document.unwrap_or_default();
        let member = zip.by_index(index).map_err(|error| self.zip_error(error, 0))?;
        let start = member.data_start().unwrap_or(0);
        let size = member.size();
        if size > self.limit.bytes() {
            return Err(self.unpack_error(self.limit.exceeded()));
        }
        self.position.set(start);
        // The library buffers what it reads, so only its output shows the position.
        let compressed = member.compressed_size();
        let mut content = io::BufReader::with_capacity(PIECE_BYTES, member);
        let copied = self.copy_with(&mut content, |copied| {
            start + (u128::from(copied) * u128::from(compressed) / u128::from(size.max(1))) as u64
        })?;
        if copied != size {
            let reason = format!("the header promises {size} bytes, but the archive contains {copied}");
            return Err(self.unpack_error(UnpackError::Corrupt { offset: start, reason }));
        }
        Ok(())
    }

    fn open(&self, file: File, compression: Compression) -> Result<Box<dyn BufRead>, PrepareError> {
        unpacked(file, compression, &self.position)
            .map_err(|error| PrepareError::io("start to unpack", self.archive, error))
    }

    fn copy(&mut self, content: &mut dyn BufRead) -> Result<u64, PrepareError> {
        let position = self.position.clone();
        self.copy_with(content, |_| position.get())
    }

    /// Writes content to the document until it ends; returns its bytes.
    fn copy_with(
        &mut self,
        content: &mut dyn BufRead,
        position: impl Fn(u64) -> u64,
    ) -> Result<u64, PrepareError> {
        let mut copied = 0;
        loop {
            if self.progress.is_cancelled() {
                return Err(PrepareError::Cancelled);
            }
            let bytes = match content.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    self.position.set(position(copied));
                    return Err(self.read_error(error));
                }
            };
            if bytes.is_empty() {
                return Ok(copied);
            }
            if self.output.byte_count() + bytes.len() as u64 > self.limit.bytes() {
                return Err(self.unpack_error(self.limit.exceeded()));
            }
            let count = bytes.len();
            self.output.write(bytes)?;
            content.consume(count);
            copied += count as u64;
            let done = position(copied).min(self.archive_bytes);
            self.progress.report(Phase::Decompressing, done, Some(self.archive_bytes));
        }
    }

    /// Whether a member is the document; an error if it may not be there at all. Folders and the files in which
    /// macOS keeps attributes were never in Rally's way, so they are skipped.
    fn check_member(&self, name: &str, kind: MemberKind, found: bool) -> Result<bool, PrepareError> {
        let member = || name.to_owned();
        let drive = name.as_bytes().get(1) == Some(&b':');
        let separators: &[char] = &['/', '\\'];
        if name.starts_with(separators) || drive || name.split(separators).any(|part| part == "..") {
            return Err(self.unpack_error(UnpackError::EscapingMember { member: member() }));
        }
        match kind {
            MemberKind::Special(kind) => {
                return Err(self.unpack_error(UnpackError::SpecialMember { member: member(), kind }));
            }
            MemberKind::Folder => return Ok(false),
            MemberKind::File => {}
        }
        let mut parts = name.split('/').filter(|part| !part.is_empty() && *part != ".");
        let first = parts.next().unwrap_or_default();
        let is_alone = parts.next().is_none();
        if first == "__MACOSX" || last_part(name).starts_with("._") {
            return Ok(false);
        }
        if !is_alone || first != self.expected {
            return Err(self.unexpected(name));
        }
        if found {
            return Err(self.unpack_error(UnpackError::DuplicateMember { member: member() }));
        }
        Ok(true)
    }

    fn require(&self, found: bool) -> Result<(), PrepareError> {
        if found {
            return Ok(());
        }
        Err(self.unpack_error(UnpackError::MissingMember { expected: self.expected.to_owned() }))
    }

    fn unexpected(&self, member: &str) -> PrepareError {
        self.unpack_error(UnpackError::UnexpectedMember {
            member: member.to_owned(),
            expected: self.expected.to_owned(),
        })
    }

    fn unpack_error(&self, source: UnpackError) -> PrepareError {
        PrepareError::Unpack { path: self.archive.to_owned(), source }
    }

    fn read_error(&self, error: io::Error) -> PrepareError {
        let ended = self.position.get() >= self.archive_bytes;
        match damage(error, self.position.get()) {
            // The tar library reports a missing half of a block with an error of its own.
            Ok(UnpackError::Corrupt { offset, reason }) if ended && reason.contains("entire block") => {
                self.unpack_error(UnpackError::Truncated { offset })
            }
            Ok(damage) => self.unpack_error(damage),
            Err(error) => PrepareError::io("read", self.archive, error),
        }
    }

    fn zip_error(&self, error: zip::result::ZipError, offset: u64) -> PrepareError {
        match error {
            zip::result::ZipError::Io(error) => match damage(error, offset) {
                Ok(damage) => self.unpack_error(damage),
                Err(error) => PrepareError::io("read", self.archive, error),
            },
            zip::result::ZipError::UnsupportedArchive(what) => {
                self.unpack_error(UnpackError::Unsupported { reason: what.to_string() })
            }
            error if offset == self.archive_bytes => {
                let reason = format!("{error}; its directory, which stands at its end, is missing");
                self.unpack_error(UnpackError::Corrupt { offset, reason })
            }
            error => self.unpack_error(UnpackError::Corrupt { offset, reason: error.to_string() }),
        }
    }
}

/// Stops a library that reads too much at once.
struct Budgeted<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            let reason = "there is far more beside the document than a tar archive of one file needs";
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut buffer[..most])?;
        self.left.set(left - count as u64);
        Ok(count)
    }
}
