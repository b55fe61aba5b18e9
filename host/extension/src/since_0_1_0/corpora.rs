//! The documents of the track, partitioned for a client.

use std::sync::Arc;

use rally_operations::DocumentSet;
use rally_operations::bulk::{Action, BodyPool, BulkBody, BulkReader, bounds};
use wasmtime::component::Resource;

use crate::context::RaceContext;
use crate::since_0_1_0::bindings::imports::corpora;
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::bodies::Slice;
use crate::since_0_1_0::state::HostState;

/// Reads one client's part of all files, one after the other.
pub struct Reader {
    /// What is still to be read; the next one is the last.
    files: Vec<FilePart>,
    bulk_size: u32,
    batch_size: u32,
    slices: u64,
}

/// One client's part of a file.
struct FilePart {
    reader: BulkReader,
    index: Arc<str>,
    mapping_type: Option<Arc<str>>,
    has_action_lines: bool,
    documents: u64,
    /// Documents left of the batch that was begun.
    batch: u64,
}

/// Documents of one slice at most. Arbitrary: they are looked at in one go, and a hundredth of that is a large bulk.
const LARGEST_BULK: u32 = 1_000_000;

pub(crate) fn error(class: ErrorClass, message: impl Into<String>) -> Error {
    Error { class, message: message.into(), status: None, kind: None, traceback: None }
}

impl Reader {
    fn open(state: &HostState, context: &RaceContext, options: corpora::Options) -> Result<Reader, Error> {
        if options.bulk_size == 0
            || options.batch_size == 0
            || !options.batch_size.is_multiple_of(options.bulk_size)
        {
            return Err(error(
                ErrorClass::Config,
                format!(
                    "the batch size {} must be a multiple of the bulk size {}, both above 0",
                    options.batch_size, options.bulk_size
                ),
            ));
        }
        if options.bulk_size > LARGEST_BULK {
            let problem = format!("the bulk size {} is above {LARGEST_BULK} documents", options.bulk_size);
            return Err(error(ErrorClass::Config, problem));
        }
        let sets = &state.environment.documents;
        if let Some(unknown) =
            options.indices.iter().find(|index| !sets.iter().any(|set| target(set) == *index))
        {
            let mut known: Vec<&str> = sets.iter().map(|set| target(set)).collect();
            known.dedup();
            return Err(error(
                ErrorClass::NotFound,
                format!("unknown index '{unknown}'; indices with documents: {}", known.join(", ")),
            ));
        }
        let typed =
            state.environment.target.as_ref().is_none_or(|target| target.cluster.capabilities().typed());
        let mut files = Vec::new();
        let mut slices = 0;
        for set in sets.iter().filter(|set| {
            options.indices.is_empty() || options.indices.iter().any(|index| index == target(set))
        }) {
            let part = bounds(set.document_count, context.index, context.total);
            if part.documents == 0 {
                continue;
            }
            let pairs = set.includes_action_and_meta_data;
            // Targets without types refuse action lines that name one.
            let action = Action::AsInFile { pairs, rewrite: pairs && !typed };
            let reader = BulkReader::open(set, &action, part.first_document, part.documents, None)
                .map_err(|failure| error(ErrorClass::NotFound, failure.to_string()))?;
            slices += part.documents.div_ceil(u64::from(options.bulk_size));
            files.push(FilePart {
                reader,
                index: target(set).into(),
                mapping_type: (typed && !set.mapping_type.is_empty())
                    .then(|| set.mapping_type.as_str().into()),
                has_action_lines: pairs,
                documents: part.documents,
                batch: 0,
            });
        }
        files.reverse();
        Ok(Reader { files, bulk_size: options.bulk_size, batch_size: options.batch_size, slices })
    }

    fn next(&mut self, buffers: &BodyPool) -> Result<Option<Slice>, Error> {
        let Some(part) = self.files.last_mut() else { return Ok(None) };
        if part.batch == 0 {
            part.batch = part.documents.min(u64::from(self.batch_size));
        }
        let documents = part.batch.min(u64::from(self.bulk_size));
        let bulk = part
            .reader
            .next_bulk(documents as u32, buffers.take())
            .map_err(|failure| error(ErrorClass::Other, failure.to_string()))?;
        let slice = Slice {
            bytes: match bulk.body {
                BulkBody::Slice(bytes) => bytes,
                BulkBody::Built(buffer) => buffers.body(buffer),
            },
            documents: bulk.documents,
            index: Arc::clone(&part.index),
            mapping_type: part.mapping_type.clone(),
            has_action_lines: part.has_action_lines,
        };
        part.batch -= documents;
        part.documents -= documents;
        if part.documents == 0 {
            self.files.pop();
        }
        Ok(Some(slice))
    }
}

impl corpora::Host for HostState {}

impl corpora::HostReader for HostState {
    fn open(
        &mut self,
        context: Resource<RaceContext>,
        options: corpora::Options,
    ) -> wasmtime::Result<Result<Resource<Reader>, Error>> {
        let context = self.table.get(&context)?.clone();
        match Reader::open(self, &context, options) {
            Ok(reader) => Ok(Ok(self.table.push(reader)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn next(&mut self, handle: Resource<Reader>) -> wasmtime::Result<Result<Option<Resource<Slice>>, Error>> {
        match self.table.get_mut(&handle)?.next(&self.environment.buffers) {
            Ok(Some(slice)) => Ok(Ok(Some(self.table.push(slice)?))),
            Ok(None) => Ok(Ok(None)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn size(&mut self, handle: Resource<Reader>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&handle)?.slices)
    }

    fn drop(&mut self, handle: Resource<Reader>) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

/// What the documents of a set go into.
fn target(set: &DocumentSet) -> &str {
    match (set.index.as_str(), &set.data_stream) {
        ("", Some(data_stream)) => data_stream,
        (index, _) => index,
    }
}
