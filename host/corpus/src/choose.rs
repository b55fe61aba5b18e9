//! Which file of those that are there is the one that the track means.

use std::fs;
use std::path::{Path, PathBuf};

use super::checksum::sha256_of;
use super::confine::{check_inside, create_folder_of};
use super::data_set::last_part;
use super::download::without_password;
use super::error::PrepareError;
use super::locate::{Mismatch, Rejected, size_of};
use super::offsets::LineOffsets;
use super::prepare::{Preparation, TRUSTED_BYTES};
use super::progress::{Phase, Progress};
use super::provenance::{Record, Source, Stamp};

/// A document that can be read.
pub(super) struct Ready {
    pub(super) document: PathBuf,
    /// The path in the cache that stands for it: its own, or one beside which is kept what is known about it.
    pub(super) place: PathBuf,
    /// Where its lines are, if they were counted on the way.
    pub(super) offsets: Option<LineOffsets>,
}

/// An archive that can be unpacked.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) source: Source,
    pub(super) sha256: String,
}

/// Whether a file in the cache is the source's.
enum Origin {
    /// It is, and this is the digest of the file that the track names.
    Same(String),
    /// It is not, or that cannot be found out.
    Other,
}

impl Preparation<'_> {
    /// The document, made where that is necessary and `may_write` says that the caller holds the lock; nothing if the lock is
    /// needed first.
    ///
    /// Without data-url Rally does not look at compressed-bytes. Neither does rally where the size of what comes out is
    /// declared: that proves more.
    pub(super) fn find(&mut self, may_write: bool) -> Result<Option<Ready>, PrepareError> {
        match self.attempt(may_write, false) {
            Err(PrepareError::WrongArchiveSize { .. })
                if self.data_set.base_url.is_none() && self.data_set.uncompressed_bytes.is_some() =>
            {
                self.attempt(may_write, true)
            }
            result => result,
        }
    }

    fn attempt(&mut self, may_write: bool, any_size: bool) -> Result<Option<Ready>, PrepareError> {
        self.rejected.clear();
        self.unverified = None;
        let archive = self.archive_of_track(any_size)?;
        if let Some(ready) = self.document_of_track(archive.as_ref())? {
            return Ok(Some(ready));
        }
        let source = match (&archive, self.data_set.url()) {
            (Some(archive), _) => archive.source.clone(),
            (None, Some(url)) => Source::url(&url, without_password(&url)),
            (None, None) => Source::user(),
        };
        let archive = match archive {
            Some(archive) => Some(archive),
            None => self.archive_in_cache(&source, any_size)?,
        };
        if let Some(archive) = archive {
            if let Some(ready) = self.document_of(&archive)? {
                return Ok(Some(ready));
            }
            return if may_write { self.unpack(&archive).map(Some) } else { Ok(None) };
        }
        if let Some(ready) = self.document_in_cache(&source)? {
            return Ok(Some(ready));
        }
        if self.data_set.base_url.is_none() || self.options.offline {
            return Err(self.not_found());
        }
        if may_write { self.download(&source).map(Some) } else { Ok(None) }
    }

    /// The archive in the folders of the track, if its size and its checksum are those that are declared.
    fn archive_of_track(&mut self, any_size: bool) -> Result<Option<Archive>, PrepareError> {
        let Some(name) = &self.data_set.archive_name else { return Ok(None) };
        for folder in self.search_dirs {
            let path = folder.join(name);
            if !self.is_usable(&path, self.data_set.compressed_bytes, true, any_size)? {
                continue;
            }
            check_inside(folder, &path)?;
            let sha256 = self.digest(&path)?;
            if self.is_declared(&path, true, &sha256) {
                return Ok(Some(Archive { source: Source::file(&path), path, sha256 }));
            }
        }
        Ok(None)
    }

    /// The document in the folders of the track. With its archive beside it is used if the track declares its size, or if it is
    /// what that archive holds.
    fn document_of_track(&mut self, archive: Option<&Archive>) -> Result<Option<Ready>, PrepareError> {
        let declared = self.data_set.uncompressed_bytes;
        let archive_is_wrong = self.rejected.iter().any(|file| file.is_archive);
        for folder in self.search_dirs {
            let document = folder.join(&self.data_set.document_name);
            if !self.is_usable(&document, declared, false, false)? {
                continue;
            }
            check_inside(folder, &document)?;
            let place = Source::file(&document).folder(self.cache_dir).join(&self.data_set.document_name);
            let ready =
                |offsets| Ok(Some(Ready { document: document.clone(), place: place.clone(), offsets }));
            match (&self.data_set.sha256, archive) {
                (None, _) if declared.is_some() => return ready(None),
                (None, None) if !archive_is_wrong => return ready(None),
                (None, None) => continue,
                (Some(_), None) if self.data_set.archive_name.is_none() => {
                    let sha256 = match Record::read(&place, &document) {
                        Some(record) => record.sha256,
                        None => self.digest(&document)?,
                    };
                    if self.is_declared(&document, false, &sha256) {
                        self.record(&place, &document, &Source::file(&document), &sha256, None);
                        return ready(None);
                    }
                    continue;
                }
                (Some(sha256), None) => {
                    let known = Record::read(&place, &document);
                    if known.is_some_and(|record| record.sha256.eq_ignore_ascii_case(sha256)) {
                        return ready(None);
                    }
                    self.unverified = Some(document.clone());
                }
                (_, Some(archive)) => {
                    if Record::read(&place, &document).is_some_and(|record| record.sha256 == archive.sha256) {
                        return ready(None);
                    }
                    if let Some(offsets) = self.compare(archive, &document)? {
                        self.record(&place, &document, &archive.source, &archive.sha256, Some(&archive.path));
                        return ready(Some(offsets));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The source's archive in the cache.
    fn archive_in_cache(&mut self, source: &Source, any_size: bool) -> Result<Option<Archive>, PrepareError> {
        let Some(name) = self.data_set.archive_name.clone() else { return Ok(None) };
        let declared = self.data_set.compressed_bytes;
        for home in self.homes(source) {
            let path = home.join(&name);
            if !self.is_usable(&path, declared, true, any_size)? {
                continue;
            }
            if let Origin::Same(sha256) = self.origin(&path, true, true, declared, source)? {
                return Ok(Some(Archive { path, source: source.clone(), sha256 }));
            }
        }
        Ok(None)
    }

    /// The document in the cache that this archive holds: one whose record says so, else one of unknown origin that is
    /// found equal.
    fn document_of(&mut self, archive: &Archive) -> Result<Option<Ready>, PrepareError> {
        let mut unknown = Vec::new();
        for home in self.homes(&archive.source) {
            let document = home.join(&self.data_set.document_name);
            if !self.is_usable(&document, self.data_set.uncompressed_bytes, false, false)? {
                continue;
            }
            match Record::read(&document, &document) {
                Some(record) if record.sha256 == archive.sha256 => {
                    return Ok(Some(Ready { place: document.clone(), document, offsets: None }));
                }
                Some(_) => {}
                None => unknown.push(document),
            }
        }
        for document in unknown {
            if let Some(offsets) = self.compare(archive, &document)? {
                self.record(&document, &document, &archive.source, &archive.sha256, Some(&archive.path));
                return Ok(Some(Ready { place: document.clone(), document, offsets: Some(offsets) }));
            }
        }
        Ok(None)
    }

    /// The source's document in the cache, without an archive.
    fn document_in_cache(&mut self, source: &Source) -> Result<Option<Ready>, PrepareError> {
        let is_named = self.data_set.archive_name.is_none();
        let declared = self.data_set.uncompressed_bytes;
        for home in self.homes(source) {
            let document = home.join(&self.data_set.document_name);
            if !self.is_usable(&document, declared, false, false)? {
                continue;
            }
            if let Origin::Same(_) = self.origin(&document, false, is_named, declared, source)? {
                return Ok(Some(Ready { place: document.clone(), document, offsets: None }));
            }
        }
        Ok(None)
    }

    /// Whether a file in the cache comes from the source. `is_named`: it is the file whose checksum the track declares.
    fn origin(
        &mut self,
        path: &Path,
        is_archive: bool,
        is_named: bool,
        declared: Option<u64>,
        source: &Source,
    ) -> Result<Origin, PrepareError> {
        if let Some(record) = Record::read(path, path) {
            let wanted = &self.data_set.sha256;
            let is_wanted = wanted.as_ref().is_some_and(|wanted| wanted.eq_ignore_ascii_case(&record.sha256));
            if is_wanted || (wanted.is_none() && record.source.is(source)) {
                return Ok(Origin::Same(record.sha256));
            }
            let mismatch = match wanted {
                Some(expected) if record.source.is(source) => {
                    Mismatch::Sha256 { expected: expected.to_ascii_lowercase(), actual: record.sha256 }
                }
                _ => Mismatch::Source { name: record.source.name().to_owned() },
            };
            self.reject(path, is_archive, mismatch);
            return Ok(Origin::Other);
        }
        if self.data_set.sha256.is_some() {
            if !is_named {
                self.unverified = Some(path.to_owned());
                return Ok(Origin::Other);
            }
            let sha256 = self.digest(path)?;
            if !self.is_declared(path, is_archive, &sha256) {
                return Ok(Origin::Other);
            }
            self.record(path, path, source, &sha256, None);
            return Ok(Origin::Same(sha256));
        }
        // Rally's own cache has the same layout and no records.
        let archive_is_wrong = !is_archive && self.rejected.iter().any(|file| file.is_archive);
        let only_choice = (self.data_set.base_url.is_none() || self.options.offline) && !archive_is_wrong;
        if declared.is_none() && !only_choice {
            self.reject(path, is_archive, Mismatch::Unknown);
            return Ok(Origin::Other);
        }
        let reason = if declared.is_some() && declared == size_of(path)? {
            "its size is what the track declares"
        } else {
            "there is no other"
        };
        self.warn(format!(
            "'{}' was not put there by this version of rally, so nothing shows which track it belongs to; it is used because \
             {reason}. Delete it to have it made again.",
            path.display()
        ));
        let sha256 = self.digest(path)?;
        self.record(path, path, source, &sha256, None);
        Ok(Origin::Same(sha256))
    }

    /// Where files of a source may be in the cache: as in Rally, or in a folder of its own.
    pub(super) fn homes(&self, source: &Source) -> [PathBuf; 2] {
        [self.cache_dir.to_owned(), source.folder(self.cache_dir)]
    }

    /// The folder in the cache that files of a source go to: as in Rally, if no file of another source is there.
    pub(super) fn home_for(&self, source: &Source, names: &[&str]) -> PathBuf {
        let is_free = |name: &&str| {
            let path = self.cache_dir.join(name);
            match Record::read(&path, &path) {
                Some(record) => record.source.is(source),
                // A file of unknown origin that is not what the track declares is replaced, as in Rally.
                None => fs::metadata(&path).is_err() || self.is_wrong(&path),
            }
        };
        let [shared, own] = self.homes(source);
        if names.iter().all(is_free) { shared } else { own }
    }

    /// Whether this file has another size or checksum than the track declares.
    fn is_wrong(&self, path: &Path) -> bool {
        self.rejected.iter().any(|file| {
            file.path == path && matches!(file.mismatch, Mismatch::Size { .. } | Mismatch::Sha256 { .. })
        })
    }

    /// Whether a file is there and has the declared size.
    fn is_usable(
        &mut self,
        path: &Path,
        declared: Option<u64>,
        is_archive: bool,
        any_size: bool,
    ) -> Result<bool, PrepareError> {
        let Some(actual) = size_of(path)? else { return Ok(false) };
        match declared {
            Some(expected) if expected != actual && any_size => self.warn(format!(
                "'{}' has {actual} bytes but the track declares {expected} (compressed-bytes)",
                path.display()
            )),
            Some(expected) if expected != actual => {
                self.reject(path, is_archive, Mismatch::Size { expected, actual });
                return Ok(false);
            }
            _ => {}
        }
        Ok(true)
    }

    /// Whether the file that the track names has the declared checksum, if any.
    fn is_declared(&mut self, path: &Path, is_archive: bool, actual: &str) -> bool {
        let Some(expected) = self.data_set.sha256.as_ref().map(|digits| digits.to_ascii_lowercase()) else {
            return true;
        };
        if expected == actual {
            return true;
        }
        let actual = actual.to_owned();
        tracing::warn!(file = %path.display(), actual, expected, "the sha256 differs, the file is not used");
        self.reject(path, is_archive, Mismatch::Sha256 { expected, actual });
        false
    }

    /// SHA-256 of a file. A large one that rally has read before is not read again while its stamp is the same.
    pub(super) fn digest(&mut self, path: &Path) -> Result<String, PrepareError> {
        if let Some((_, digest)) = self.digests.iter().find(|(known, _)| known == path) {
            return Ok(digest.clone());
        }
        let metadata = fs::metadata(path).map_err(|error| PrepareError::io("look at", path, error))?;
        let stamp = Stamp::of(&metadata);
        let source = Source::file(path);
        let is_large = stamp.bytes() >= TRUSTED_BYTES;
        let known = self.homes(&source).iter().find_map(|home| {
            let document = home.join(&self.data_set.document_name);
            Record::read(&document, &document).filter(|record| record.named.as_ref() == Some(&stamp))
        });
        let digest = match known {
            Some(record) if is_large => record.sha256,
            _ if is_large || self.data_set.sha256.is_some() => sha256_of(path, self.progress)?,
            _ => sha256_of(path, &Silent(self.progress))?,
        };
        self.digests.push((path.to_owned(), digest.clone()));
        Ok(digest)
    }

    /// Keeps what is known about a file. Without a record it is only compared again the next time.
    pub(super) fn record(
        &self,
        place: &Path,
        file: &Path,
        source: &Source,
        sha256: &str,
        named: Option<&Path>,
    ) {
        let named = named.and_then(|path| fs::metadata(path).ok()).map(|metadata| Stamp::of(&metadata));
        let stored = create_folder_of(self.cache_dir, place)
            .map_err(std::io::Error::other)
            .and_then(|()| Record::new(source, sha256, named, file)?.store(place));
        if let Err(error) = stored {
            tracing::debug!(%error, file = %file.display(), "where the file comes from is not kept");
        }
    }

    fn reject(&mut self, path: &Path, is_archive: bool, mismatch: Mismatch) {
        self.rejected.push(Rejected { path: path.to_owned(), is_archive, mismatch });
    }

    pub(super) fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            tracing::warn!("{warning}");
            self.warnings.push(warning);
        }
    }

    /// The error where nothing that is there can be used.
    pub(super) fn not_found(&mut self) -> PrepareError {
        let wanted_archive = self.data_set.archive_name.is_some();
        let wrong = self.rejected.iter().filter(|file| file.is_archive == wanted_archive);
        if let Some(error) = wrong.cloned().find_map(Rejected::into_error) {
            return error;
        }
        let offline = self.options.offline && self.data_set.base_url.is_some();
        if let (Some(path), Some(archive)) = (self.unverified.take(), &self.data_set.archive_name) {
            return PrepareError::Unverified { path, archive: archive.clone(), offline };
        }
        if self.options.test_mode {
            let name = self.data_set.remote_name().to_owned();
            return PrepareError::TestModeNotSupported { name, source: None };
        }
        let archive = self.data_set.archive_name.clone();
        let mut looked_in: Vec<PathBuf> = Vec::new();
        for folder in self.search_dirs.iter().map(PathBuf::as_path).chain([self.cache_dir]) {
            if !looked_in.iter().any(|known| known == folder) {
                looked_in.push(folder.to_owned());
            }
        }
        PrepareError::NotFound {
            names: archive.into_iter().chain([self.data_set.document_name.clone()]).collect(),
            looked_in,
            rejected: self.rejected.iter().map(Rejected::reason).collect(),
            offline,
        }
    }

    /// Name of the downloaded archive: beside the document, which may be below a folder.
    pub(super) fn name_beside_document(&self, name: &str) -> String {
        let folder = Path::new(&self.data_set.document_name).parent().unwrap_or(Path::new(""));
        folder.join(last_part(name)).to_string_lossy().into_owned()
    }
}

/// Passes cancellation on and reports nothing.
struct Silent<'a>(&'a dyn Progress);

impl Progress for Silent<'_> {
    fn report(&self, _phase: Phase, _done: u64, _total: Option<u64>) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
