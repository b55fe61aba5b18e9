//! Which documents which client sends, in which order and how many bulks, from nothing but the track.

use std::ops::RangeInclusive;

use rally_track::{Challenge, Corpus, Documents, Element, Operation, Source, Track};
use serde_json::Value;

use super::bounds::bounds_of_range;
use super::options_2017::{ActionAndMetaData, BulkOptions, Conflicts};
use super::options_current::{BulkOperation, ConflictRules, reads_documents, unpacked_name};
use crate::error::ParamError;
use crate::python;

/// What all clients of a task send whose requests are cut from documents.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkPlan {
    /// Documents read at once.
    pub batch_size: u64,
    /// Documents per request.
    pub bulk_size: u64,
    /// Which ids are generated: `NoConflicts` (none), `SequentialConflicts` or `RandomConflicts`.
    pub id_conflicts: &'static str,
    /// How much of each client's bulks is sent, above 0 and at most 100.
    pub ingest_percentage: f64,
    /// How many documents all clients send together, if it is said.
    pub ingest_doc_count: Option<u64>,
    /// Whether a client starts again once it has sent all.
    pub looped: bool,
    /// The same as the operation writes it; what is not empty, zero or false loops.
    pub looped_as_written: Value,
    /// Number of clients of the task.
    pub clients: u32,
    /// The files, in the order of the track.
    pub files: Vec<PlannedFile>,
    /// How ids conflict, where the operation says more than which.
    pub(super) conflicts: Option<ConflictRules>,
    /// For each corpus the positions of its files in `files`.
    corpora: Vec<Vec<usize>>,
}

/// A file that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    /// Its position among all files of the track.
    pub position: usize,
    /// The corpus that it belongs to.
    pub corpus: String,
    /// Its name in the track, packed or not.
    pub declared_name: String,
    /// Its name once it is unpacked.
    pub file_name: String,
    /// Number of documents (not lines).
    pub documents: u64,
    /// Lines that make a document: 2 with action and meta-data in the file.
    pub lines_per_document: u64,
    /// The index that they go to, if it is not the data that say so.
    pub target_index: Option<String>,
    /// Their mapping type, if any.
    pub target_type: Option<String>,
    /// The data stream that they go to.
    pub target_data_stream: Option<String>,
}

/// What one client, or several that follow each other, send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionPlan {
    /// Parts of files, none of them empty, corpus by corpus. They are read in another order:
    /// [`in_reading_order`](Self::in_reading_order).
    pub readers: Vec<PlannedReader>,
    /// Number of requests; of one round where the operation is looped.
    pub total_bulks: u64,
    /// Positions in `readers` in the order in which they are read.
    turns: Vec<usize>,
}

impl PartitionPlan {
    /// The parts in the order in which they are read: the first file of each corpus, then the second of each, and so on.
    pub fn in_reading_order(&self) -> impl Iterator<Item = &PlannedReader> {
        self.turns.iter().map(|turn| &self.readers[*turn])
    }
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedReader {
    /// Name of the file once it is unpacked.
    pub file_name: String,
    /// Its first line, 0-based.
    pub first_line: u64,
    /// Number of lines.
    pub lines: u64,
    /// Number of documents.
    pub documents: u64,
    /// Position of the file in the plan's `files`.
    pub file: usize,
}

/// What the clients of a task send whose `operation` reads documents (see [`reads_documents`](super::reads_documents)).
///
/// # Errors
/// Where the operation's parameters make no sense, leave no documents, or do not go with so many clients.
pub fn bulk_plan(track: &Track, operation: &Operation, clients: u32) -> Result<BulkPlan, ParamError> {
    match track.dialect.built_in_source(operation) {
        Some(Source::Documents2017) => {
            let options = BulkOptions::read(operation)?;
            let declared = track.document_sets().enumerate().map(declared_2017).collect();
            plan_2017(operation, &options, declared, clients)
        }
        _ => current(track, operation, clients),
    }
}

/// Which files the built-in sources of a challenge read, one answer for each file of the track in its order: nobody has to
/// download the others.
///
/// # Errors
/// Where the parameters of an operation make no sense.
pub fn documents_read(track: &Track, challenge: &Challenge) -> Result<Vec<bool>, ParamError> {
    let mut read = vec![false; track.document_sets().count()];
    for task in challenge.schedule.iter().flat_map(Element::tasks) {
        if reads_documents(track.dialect, &task.operation) {
            for file in bulk_plan(track, &task.operation, task.clients)?.files {
                read[file.position] = true;
            }
        }
    }
    Ok(read)
}

fn current(track: &Track, operation: &Operation, clients: u32) -> Result<BulkPlan, ParamError> {
    let error = |problem: String, message: String| {
        ParamError::new(&operation.name, problem).in_rally("InvalidSyntax", message)
    };
    let says = BulkOperation::read(track, operation)?;
    let mut files = Vec::new();
    let mut corpora = Vec::new();
    for (corpus, documents) in &says.corpora {
        let begin = files.len();
        for documents in documents {
            let this = |(_, other): (&Corpus, &Documents)| std::ptr::eq(*documents, other);
            let position = track.document_sets().position(this).unwrap_or_default();
            files.push(planned(position, corpus, documents));
        }
        corpora.push((begin..files.len()).collect());
        let appended = |file: &&&Documents| {
            file.target_index.is_none() && file.target_data_stream.is_some() && file.document_count > 0
        };
        if says.conflicts.is_some() && documents.iter().any(|file| appended(&file)) {
            let message = "Conflicts cannot be generated with append only data streams";
            return Err(error(message.to_owned(), message.to_owned()).in_rally("RallyError", message));
        }
    }
    if let Some(count) = says.ingest_doc_count {
        let of_client = count / u64::from(clients.max(1));
        if of_client % says.bulk_size != 0 {
            return Err(error(
                format!(
                    "'ingest-doc-count' ({count}) over {clients} clients makes {of_client} documents for each, which must be a \
                     multiple of 'bulk-size' ({})",
                    says.bulk_size
                ),
                format!(
                    "'ingest-doc-count' divided by the number of partitions ({clients}) must be a multiple of 'bulk-size' ({}) but was \
                     {of_client}",
                    says.bulk_size
                ),
            ));
        }
    }
    Ok(BulkPlan {
        batch_size: says.batch_size,
        bulk_size: says.bulk_size,
        id_conflicts: conflicts_name(says.conflicts.map(|rules| rules.kind)),
        ingest_percentage: says.ingest_percentage,
        ingest_doc_count: says.ingest_doc_count,
        looped: python::is_true(&says.looped),
        looped_as_written: says.looped,
        clients,
        files,
        conflicts: says.conflicts,
        corpora,
    })
}

fn planned(position: usize, corpus: &Corpus, documents: &Documents) -> PlannedFile {
    PlannedFile {
        position,
        corpus: corpus.name.clone(),
        declared_name: documents.file_name.clone(),
        file_name: unpacked_name(&documents.file_name).to_owned(),
        documents: documents.document_count,
        lines_per_document: if documents.includes_action_and_meta_data { 2 } else { 1 },
        target_index: documents.target_index.clone(),
        target_type: documents.target_type.clone(),
        target_data_stream: documents.target_data_stream.clone(),
    }
}

fn conflicts_name(conflicts: Option<Conflicts>) -> &'static str {
    match conflicts {
        None => "NoConflicts",
        Some(Conflicts::Sequential) => "SequentialConflicts",
        Some(Conflicts::Random) => "RandomConflicts",
    }
}

/// A file of a 2017 track: where its documents go, whether it has action lines, and the rest.
pub(super) struct Declared {
    pub index: String,
    pub mapping_type: String,
    pub includes_action_and_meta_data: bool,
    pub file: PlannedFile,
}

fn declared_2017((position, (corpus, documents)): (usize, (&Corpus, &Documents))) -> Declared {
    Declared {
        index: documents.target_index.clone().unwrap_or_default(),
        mapping_type: documents.target_type.clone().unwrap_or_default(),
        includes_action_and_meta_data: documents.includes_action_and_meta_data,
        file: planned(position, corpus, documents),
    }
}

/// The plan of an `index` operation of 2017: the files of its index, or all.
///
/// # Errors
/// Where there are none, or action lines are asked for that are there, or the other way round.
pub(super) fn plan_2017(
    operation: &Operation,
    options: &BulkOptions,
    declared: Vec<Declared>,
    clients: u32,
) -> Result<BulkPlan, ParamError> {
    let error = |problem: String| ParamError::new(&operation.name, problem);
    let chosen = |file: &&Declared| options.index.as_ref().is_none_or(|index| *index == file.index);
    if !declared.iter().any(|file| chosen(&file)) {
        let mut names: Vec<&str> = Vec::new();
        for file in &declared {
            if !names.contains(&file.index.as_str()) {
                names.push(&file.index);
            }
        }
        return Err(error(match &options.index {
            Some(index) if !declared.is_empty() => {
                format!("index '{index}' is none of the indices with documents: {}", names.join(", "))
            }
            _ => "the track has no documents: declare them under 'types'".to_owned(),
        }));
    }
    let mut files = Vec::new();
    for file in declared.iter().filter(chosen) {
        let mode = mode(operation, options, file)?;
        let lines_per_document = if mode == ActionAndMetaData::SourceFile { 2 } else { 1 };
        files.push(PlannedFile { lines_per_document, ..file.file.clone() });
    }
    Ok(BulkPlan {
        batch_size: u64::from(options.batch_size),
        bulk_size: u64::from(options.bulk_size),
        id_conflicts: conflicts_name(options.conflicts),
        ingest_percentage: 100.0,
        ingest_doc_count: None,
        looped: false,
        looped_as_written: Value::Bool(false),
        clients,
        corpora: vec![(0..files.len()).collect()],
        files,
        conflicts: None,
    })
}

/// Where a file's action lines come from: the operation may say it (0.6), or the file (0.7); both must agree.
pub(super) fn mode(
    operation: &Operation,
    options: &BulkOptions,
    file: &Declared,
) -> Result<ActionAndMetaData, ParamError> {
    let error = |problem: String| Err(ParamError::new(&operation.name, problem));
    match (options.action_and_meta_data, file.includes_action_and_meta_data) {
        (Some(ActionAndMetaData::Generate), true) => error(format!(
            "'action-and-meta-data' is \"generate\", but the documents of type '{}' in index '{}' include action and meta-data already",
            file.mapping_type, file.index
        )),
        (_, true) if options.conflicts.is_some() => error(format!(
            "'conflicts' needs generated ids, but the documents of type '{}' in index '{}' include action and meta-data already",
            file.mapping_type, file.index
        )),
        (Some(mode), _) => Ok(mode),
        (None, true) => Ok(ActionAndMetaData::SourceFile),
        (None, false) => Ok(ActionAndMetaData::Generate),
    }
}

impl BulkPlan {
    /// What these clients send, taken as one. Clients that follow each other begin with different corpora, and each goes
    /// through the corpora file by file, so that as many files as possible are read at the same time.
    pub fn partition(&self, clients: RangeInclusive<u32>) -> PartitionPlan {
        self.partition_of(clients, self.clients)
    }

    /// The same for another number of clients in total.
    pub(super) fn partition_of(&self, clients: RangeInclusive<u32>, total: u32) -> PartitionPlan {
        let (first, last) = clients.into_inner();
        let mut all_bulks = 0;
        let mut readers = Vec::new();
        let mut queues = Vec::new();
        let begin = first as usize % self.corpora.len().max(1);
        for corpus in self.corpora[begin..].iter().chain(&self.corpora[..begin]) {
            let opened = readers.len();
            for position in corpus {
                let file = &self.files[*position];
                let part = bounds_of_range(file.documents, first, last, total);
                if part.documents > 0 {
                    all_bulks += part.documents.div_ceil(self.bulk_size);
                    readers.push(PlannedReader {
                        file_name: file.file_name.clone(),
                        first_line: part.first_document * file.lines_per_document,
                        lines: part.documents * file.lines_per_document,
                        documents: part.documents,
                        file: *position,
                    });
                }
            }
            queues.push(opened..readers.len());
        }
        let mut turns = Vec::with_capacity(readers.len());
        while turns.len() < readers.len() {
            turns.extend(queues.iter_mut().filter_map(Iterator::next));
        }
        let total_bulks = match self.ingest_doc_count {
            Some(count) => count / u64::from(total.max(1)) * u64::from(last - first + 1) / self.bulk_size,
            None => (all_bulks as f64 * self.ingest_percentage / 100.0).ceil() as u64,
        };
        PartitionPlan { readers, total_bulks, turns }
    }
}
