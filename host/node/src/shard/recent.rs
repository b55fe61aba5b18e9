//! What was written since the last refresh: versions for the next write to the same id, sources for realtime reads.

use bytes::Bytes;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Bytes that the table may hold before a refresh is forced.
const CAPACITY: usize = 48 << 20;
/// What an entry costs beside its id: the map's own, roughly.
const ENTRY: usize = 112;
/// How long a deletion is remembered, so that the document's next version goes on counting (`index.gc_deletes`).
const DELETIONS_KEPT: Duration = Duration::from_secs(60);

/// The last write to an id.
#[derive(Debug, Clone)]
pub struct Recent {
    /// Version after it.
    pub version: u64,
    /// Its sequence number.
    pub sequence: u64,
    /// Since when the document is deleted; None where it is not.
    pub deleted: Option<Instant>,
    /// The source, while the shard keeps them.
    pub source: Option<Bytes>,
    /// Whether a refresh has made it visible already; only deletions stay that long.
    pub refreshed: bool,
}

/// The table of one shard.
#[derive(Default)]
pub struct RecentWrites {
    entries: HashMap<Box<str>, Recent>,
    bytes: usize,
    /// Whether documents came whose ids were not entered: those the node gave itself.
    pub unknown_ids: bool,
    /// Whether sources are kept: from the first realtime read on.
    pub keep_sources: bool,
}

impl RecentWrites {
    /// The last write to `id` since the refresh, if any.
    pub fn get(&self, id: &str) -> Option<&Recent> {
        self.entries.get(id)
    }

    /// Enters a write; the source only where sources are kept.
    pub fn insert(&mut self, id: &str, mut recent: Recent) {
        if !self.keep_sources {
            recent.source = None;
        }
        let size = |recent: &Recent| recent.source.as_ref().map_or(0, Bytes::len);
        self.bytes += size(&recent);
        match self.entries.get_mut(id) {
            Some(entry) => {
                self.bytes -= size(entry);
                *entry = recent;
            }
            None => {
                self.bytes += ENTRY + id.len();
                self.entries.insert(id.into(), recent);
            }
        }
    }

    /// Whether it is time for a refresh, for memory.
    pub fn is_full(&self) -> bool {
        self.bytes > CAPACITY
    }

    /// Forgets what a refresh made visible; deletions are remembered for a minute.
    pub fn clear(&mut self) {
        self.entries.retain(|_, entry| {
            entry.refreshed = true;
            entry.source = None;
            entry.deleted.is_some_and(|when| when.elapsed() < DELETIONS_KEPT)
        });
        if self.entries.capacity() > 4 * self.entries.len() + 1024 {
            self.entries.shrink_to_fit();
        }
        self.bytes = self.entries.keys().map(|id| ENTRY + id.len()).sum();
        self.unknown_ids = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(deleted: bool) -> Recent {
        Recent {
            version: 3,
            sequence: 7,
            deleted: deleted.then(Instant::now),
            source: Some(Bytes::from_static(b"{}")),
            refreshed: false,
        }
    }

    #[test]
    fn a_refresh_forgets_all_but_deletions() {
        let mut recent = RecentWrites::default();
        recent.insert("kept", write(true));
        recent.insert("gone", write(false));
        recent.clear();
        assert!(recent.get("gone").is_none());
        assert_eq!(recent.get("kept").map(|entry| (entry.version, entry.refreshed)), Some((3, true)));
    }

    #[test]
    fn sources_are_kept_only_when_asked_and_count() {
        let mut recent = RecentWrites::default();
        recent.insert("a", write(false));
        assert!(recent.get("a").is_some_and(|entry| entry.source.is_none()));
        recent.keep_sources = true;
        for number in 0..50 {
            let mut entry = write(false);
            entry.source = Some(Bytes::from(vec![0; 1 << 20]));
            recent.insert("a", entry.clone());
            assert!(!recent.is_full());
            recent.insert(&format!("b{number}"), entry);
            if recent.is_full() {
                assert!(number >= 40);
                return;
            }
        }
        panic!("never full");
    }
}
