//! What a shard counts. Every figure in the statistics comes from here or from the search engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A count of events with the time they took, and how many are going on.
#[derive(Debug, Default)]
pub struct Timed {
    total: AtomicU64,
    nanoseconds: AtomicU64,
    current: AtomicU64,
}

impl Timed {
    /// Counts `events` that took the time since `start` together.
    pub fn add(&self, events: u64, start: Instant) {
        self.add_time(events, start.elapsed());
    }

    /// Counts `events` that took `time` together.
    pub fn add_time(&self, events: u64, time: Duration) {
        self.total.fetch_add(events, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Marks one as going on until the guard is dropped.
    pub fn enter(&self) -> Current<'_> {
        self.current.fetch_add(1, Ordering::Relaxed);
        Current(&self.current)
    }

    /// Events so far.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Their time in milliseconds.
    pub fn milliseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::Relaxed) / 1_000_000
    }

    /// Going on now.
    pub fn current(&self) -> u64 {
        self.current.load(Ordering::Relaxed)
    }
}

/// One event going on.
pub struct Current<'c>(&'c AtomicU64);

impl Drop for Current<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A plain count.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Adds `events`.
    pub fn add(&self, events: u64) {
        self.0.fetch_add(events, Ordering::Relaxed);
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one shard, since the node started.
#[derive(Debug, Default)]
pub struct Counters {
    /// Documents indexed; the time from reading their source to handing them over.
    pub indexing: Timed,
    /// Documents that could not be indexed.
    pub index_failed: Count,
    /// Documents deleted.
    pub delete: Timed,
    /// Updates that changed nothing.
    pub noop_updates: Count,
    /// Realtime GETs that found their document.
    pub get_found: Timed,
    /// Realtime GETs that did not.
    pub get_missing: Timed,
    /// Query phases.
    pub query: Timed,
    /// Fetch phases.
    pub fetch: Timed,
    /// Scrolls that were closed, with the time they were open; current are the open ones.
    pub scroll: Timed,
    /// Refreshes.
    pub refresh: Timed,
    /// Flushes asked for.
    pub flush: Timed,
    /// Flushes of the node's own, for memory.
    pub periodic_flush: Count,
    /// Merges, and their current number.
    pub merge: Timed,
    /// Documents in merges so far.
    pub merged_documents: Count,
    /// Bytes in merges so far.
    pub merged_bytes: Count,
    /// Documents in merges going on.
    pub merging_documents: AtomicU64,
    /// Bytes in merges going on.
    pub merging_bytes: AtomicU64,
}

/// Counts a scroll as open, and as closed when this is dropped, however it comes to its end.
#[derive(Debug)]
pub struct OpenScroll {
    counters: Vec<Arc<Counters>>,
    since: Instant,
}

impl OpenScroll {
    /// A scroll over the shards of these counters, open from now on.
    pub fn new(counters: Vec<Arc<Counters>>) -> Self {
        for shard in &counters {
            shard.scroll.current.fetch_add(1, Ordering::Relaxed);
        }
        OpenScroll { counters, since: Instant::now() }
    }
}

impl Drop for OpenScroll {
    fn drop(&mut self) {
        for shard in &self.counters {
            shard.scroll.current.fetch_sub(1, Ordering::Relaxed);
            shard.scroll.add(1, self.since);
        }
    }
}
