//! Data sets: from the name in a track to a document file that N clients can read.
//!
//! ```text
//! documents.json.bz2 ─▶ find ─▶ download ─▶ unpack ─▶ count ─▶ PreparedDocuments
//!   (DataSet)          on disk   .part file   all cores  lines     path, sizes, LineOffsets
//! ```
//!
//! [`prepare`] walks that way and stops as early as it can: a document that is already there is only indexed.
//! Whatever it writes goes into the cache directory, first under another name, then renamed: a file under its own
//! name is always whole. An advisory lock lets several processes prepare the same data set at once.
//!
//! Nothing here trusts what it reads. Archives may be truncated, damaged, made to explode or to escape from their
//! directory; servers may fail, lie about sizes or send forever. Each ends in a [`PrepareError`] that says which
//! file and where.
//!
//! The crate knows nothing of tracks and prints nothing: a caller passes a [`DataSet`] and a [`Progress`].

mod archive;
mod bzip2_block;
mod bzip2_reader;
mod bzip2_scan;
mod checksum;
mod choose;
mod confine;
mod data_set;
mod document_file;
mod download;
mod download_exchange;
mod download_part;
mod error;
mod gzip_members;
mod locate;
mod lock;
mod make;
mod mirrors;
mod offset_file;
mod offsets;
mod prepare;
mod progress;
mod provenance;
mod stream;
mod validate;
mod zstd_frames;
mod zstd_reader;

pub use bzip2_reader::ParallelBzip2Reader;
pub use data_set::{ArchiveFormat, DataSet};
pub use download::DownloadOptions;
pub use error::{DownloadError, PrepareError, UnpackError};
pub use mirrors::{Mirror, MirrorFileError, read_mirrors};
pub use offset_file::OffsetFileError;
pub use offsets::{LINES_PER_OFFSET, LineCounter, LineOffsets};
pub use prepare::{PrepareOptions, PreparedDocuments, prepare};
pub use progress::{NoProgress, Phase, Progress};
pub use stream::StreamDamage;
pub use validate::{LineError, LineProblem, validate_action_lines, validate_document_lines};
pub use zstd_reader::ParallelZstdReader;
