//! Refresh and flush: making what was written searchable, and when.

use super::Shard;
use crate::error::EsError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Without a search for this long, shards whose settings name no interval are not refreshed (`index.search.idle.after`).
const SEARCH_IDLE_AFTER: Duration = Duration::from_secs(30);
/// Deletions that wait in memory before a commit is forced.
const MOST_DELETIONS: usize = 200_000;

impl Shard {
    /// Makes everything written so far searchable. Does nothing where nothing was written.
    ///
    /// # Errors
    /// Where the commit fails; what was not committed is lost then, as after a crash.
    pub fn refresh(&self) -> Result<bool, EsError> {
        let start = Instant::now();
        let refreshed = self.commit();
        self.last_refresh.store(self.now(), Ordering::Relaxed);
        self.counters.refresh.add(1, start);
        refreshed
    }

    /// A flush that the caller asked for: everything written so far is on disk afterwards.
    ///
    /// # Errors
    /// As [`Shard::refresh`].
    pub fn flush(&self) -> Result<(), EsError> {
        let start = Instant::now();
        self.commit()?;
        self.counters.flush.add(1, start);
        Ok(())
    }

    fn commit(&self) -> Result<bool, EsError> {
        let mut state = self.writer.lock();
        if !state.dirty {
            return Ok(false);
        }
        let Some(writer) = state.writer.as_mut() else { return Ok(false) };
        if let Err(error) = writer.commit() {
            let error = EsError::from(error);
            self.fail(&mut state, &error);
            return Err(error);
        }
        state.dirty = false;
        state.deletions = 0;
        self.install_view()?;
        self.recent.lock().clear();
        self.merge_due.store(true, Ordering::Release);
        Ok(true)
    }

    /// Commits where what waits in memory has grown too large.
    pub(super) fn flush_if_full(&self) -> Result<(), EsError> {
        if self.recent.lock().is_full() || self.writer.lock().deletions > MOST_DELETIONS {
            self.counters.periodic_flush.add(1);
            self.flush()?;
        }
        Ok(())
    }

    /// Sets `index.refresh_interval`: None for the default of a second and no refreshes while no search comes; a zero
    /// or negative interval would be `Some(Duration::MAX)`: never.
    pub fn set_refresh_interval(&self, interval: Option<Duration>) {
        let milliseconds = match interval {
            None => 1000,
            Some(Duration::MAX) => u64::MAX,
            Some(interval) => u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        };
        self.refresh_interval.store(milliseconds, Ordering::Relaxed);
        self.refresh_explicit.store(interval.is_some(), Ordering::Relaxed);
    }

    /// Whether the interval is over and something waits for it.
    pub fn is_refresh_due(&self) -> bool {
        let interval = self.refresh_interval.load(Ordering::Relaxed);
        let now = self.now();
        if interval == u64::MAX || now.saturating_sub(self.last_refresh.load(Ordering::Relaxed)) < interval {
            return false;
        }
        // The lock is taken while a bulk hands over: then the next look will do.
        (self.refresh_explicit.load(Ordering::Relaxed) || !self.is_search_idle())
            && self.writer.try_lock().is_some_and(|state| state.dirty)
    }

    fn is_search_idle(&self) -> bool {
        let idle = self.now().saturating_sub(self.last_search.load(Ordering::Relaxed));
        u128::from(idle) > SEARCH_IDLE_AFTER.as_millis()
    }

    /// Notes that a search came; where the shard had gone idle, catches up on the refreshes it skipped.
    pub(super) fn note_search(&self) -> Result<(), EsError> {
        let idle = self.is_search_idle();
        self.last_search.store(self.now(), Ordering::Relaxed);
        if idle && !self.refresh_explicit.load(Ordering::Relaxed) {
            self.refresh()?;
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
