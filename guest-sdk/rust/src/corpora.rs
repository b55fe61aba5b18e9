//! The documents of the track, already partitioned for a client.

use crate::bindings::host::rally::track::corpora as wire;
use crate::bodies::Slice;
use crate::{Context, Error, Result, handle};

/// Reads a client's part of the track's documents, slice by slice, in the order of the track.
///
/// ```
/// # use rally_sdk::{Context, Reader, Result};
/// # fn open(context: &Context) -> Result<()> {
/// let mut reader = Reader::options().bulk_size(500).open(context)?;
/// while let Some(slice) = reader.next()? {
///     let body = slice.interleaved(b"{\"index\": {}}\n");
/// }
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Reader {
    handle: handle::Reader,
}

/// What a reader reads, and how much at a time.
#[derive(Debug, Clone)]
pub struct ReaderOptions {
    indices: Vec<String>,
    bulk_size: u32,
    batch_size: Option<u32>,
}

impl Reader {
    /// All documents, 1,000 per slice.
    pub fn options() -> ReaderOptions {
        ReaderOptions { indices: Vec::new(), bulk_size: 1_000, batch_size: None }
    }

    /// The next documents, or none once this client's part is done.
    ///
    /// # Errors
    /// Where the file cannot be read.
    #[allow(clippy::should_implement_trait)] // an iterator's `next` would make each error an item
    pub fn next(&mut self) -> Result<Option<Slice>> {
        let slice = self.handle.next().map_err(Error::from_wire)?;
        Ok(slice.map(|handle| Slice { handle }))
    }

    /// Number of slices of this client's part.
    pub fn size(&self) -> u64 {
        self.handle.size()
    }
}

impl ReaderOptions {
    /// Only documents of this index; called again: of this one too.
    pub fn index(mut self, index: impl Into<String>) -> ReaderOptions {
        self.indices.push(index.into());
        self
    }

    /// Documents per slice.
    pub fn bulk_size(mut self, documents: u32) -> ReaderOptions {
        self.bulk_size = documents;
        self
    }

    /// Documents that are read at once: a multiple of the bulk size, and the bulk size where nothing is said.
    pub fn batch_size(mut self, documents: u32) -> ReaderOptions {
        self.batch_size = Some(documents);
        self
    }

    /// Opens the part of the context's client.
    ///
    /// # Errors
    /// Where the sizes make no sense, or the track has no such documents.
    pub fn open(self, context: &Context) -> Result<Reader> {
        let batch_size = self.batch_size.unwrap_or(self.bulk_size);
        if self.bulk_size == 0 {
            return Err(Error::config("parameter 'bulk-size' is 0 but must be a whole number above 0"));
        }
        if batch_size < self.bulk_size || !batch_size.is_multiple_of(self.bulk_size) {
            return Err(Error::config(format!(
                "parameter 'batch-size' is {batch_size} but must be a multiple of 'bulk-size', which is {}",
                self.bulk_size
            )));
        }
        let options = wire::Options { indices: self.indices, bulk_size: self.bulk_size, batch_size };
        let handle = handle::Reader::open(context.handle(), &options).map_err(Error::from_wire)?;
        Ok(Reader { handle })
    }
}
