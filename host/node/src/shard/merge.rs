//! Merges, one at a time for each shard: in the background by size and deletions, or forced.

use super::Shard;
use crate::error::EsError;
use std::sync::atomic::Ordering;
use std::time::Instant;
use tantivy::SegmentMeta;
use tantivy::index::SegmentId;
use tantivy::indexer::{LogMergePolicy, MergePolicy};

/// Share of deleted documents above which a segment is rewritten, as with Lucene's `expungeDeletesAllowed`.
const DELETED_SHARE_EXPUNGED: f64 = 0.1;
/// The same for background merges (Lucene's `deletesPctAllowed`).
const DELETED_SHARE_MERGED: f32 = 0.33;

impl Shard {
    /// Merges what the policy finds, if segments have come since it last looked. Returns whether it merged.
    ///
    /// # Errors
    /// Where a merge fails; the segments are as before then.
    pub fn merge_if_due(&self) -> Result<bool, EsError> {
        if self.is_closed() || !self.merge_due.swap(false, Ordering::AcqRel) {
            return Ok(false);
        }
        let _merging = self.merging.lock();
        let mut policy = LogMergePolicy::default();
        policy.set_del_docs_ratio_before_merge(DELETED_SHARE_MERGED);
        let candidates = policy.compute_merge_candidates(&self.segments()?);
        let Some(candidate) = candidates.into_iter().next() else { return Ok(false) };
        self.merge(&candidate.0)?;
        self.merge_due.store(true, Ordering::Release);
        Ok(true)
    }

    /// Merges down to `most` segments; with one, a segment with deletions is rewritten too.
    ///
    /// # Errors
    /// Where a merge fails; the segments are as before then.
    pub fn force_merge(&self, most: usize) -> Result<(), EsError> {
        let _merging = self.merging.lock();
        self.refresh()?;
        loop {
            let mut segments = self.segments()?;
            segments.sort_by_key(SegmentMeta::num_docs);
            let has_deletions = most == 1 && segments.iter().any(|segment| segment.num_deleted_docs() > 0);
            if segments.len() <= most && !has_deletions {
                return Ok(());
            }
            let together = if segments.len() <= most { segments.len() } else { segments.len() - most + 1 };
            let ids: Vec<SegmentId> = segments.iter().take(together).map(SegmentMeta::id).collect();
            self.merge(&ids)?;
        }
    }

    /// Rewrites the segments with many deletions.
    ///
    /// # Errors
    /// Where a merge fails.
    pub fn expunge_deletes(&self) -> Result<(), EsError> {
        let _merging = self.merging.lock();
        self.refresh()?;
        for segment in self.segments()? {
            if f64::from(segment.num_deleted_docs()) > DELETED_SHARE_EXPUNGED * f64::from(segment.max_doc()) {
                self.merge(&[segment.id()])?;
            }
        }
        Ok(())
    }

    fn segments(&self) -> Result<Vec<SegmentMeta>, EsError> {
        Ok(self.generation.read().index.searchable_segment_metas()?)
    }

    /// One merge; the caller holds the merge lock.
    fn merge(&self, ids: &[SegmentId]) -> Result<(), EsError> {
        let start = Instant::now();
        let segments = self.segments()?;
        let chosen = || segments.iter().filter(|segment| ids.contains(&segment.id()));
        let documents: u64 = chosen().map(|segment| u64::from(segment.num_docs())).sum();
        let bytes = self.bytes_of(ids)?;
        let counters = &self.counters;
        let _current = counters.merge.enter();
        counters.merging_documents.fetch_add(documents, Ordering::Relaxed);
        counters.merging_bytes.fetch_add(bytes, Ordering::Relaxed);
        let merged = self.run_merge(ids);
        counters.merging_documents.fetch_sub(documents, Ordering::Relaxed);
        counters.merging_bytes.fetch_sub(bytes, Ordering::Relaxed);
        merged?;
        counters.merged_documents.add(documents);
        counters.merged_bytes.add(bytes);
        counters.merge.add(1, start);
        Ok(())
    }

    fn run_merge(&self, ids: &[SegmentId]) -> Result<(), EsError> {
        // Only begun under the writer lock: writes go on while it runs.
        let merging = self.open_writer(&mut self.writer.lock())?.merge(ids);
        merging.wait()?;
        self.install_view()?;
        // Files are free only once no view holds them, so this comes after the reload.
        let collecting = self.open_writer(&mut self.writer.lock())?.garbage_collect_files();
        collecting.wait()?;
        Ok(())
    }

    fn bytes_of(&self, ids: &[SegmentId]) -> Result<u64, EsError> {
        let view = self.read_view();
        let mut bytes = 0;
        for reader in
            view.searcher.segment_readers().iter().filter(|reader| ids.contains(&reader.segment_id()))
        {
            bytes += reader.space_usage()?.total().get_bytes();
        }
        Ok(bytes)
    }
}
