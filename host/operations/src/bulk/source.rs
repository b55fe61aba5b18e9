//! The sources of operations whose requests are cut from data files, or built from them: `index` in 2017, `bulk` today.

use std::sync::Arc;

use rally_race::{BodyKind, Cause, More, ParamSource, ParamSourceFactory, Params, Partition};
use rally_track::{Operation, Source, Track};
use serde_json::{Map, Value};

use super::body_pool::{BodyPool, SharedPool};
use super::documents::DocumentSet;
use super::ids::{IdRules, IdSource};
use super::options_2017::{ActionAndMetaData, BulkOptions};
use super::plan::{BulkPlan, Declared, PlannedFile, bulk_plan, mode, plan_2017};
use super::reader::{Action, Body, Reader};
use crate::error::ParamError;

/// At most so many bytes are copied into bodies in one call of `next`, so that one client's large bulks neither pile up
/// nor keep the generator from the others.
const BYTES_PER_CALL: usize = 8 << 20;

/// Opens the sources of an operation that reads documents: each client reads its own part of each file.
pub struct BulkSourceFactory {
    work: Arc<Work>,
    pool: SharedPool,
}

/// What all clients of an operation share.
struct Work {
    plan: BulkPlan,
    bulk_size: u32,
    ids: Option<IdRules>,
    /// As many as the plan has, in its order.
    files: Vec<BulkFile>,
}

/// A file of the operation, with what is the same for all its bulks.
struct BulkFile {
    set: Arc<DocumentSet>,
    action: Action,
    values: Arc<Map<String, Value>>,
}

/// Where the ids of a part of a file come from: their rules, its first document, its number of documents, its number.
type MakeIds<'a> = dyn FnMut(IdRules, u64, u64, u64) -> IdSource + 'a;

impl BulkSourceFactory {
    /// Reads the operation of a task with so many clients and finds its files among `sets`, which are those of the track or
    /// some of them. `typed`: the target knows mapping types.
    ///
    /// # Errors
    /// Where parameters make no sense, there are no documents, or a file is shorter than the track says.
    pub fn of_track(
        track: &Track,
        operation: &Operation,
        clients: u32,
        sets: &[Arc<DocumentSet>],
        typed: bool,
    ) -> Result<Self, Cause> {
        if track.dialect.built_in_source(operation) == Some(Source::Documents2017) {
            return BulkSourceFactory::new(operation, sets, typed);
        }
        let plan = bulk_plan(track, operation, clients)?;
        let ids = plan.conflicts.map(IdRules::Current);
        let mut files = Vec::new();
        for planned in &plan.files {
            let set = sets.iter().find(|set| is_of(set, planned)).ok_or_else(|| {
                let problem =
                    format!("{} of corpus '{}' was not prepared", planned.declared_name, planned.corpus);
                ParamError::new(&operation.name, problem)
            })?;
            let action = current_action(operation, &plan, set, typed)?;
            let values = current_values(operation, &plan, planned);
            files.push(BulkFile { set: Arc::clone(set), action, values });
        }
        BulkSourceFactory::open_files(operation, plan, ids, files)
    }

    /// Reads an `index` operation of 2017 and finds its files. `typed`: the target knows mapping types.
    ///
    /// # Errors
    /// Where parameters make no sense, the index is not one of the track's, or there are no documents.
    pub fn new(operation: &Operation, sets: &[Arc<DocumentSet>], typed: bool) -> Result<Self, Cause> {
        let options = BulkOptions::read(operation)?;
        let chosen = |set: &DocumentSet| options.index.as_ref().is_none_or(|index| *index == set.index);
        let plan = plan_2017(
            operation,
            &options,
            sets.iter().enumerate().map(|(position, set)| declared(position, set)).collect(),
            1,
        )?;
        let mut files = Vec::new();
        for (position, set) in sets.iter().enumerate().filter(|(_, set)| chosen(set)) {
            let mode = mode(operation, &options, &declared(position, set))?;
            files.push(BulkFile {
                set: Arc::clone(set),
                action: action_2017(mode, &options, set, typed),
                values: values_2017(operation, &plan, set, mode),
            });
        }
        BulkSourceFactory::open_files(operation, plan, options.conflicts.map(IdRules::Of2017), files)
    }

    fn open_files(
        operation: &Operation,
        plan: BulkPlan,
        ids: Option<IdRules>,
        files: Vec<BulkFile>,
    ) -> Result<Self, Cause> {
        for (file, planned) in files.iter().zip(&plan.files) {
            // Read the last line now: a file that is too short is better found before the race than in it.
            let lines = planned.documents.saturating_mul(planned.lines_per_document);
            file.set.lines(lines.saturating_sub(1), lines.min(1))?;
        }
        let bulk_size = u32::try_from(plan.bulk_size).map_err(|_| {
            let problem = format!("'bulk-size' is {}, which is too large", plan.bulk_size);
            ParamError::new(&operation.name, problem)
        })?;
        tracing::debug!(operation = operation.name, files = files.len(), "bulk source");
        let work = Arc::new(Work { plan, bulk_size, ids, files });
        Ok(BulkSourceFactory { work, pool: SharedPool::default() })
    }

    /// Which documents go to which client.
    pub fn plan(&self) -> &BulkPlan {
        &self.work.plan
    }

    /// Opens the source of one client with ids from `ids`.
    ///
    /// # Errors
    /// Where a file cannot be read.
    #[doc(hidden)]
    pub fn open_with(&self, partition: Partition, ids: &mut MakeIds<'_>) -> Result<BulkSource, Cause> {
        let work = Arc::clone(&self.work);
        let mut source = BulkSource {
            work,
            partition,
            readers: Vec::new(),
            left: 0,
            size: None,
            rounds: 0,
            pool: self.pool.get(),
            length: 0,
        };
        source.begin_round(ids)?;
        if !self.work.plan.looped {
            source.size = Some(source.left);
        }
        Ok(source)
    }
}

impl ParamSourceFactory for BulkSourceFactory {
    fn open(&self, partition: Partition) -> Result<Box<dyn ParamSource>, Cause> {
        let mut ids = |rules, first, count, file| IdSource::seeded(rules, first, count, partition.seed, file);
        Ok(Box::new(self.open_with(partition, &mut ids)?))
    }

    /// A looped operation has an end to wait for as well: that of the element which it is part of.
    fn finite(&self) -> bool {
        true
    }
}

/// Whether this is the planned file. One file may be named more than once, with other targets.
fn is_of(set: &DocumentSet, planned: &PlannedFile) -> bool {
    let same = |named: &str, planned: &Option<String>| named == planned.as_deref().unwrap_or_default();
    set.corpus == planned.corpus
        && set.declared_name == planned.declared_name
        && set.data_stream == planned.target_data_stream
        && same(&set.index, &planned.target_index)
        && same(&set.mapping_type, &planned.target_type)
        && set.includes_action_and_meta_data == (planned.lines_per_document == 2)
}

fn declared(position: usize, set: &DocumentSet) -> Declared {
    Declared {
        index: set.index.clone(),
        mapping_type: set.mapping_type.clone(),
        includes_action_and_meta_data: set.includes_action_and_meta_data,
        file: PlannedFile {
            position,
            corpus: set.corpus.clone(),
            declared_name: set.declared_name.clone(),
            file_name: set
                .path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            documents: set.document_count,
            lines_per_document: 1,
            target_index: Some(set.index.clone()),
            target_type: Some(set.mapping_type.clone()),
            target_data_stream: None,
        },
    }
}

/// How bulks of the current dialect are made. Action lines in a file are sent as they are, whatever the target.
fn current_action(
    operation: &Operation,
    plan: &BulkPlan,
    set: &DocumentSet,
    typed: bool,
) -> Result<Action, ParamError> {
    if set.includes_action_and_meta_data {
        return Ok(Action::AsInFile { pairs: true, rewrite: false });
    }
    let name = set.path.display();
    let (action, target) = match (set.index.as_str(), &set.data_stream) {
        ("", None) => {
            let problem = format!(
                "the documents of {name} have neither 'target-index' nor 'target-data-stream', nor action lines of their own"
            );
            return Err(ParamError::new(&operation.name, problem));
        }
        ("", Some(data_stream)) => ("create", data_stream.as_str()),
        (index, _) => ("index", index),
    };
    let mapping_type = Some(set.mapping_type.as_str()).filter(|name| typed && !name.is_empty());
    Ok(match plan.conflicts {
        None => Action::Constant(line(&head(action, target, mapping_type), "}}\n")),
        Some(rules) => Action::WithId {
            index: line(&head(action, target, mapping_type), ID),
            update: rules.updates.then(|| line(&head("update", target, mapping_type), ID)),
        },
    })
}

fn action_2017(mode: ActionAndMetaData, options: &BulkOptions, set: &DocumentSet, typed: bool) -> Action {
    let pairs = mode == ActionAndMetaData::SourceFile;
    if mode != ActionAndMetaData::Generate {
        return Action::AsInFile { pairs, rewrite: pairs && !typed };
    }
    let head = head("index", &set.index, Some(set.mapping_type.as_str()).filter(|_| typed));
    match options.conflicts {
        Some(_) => Action::WithId { index: line(&head, ID), update: None },
        None => Action::Constant(line(&head, "}}\n")),
    }
}

/// What stands before an id.
const ID: &str = ", \"_id\": \"";

/// An action line up to what comes after the target, written with Rally's spaces: the same bytes go over the wire.
fn head(action: &str, target: &str, mapping_type: Option<&str>) -> String {
    let mut head = format!("{{\"{action}\": {{\"_index\": {}", Value::from(target));
    if let Some(name) = mapping_type {
        head.push_str(&format!(", \"_type\": {}", Value::from(name)));
    }
    head
}

fn line(head: &str, rest: &str) -> Arc<[u8]> {
    [head, rest].concat().into_bytes().into()
}

/// The operation's own parameters and those that a runner reads of a bulk. How many documents a body has comes beside it.
fn current_values(operation: &Operation, plan: &BulkPlan, planned: &PlannedFile) -> Arc<Map<String, Value>> {
    let mut values = operation.params.clone();
    let target = planned.target_index.as_deref().or(planned.target_data_stream.as_deref());
    for (name, value) in [
        ("index", Value::from(target)),
        ("type", Value::from(planned.target_type.as_deref())),
        ("action-metadata-present", Value::from(true)),
        ("bulk-size", Value::from(plan.bulk_size)),
        ("unit", Value::from("docs")),
    ] {
        values.insert(name.to_owned(), value);
    }
    Arc::new(values)
}

fn values_2017(
    operation: &Operation,
    plan: &BulkPlan,
    set: &DocumentSet,
    mode: ActionAndMetaData,
) -> Arc<Map<String, Value>> {
    let mut values = operation.params.clone();
    values.insert("index".to_owned(), Value::from(set.index.as_str()));
    values.insert("type".to_owned(), Value::from(set.mapping_type.as_str()));
    values.insert("action_metadata_present".to_owned(), Value::from(mode != ActionAndMetaData::None));
    // A number, also where the track has it as a text.
    values.insert("bulk-size".to_owned(), Value::from(plan.bulk_size));
    Arc::new(values)
}

/// The bulks of one client.
pub struct BulkSource {
    work: Arc<Work>,
    partition: Partition,
    /// What is still to be read in this round, each with the number of its file; the next one is the last.
    readers: Vec<(Reader, usize)>,
    /// How many bulks are left in this round.
    left: u64,
    /// How many there are, unless they start again for ever.
    size: Option<u64>,
    /// How often the documents were begun.
    rounds: u64,
    pool: BodyPool,
    /// Length of the longest built body so far: the next buffer starts with room for it.
    length: usize,
}

impl BulkSource {
    /// Begins with the client's first document.
    fn begin_round(&mut self, ids: &mut MakeIds<'_>) -> Result<(), Cause> {
        let plan = &self.work.plan;
        let part = plan.partition_of(self.partition.index..=self.partition.index, self.partition.total);
        let files = self.work.files.len() as u64;
        self.readers.clear();
        for reader in part.in_reading_order() {
            let file = &self.work.files[reader.file];
            let first = reader.first_line / plan.files[reader.file].lines_per_document;
            // Each round makes choices of its own.
            let number = self.rounds * files + reader.file as u64;
            let ids = self.work.ids.map(|rules| ids(rules, first, reader.documents, number));
            self.readers
                .push((Reader::open(&file.set, &file.action, first, reader.documents, ids)?, reader.file));
        }
        self.readers.reverse();
        // Files with few documents for each client may hold fewer bulks than `ingest-doc-count` asks for.
        let held = part.readers.iter().map(|reader| reader.documents.div_ceil(plan.bulk_size)).sum();
        self.left = part.total_bulks.min(held);
        self.rounds += 1;
        Ok(())
    }

    fn round_is_over(&self) -> bool {
        self.left == 0 || self.readers.is_empty()
    }
}

impl ParamSource for BulkSource {
    fn next(&mut self, limit: usize, out: &mut Vec<Params>) -> Result<More, Cause> {
        let mut copied = 0;
        for _ in 0..limit.max(1) {
            if self.round_is_over() && self.work.plan.looped {
                let seed = self.partition.seed;
                self.begin_round(&mut |rules, first, count, file| {
                    IdSource::seeded(rules, first, count, seed, file)
                })?;
            }
            let Some((reader, file)) = self.readers.last_mut().filter(|_| self.left > 0) else {
                return Ok(More::Exhausted);
            };
            let mut buffer = self.pool.take();
            buffer.reserve(self.length);
            let bulk = reader.next_bulk(self.work.bulk_size, buffer)?;
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
                ..Params::of(Arc::clone(&self.work.files[*file].values))
            });
            self.left -= 1;
            if reader.is_at_end() {
                self.readers.pop();
            }
            if self.round_is_over() && !self.work.plan.looped {
                return Ok(More::Exhausted);
            }
            if copied >= BYTES_PER_CALL {
                break;
            }
        }
        Ok(More::Yes)
    }

    fn size(&self) -> Option<u64> {
        self.size
    }
}
