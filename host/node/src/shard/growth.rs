//! New fields: merging them into the mapping, and rebuilding the shard where its slots ran out.

use super::Shard;
use super::core::{Generation, create_generation, generation_path, new_writer};
use super::gate::{Gate, GatedDocument};
use super::read::ReadView;
use crate::document;
use crate::error::EsError;
use crate::mapping::{DynamicValue, Mapping, System};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tantivy::schema::Value as _;
use tantivy::{DocAddress, IndexWriter, TantivyDocument};

impl Shard {
    /// Merges `body`, a mapping, into this shard's.
    ///
    /// # Errors
    /// 400 where it is wrong or contradicts what is there.
    pub fn put_mapping(&self, body: &Value) -> Result<(), EsError> {
        self.change_mapping(|mapping| mapping.merged(body))
    }

    /// Adds fields that documents brought.
    ///
    /// # Errors
    /// 400 where one of them cannot be added; none is then.
    pub fn add_fields(&self, new: &[(String, DynamicValue)]) -> Result<(), EsError> {
        self.change_mapping(|mapping| mapping.with_new_fields(new))
    }

    fn change_mapping(
        &self,
        change: impl FnOnce(&Mapping) -> Result<Mapping, EsError>,
    ) -> Result<(), EsError> {
        let _change = self.mapping_change.lock();
        let old = self.mapping();
        let new = Arc::new(change(&old)?);
        let limit = self.total_fields_limit.load(Ordering::Relaxed);
        if new.total_fields() > limit && new.total_fields() > old.total_fields() {
            return Err(EsError::illegal_argument(format!(
                "Limit of total fields [{limit}] has been exceeded"
            )));
        }
        if new.layout() != old.layout() {
            self.rebuild(&old, &new)?;
        }
        *self.mapping.write() = new;
        Ok(())
    }

    /// Writes every document anew into an index with the slots of `new`.
    fn rebuild(&self, old: &Mapping, new: &Arc<Mapping>) -> Result<(), EsError> {
        let _merging = self.merging.lock();
        self.refresh()?;
        let mut state = self.writer.lock();
        if state.dirty {
            // Something came between the refresh and the lock.
            drop(state);
            self.refresh()?;
            state = self.writer.lock();
        }
        let view = self.read_view();
        if view.searcher.num_docs() > 0 && !old.source_enabled() {
            return Err(EsError::illegal_argument(
                "the index has no room for more fields of this type, and cannot be rebuilt because [_source] is disabled",
            ));
        }
        self.close_writer(&mut state);
        let number = self.generation() + 1;
        let generation = create_generation(&self.directory, number, new.layout())?;
        let rebuilt = self.copy(&view, new, &generation);
        if let Err(error) = rebuilt {
            _ = std::fs::remove_dir_all(generation_path(&self.directory, number));
            return Err(error);
        }
        generation.reader.reload()?;
        {
            let _install = self.install.lock();
            let view = Arc::new(ReadView::new(generation.reader.searcher())?);
            *self.generation.write() = Arc::new(generation);
            *self.view.write() = view;
        }
        self.recent.lock().clear();
        // Searches that still hold the old files keep them open; nothing finds them by name any more.
        if let Err(error) = std::fs::remove_dir_all(generation_path(&self.directory, number - 1)) {
            tracing::warn!(index = %self.name, %error, "files of the index before it was rebuilt could not be removed");
        }
        Ok(())
    }

    fn copy(&self, view: &ReadView, mapping: &Arc<Mapping>, generation: &Generation) -> Result<(), EsError> {
        let mut writer: IndexWriter<GatedDocument> = new_writer(&generation.index, 0)?;
        // A gate of its own: the bulk that brought the fields holds room of the shared one and waits for this.
        let gate = Arc::new(Gate::default());
        for (ordinal, reader) in (0..).zip(view.searcher.segment_readers()) {
            for document in reader.doc_ids_alive() {
                let address = DocAddress::new(ordinal, document);
                let stored: TantivyDocument = view.searcher.doc(address)?;
                let text = |field| stored.get_first(field).and_then(|value| value.as_leaf());
                let id =
                    text(System::ID).and_then(|leaf| leaf.as_str().map(str::to_string)).unwrap_or_default();
                let source = text(System::SOURCE).and_then(|leaf| leaf.as_bytes().map(<[u8]>::to_vec));
                let source = source.unwrap_or_else(|| b"{}".to_vec());
                let mut parsed = document::parse(mapping, &id, &source)?.document;
                let (version, sequence) = view.version(address);
                parsed.add_u64(System::VERSION, version);
                parsed.add_u64(System::SEQUENCE, sequence);
                let permit = gate.acquire(source.len());
                writer.add_document(GatedDocument::new(parsed, &permit))?;
            }
        }
        writer.commit()?;
        Ok(())
    }
}
