//! Cuts one client's part of a data file into bulk bodies, or builds them from it.

use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr, memmem};
use serde_json::{Map, Value};

use super::documents::{DocumentSet, DocumentsError};
use super::ids::{IdSource, write_id};

/// How the bodies of a file are made.
#[derive(Debug, Clone)]
pub enum Action {
    /// Lines are sent as they stand in the file, but for types in action lines.
    AsInFile {
        /// Whether lines come in pairs.
        pairs: bool,
        /// Whether types are taken out.
        rewrite: bool,
    },
    /// This line stands before each document.
    Constant(Arc<[u8]>),
    /// A line with an id stands before each document.
    WithId {
        /// What comes before the id.
        index: Arc<[u8]>,
        /// What comes before an id that is used again, where its document is updated.
        update: Option<Arc<[u8]>>,
    },
}

/// What comes after an id.
const AFTER_ID: &[u8] = b"\"}}\n";

impl Action {
    /// How many lines of the file make one document.
    pub fn lines_per_document(&self) -> u64 {
        match self {
            Action::AsInFile { pairs: true, .. } => 2,
            _ => 1,
        }
    }
}

/// One client's part of one file.
pub struct Reader {
    set: Arc<DocumentSet>,
    bytes: Bytes,
    position: usize,
    /// Number of the next line in the file, 0-based.
    line: u64,
    documents: u64,
    action: Action,
    ids: Option<IdSource>,
}

/// A bulk body before it is handed over.
pub struct Bulk {
    /// Its bytes.
    pub body: Body,
    /// Number of documents in it.
    pub documents: u32,
}

/// Where the bytes of a bulk are.
pub enum Body {
    /// In the mapped file.
    Slice(Bytes),
    /// In a buffer.
    Built(Vec<u8>),
}

impl Reader {
    /// Reads `documents` documents from `first_document` on. `ids`: where their ids come from, if they get any.
    ///
    /// # Errors
    /// Where the file cannot be read or is too short.
    pub fn open(
        set: &Arc<DocumentSet>,
        action: &Action,
        first_document: u64,
        documents: u64,
        ids: Option<IdSource>,
    ) -> Result<Reader, DocumentsError> {
        let per_document = action.lines_per_document();
        let line = first_document * per_document;
        let bytes = set.lines(line, documents * per_document)?;
        Ok(Reader { set: Arc::clone(set), bytes, position: 0, line, documents, action: action.clone(), ids })
    }

    /// Whether all documents were read.
    pub fn is_at_end(&self) -> bool {
        self.documents == 0
    }

    /// The next bulk of at most `bulk_size` documents, built in `buffer` where it cannot be sent as it lies in the file.
    ///
    /// # Errors
    /// Where a line is missing or not what it must be.
    pub fn next_bulk(&mut self, bulk_size: u32, mut buffer: Vec<u8>) -> Result<Bulk, DocumentsError> {
        let documents = u64::from(bulk_size).min(self.documents);
        let body = match self.action.clone() {
            Action::AsInFile { pairs, rewrite } => self.as_in_file(documents, pairs, rewrite, buffer)?,
            Action::Constant(line) => {
                for _ in 0..documents {
                    buffer.extend_from_slice(&line);
                    self.append_document(&mut buffer)?;
                }
                Body::Built(buffer)
            }
            Action::WithId { index, update } => {
                for _ in 0..documents {
                    let (id, repeats) = self.ids.as_mut().map_or((0, false), IdSource::next_id);
                    match update.as_ref().filter(|_| repeats) {
                        None => {
                            append_id(&index, id, &mut buffer);
                            self.append_document(&mut buffer)?;
                        }
                        Some(update) => {
                            append_id(update, id, &mut buffer);
                            self.append_partial(&mut buffer)?;
                        }
                    }
                }
                Body::Built(buffer)
            }
        };
        self.documents -= documents;
        Ok(Bulk { body, documents: documents as u32 })
    }

    fn append_document(&mut self, buffer: &mut Vec<u8>) -> Result<(), DocumentsError> {
        let (begin, end) = self.next_line()?;
        self.check_document(begin, end)?;
        buffer.extend_from_slice(&self.bytes[begin..end]);
        if self.bytes[end - 1] != b'\n' {
            buffer.push(b'\n');
        }
        Ok(())
    }

    /// A document as what is to be changed of another.
    fn append_partial(&mut self, buffer: &mut Vec<u8>) -> Result<(), DocumentsError> {
        let (begin, end) = self.next_line()?;
        self.check_document(begin, end)?;
        buffer.extend_from_slice(b"{\"doc\":");
        buffer.extend_from_slice(trimmed(&self.bytes[begin..end]));
        buffer.extend_from_slice(b"}\n");
        Ok(())
    }

    /// A slice of the file where its bytes can be sent as they are, a copy where a newline is missing at the end or types
    /// have to be taken out.
    fn as_in_file(
        &mut self,
        documents: u64,
        pairs: bool,
        rewrite: bool,
        mut buffer: Vec<u8>,
    ) -> Result<Body, DocumentsError> {
        let (begin, first_line) = (self.position, self.line);
        let mut typed = false;
        for _ in 0..documents {
            if pairs {
                let (begin, end) = self.next_line()?;
                let line = &self.bytes[begin..end];
                self.check_action(line)?;
                typed = typed || (rewrite && memmem::find(line, b"\"_type\"").is_some());
            }
            let (begin, end) = self.next_line()?;
            self.check_document(begin, end)?;
        }
        let slice = self.bytes.slice(begin..self.position);
        if !typed && slice.last() == Some(&b'\n') {
            return Ok(Body::Slice(slice));
        }
        if !typed {
            buffer.extend_from_slice(&slice);
            buffer.push(b'\n');
            return Ok(Body::Built(buffer));
        }
        for (number, line) in slice.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if number % 2 == 0 {
                let Some(rewritten) = without_type(line) else {
                    return Err(self
                        .wrong(first_line + number as u64, "this is not a line with action and meta-data"));
                };
                buffer.extend_from_slice(rewritten.as_bytes());
                buffer.push(b'\n');
            } else {
                buffer.extend_from_slice(line);
            }
        }
        if buffer.last() != Some(&b'\n') {
            buffer.push(b'\n');
        }
        Ok(Body::Built(buffer))
    }

    /// Where the next line begins and ends, its newline included.
    fn next_line(&mut self) -> Result<(usize, usize), DocumentsError> {
        let begin = self.position;
        let rest = &self.bytes[begin..];
        if rest.is_empty() {
            return Err(DocumentsError::TooShort {
                path: self.set.path.clone(),
                line: self.line + 1,
                document_count: self.set.document_count,
                source: None,
            });
        }
        self.position = memchr(b'\n', rest).map_or(self.bytes.len(), |newline| begin + newline + 1);
        self.line += 1;
        Ok((begin, self.position))
    }

    /// A look at both ends of a line finds files that are shifted, indented or not JSON at all; what is wrong in between
    /// the target says.
    fn check_document(&self, begin: usize, end: usize) -> Result<(), DocumentsError> {
        let line = trimmed(&self.bytes[begin..end]);
        if line.first() == Some(&b'{') && line.last() == Some(&b'}') {
            return Ok(());
        }
        let problem = if line.is_empty() {
            "this line is empty, but each line must hold a document"
        } else {
            "this is not a document: each line must be one JSON object"
        };
        Err(self.wrong(self.line - 1, problem))
    }

    fn check_action(&self, line: &[u8]) -> Result<(), DocumentsError> {
        let line = trimmed(line);
        let name = line
            .strip_prefix(b"{")
            .map(<[u8]>::trim_ascii_start)
            .and_then(|rest| rest.strip_prefix(b"\""))
            .and_then(|rest| memchr(b'"', rest).map(|quote| &rest[..quote]));
        let problem = match name {
            Some(b"index" | b"create" | b"update") if line.ends_with(b"}}") || line.ends_with(b"}") => {
                return Ok(());
            }
            Some(b"delete") => {
                "'delete' has no document after it, but with action and meta-data in the file lines must come in pairs"
            }
            _ => "this is not a line with action and meta-data, e.g. {\"index\": {\"_index\": \"logs\"}}",
        };
        Err(self.wrong(self.line - 1, problem))
    }

    fn wrong(&self, line: u64, problem: &'static str) -> DocumentsError {
        DocumentsError::Line { path: self.set.path.clone(), line: line + 1, problem }
    }
}

fn append_id(before: &[u8], id: u64, buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(before);
    write_id(id, buffer);
    buffer.extend_from_slice(AFTER_ID);
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// An action line without `_type`, for targets that have no types and refuse the name.
fn without_type(line: &[u8]) -> Option<String> {
    let mut action: Map<String, Value> = serde_json::from_slice(line).ok()?;
    for meta in action.values_mut() {
        meta.as_object_mut()?.shift_remove("_type");
    }
    serde_json::to_string(&action).ok()
}
