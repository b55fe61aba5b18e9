//! The source of an `index` operation: bulk bodies cut from, or built from, data files.

use std::sync::Arc;

use rally_race::{BodyKind, Cause, More, ParamSource, ParamSourceFactory, Params, Partition};
use rally_track::Operation;
use serde_json::{Map, Value};

use super::body_pool::{BodyPool, SharedPool};
use super::bounds::bounds;
use super::bulk_options::{ActionAndMetaData, BulkOptions};
use super::bulk_reader::{Action, Body, Reader};
use super::documents::DocumentSet;
use super::error::ParamError;
use super::ids::IdSource;

/// At most so many bytes are copied into bodies in one call of `next`, so that one client's large bulks neither pile up
/// nor keep the generator from the others.
const BYTES_PER_CALL: usize = 8 << 20;

/// Opens the sources of an `index` operation: each client reads its own part of each file, in the order of the track.
pub struct BulkSourceFactory {
    files: Vec<BulkFile>,
    options: BulkOptions,
    pool: SharedPool,
}

/// A file of the operation, with what is the same for all its bulks.
struct BulkFile {
    set: Arc<DocumentSet>,
    action: Action,
    values: Arc<Map<String, Value>>,
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
        Ok(BulkSourceFactory { files, options, pool: SharedPool::default() })
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
            bulks += part.documents.div_ceil(u64::from(self.options.bulk_size));
            let ids = self
                .options
                .conflicts
                .map(|conflicts| ids(conflicts, part.first_document, part.documents, number as u64));
            let reader = Reader::open(&file.set, &file.action, part.first_document, part.documents, ids)?;
            readers.push((reader, Arc::clone(&file.values)));
        }
        readers.reverse();
        Ok(BulkSource { readers, bulk_size: self.options.bulk_size, bulks, pool: self.pool.get(), length: 0 })
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

/// The bulks of one client.
pub struct BulkSource {
    /// What is still to be read; the next one is the last.
    readers: Vec<(Reader, Arc<Map<String, Value>>)>,
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
            let Some((reader, values)) = self.readers.last_mut() else { return Ok(More::Exhausted) };
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
            out.push(Params {
                body,
                body_kind: BodyKind::Text,
                documents: bulk.documents,
                ..Params::of(Arc::clone(values))
            });
            if reader.is_at_end() {
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
