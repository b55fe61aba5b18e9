//! The way from a data set to documents that can be read.

use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rally_support::hex::Hex;
use sha2::{Digest, Sha256};

use super::choose::Ready;
use super::confine::create_folder_of;
use super::data_set::DataSet;
use super::document_file::with_suffix;
use super::download::DownloadOptions;
use super::error::PrepareError;
use super::locate::Rejected;
use super::lock::PrepareLock;
use super::offsets::{LINES_PER_OFFSET, LineOffsets};
use super::progress::Progress;
use super::provenance::{Record, Source};

/// Smaller files are read again rather than recognised by their stamp: it takes a few milliseconds.
pub(super) const TRUSTED_BYTES: u64 = 64 << 20;

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
/// to `cache_dir`, which may be a link itself, but nothing is written through a link below it. A file in the cache is used if
/// its record says that it comes from the source of this data set, or if it is compared with its archive; where another
/// source has the place, this one gets a folder of its own beside it. Without uncompressed-bytes at most 1 GiB or 250 times
/// the size of the archive is unpacked, whichever is more, and never more than 95 % of the free space.
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
    let mut task = Preparation {
        data_set,
        search_dirs,
        cache_dir,
        options,
        progress,
        digests: Vec::new(),
        different: Vec::new(),
        rejected: Vec::new(),
        unverified: None,
        warnings: Vec::new(),
    };
    if let Some(ready) = task.find(false)? {
        return task.index(ready);
    }
    let document = cache_dir.join(&data_set.document_name);
    create_folder_of(cache_dir, &document)?;
    let _lock = PrepareLock::acquire(&with_suffix(&document, ".lock"), progress)?;
    // Another process may have been faster.
    match task.find(true)? {
        Some(ready) => task.index(ready),
        None => Err(task.not_found()),
    }
}

/// A data set on its way.
pub(super) struct Preparation<'a> {
    pub(super) data_set: &'a DataSet,
    pub(super) search_dirs: &'a [PathBuf],
    pub(super) cache_dir: &'a Path,
    pub(super) options: &'a PrepareOptions,
    pub(super) progress: &'a dyn Progress,
    /// Digests that were computed, so that no file is read twice.
    pub(super) digests: Vec<(PathBuf, String)>,
    /// Documents that differ from what their archive holds.
    pub(super) different: Vec<PathBuf>,
    /// Files with the right name that are not used.
    pub(super) rejected: Vec<Rejected>,
    /// A document that does not provably come from the archive whose checksum is declared.
    pub(super) unverified: Option<PathBuf>,
    /// What is odd but did no harm.
    pub(super) warnings: Vec<String>,
}

impl Preparation<'_> {
    /// Indexes a document that is there, from rally's own table of offsets if that belongs to it.
    fn index(self, ready: Ready) -> Result<PreparedDocuments, PrepareError> {
        let Ready { document, place, offsets } = ready;
        let table = with_suffix(&place, ".offset");
        let offsets = match offsets {
            Some(offsets) => {
                self.store_offsets(&table, &document, &offsets);
                offsets
            }
            None => self.offsets_of(&document, &table)?,
        };
        self.finish(document, offsets)
    }

    fn offsets_of(&self, document: &Path, table: &Path) -> Result<LineOffsets, PrepareError> {
        let file = File::open(document).map_err(|error| PrepareError::io("open", document, error))?;
        let length =
            file.metadata().map_err(|error| PrepareError::io("read the size of", document, error))?.len();
        if length >= TRUSTED_BYTES && is_own_table(table, document) {
            match LineOffsets::load(table, &file) {
                Ok(offsets) => return Ok(offsets),
                Err(error) => tracing::debug!(%error, "offset file not used"),
            }
        }
        let offsets = LineOffsets::scan(&file, LINES_PER_OFFSET, self.progress).map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                PrepareError::Cancelled
            } else {
                PrepareError::io("count the lines of", document, error)
            }
        })?;
        self.store_offsets(table, document, &offsets);
        Ok(offsets)
    }

    /// Keeps the offsets for the next time, in the cache directory: the others are only read.
    fn store_offsets(&self, table: &Path, document: &Path, offsets: &LineOffsets) {
        // The cache directory may not exist where the documents are the user's own.
        let stored = create_folder_of(self.cache_dir, table).map_err(io::Error::other).and_then(|()| {
            offsets.store(table).map_err(io::Error::other)?;
            Record::new(&Source::file(document), &digest_of_table(table)?, None, document)?.store(table)
        });
        if let Err(error) = stored {
            tracing::debug!(%error, "offsets are not kept");
        }
    }

    fn finish(self, path: PathBuf, offsets: LineOffsets) -> Result<PreparedDocuments, PrepareError> {
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
            warnings: self.warnings,
        })
    }
}

/// Whether rally wrote this table, for this document as it is now. One that a track brings along, or that another program
/// wrote, may have documents sent twice and others never.
fn is_own_table(table: &Path, document: &Path) -> bool {
    Record::read(table, document)
        .is_some_and(|record| digest_of_table(table).is_ok_and(|digest| digest == record.sha256))
}

fn digest_of_table(table: &Path) -> io::Result<String> {
    Ok(Hex(Sha256::digest(fs::read(table)?)).to_string())
}
