//! Back-pressure: documents on their way into the search engine hold permits, and there are only so many bytes of them.
//!
//! tantivy takes documents into a queue that its memory budget does not cover; a writer that only fed it would answer
//! faster than it indexes, and pay with memory and with a long commit. So every bulk takes a permit for its bytes, each
//! of its documents carries a share, and the permit is free again when the last of them was indexed.

use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use tantivy::TantivyDocument;
use tantivy::schema::Document;

/// Bytes of source that may be on their way at once; one request may exceed it alone.
const CAPACITY: usize = 4 << 20;

/// Counts the bytes on their way.
#[derive(Default)]
pub struct Gate {
    used: Mutex<usize>,
    freed: Condvar,
}

impl Gate {
    /// Waits until there is room for `bytes` and takes it.
    pub fn acquire(self: &Arc<Self>, bytes: usize) -> Arc<Permit> {
        let mut used = self.used.lock();
        while *used > 0 && *used + bytes > CAPACITY {
            self.freed.wait(&mut used);
        }
        *used += bytes;
        Arc::new(Permit { gate: Arc::clone(self), bytes })
    }
}

/// Room for the documents of one request.
pub struct Permit {
    gate: Arc<Gate>,
    bytes: usize,
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.gate.used.lock() -= self.bytes;
        self.gate.freed.notify_all();
    }
}

/// A document and the permit it holds until it is indexed.
pub struct GatedDocument {
    document: TantivyDocument,
    _permit: Arc<Permit>,
}

impl GatedDocument {
    /// `document` holding `permit`.
    pub fn new(document: TantivyDocument, permit: &Arc<Permit>) -> Self {
        GatedDocument { document, _permit: Arc::clone(permit) }
    }
}

impl Document for GatedDocument {
    type Value<'a> = <TantivyDocument as Document>::Value<'a>;
    type FieldsValuesIter<'a> = <TantivyDocument as Document>::FieldsValuesIter<'a>;

    fn iter_fields_and_values(&self) -> Self::FieldsValuesIter<'_> {
        self.document.iter_fields_and_values()
    }

    fn into_tantivy_document(self) -> TantivyDocument {
        self.document
    }
}
