//! Downloads, unpacks and compares.

use std::fs;
use std::path::Path;

use super::archive::unpack;
use super::choose::{Archive, Ready};
use super::confine::create_folder_of;
use super::data_set::ArchiveFormat;
use super::document_file::{ComparedFile, DocumentFile, SizeLimit};
use super::download::Download;
use super::error::{DownloadError, PrepareError};
use super::offsets::LineOffsets;
use super::prepare::Preparation;
use super::provenance::Source;

impl Preparation<'_> {
    /// Gets the file that the track names from its server, and the document out of it.
    pub(super) fn download(&mut self, source: &Source) -> Result<Ready, PrepareError> {
        let document_name = &self.data_set.document_name;
        let Some(archive_name) = &self.data_set.archive_name else {
            let document = self.home_for(source, &[document_name]).join(document_name);
            self.download_to(&document, source, self.data_set.uncompressed_bytes)?;
            return Ok(Ready { place: document.clone(), document, offsets: None });
        };
        let archive_name = self.name_beside_document(archive_name);
        let path = self.home_for(source, &[&archive_name, document_name]).join(archive_name);
        let sha256 = self.download_to(&path, source, self.data_set.compressed_bytes)?;
        self.unpack(&Archive { path, source: source.clone(), sha256 })
    }

    fn download_to(
        &mut self,
        target: &Path,
        source: &Source,
        expected: Option<u64>,
    ) -> Result<String, PrepareError> {
        create_folder_of(self.cache_dir, target)?;
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
        })?;
        self.digests.retain(|(path, _)| path != target);
        let sha256 = match &self.data_set.sha256 {
            Some(verified) => verified.to_ascii_lowercase(),
            None => self.digest(target)?,
        };
        self.record(target, target, source, &sha256, None);
        Ok(sha256)
    }

    /// Makes the document from its archive.
    pub(super) fn unpack(&mut self, archive: &Archive) -> Result<Ready, PrepareError> {
        let path = &archive.path;
        let home = self.home_for(&archive.source, &[&self.data_set.document_name]);
        let target = home.join(&self.data_set.document_name);
        create_folder_of(self.cache_dir, &target)?;
        let metadata = fs::metadata(path).map_err(|error| PrepareError::io("look at", path, error))?;
        let limit = SizeLimit::of(self.data_set.uncompressed_bytes, metadata.len(), &target)?;
        let mut document = DocumentFile::create(&target)?;
        let name = &self.data_set.document_name;
        unpack(path, self.format()?, name, limit, &mut document, self.progress)?;
        let actual = super::document_file::Output::byte_count(&document);
        match self.data_set.uncompressed_bytes {
            Some(expected) if expected != actual => {
                return Err(PrepareError::WrongDocumentSize { path: path.clone(), expected, actual });
            }
            _ => {}
        }
        let offsets = document.finish(metadata.modified().ok())?;
        self.record(&target, &target, &archive.source, &archive.sha256, Some(path));
        Ok(Ready { place: target.clone(), document: target, offsets: Some(offsets) })
    }

    /// Where the lines of a document are, if it is what the archive holds.
    pub(super) fn compare(
        &mut self,
        archive: &Archive,
        document: &Path,
    ) -> Result<Option<LineOffsets>, PrepareError> {
        if self.different.iter().any(|known| known == document) {
            return Ok(None);
        }
        let size =
            fs::metadata(document).map_err(|error| PrepareError::io("look at", document, error))?.len();
        let mut output = ComparedFile::open(document)?;
        let limit = SizeLimit::Declared(size);
        let name = &self.data_set.document_name;
        let result = unpack(&archive.path, self.format()?, name, limit, &mut output, self.progress);
        let longer = matches!(
            &result,
            Err(PrepareError::Unpack { source: super::error::UnpackError::LargerThanDeclared { .. }, .. })
        );
        let offsets = match result {
            Err(_) if output.differs() || longer => None,
            Err(error) => return Err(error),
            Ok(()) => output.finish()?,
        };
        if offsets.is_none() {
            tracing::info!(document = %document.display(), archive = %archive.path.display(), "not made from this archive");
            self.different.push(document.to_owned());
        }
        Ok(offsets)
    }

    fn format(&self) -> Result<ArchiveFormat, PrepareError> {
        let format = self.data_set.archive_name.as_deref().and_then(ArchiveFormat::split);
        format.map(|(_, format)| format).ok_or_else(|| PrepareError::InvalidName {
            name: self.data_set.document_name.clone(),
            reason: "its archive's name does not end like an archive",
        })
    }
}
