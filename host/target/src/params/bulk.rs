//! The source of an `index` operation: bulk bodies cut from, or built from, data files.

use std::sync::Arc;

use bytes::Bytes;
use memchr::{memchr, memmem};
use rally_race::{Cause, More, ParamSource, ParamSourceFactory, Params, Partition};
use rally_track::Operation;
use serde_json::{Map, Value};

use super::body_pool::BodyPool;
use super::bounds::bounds;
use super::bulk_options::{ActionAndMetaData, BulkOptions};
use super::documents::{DocumentSet, DocumentsError};
use super::error::ParamError;
use super::ids::{IdSource, write_id};

/// At most so many bytes are copied into bodies in one call of `next`, so that one client's large bulks neither pile up
/// nor keep the generator from the others.
const BYTES_PER_CALL: usize = 8 << 20;

/// Opens the sources of an `index` operation: each client reads its own part of each file, in the order of the track.
pub struct BulkSourceFactory {
    files: Vec<BulkFile>,
    options: BulkOptions,
}

/// A file of the operation, with what is the same for all its bulks.
struct BulkFile {
    set: Arc<DocumentSet>,
    action: Action,
    values: Arc<Map<String, Value>>,
}

/// How the bodies of a file are made.
#[derive(Debug, Clone)]
enum Action {
    /// Lines are sent as they stand in the file. `pairs`: an action line stands before each document; `rewrite`: types are
    /// taken out of it.
    AsInFile { pairs: bool, rewrite: bool },
    /// This line stands before each document.
    Constant(Arc<[u8]>),
    /// A line with an id stands before each document: what comes before the id, what comes after it.
    WithId(Arc<[u8]>, Arc<[u8]>),
}

impl BulkSourceFactory {
    /// Reads the operation and finds its files. `typed`: the target knows mapping types.
    ///
    /// # Errors
    /// Where parameters make no sense, the index is not one of the track's, or there are no documents.
    pub fn new(operation: &Operation, sets: &[Arc<DocumentSet>], typed: bool) -> Result<Self, Cause> {
        let options = BulkOptions::read(operation)?;
        let error = |problem: String| ParamError::new(&operation.name, problem);
        let chosen: Vec<_> = sets
            .iter()
            .filter(|set| options.index.as_ref().is_none_or(|index| *index == set.index))
            .collect();
        if chosen.is_empty() {
            let mut names: Vec<&str> = sets.iter().map(|set| set.index.as_str()).collect();
            names.dedup();
            return Err(error(match &options.index {
                Some(index) if !sets.is_empty() => {
                    format!("index '{index}' is none of the indices with documents: {}", names.join(", "))
                }
                _ => "the track has no documents: declare them under 'types'".to_owned(),
            })
            .into());
        }
        let several = chosen.iter().any(|set| set.index != chosen[0].index);
        let files = chosen
            .into_iter()
            .map(|set| {
                // Read the last line now: a file that is too short is better found before the race than in it.
                let mode = mode(operation, &options, set)?;
                let per_document = lines_per_document(mode);
                set.lines(
                    set.document_count.saturating_mul(per_document).saturating_sub(1),
                    set.document_count.min(1),
                )?;
                Ok(BulkFile {
                    set: Arc::clone(set),
                    action: action(mode, &options, set, typed),
                    values: values(operation, set, mode),
                })
            })
            .collect::<Result<Vec<_>, Cause>>()?;
        tracing::debug!(operation = operation.name, files = files.len(), several, "bulk source");
        Ok(BulkSourceFactory { files, options })
    }

    /// What the operation says.
    pub fn options(&self) -> &BulkOptions {
        &self.options
    }

    /// Opens the source of one client with ids from `ids` (conflicts, first document, number of documents, number of the
    /// file).
    ///
    /// # Errors
    /// Where a file cannot be read.
    #[doc(hidden)]
    pub fn open_with(
        &self,
        partition: Partition,
        ids: &mut dyn FnMut(super::Conflicts, u64, u64, u64) -> IdSource,
    ) -> Result<BulkSource, Cause> {
        let mut readers = Vec::new();
        let mut bulks = 0;
        for (number, file) in self.files.iter().enumerate() {
            let part = bounds(file.set.document_count, partition.index, partition.total);
            if part.documents == 0 {
                continue;
            }
            let per_document = file.action.lines_per_document();
            let first_line = part.first_document * per_document;
            bulks += part.documents.div_ceil(u64::from(self.options.bulk_size));
            readers.push(Reader {
                set: Arc::clone(&file.set),
                bytes: file.set.lines(first_line, part.documents * per_document)?,
                position: 0,
                line: first_line,
                documents: part.documents,
                action: file.action.clone(),
                ids: self
                    .options
                    .conflicts
                    .map(|conflicts| ids(conflicts, part.first_document, part.documents, number as u64)),
                values: Arc::clone(&file.values),
            });
        }
        readers.reverse();
        Ok(BulkSource {
            readers,
            bulk_size: self.options.bulk_size,
            bulks,
            pool: BodyPool::default(),
            length: 0,
        })
    }
}

impl ParamSourceFactory for BulkSourceFactory {
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        let mut ids =
            |conflicts, first, count, file| IdSource::seeded(conflicts, first, count, partition.seed, file);
        Ok(Box::new(self.open_with(partition, &mut ids)?))
    }

    fn finite(&self) -> bool {
        true
    }
}

/// Where a file's action lines come from: the operation may say it (0.6), or the file (0.7); both must agree.
fn mode(
    operation: &Operation,
    options: &BulkOptions,
    set: &DocumentSet,
) -> Result<ActionAndMetaData, ParamError> {
    let error = |problem: String| Err(ParamError::new(&operation.name, problem));
    match (options.action_and_meta_data, set.includes_action_and_meta_data) {
        (Some(ActionAndMetaData::Generate), true) => error(format!(
            "'action-and-meta-data' is \"generate\", but the documents of type '{}' in index '{}' include action and meta-data already",
            set.mapping_type, set.index
        )),
        (_, true) if options.conflicts.is_some() => error(format!(
            "'conflicts' needs generated ids, but the documents of type '{}' in index '{}' include action and meta-data already",
            set.mapping_type, set.index
        )),
        (Some(mode), _) => Ok(mode),
        (None, true) => Ok(ActionAndMetaData::SourceFile),
        (None, false) => Ok(ActionAndMetaData::Generate),
    }
}

fn lines_per_document(mode: ActionAndMetaData) -> u64 {
    if mode == ActionAndMetaData::SourceFile { 2 } else { 1 }
}

fn action(mode: ActionAndMetaData, options: &BulkOptions, set: &DocumentSet, typed: bool) -> Action {
    let pairs = mode == ActionAndMetaData::SourceFile;
    if mode != ActionAndMetaData::Generate {
        return Action::AsInFile { pairs, rewrite: pairs && !typed };
    }
    // Written with Rally's spaces: the same bytes go over the wire.
    let mut head = format!("{{\"index\": {{\"_index\": {}", Value::from(set.index.as_str()));
    if typed {
        head.push_str(&format!(", \"_type\": {}", Value::from(set.mapping_type.as_str())));
    }
    if options.conflicts.is_some() {
        head.push_str(", \"_id\": \"");
        Action::WithId(head.into_bytes().into(), b"\"}}\n".as_slice().into())
    } else {
        head.push_str("}}\n");
        Action::Constant(head.into_bytes().into())
    }
}

fn values(operation: &Operation, set: &DocumentSet, mode: ActionAndMetaData) -> Arc<Map<String, Value>> {
    let mut values = operation.params.clone();
    values.insert("index".to_owned(), Value::from(set.index.as_str()));
    values.insert("type".to_owned(), Value::from(set.mapping_type.as_str()));
    values.insert("action_metadata_present".to_owned(), Value::from(mode != ActionAndMetaData::None));
    Arc::new(values)
}

impl Action {
    fn lines_per_document(&self) -> u64 {
        match self {
            Action::AsInFile { pairs: true, .. } => 2,
            _ => 1,
        }
    }
}

/// The bulks of one client.
pub struct BulkSource {
    /// What is still to be read; the next one is the last.
    readers: Vec<Reader>,
    bulk_size: u32,
    bulks: u64,
    pool: BodyPool,
    /// Length of the longest built body so far: the next buffer starts with room for it.
    length: usize,
}

impl ParamSource for BulkSource {
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        let mut copied = 0;
        for _ in 0..limit.max(1) {
            let Some(reader) = self.readers.last_mut() else { return Ok(More::Exhausted) };
            let mut buffer = self.pool.take();
            buffer.reserve(self.length);
            let bulk = reader.next_bulk(self.bulk_size, buffer)?;
            let body = match bulk.body {
                Body::Slice(body) => body,
                Body::Built(buffer) => {
                    self.length = self.length.max(buffer.len());
                    copied += buffer.len();
                    self.pool.body(buffer)
                }
            };
            out.push(Params { values: Arc::clone(&reader.values), body, documents: bulk.documents });
            if reader.documents == 0 {
                self.readers.pop();
            }
            if self.readers.is_empty() {
                return Ok(More::Exhausted);
            }
            if copied >= BYTES_PER_CALL {
                break;
            }
        }
        Ok(More::Yes)
    }

    fn size(&self) -> Option<u64> {
        Some(self.bulks)
    }
}

/// One client's part of one file.
struct Reader {
    set: Arc<DocumentSet>,
    bytes: Bytes,
    position: usize,
    /// Number of the next line in the file, 0-based.
    line: u64,
    documents: u64,
    action: Action,
    ids: Option<IdSource>,
    values: Arc<Map<String, Value>>,
}

struct Bulk {
    body: Body,
    documents: u32,
}

enum Body {
    Slice(Bytes),
    Built(Vec<u8>),
}

impl Reader {
    fn next_bulk(&mut self, bulk_size: u32, mut buffer: Vec<u8>) -> Result<Bulk, DocumentsError> {
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
            Action::WithId(before, after) => {
                for _ in 0..documents {
                    buffer.extend_from_slice(&before);
                    if let Some(ids) = &mut self.ids {
                        write_id(ids.next_id(), &mut buffer);
                    }
                    buffer.extend_from_slice(&after);
                    self.append_document(&mut buffer)?;
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
