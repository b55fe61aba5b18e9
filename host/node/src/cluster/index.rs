//! One index: its shard, its settings, and the file that remembers both.

use super::settings::Settings;
use crate::error::EsError;
use crate::mapping::{Layout, Mapping};
use crate::shard::Shard;
use crate::shard::core::Shared;
use parking_lot::{Mutex, RwLock};
use rally_support::whole_file;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// The file beside the documents.
const FILE: &str = "index.json";

/// What the file says.
#[derive(serde::Serialize, serde::Deserialize)]
struct Saved {
    name: String,
    uuid: String,
    type_name: String,
    settings: Settings,
    mapping: Value,
    fields: Vec<String>,
    layout: Layout,
    generation: u64,
}

/// An index of the node.
pub struct IndexHandle {
    /// Its name.
    pub name: String,
    /// Its id, 22 characters.
    pub uuid: String,
    /// Name of its mapping type, `_doc` unless it was created with another.
    pub type_name: String,
    /// The documents.
    pub shard: Shard,
    settings: RwLock<Settings>,
    /// What was saved last, so that saving twice costs nothing.
    saved: Mutex<Vec<u8>>,
    /// The mapping that was saved last.
    saved_mapping: Mutex<Option<Arc<Mapping>>>,
}

impl IndexHandle {
    /// Creates an index in a folder of its own below `folder`.
    ///
    /// # Errors
    /// Where files cannot be written; nothing is left then.
    pub fn create(
        folder: &Path,
        name: &str,
        type_name: &str,
        mut settings: Settings,
        mapping: Mapping,
        shared: Arc<Shared>,
    ) -> Result<Self, EsError> {
        let uuid = super::state::short_uuid();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        if settings.get("index.number_of_shards").is_none() {
            settings.set("index.number_of_shards", "1");
        }
        if settings.get("index.number_of_replicas").is_none() {
            settings.set("index.number_of_replicas", "1");
        }
        settings.set("index.creation_date", now.as_millis().to_string());
        settings.set("index.uuid", uuid.clone());
        settings.set("index.provided_name", name);
        settings.set("index.version.created", "7100299");
        let directory = folder.join(&uuid);
        std::fs::create_dir_all(&directory)?;
        let created = Shard::create(name, &directory, mapping, shared).and_then(|shard| {
            let handle = IndexHandle {
                name: name.to_string(),
                uuid,
                type_name: type_name.to_string(),
                shard,
                settings: RwLock::new(settings),
                saved: Mutex::default(),
                saved_mapping: Mutex::default(),
            };
            handle.apply_settings();
            handle.save()?;
            Ok(handle)
        });
        if created.is_err() {
            _ = std::fs::remove_dir_all(&directory);
        }
        created
    }

    /// Opens the index in `directory`.
    ///
    /// # Errors
    /// Where its files are missing or damaged.
    pub fn open(directory: &Path, shared: Arc<Shared>) -> Result<Self, EsError> {
        let bytes = std::fs::read(directory.join(FILE))?;
        let saved: Saved = serde_json::from_slice(&bytes)
            .map_err(|error| EsError::internal(format!("{}: {error}", directory.join(FILE).display())))?;
        let mapping = Mapping::restore(&saved.mapping, &saved.fields, saved.layout)?;
        let shard = Shard::open(&saved.name, directory, mapping, saved.generation, shared)?;
        let handle = IndexHandle {
            name: saved.name,
            uuid: saved.uuid,
            type_name: saved.type_name,
            shard,
            settings: RwLock::new(saved.settings),
            saved: Mutex::new(bytes),
            saved_mapping: Mutex::default(),
        };
        handle.apply_settings();
        Ok(handle)
    }

    /// The settings now.
    pub fn settings(&self) -> Settings {
        self.settings.read().clone()
    }

    /// Changes settings.
    ///
    /// # Errors
    /// Where they cannot be saved.
    pub fn update_settings(&self, change: &Settings, preserve_existing: bool) -> Result<(), EsError> {
        {
            let mut settings = self.settings.write();
            let mut merged = settings.clone();
            merged.overlay(change);
            if preserve_existing {
                merged.overlay(&settings);
            }
            *settings = merged;
        }
        self.apply_settings();
        self.save()
    }

    fn apply_settings(&self) {
        let settings = self.settings.read();
        self.shard.set_refresh_interval(settings.refresh_interval());
        self.shard.set_total_fields_limit(settings.total_fields_limit());
    }

    /// Writes the file, if anything in it has changed.
    ///
    /// # Errors
    /// Where it cannot be written; the old one is untouched then.
    pub fn save(&self) -> Result<(), EsError> {
        let mut last = self.saved.lock();
        let mapping = self.shard.mapping();
        let saved = Saved {
            name: self.name.clone(),
            uuid: self.uuid.clone(),
            type_name: self.type_name.clone(),
            settings: self.settings(),
            mapping: mapping.to_json(),
            fields: mapping.order(),
            layout: mapping.layout().clone(),
            generation: self.shard.generation(),
        };
        let bytes = serde_json::to_vec(&saved).map_err(|error| EsError::internal(error.to_string()))?;
        if *last != bytes {
            whole_file::replace(&self.shard.directory.join(FILE), &bytes)?;
            *last = bytes;
        }
        *self.saved_mapping.lock() = Some(mapping);
        Ok(())
    }

    /// Saves where the mapping has grown since.
    ///
    /// # Errors
    /// As [`IndexHandle::save`].
    pub fn save_mapping(&self) -> Result<(), EsError> {
        let mapping = self.shard.mapping();
        if self.saved_mapping.lock().as_ref().is_some_and(|saved| Arc::ptr_eq(saved, &mapping)) {
            return Ok(());
        }
        self.save()
    }

    /// Gives the index up and removes its files.
    pub fn remove(&self) {
        self.shard.abandon();
        if let Err(error) = std::fs::remove_dir_all(&self.shard.directory) {
            tracing::warn!(index = %self.name, %error, "files of a deleted index could not be removed");
        }
    }
}
