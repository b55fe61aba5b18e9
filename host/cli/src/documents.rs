//! The documents of a track, made ready to be read.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rally_extension::Extensions;
use rally_race::Cancel;
use rally_target::DocumentSet;
use rally_track::data::{
    DataSet, Phase, PrepareError, PrepareOptions, Progress, prepare, validate_action_lines,
    validate_document_lines,
};
use rally_track::{Challenge, Documents, Track};

use crate::ending::CommandError;
use crate::progress::{DataLine, ProgressBoard};

/// How to prepare.
#[derive(Debug, Clone, Copy)]
pub struct DocumentOptions {
    /// Whether nothing may be downloaded.
    pub offline: bool,
    /// Whether the small data sets of test mode are meant.
    pub test_mode: bool,
}

/// Whether the challenge needs the documents of the track: it indexes, or a param source of its own reads them.
pub fn needed(challenge: &Challenge, extensions: &Extensions) -> bool {
    let tasks = || challenge.schedule.iter().flat_map(|element| element.tasks());
    tasks().any(|task| task.operation.operation_type == "index" && task.operation.param_source.is_none())
        || extensions.read_documents(tasks().filter_map(|task| task.operation.param_source.as_deref()))
}

/// Prepares all documents of the track in its data folder, in the track's order.
pub fn all(
    track: &Track,
    data: &Path,
    options: DocumentOptions,
    board: &ProgressBoard,
    cancel: &Cancel,
) -> Result<Vec<Arc<DocumentSet>>, CommandError> {
    let mut sets = Vec::new();
    for (_, documents) in track.document_sets() {
        let progress = DataProgress { board, cancel, line: Mutex::new(None), name: &documents.file_name };
        let prepared = one(track, documents, data, options, &progress)?;
        if let Some(line) = progress.line.lock().unwrap_or_else(PoisonError::into_inner).take() {
            line.finish();
        }
        for warning in &prepared.warnings {
            board.say(&format!("[WARNING] {warning}"));
        }
        let path = prepared.path.clone();
        let count = prepared.document_count;
        let range = Box::new(move |first, lines| prepared.byte_range(first, lines).map_err(Into::into));
        let set = DocumentSet::new(
            documents.target_index.as_deref().unwrap_or_default(),
            documents.target_type.as_deref().unwrap_or_default(),
            path,
            count,
            documents.includes_action_and_meta_data,
            range,
        );
        sets.push(Arc::new(set));
    }
    Ok(sets)
}

fn one(
    track: &Track,
    documents: &Documents,
    data: &Path,
    options: DocumentOptions,
    progress: &DataProgress<'_>,
) -> Result<rally_track::data::PreparedDocuments, CommandError> {
    let mut data_set = DataSet::from_documents(&documents.file_name).map_err(CommandError::user)?;
    data_set.base_url.clone_from(&documents.base_url);
    data_set.document_count = Some(documents.document_count);
    data_set.compressed_bytes = documents.compressed_bytes;
    data_set.uncompressed_bytes = documents.uncompressed_bytes;
    let prepare_options = PrepareOptions {
        offline: options.offline,
        test_mode: options.test_mode,
        lines_per_document: if documents.includes_action_and_meta_data { 2 } else { 1 },
        ..PrepareOptions::default()
    };
    let prepared = prepare(&data_set, std::slice::from_ref(&track.root), data, &prepare_options, progress)
        .map_err(|error| match error {
            PrepareError::Cancelled => CommandError::interrupted(error),
            PrepareError::Io { .. } | PrepareError::DiskFull { .. } | PrepareError::Download { .. } => {
                CommandError::failure(error)
            }
            other => CommandError::user(other),
        })?;
    if documents.includes_action_and_meta_data {
        validate_action_lines(&prepared.path, &prepared.offsets).map_err(CommandError::user)?;
    } else if options.test_mode {
        // Whoever asks whether a track works wants to know; at full size the target finds out by itself, item by item.
        validate_document_lines(&prepared.path, &prepared.offsets).map_err(CommandError::user)?;
    }
    Ok(prepared)
}

struct DataProgress<'a> {
    board: &'a ProgressBoard,
    cancel: &'a Cancel,
    line: Mutex<Option<DataLine>>,
    name: &'a str,
}

impl Progress for DataProgress<'_> {
    fn report(&self, phase: Phase, done: u64, total: Option<u64>) {
        let what = match phase {
            Phase::Waiting => "waiting for another rally that prepares",
            Phase::Downloading => "downloading",
            Phase::Decompressing => "decompressing",
            Phase::IndexingLines => "counting lines of",
        };
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.get_or_insert_with(|| self.board.data_line()).show(what, self.name, done, total);
    }

    fn retrying(&self, reason: &str) {
        self.board.say(&format!("[WARNING] {reason}; trying again to download {}", self.name));
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}
