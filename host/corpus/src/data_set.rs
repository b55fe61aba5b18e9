//! A data set as a track declares it.

use std::path::{Component, Path};

use super::error::PrepareError;

/// The documents of one type or corpus: names, origin and what is declared about them. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSet {
    /// File name of the archive, possibly below a folder; `None` if the documents are not packed.
    pub archive_name: Option<String>,
    /// File name of the documents: that of the archive without its extension.
    pub document_name: String,
    /// Where the file can be downloaded: this, a slash and the last part of the name. In tracks of 2017 a slash at its end
    /// counts, in others it does not: their reader takes it off.
    pub base_url: Option<String>,
    /// Number of documents.
    pub document_count: Option<u64>,
    /// Size of the archive.
    pub compressed_bytes: Option<u64>,
    /// Size of the document file.
    pub uncompressed_bytes: Option<u64>,
    /// SHA-256 of the file that the track names and a server would have: the archive if there is one, else the document
    /// file. 64 hexadecimal digits.
    pub sha256: Option<String>,
}

impl DataSet {
    /// A data set from a name such as `documents.json.bz2`, with nothing declared about it yet.
    ///
    /// # Errors
    /// [`PrepareError::InvalidName`] for names that are absolute, lead upwards or are empty, and
    /// [`PrepareError::UnsupportedFormat`] for archives of other kinds or in archives.
    pub fn from_documents(documents: &str) -> Result<DataSet, PrepareError> {
        let (archive_name, document_name) = match ArchiveFormat::split(documents) {
            Some((stem, _)) => (Some(documents.to_owned()), stem.to_owned()),
            None => (None, documents.to_owned()),
        };
        let data_set = DataSet {
            archive_name,
            document_name,
            base_url: None,
            document_count: None,
            compressed_bytes: None,
            uncompressed_bytes: None,
            sha256: None,
        };
        data_set.check()?;
        Ok(data_set)
    }

    /// Checks the names; fields are public, so [`prepare`](super::prepare) does it again.
    pub(super) fn check(&self) -> Result<(), PrepareError> {
        check_name(&self.document_name)?;
        if let Some(archive) = &self.archive_name {
            check_name(archive)?;
            if ArchiveFormat::split(archive).is_none() {
                return Err(unsupported(archive));
            }
        }
        // What comes out of an archive is sent as it is: it must not be a packed file itself.
        let packed = FORMATS.iter().map(|(extension, _)| extension).chain(&UNSUPPORTED);
        if let Some(extension) =
            packed.into_iter().find(|extension| ends_with(&self.document_name, extension))
        {
            let name = self.remote_name();
            let extension = match self.archive_name.as_ref().and_then(|name| ArchiveFormat::split(name)) {
                Some((stem, _)) => format!("{extension}{}", &name[stem.len()..]),
                None => (*extension).to_owned(),
            };
            return Err(PrepareError::UnsupportedFormat { name: name.to_owned(), extension });
        }
        match &self.sha256 {
            Some(sha256) if !is_sha256(sha256) => Err(PrepareError::InvalidSha256 {
                name: self.remote_name().to_owned(),
                sha256: sha256.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// The file that a server would have: the archive, or the documents themselves.
    pub(super) fn remote_name(&self) -> &str {
        self.archive_name.as_deref().unwrap_or(&self.document_name)
    }

    /// Address of that file, if the track names one. As in Rally the file has no folder there.
    pub(super) fn url(&self) -> Option<String> {
        self.base_url.as_ref().map(|base| format!("{base}/{}", last_part(self.remote_name())))
    }
}

/// Kinds of archives, by file name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArchiveFormat {
    /// `.zip` with one member
    Zip,
    /// `.bz2`: a compressed file without a name
    Bzip2,
    /// `.gz`: a compressed file
    Gzip,
    /// `.zst`: a compressed file without a name
    Zstd,
    /// `.tar` with one member
    Tar,
    /// `.tar.gz` or `.tgz`
    TarGzip,
    /// `.tar.bz2`
    TarBzip2,
}

/// Longer extensions first: `.tar.gz` is not a `.gz`.
const FORMATS: [(&str, ArchiveFormat); 8] = [
    (".tar.bz2", ArchiveFormat::TarBzip2),
    (".tar.gz", ArchiveFormat::TarGzip),
    (".tgz", ArchiveFormat::TarGzip),
    (".tar", ArchiveFormat::Tar),
    (".bz2", ArchiveFormat::Bzip2),
    (".gz", ArchiveFormat::Gzip),
    (".zip", ArchiveFormat::Zip),
    (".zst", ArchiveFormat::Zstd),
];

/// Archives that would otherwise be sent to a cluster as if they were JSON.
const UNSUPPORTED: [&str; 10] = [".tbz2", ".tzst", ".xz", ".7z", ".rar", ".lz4", ".lzma", ".lz", ".br", ".Z"];

impl ArchiveFormat {
    /// Splits a name into its stem and its format; `None` if it does not end like a supported archive.
    pub fn split(name: &str) -> Option<(&str, ArchiveFormat)> {
        FORMATS
            .iter()
            .find_map(|(extension, format)| name.strip_suffix(extension).map(|stem| (stem, *format)))
    }
}

/// The part of a name after its last slash.
pub(super) fn last_part(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn ends_with(name: &str, extension: &str) -> bool {
    name.len() > extension.len() && name.ends_with(extension)
}

fn unsupported(name: &str) -> PrepareError {
    let extension = last_part(name).rfind('.').map_or("", |dot| &last_part(name)[dot..]);
    PrepareError::UnsupportedFormat { name: name.to_owned(), extension: extension.to_owned() }
}

fn check_name(name: &str) -> Result<(), PrepareError> {
    let invalid = |reason| Err(PrepareError::InvalidName { name: name.to_owned(), reason });
    if last_part(name).is_empty() || last_part(name).starts_with('.') {
        return invalid("a file name is needed");
    }
    if name.contains(['\0', '\n', '\r', '\\']) {
        return invalid("it contains a character that file names in tracks may not have");
    }
    for component in Path::new(name).components() {
        match component {
            Component::Normal(_) => {}
            Component::CurDir => {}
            Component::ParentDir => return invalid("it leads out of the data directory"),
            Component::RootDir | Component::Prefix(_) => return invalid("it must be relative"),
        }
    }
    Ok(())
}
