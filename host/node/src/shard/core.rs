//! The shard: its parts, opening and closing.

use super::ShardView;
use super::counters::Counters;
use super::gate::{Gate, GatedDocument};
use super::read::ReadView;
use super::recent::RecentWrites;
use crate::analysis;
use crate::error::EsError;
use crate::mapping::{Layout, Mapping};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tantivy::directory::MmapDirectory;
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};
use tantivy::{Index, IndexReader, IndexSettings, IndexWriter, ReloadPolicy};

/// Memory of a writer's indexing thread before it writes a segment.
const WRITER_MEMORY: usize = 32 << 20;
/// The same once many writers are open; the least tantivy takes.
const SMALL_WRITER_MEMORY: usize = 15 << 20;
/// Writers beyond this number get one thread and the small memory.
const LARGE_WRITERS: usize = 4;

/// What all shards of a node share.
#[derive(Default)]
pub struct Shared {
    /// Back-pressure over all shards.
    pub gate: Arc<Gate>,
    /// Open writers.
    pub writers: AtomicUsize,
}

/// The tantivy index behind a shard; replaced as a whole when the shard is rebuilt with more slots.
pub(super) struct Generation {
    pub index: Index,
    pub reader: IndexReader,
    pub number: u64,
}

/// What the writer lock guards.
pub(super) struct WriteState {
    pub writer: Option<IndexWriter<GatedDocument>>,
    pub next_sequence: u64,
    /// Whether something was written since the last commit.
    pub dirty: bool,
    /// Deletions since the last commit: tantivy keeps each in memory until then.
    pub deletions: usize,
    pub last_write: Instant,
}

/// One index with its documents.
pub struct Shard {
    /// Name of the index.
    pub name: Arc<str>,
    /// Where its files are.
    pub directory: PathBuf,
    /// What it counts.
    pub counters: Arc<Counters>,
    pub(super) shared: Arc<Shared>,
    pub(super) mapping: RwLock<Arc<Mapping>>,
    /// Held while the mapping is being replaced.
    pub(super) mapping_change: Mutex<()>,
    pub(super) total_fields_limit: AtomicUsize,
    pub(super) generation: RwLock<Arc<Generation>>,
    pub(super) view: RwLock<Arc<ReadView>>,
    /// Held while a new view is being installed, so that an older one never replaces a newer.
    pub(super) install: Mutex<()>,
    pub(super) recent: Mutex<RecentWrites>,
    pub(super) writer: Mutex<WriteState>,
    /// Held while merging: one merge at a time.
    pub(super) merging: Mutex<()>,
    /// Set when segments have come since the merge policy last looked.
    pub(super) merge_due: AtomicBool,
    pub(super) closed: AtomicBool,
    /// Why writing failed: documents that were acknowledged are lost, and nothing more is taken.
    pub(super) failure: RwLock<Option<EsError>>,
    pub(super) opened: Instant,
    /// Milliseconds from `opened` to the last search and to the last refresh.
    pub(super) last_search: AtomicU64,
    pub(super) last_refresh: AtomicU64,
    /// Milliseconds between refreshes, `u64::MAX` for never; and whether the index's settings say so.
    pub(super) refresh_interval: AtomicU64,
    pub(super) refresh_explicit: AtomicBool,
}

/// A document as a realtime read finds it.
#[derive(Debug, Clone)]
pub struct Document {
    /// Its version.
    pub version: u64,
    /// Its sequence number.
    pub sequence: u64,
    /// Its source, unless the mapping keeps none.
    pub source: Option<Bytes>,
}

impl Shard {
    /// A new, empty shard in `directory`.
    ///
    /// # Errors
    /// Where the files cannot be written.
    pub fn create(
        name: &str,
        directory: &Path,
        mapping: Mapping,
        shared: Arc<Shared>,
    ) -> Result<Self, EsError> {
        let generation = create_generation(directory, 0, mapping.layout())?;
        Self::with(name, directory, mapping, generation, shared)
    }

    /// The shard whose files are in `directory`, at `generation`.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn open(
        name: &str,
        directory: &Path,
        mapping: Mapping,
        generation: u64,
        shared: Arc<Shared>,
    ) -> Result<Self, EsError> {
        let index = Index::open_in_dir(generation_path(directory, generation))?;
        Self::with(name, directory, mapping, generation_of(index, generation)?, shared)
    }

    fn with(
        name: &str,
        directory: &Path,
        mapping: Mapping,
        generation: Generation,
        shared: Arc<Shared>,
    ) -> Result<Self, EsError> {
        let view = ReadView::new(generation.reader.searcher())?;
        let next_sequence = view.last_sequence().map_or(0, |last| last + 1);
        Ok(Shard {
            name: Arc::from(name),
            directory: directory.to_path_buf(),
            counters: Arc::default(),
            shared,
            mapping: RwLock::new(Arc::new(mapping)),
            mapping_change: Mutex::new(()),
            total_fields_limit: AtomicUsize::new(1000),
            generation: RwLock::new(Arc::new(generation)),
            view: RwLock::new(Arc::new(view)),
            install: Mutex::new(()),
            recent: Mutex::new(RecentWrites::default()),
            writer: Mutex::new(WriteState {
                writer: None,
                next_sequence,
                dirty: false,
                deletions: 0,
                last_write: Instant::now(),
            }),
            merging: Mutex::new(()),
            merge_due: AtomicBool::new(true),
            closed: AtomicBool::new(false),
            failure: RwLock::new(None),
            opened: Instant::now(),
            last_search: AtomicU64::new(0),
            last_refresh: AtomicU64::new(0),
            refresh_interval: AtomicU64::new(1000),
            refresh_explicit: AtomicBool::new(false),
        })
    }

    /// The mapping now.
    pub fn mapping(&self) -> Arc<Mapping> {
        Arc::clone(&self.mapping.read())
    }

    /// Which generation of files is in use, to be saved with the index.
    pub fn generation(&self) -> u64 {
        self.generation.read().number
    }

    /// Sets `index.mapping.total_fields.limit`.
    pub fn set_total_fields_limit(&self, limit: usize) {
        self.total_fields_limit.store(limit, Ordering::Relaxed);
    }

    /// What was refreshed last.
    pub fn read_view(&self) -> Arc<ReadView> {
        Arc::clone(&self.view.read())
    }

    /// The view for a search; refreshes first where the shard had gone idle.
    ///
    /// # Errors
    /// Where that refresh fails.
    pub fn search_view(&self) -> Result<ShardView, EsError> {
        self.note_search()?;
        // The mapping first: a searcher may know more slots than the mapping, never fewer.
        let mapping = self.mapping();
        let view = self.read_view();
        Ok(ShardView { index_name: Arc::clone(&self.name), searcher: view.searcher.clone(), mapping })
    }

    /// The document with this id, whether refreshed or not.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn get(&self, id: &str) -> Result<Option<Document>, EsError> {
        let start = Instant::now();
        let document = self.find(id)?;
        match &document {
            Some(_) => self.counters.get_found.add(1, start),
            None => self.counters.get_missing.add(1, start),
        }
        Ok(document)
    }

    pub(super) fn find(&self, id: &str) -> Result<Option<Document>, EsError> {
        let unknown_ids = {
            let mut recent = self.recent.lock();
            match recent.get(id) {
                Some(entry) if entry.deleted.is_some() => return Ok(None),
                Some(entry) => {
                    let (version, sequence) = (entry.version, entry.sequence);
                    if entry.source.is_some() || !self.mapping().source_enabled() {
                        return Ok(Some(Document { version, sequence, source: entry.source.clone() }));
                    }
                    recent.keep_sources = true;
                    drop(recent);
                    self.refresh()?;
                    false
                }
                None => recent.unknown_ids,
            }
        };
        match self.find_refreshed(id)? {
            None if unknown_ids => {
                self.refresh()?;
                self.find_refreshed(id)
            }
            found => Ok(found),
        }
    }

    /// The document with this id among those refreshed.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn find_refreshed(&self, id: &str) -> Result<Option<Document>, EsError> {
        let view = self.read_view();
        let Some(found) = view.find(id)? else { return Ok(None) };
        let source = view.source(found.address)?;
        Ok(Some(Document { version: found.version, sequence: found.sequence, source }))
    }

    /// Bytes of all files of the documents.
    ///
    /// # Errors
    /// Where the list of files cannot be read.
    pub fn store_size(&self) -> Result<u64, EsError> {
        let generation = Arc::clone(&self.generation.read());
        let directory = generation_path(&self.directory, generation.number);
        let files = generation.index.load_metas()?.list_segment_files();
        Ok(files.iter().filter_map(|file| directory.join(file).metadata().ok()).map(|file| file.len()).sum())
    }

    /// Sequence number of the last operation, if there was any.
    pub fn last_sequence(&self) -> Option<u64> {
        self.writer.lock().next_sequence.checked_sub(1)
    }

    /// Commits and closes the writer: the shard's files are complete afterwards.
    ///
    /// # Errors
    /// Where the commit fails.
    pub fn close(&self) -> Result<(), EsError> {
        let _merging = self.merging.lock();
        let refreshed = self.refresh();
        self.closed.store(true, Ordering::Release);
        self.close_writer(&mut self.writer.lock());
        refreshed.map(|_| ())
    }

    /// Gives the shard up: what was not committed is lost, nothing may be written any more.
    pub fn abandon(&self) {
        self.closed.store(true, Ordering::Release);
        let mut state = self.writer.lock();
        self.close_writer(&mut state);
    }

    /// Whether the shard was closed or abandoned.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Closes a writer that nobody has used for `idle`.
    pub fn close_idle_writer(&self, idle: Duration) {
        let Some(_merging) = self.merging.try_lock() else { return };
        let Some(mut state) = self.writer.try_lock() else { return };
        if state.writer.is_some() && !state.dirty && state.last_write.elapsed() > idle {
            self.close_writer(&mut state);
        }
    }

    pub(super) fn close_writer(&self, state: &mut WriteState) {
        if let Some(writer) = state.writer.take() {
            drop(writer);
            self.shared.writers.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Gives up writing after `error`: what was not committed is lost, so that every later write must fail too.
    pub(super) fn fail(&self, state: &mut WriteState, error: &EsError) {
        tracing::error!(index = %self.name, %error, "writing failed");
        let failure = EsError::internal(
            "the index takes no more documents: writing to it failed, and what came since its last refresh is lost",
        )
        .caused_by(error.clone());
        *self.failure.write() = Some(failure);
        self.close_writer(state);
        state.dirty = false;
        self.recent.lock().clear();
    }

    /// The open writer, opened now if need be.
    pub(super) fn open_writer<'s>(
        &self,
        state: &'s mut WriteState,
    ) -> Result<&'s mut IndexWriter<GatedDocument>, EsError> {
        if self.is_closed() {
            return Err(EsError::index_not_found(&self.name));
        }
        if let Some(failure) = &*self.failure.read() {
            return Err(failure.clone());
        }
        let slot = &mut state.writer;
        if slot.is_none() {
            let generation = Arc::clone(&self.generation.read());
            let others = self.shared.writers.fetch_add(1, Ordering::Relaxed);
            match new_writer(&generation.index, others) {
                Ok(writer) => *slot = Some(writer),
                Err(error) => {
                    self.shared.writers.fetch_sub(1, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        slot.as_mut().ok_or_else(|| EsError::internal("the index has no writer"))
    }

    /// Reloads the reader and makes what it sees the view of searches.
    pub(super) fn install_view(&self) -> Result<(), EsError> {
        let _install = self.install.lock();
        let generation = Arc::clone(&self.generation.read());
        generation.reader.reload()?;
        let view = Arc::new(ReadView::new(generation.reader.searcher())?);
        *self.view.write() = view;
        Ok(())
    }
}

/// Where generation `number` of the files in `directory` is.
pub(super) fn generation_path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("generation-{number}"))
}

pub(super) fn create_generation(
    directory: &Path,
    number: u64,
    layout: &Layout,
) -> Result<Generation, EsError> {
    let path = generation_path(directory, number);
    std::fs::create_dir_all(&path)?;
    let settings = IndexSettings {
        // One thread less for each segment that is being written.
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let files = MmapDirectory::open(&path).map_err(tantivy::TantivyError::from)?;
    generation_of(Index::create(files, layout.schema(), settings)?, number)
}

fn generation_of(index: Index, number: u64) -> Result<Generation, EsError> {
    analysis::register(&index);
    let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
    Ok(Generation { index, reader, number })
}

/// A writer of `index`, smaller where `others` are open already.
pub(super) fn new_writer(index: &Index, others: usize) -> Result<IndexWriter<GatedDocument>, EsError> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (threads, memory) =
        if others < LARGE_WRITERS { (cores.clamp(1, 4), WRITER_MEMORY) } else { (1, SMALL_WRITER_MEMORY) };
    let options = IndexWriterOptions::builder()
        .num_worker_threads(threads)
        .memory_budget_per_thread(memory)
        .num_merge_threads(1)
        .build();
    let writer = index.writer_with_options(options)?;
    writer.set_merge_policy(Box::new(NoMergePolicy));
    Ok(writer)
}
