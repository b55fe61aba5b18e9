//! Finds documents and archives that are there already.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::confine::check_inside;
use super::data_set::DataSet;
use super::error::PrepareError;

/// Where to look: the directories in order, the cache last.
pub(super) struct Places {
    directories: Vec<PathBuf>,
    cache_dir: PathBuf,
}

/// What was found of a data set.
pub(super) struct Found {
    /// A document that can be used as it is.
    pub(super) document: Option<PathBuf>,
    /// An archive that can be unpacked.
    pub(super) archive: Option<PathBuf>,
    /// The archive's size is not the declared one, but nothing else is there.
    pub(super) archive_bytes_differ: Option<(u64, u64)>,
    /// A document that nobody knows to come from the archive whose checksum is declared.
    pub(super) unverified: Option<PathBuf>,
    /// Files with the right name and wrong content.
    pub(super) rejected: Vec<Rejected>,
}

/// A file with the right name and wrong content.
#[derive(Debug, Clone)]
pub(super) struct Rejected {
    pub(super) path: PathBuf,
    pub(super) is_archive: bool,
    pub(super) mismatch: Mismatch,
}

/// What is declared and what there is instead.
#[derive(Debug, Clone)]
pub(super) enum Mismatch {
    /// Bytes.
    Size { expected: u64, actual: u64 },
    /// Checksums in lower-case hexadecimal digits.
    Sha256 { expected: String, actual: String },
}

impl Rejected {
    pub(super) fn reason(&self) -> String {
        let path = self.path.display();
        match &self.mismatch {
            Mismatch::Size { expected, actual } => {
                format!("{path} has [{actual}] bytes but [{expected}] are expected")
            }
            Mismatch::Sha256 { expected, actual } => {
                format!("{path} has the sha256 [{actual}] but [{expected}] is expected")
            }
        }
    }

    pub(super) fn into_error(self) -> PrepareError {
        let path = self.path;
        match self.mismatch {
            Mismatch::Size { expected, actual } if self.is_archive => {
                PrepareError::WrongArchiveSize { path, expected, actual }
            }
            Mismatch::Size { expected, actual } => PrepareError::WrongDocumentSize { path, expected, actual },
            Mismatch::Sha256 { expected, actual } => PrepareError::WrongSha256 { path, expected, actual },
        }
    }
}

struct Candidate {
    path: PathBuf,
    metadata: Metadata,
}

impl Places {
    pub(super) fn new(search_dirs: &[PathBuf], cache_dir: &Path) -> Places {
        let mut directories: Vec<PathBuf> = Vec::new();
        for directory in search_dirs.iter().map(PathBuf::as_path).chain([cache_dir]) {
            if !directories.iter().any(|known| known == directory) {
                directories.push(directory.to_owned());
            }
        }
        Places { directories, cache_dir: cache_dir.to_owned() }
    }

    pub(super) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// Looks for the data set, passing over files that are known to be `wrong`. A document is used if it has the declared
    /// size, and if it does not come from another archive than the one that is there: unpacking gives a document the time of
    /// its archive.
    pub(super) fn find(&self, data_set: &DataSet, wrong: &[Rejected]) -> Result<Found, PrepareError> {
        let mut rejected = wrong.to_vec();
        let archive = match &data_set.archive_name {
            Some(name) => self.first(name, data_set.compressed_bytes, true, &mut rejected)?,
            None => None,
        };
        let document =
            self.first(&data_set.document_name, data_set.uncompressed_bytes, false, &mut rejected)?;
        let unknown_origin = archive.is_none() && rejected.iter().any(|file| file.is_archive);
        let document = document.filter(|document| match &archive {
            Some(archive) => is_current(document, archive, data_set.uncompressed_bytes.is_some()),
            None => data_set.uncompressed_bytes.is_some() || !unknown_origin,
        });

        // Without data-url Rally does not look at compressed-bytes. Neither does rally where the size of what comes
        // out is declared: that proves more.
        let mut archive_bytes_differ = None;
        let archive = archive.map(|archive| archive.path).or_else(|| {
            let usable = data_set.base_url.is_none() && data_set.uncompressed_bytes.is_some();
            rejected.iter().filter(|file| file.is_archive && usable).find_map(|file| match file.mismatch {
                Mismatch::Size { expected, actual } => {
                    archive_bytes_differ = Some((expected, actual));
                    Some(file.path.clone())
                }
                Mismatch::Sha256 { .. } => None,
            })
        });
        Ok(Found {
            document: document.map(|found| found.path),
            archive,
            archive_bytes_differ,
            unverified: None,
            rejected,
        })
    }

    /// The first file of that name that has the declared size.
    fn first(
        &self,
        name: &str,
        declared: Option<u64>,
        is_archive: bool,
        rejected: &mut Vec<Rejected>,
    ) -> Result<Option<Candidate>, PrepareError> {
        for directory in &self.directories {
            let path = directory.join(name);
            if rejected.iter().any(|file| file.path == path) {
                continue;
            }
            let metadata = match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => metadata,
                Ok(_) => continue,
                Err(error) if is_absent(&error) => continue,
                Err(error) => return Err(PrepareError::io("look at", &path, error)),
            };
            // In the cache links are the user's own; a track comes from anybody.
            if *directory != self.cache_dir {
                check_inside(directory, &path)?;
            }
            match declared {
                Some(expected) if expected != metadata.len() => {
                    let mismatch = Mismatch::Size { expected, actual: metadata.len() };
                    rejected.push(Rejected { path, is_archive, mismatch });
                }
                _ => return Ok(Some(Candidate { path, metadata })),
            }
        }
        Ok(None)
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

fn is_current(document: &Candidate, archive: &Candidate, size_declared: bool) -> bool {
    let times = document.metadata.modified().ok().zip(archive.metadata.modified().ok());
    let Some((of_document, of_archive)) = times else { return size_declared };
    if document.path.parent() == archive.path.parent() {
        // Unpacked beside its archive, perhaps by the user.
        size_declared || of_document >= of_archive
    } else {
        of_document == of_archive
    }
}
