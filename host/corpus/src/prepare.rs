//! The way from a data set to documents that can be read.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::archive::unpack;
use super::checksum::{Seal, sha256_of};
use super::confine::{check_inside, create_folder_of};
use super::data_set::{ArchiveFormat, DataSet, last_part};
use super::document_file::{DocumentFile, SizeLimit, with_suffix};
use super::download::{Download, DownloadOptions};
use super::error::{DownloadError, PrepareError};
use super::locate::{Found, Mismatch, Places, Rejected};
use super::lock::PrepareLock;
use super::offsets::{LINES_PER_OFFSET, LineOffsets};
use super::progress::Progress;

/// The lines of smaller files are counted again rather than believed: it takes a few milliseconds.
const TRUSTED_OFFSETS_BYTES: u64 = 64 << 20;

/// How to prepare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrepareOptions {
    /// Whether nothing may be downloaded.
    pub offline: bool,
    /// Whether the data set is the small one for test mode; only changes what an error says.
    pub test_mode: bool,
    /// Lines of one document: 2 if each has an action-and-meta-data line in the file, else 1.
    pub lines_per_document: u64,
    /// How patient downloads are.
    pub download: DownloadOptions,
}

impl Default for PrepareOptions {
    fn default() -> PrepareOptions {
        PrepareOptions {
            offline: false,
            test_mode: false,
            lines_per_document: 1,
            download: DownloadOptions::default(),
        }
    }
}

/// Documents that are there, whole and counted.
#[derive(Debug, Clone)]
pub struct PreparedDocuments {
    /// The document file.
    pub path: PathBuf,
    /// Number of lines.
    pub line_count: u64,
    /// Number of documents.
    pub document_count: u64,
    /// Size of the file in bytes.
    pub uncompressed_bytes: u64,
    /// Where lines begin.
    pub offsets: LineOffsets,
    /// What is odd but did no harm, for the user to read.
    pub warnings: Vec<String>,
}

impl PreparedDocuments {
    /// The bytes of `line_count` lines from `first_line` on; see [`LineOffsets::byte_range`].
    ///
    /// # Errors
    /// The file cannot be read or became shorter.
    pub fn byte_range(&self, first_line: u64, line_count: u64) -> io::Result<Range<u64>> {
        self.offsets.byte_range(&File::open(&self.path)?, first_line, line_count)
    }
}

/// Finds, downloads and unpacks the documents of a data set, verifies their sizes, checksum and number, and indexes their
/// lines.
///
/// `search_dirs` are looked through first and only read; what links lead to elsewhere is refused there. Everything is written
/// to `cache_dir`, which may be a link itself, but nothing is written through a link below it. Without
/// uncompressed-bytes at most 1 GiB or 250 times the size of the archive is unpacked, whichever is more, and never
/// more than 95 % of the free space.
///
/// # Errors
/// [`PrepareError`] says what is wrong with which file. A downloaded archive stays, and so does a document that is
/// whole but has the wrong number of lines, as in Rally.
pub fn prepare(
    data_set: &DataSet,
    search_dirs: &[PathBuf],
    cache_dir: &Path,
    options: &PrepareOptions,
    progress: &dyn Progress,
) -> Result<PreparedDocuments, PrepareError> {
    data_set.check()?;
    let task = Preparation {
        data_set,
        cache_dir,
        places: Places::new(search_dirs, cache_dir),
        document: cache_dir.join(&data_set.document_name),
        options,
        progress,
    };
    let mut wrong = Vec::new();
    let mut found = task.find(&mut wrong)?;
    if found.document.is_none() {
        if found.archive.is_none() {
            task.may_download(&mut found)?;
        }
        create_folder_of(cache_dir, &task.document)?;
        let _lock = PrepareLock::acquire(&with_suffix(&task.document, ".lock"), progress)?;
        // Another process may have been faster.
        wrong.clear();
        found = task.find(&mut wrong)?;
        if found.document.is_none() {
            return task.make_document(found, &mut wrong);
        }
    }
    match found.document {
        Some(document) => task.use_document(document),
        None => Err(task.not_found(&mut found)),
    }
}

struct Preparation<'a> {
    data_set: &'a DataSet,
    cache_dir: &'a Path,
    places: Places,
    /// Where the document goes if it has to be made.
    document: PathBuf,
    options: &'a PrepareOptions,
    progress: &'a dyn Progress,
}

impl Preparation<'_> {
    /// What is there and can be used. A document is used only if it is known to be, or to come from, what the declared
    /// checksum belongs to; the checksum of an archive is looked at when it is unpacked.
    fn find(&self, wrong: &mut Vec<Rejected>) -> Result<Found, PrepareError> {
        let mut found = self.places.find(self.data_set, wrong)?;
        let Some(sha256) = &self.data_set.sha256 else { return Ok(found) };
        while let Some(document) = found.document.take() {
            let metadata =
                fs::metadata(&document).map_err(|error| PrepareError::io("look at", &document, error))?;
            let seal = Seal::of(&metadata, sha256)
                .map_err(|error| PrepareError::io("read the time of", &document, error))?;
            if seal.is_in(&self.seal_file()) {
                found.document = Some(document);
                break;
            }
            if self.data_set.archive_name.is_some() {
                found.unverified = Some(document);
                break;
            }
            match self.checked(&document, false)? {
                None => {
                    self.store_seal(&seal);
                    found.document = Some(document);
                    break;
                }
                Some(rejected) => {
                    wrong.push(rejected);
                    found = self.places.find(self.data_set, wrong)?;
                }
            }
        }
        Ok(found)
    }

    /// What is wrong with the checksum of the file that the track names.
    fn checked(&self, file: &Path, is_archive: bool) -> Result<Option<Rejected>, PrepareError> {
        let Some(expected) = &self.data_set.sha256 else { return Ok(None) };
        let actual = sha256_of(file, self.progress)?;
        let expected = expected.to_ascii_lowercase();
        Ok((actual != expected).then(|| {
            tracing::warn!(file = %file.display(), actual, expected, "the sha256 differs, the file is not used");
            Rejected { path: file.to_owned(), is_archive, mismatch: Mismatch::Sha256 { expected, actual } }
        }))
    }

    fn seal_file(&self) -> PathBuf {
        with_suffix(&self.document, ".verified")
    }

    /// Without a seal the document is only verified again the next time.
    fn store_seal(&self, seal: &Seal) {
        // The cache directory may not exist where the documents are the user's own.
        match create_folder_of(self.cache_dir, &self.document).map(|()| seal.store(&self.seal_file())) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "that the document was verified is not kept"),
            Err(error) => tracing::debug!(%error, "that the document was verified is not kept"),
        }
    }

    /// Fails if the only way would be a download, and there is none.
    fn may_download(&self, found: &mut Found) -> Result<(), PrepareError> {
        if self.data_set.base_url.is_some() && !self.options.offline {
            return Ok(());
        }
        Err(self.not_found(found))
    }

    fn not_found(&self, found: &mut Found) -> PrepareError {
        let wanted_archive = self.data_set.archive_name.is_some();
        if let Some(index) = found.rejected.iter().position(|file| file.is_archive == wanted_archive) {
            return found.rejected.swap_remove(index).into_error();
        }
        let offline = self.options.offline && self.data_set.base_url.is_some();
        if let (Some(path), Some(archive)) = (found.unverified.take(), &self.data_set.archive_name) {
            return PrepareError::Unverified { path, archive: archive.clone(), offline };
        }
        if self.options.test_mode {
            let name = self.data_set.remote_name().to_owned();
            return PrepareError::TestModeNotSupported { name, source: None };
        }
        let archive = self.data_set.archive_name.clone();
        PrepareError::NotFound {
            names: archive.into_iter().chain([self.data_set.document_name.clone()]).collect(),
            looked_in: self.places.directories().to_vec(),
            rejected: found.rejected.iter().map(|file| file.reason()).collect(),
            offline,
        }
    }

    /// Makes the document from its archive or gets it from the server; the caller holds the lock.
    fn make_document(
        &self,
        mut found: Found,
        wrong: &mut Vec<Rejected>,
    ) -> Result<PreparedDocuments, PrepareError> {
        let mut warnings = Vec::new();
        while let Some(archive) = &found.archive {
            let Some(rejected) = self.checked(archive, true)? else { break };
            wrong.push(rejected);
            found = self.places.find(self.data_set, wrong)?;
        }
        if found.archive.is_none() {
            self.may_download(&mut found)?;
        }
        let Some(archive_name) = &self.data_set.archive_name else {
            self.download(&self.document, self.data_set.uncompressed_bytes)?;
            self.seal_document();
            return self.use_document(self.document.clone());
        };
        let archive = match found.archive {
            Some(archive) => archive,
            None => {
                // Beside the document, which may be below a folder.
                let archive = self.document.with_file_name(last_part(archive_name));
                self.download(&archive, self.data_set.compressed_bytes)?;
                archive
            }
        };
        if let Some((expected, actual)) = found.archive_bytes_differ {
            let warning = format!(
                "[{}] has [{actual}] bytes but the track declares [{expected}] (compressed-bytes)",
                archive.display()
            );
            tracing::warn!("{warning}");
            warnings.push(warning);
        }
        let offsets = self.unpack(&archive)?;
        self.seal_document();
        self.store_offsets(&offsets);
        self.finish(self.document.clone(), offsets, warnings)
    }

    /// Remembers that the document in the cache is what the declared checksum belongs to.
    fn seal_document(&self) {
        let Some(sha256) = &self.data_set.sha256 else { return };
        if let Ok(seal) = fs::metadata(&self.document).and_then(|metadata| Seal::of(&metadata, sha256)) {
            self.store_seal(&seal);
        }
    }

    fn download(&self, target: &Path, expected: Option<u64>) -> Result<(), PrepareError> {
        let url = self.data_set.url().unwrap_or_default();
        let download = Download {
            url: &url,
            target,
            expected,
            sha256: self.data_set.sha256.as_deref(),
            is_archive: self.data_set.archive_name.is_some(),
            options: &self.options.download,
            progress: self.progress,
        };
        download.run().map_err(|error| match error {
            PrepareError::Download { source, .. }
                if self.options.test_mode && matches!(*source, DownloadError::Status { status: 404 }) =>
            {
                let name = self.data_set.remote_name().to_owned();
                PrepareError::TestModeNotSupported { name, source: Some(source) }
            }
            error => error,
        })
    }

    fn unpack(&self, archive: &Path) -> Result<LineOffsets, PrepareError> {
        let metadata = fs::metadata(archive).map_err(|error| PrepareError::io("look at", archive, error))?;
        let format = self.data_set.archive_name.as_deref().and_then(ArchiveFormat::split);
        let Some((_, format)) = format else {
            let reason = "its archive's name does not end like an archive";
            return Err(PrepareError::InvalidName { name: self.data_set.document_name.clone(), reason });
        };
        let limit = SizeLimit::of(self.data_set.uncompressed_bytes, metadata.len(), &self.document)?;
        let mut document = DocumentFile::create(&self.document)?;
        unpack(archive, format, &self.data_set.document_name, limit, &mut document, self.progress)?;
        let actual = document.byte_count();
        match self.data_set.uncompressed_bytes {
            Some(expected) if expected != actual => {
                Err(PrepareError::WrongDocumentSize { path: archive.to_owned(), expected, actual })
            }
            _ => document.finish(metadata.modified().ok()),
        }
    }

    /// Indexes a document that is there, from an offset file if there is one to trust.
    fn use_document(&self, document: PathBuf) -> Result<PreparedDocuments, PrepareError> {
        let file = File::open(&document).map_err(|error| PrepareError::io("open", &document, error))?;
        let length =
            file.metadata().map_err(|error| PrepareError::io("read the size of", &document, error))?.len();
        if length >= TRUSTED_OFFSETS_BYTES {
            for offset_file in [with_suffix(&document, ".offset"), with_suffix(&self.document, ".offset")] {
                // One that a track brings along must be in its folder, as its documents are.
                let folder = document.parent().unwrap_or(Path::new("."));
                if document != self.document && offset_file.parent() == Some(folder) && offset_file.exists() {
                    check_inside(folder, &offset_file)?;
                }
                match LineOffsets::load(&offset_file, &file) {
                    Ok(offsets) => return self.finish(document, offsets, Vec::new()),
                    Err(error) => tracing::debug!(%error, "offset file not used"),
                }
            }
        }
        let offsets = LineOffsets::scan(&file, LINES_PER_OFFSET, self.progress).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                PrepareError::Cancelled
            } else {
                PrepareError::io("count the lines of", &document, error)
            }
        })?;
        self.store_offsets(&offsets);
        self.finish(document, offsets, Vec::new())
    }

    /// Keeps the offsets for the next time, in the cache directory: the others are only read.
    fn store_offsets(&self, offsets: &LineOffsets) {
        let offset_file = with_suffix(&self.document, ".offset");
        // The cache directory may not exist where the documents are the user's own.
        match create_folder_of(self.cache_dir, &self.document).map(|()| offsets.store(&offset_file)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "offsets are not kept"),
            Err(error) => tracing::debug!(%error, "offsets are not kept"),
        }
    }

    fn finish(
        &self,
        path: PathBuf,
        offsets: LineOffsets,
        warnings: Vec<String>,
    ) -> Result<PreparedDocuments, PrepareError> {
        let lines = offsets.line_count();
        let lines_per_document = self.options.lines_per_document.max(1);
        if let Some(documents) = self.data_set.document_count {
            let expected = documents.saturating_mul(lines_per_document);
            if lines != expected {
                let actual = lines;
                return Err(PrepareError::WrongDocumentCount { path, expected, actual, lines_per_document });
            }
        } else if !lines.is_multiple_of(lines_per_document) {
            return Err(PrepareError::IncompleteDocument { path, lines, lines_per_document });
        }
        Ok(PreparedDocuments {
            path,
            line_count: lines,
            document_count: lines / lines_per_document,
            uncompressed_bytes: offsets.byte_count(),
            offsets,
            warnings,
        })
    }
}
