//! Data files, ready to be read.

use std::fmt;
use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::OnceLock;

use bytes::Bytes;
use memmap2::Mmap;
use rally_race::Cause;
use rally_track::{Corpus, Documents};

/// Finds the bytes of `line_count` lines from `first_line` on (0-based), newlines included.
pub type ByteRange = Box<dyn Fn(u64, u64) -> Result<Range<u64>, Cause> + Send + Sync>;

/// A data file that lies on disk unpacked, with where its documents go.
pub struct DocumentSet {
    /// Name of the corpus that it belongs to; empty if nobody said.
    pub corpus: String,
    /// Its name in the track, packed or not; empty if nobody said.
    pub declared_name: String,
    /// Index that the documents go to; empty where their action lines say it, or it is a data stream.
    pub index: String,
    /// Mapping type that they belong to; empty if none.
    pub mapping_type: String,
    /// Data stream that they go to, if it is no index.
    pub data_stream: Option<String>,
    /// The unpacked file.
    pub path: PathBuf,
    /// Number of documents (not lines).
    pub document_count: u64,
    /// Whether each document is preceded by a line with action and meta-data.
    pub includes_action_and_meta_data: bool,
    /// Where lines lie.
    pub byte_range: ByteRange,
    mapped: OnceLock<Bytes>,
}

impl fmt::Debug for DocumentSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DocumentSet")
            .field("corpus", &self.corpus)
            .field("index", &self.index)
            .field("data_stream", &self.data_stream)
            .field("mapping_type", &self.mapping_type)
            .field("path", &self.path)
            .field("document_count", &self.document_count)
            .finish_non_exhaustive()
    }
}

/// A data file that cannot be read as the track describes it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// It cannot be opened or mapped.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It has fewer lines than the track says.
    #[error("{} has no line {line}, although the track declares {document_count} documents in it", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// The line that is missing, 1-based.
        line: u64,
        /// What the track declares.
        document_count: u64,
        /// What the search for it says.
        #[source]
        source: Option<Cause>,
    },
    /// A line is not what it must be.
    #[error("{}:{line}: {problem}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, 1-based.
        line: u64,
        /// The problem.
        problem: &'static str,
    },
}

impl DocumentSet {
    /// A data file with the index and type that it belongs to.
    pub fn new(
        index: impl Into<String>,
        mapping_type: impl Into<String>,
        path: impl Into<PathBuf>,
        document_count: u64,
        includes_action_and_meta_data: bool,
        byte_range: ByteRange,
    ) -> Self {
        DocumentSet {
            corpus: String::new(),
            declared_name: String::new(),
            index: index.into(),
            mapping_type: mapping_type.into(),
            data_stream: None,
            path: path.into(),
            document_count,
            includes_action_and_meta_data,
            byte_range,
            mapped: OnceLock::new(),
        }
    }

    /// A data file of a track as it declares it, unpacked at `path`. `document_count` is what it really holds.
    pub fn of_track(
        corpus: &Corpus,
        documents: &Documents,
        path: impl Into<PathBuf>,
        document_count: u64,
        byte_range: ByteRange,
    ) -> Self {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        DocumentSet {
            corpus: corpus.name.clone(),
            declared_name: documents.file_name.clone(),
            data_stream: documents.target_data_stream.clone(),
            ..DocumentSet::new(
                name(&documents.target_index),
                name(&documents.target_type),
                path,
                document_count,
                documents.includes_action_and_meta_data,
                byte_range,
            )
        }
    }

    /// The whole file as mapped memory. Mapped once and shared: bodies cut from it cost no copy.
    ///
    /// # Errors
    /// Where the file cannot be opened or mapped.
    pub fn bytes(&self) -> Result<Bytes, DocumentsError> {
        if let Some(bytes) = self.mapped.get() {
            return Ok(bytes.clone());
        }
        let unreadable = |source| DocumentsError::Unreadable { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(unreadable)?;
        let length = file.metadata().map_err(unreadable)?.len();
        // An empty file cannot be mapped.
        let bytes =
            if length == 0 { Bytes::new() } else { Bytes::from_owner(map(&file).map_err(unreadable)?) };
        Ok(self.mapped.get_or_init(|| bytes).clone())
    }

    /// The bytes of these lines.
    ///
    /// # Errors
    /// Where the file has no such lines.
    pub fn lines(&self, first_line: u64, line_count: u64) -> Result<Bytes, DocumentsError> {
        let bytes = self.bytes()?;
        if line_count == 0 {
            return Ok(Bytes::new());
        }
        let too_short = |source| DocumentsError::TooShort {
            path: self.path.clone(),
            line: first_line + line_count,
            document_count: self.document_count,
            source,
        };
        let range = (self.byte_range)(first_line, line_count).map_err(|cause| too_short(Some(cause)))?;
        if range.start >= range.end || range.end > bytes.len() as u64 {
            return Err(too_short(None));
        }
        Ok(bytes.slice(range.start as usize..range.end as usize))
    }
}

#[allow(unsafe_code)]
fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the file is one that was unpacked and verified for this race; rally writes data files under a temporary
    // name and renames them, so it never changes or truncates one that is mapped. Should another program do so, reading
    // shows its bytes or ends the process (SIGBUS); no memory of ours is written through the mapping.
    let mapped = unsafe { Mmap::map(file) }?;
    // Only a hint; a system that does not know it reads as well without.
    let _ = mapped.advise(memmap2::Advice::Sequential);
    Ok(mapped)
}
