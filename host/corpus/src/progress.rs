//! Progress of the preparation, for its caller.

/// What [`prepare`](super::prepare) is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Another process prepares the same data set; no bytes are reported.
    Waiting,
    /// Bytes of the file on the server, those of an earlier, interrupted download included.
    Downloading,
    /// Bytes of a file whose SHA-256 is computed.
    Verifying,
    /// Bytes of the archive that are unpacked.
    Decompressing,
    /// Bytes of the document file whose lines are counted.
    IndexingLines,
}

/// Receives progress. Called from the thread that called [`prepare`](super::prepare), some thousand times per
/// gigabyte, so an implementation may draw but should not block.
pub trait Progress: Send + Sync {
    /// `done` of `total` bytes of `phase` are through; `total` is unknown if the server does not announce it.
    fn report(&self, phase: Phase, done: u64, total: Option<u64>);

    /// A download failed for this reason and is tried again after a pause.
    fn retrying(&self, _reason: &str) {}

    /// Whether the user gave up. The preparation then removes what is half-written and ends with
    /// [`PrepareError::Cancelled`](super::PrepareError::Cancelled); a partial download is kept to be resumed.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Ignores progress and never cancels.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _phase: Phase, _done: u64, _total: Option<u64>) {}
}
