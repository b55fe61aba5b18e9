//! The reading side: a searcher, and beside it what finding documents by id needs.

use crate::error::EsError;
use crate::mapping::System;
use bytes::Bytes;
use std::sync::Arc;
use tantivy::columnar::Column;
use tantivy::schema::{IndexRecordOption, Term, Value};
use tantivy::{DocAddress, DocSet, InvertedIndexReader, Searcher, TERMINATED, TantivyDocument};

/// What was refreshed at one moment.
pub struct ReadView {
    /// The searcher.
    pub searcher: Searcher,
    segments: Vec<Segment>,
}

struct Segment {
    ids: Arc<InvertedIndexReader>,
    versions: Column<u64>,
    sequences: Column<u64>,
}

/// Where a document is and which version it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its place in the searcher.
    pub address: DocAddress,
    /// Its version.
    pub version: u64,
    /// Its sequence number.
    pub sequence: u64,
}

impl ReadView {
    /// Opens the columns of `searcher`.
    ///
    /// # Errors
    /// Where a segment cannot be read.
    pub fn new(searcher: Searcher) -> Result<Self, EsError> {
        let mut segments = Vec::with_capacity(searcher.segment_readers().len());
        for reader in searcher.segment_readers() {
            segments.push(Segment {
                ids: reader.inverted_index(System::ID)?,
                versions: reader.fast_fields().u64(System::VERSION_NAME)?,
                sequences: reader.fast_fields().u64(System::SEQUENCE_NAME)?,
            });
        }
        Ok(ReadView { searcher, segments })
    }

    /// The document with this id, if there is one.
    ///
    /// # Errors
    /// Where a segment cannot be read.
    pub fn find(&self, id: &str) -> Result<Option<Found>, EsError> {
        let term = Term::from_field_text(System::ID, id);
        for (ordinal, (segment, reader)) in
            self.segments.iter().zip(self.searcher.segment_readers()).enumerate()
        {
            let Some(information) = segment.ids.get_term_info(&term)? else { continue };
            let mut postings =
                segment.ids.read_postings_from_terminfo(&information, IndexRecordOption::Basic)?;
            let mut document = postings.doc();
            while document != TERMINATED {
                if !reader.is_deleted(document) {
                    return Ok(Some(Found {
                        address: DocAddress::new(u32::try_from(ordinal).unwrap_or(u32::MAX), document),
                        version: segment.versions.first(document).unwrap_or(1),
                        sequence: segment.sequences.first(document).unwrap_or(0),
                    }));
                }
                document = postings.advance();
            }
        }
        Ok(None)
    }

    /// The source of the document at `address`; None where the mapping says to keep none.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn source(&self, address: DocAddress) -> Result<Option<Bytes>, EsError> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        let source = document.get_first(System::SOURCE);
        Ok(source.and_then(|value| value.as_leaf()?.as_bytes().map(Bytes::copy_from_slice)))
    }

    /// The greatest sequence number, if there is any document.
    pub fn last_sequence(&self) -> Option<u64> {
        self.segments
            .iter()
            .filter(|segment| segment.sequences.num_docs() > 0)
            .map(|segment| segment.sequences.max_value())
            .max()
    }

    /// Version and sequence number of the document at `address`.
    pub fn version(&self, address: DocAddress) -> (u64, u64) {
        match self.segments.get(address.segment_ord as usize) {
            Some(segment) => (
                segment.versions.first(address.doc_id).unwrap_or(1),
                segment.sequences.first(address.doc_id).unwrap_or(0),
            ),
            None => (1, 0),
        }
    }
}
