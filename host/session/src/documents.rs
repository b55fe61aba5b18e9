//! The documents of a track, made ready to be read.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rally_corpus::{
    DataSet, DownloadOptions, Mirror, Phase, PrepareError, PrepareOptions, Progress, prepare, read_mirrors,
    validate_action_lines, validate_document_lines,
};
use rally_extension::Extensions;
use rally_operations::{DocumentSet, documents_read};
use rally_race::Cancel;
use rally_track::{Challenge, Dialect, Documents, Track};

use crate::error::SessionError;
use crate::home::Home;
use crate::observer::{SessionEvent, SessionObserver};

/// How to prepare.
#[derive(Debug, Clone)]
pub(crate) struct DocumentOptions {
    /// Whether nothing may be downloaded.
    pub(crate) offline: bool,
    /// Whether the small data sets of test mode are meant.
    pub(crate) test_mode: bool,
    /// Where else data can be downloaded.
    pub(crate) mirrors: Vec<Mirror>,
}

impl DocumentOptions {
    /// The options of a race, with the mirrors that the user has.
    ///
    /// # Errors
    /// Where a file of mirrors cannot be read.
    pub(crate) fn new(offline: bool, test_mode: bool, home: &Home) -> Result<DocumentOptions, SessionError> {
        let mut mirrors = Vec::new();
        if !offline {
            for file in home.mirror_files().map_err(SessionError::user)? {
                mirrors.extend(read_mirrors(&file).map_err(SessionError::user)?);
            }
        }
        Ok(DocumentOptions { offline, test_mode, mirrors })
    }
}

/// A corpus whose name is no folder's.
#[derive(Debug, thiserror::Error)]
#[error("corpus '{0}' cannot have its own folder: use letters, digits and slashes in its name")]
struct CorpusName(String);

/// Which files of the track the challenge needs, in the track's order: those that its operations read, or all where a param
/// source of its own reads documents.
///
/// # Errors
/// Where the parameters of an operation make no sense.
pub(crate) fn needed(
    track: &Track,
    challenge: &Challenge,
    extensions: &Extensions,
) -> Result<Vec<bool>, SessionError> {
    let tasks = challenge.schedule.iter().flat_map(|element| element.tasks());
    if extensions.read_documents(tasks.filter_map(|task| task.operation.param_source.as_deref())) {
        return Ok(vec![true; track.document_sets().count()]);
    }
    documents_read(track, challenge).map_err(SessionError::user)
}

/// Prepares the documents of the track that are needed, in the track's order, each corpus in its folder of the cache.
pub(crate) fn all(
    track: &Track,
    needed: &[bool],
    cache: &Path,
    options: &DocumentOptions,
    observer: &dyn SessionObserver,
    cancel: &Cancel,
) -> Result<Vec<Arc<DocumentSet>>, SessionError> {
    let mut sets = Vec::new();
    for ((corpus, documents), _) in track.document_sets().zip(needed).filter(|(_, needed)| **needed) {
        let data = corpus_folder(cache, &corpus.name)?;
        let progress = DataProgress { observer, cancel, name: &documents.file_name };
        let prepared = one(track, documents, &data, options, &progress)?;
        observer.event(SessionEvent::DataReady { file: &documents.file_name });
        for warning in &prepared.warnings {
            observer.event(SessionEvent::Warning(warning));
        }
        let path = prepared.path.clone();
        let count = prepared.document_count;
        let range = Box::new(move |first, lines| prepared.byte_range(first, lines).map_err(Into::into));
        let set = DocumentSet::of_track(corpus, documents, path, count, range);
        sets.push(Arc::new(set));
    }
    Ok(sets)
}

/// The folder of a corpus. A name with slashes is a folder within folders, as `elastic/logs`.
fn corpus_folder(cache: &Path, name: &str) -> Result<PathBuf, SessionError> {
    let path = Path::new(name);
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !is_plain || name.contains('\\') || name.contains(char::is_control) {
        return Err(SessionError::user(CorpusName(name.to_owned())));
    }
    Ok(cache.join(path))
}

fn one(
    track: &Track,
    documents: &Documents,
    data: &Path,
    options: &DocumentOptions,
    progress: &DataProgress<'_>,
) -> Result<rally_corpus::PreparedDocuments, SessionError> {
    let mut data_set = DataSet::from_documents(&documents.file_name).map_err(SessionError::user)?;
    data_set.base_url.clone_from(&documents.base_url);
    if track.dialect == Dialect::Current {
        // In tracks of 2017 a slash at its end counts, as in the Rally of that time.
        data_set.base_url = data_set.base_url.map(|url| url.trim_end_matches('/').to_owned());
    }
    data_set.sha256.clone_from(&documents.sha256);
    data_set.document_count = Some(documents.document_count);
    data_set.compressed_bytes = documents.compressed_bytes;
    data_set.uncompressed_bytes = documents.uncompressed_bytes;
    let prepare_options = PrepareOptions {
        offline: options.offline,
        test_mode: options.test_mode,
        lines_per_document: if documents.includes_action_and_meta_data { 2 } else { 1 },
        download: DownloadOptions { mirrors: options.mirrors.clone(), ..DownloadOptions::default() },
    };
    let prepared = prepare(&data_set, std::slice::from_ref(&track.root), data, &prepare_options, progress)
        .map_err(|error| match error {
            PrepareError::Cancelled => SessionError::interrupted(error),
            PrepareError::Io { .. } | PrepareError::DiskFull { .. } | PrepareError::Download { .. } => {
                SessionError::failure(error)
            }
            other => SessionError::user(other),
        })?;
    if documents.includes_action_and_meta_data {
        validate_action_lines(&prepared.path, &prepared.offsets).map_err(SessionError::user)?;
    } else if options.test_mode {
        // Whoever asks whether a track works wants to know; at full size the target finds out by itself, item by item.
        validate_document_lines(&prepared.path, &prepared.offsets).map_err(SessionError::user)?;
    }
    Ok(prepared)
}

struct DataProgress<'a> {
    observer: &'a dyn SessionObserver,
    cancel: &'a Cancel,
    name: &'a str,
}

impl Progress for DataProgress<'_> {
    fn report(&self, phase: Phase, done: u64, total: Option<u64>) {
        self.observer.event(SessionEvent::Data { file: self.name, phase, done, total });
    }

    fn retrying(&self, reason: &str) {
        let warning = format!("{reason}; trying again to download {}", self.name);
        self.observer.event(SessionEvent::Warning(&warning));
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }
}
