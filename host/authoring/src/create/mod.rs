//! A track from what a cluster holds.
//!
//! ```text
//! names ─▶ source ─▶ bodies of indices ─┐
//!          who is there                 ├─▶ track ─▶ track.json, challenges, operations
//!          dump ─▶ documents, -1k ──────┘
//! ```
//!
//! Everything is written into a folder that the caller renames when it is whole.

mod dump;
mod source;
mod track;

use std::io;
use std::path::PathBuf;

use rally_cluster::CallError;

pub use dump::DumpedCorpus;
pub use track::{CreatedTrack, create};

/// What the track is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Indices, by name or with wildcards.
    Indices(Vec<String>),
    /// Data streams, by name or with wildcards.
    DataStreams(Vec<String>),
}

/// How a track is made.
#[derive(Debug, Clone)]
pub struct CreateOptions {
    /// What it is made of.
    pub selection: Selection,
    /// Documents that the cluster is asked for at once, at least 1.
    pub batch_size: u32,
    /// The folder that the files are written to; it is there and empty.
    pub folder: PathBuf,
}

/// Hears how it goes, and may end it.
pub trait CreateProgress {
    /// `done` documents of an index or data stream have been written.
    fn dumped(&self, name: &str, done: u64, total: u64);

    /// Whether the user has had enough.
    fn is_cancelled(&self) -> bool;
}

/// Why no track can be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Nothing is called so.
    #[error("the cluster has no {what} '{pattern}'; `GET /_cat/indices` lists all indices")]
    NothingFound {
        /// `index` or `data stream`.
        what: &'static str,
        /// The name or pattern.
        pattern: String,
    },
    /// A name that would be no file's.
    #[error("'{name}' cannot be part of a file name")]
    Name {
        /// The name.
        name: String,
    },
    /// The cluster refuses, or does not answer.
    #[error("cannot read {what} from the cluster")]
    Call {
        /// What was asked for.
        what: String,
        /// The error.
        #[source]
        source: CallError,
    },
    /// The cluster answers, but only in part.
    #[error("the cluster could read only some of the shards of '{name}': {failure}")]
    Partial {
        /// Index or data stream.
        name: String,
        /// The first failure.
        failure: String,
    },
    /// A document without its content: not all of the index could be written.
    #[error("cannot write a track from '{name}': the index does not store the '_source' of its documents")]
    NoSource {
        /// Index or data stream.
        name: String,
    },
    /// A file cannot be written.
    #[error("cannot write '{path}'")]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The user has had enough.
    #[error("interrupted; no track was written")]
    Cancelled,
}
