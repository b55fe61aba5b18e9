//! Everything the node holds: indices, templates, cluster settings.

use super::index::IndexHandle;
use super::names::{self, IndexOptions};
use super::settings::Settings;
use super::template::{Template, mapping_failed, refuse_aliases, untyped};
use crate::error::EsError;
use crate::mapping::Mapping;
use crate::shard::core::Shared;
use parking_lot::{Mutex, RwLock};
use rally_support::whole_file;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file with templates and cluster settings.
const FILE: &str = "cluster.json";

/// The state of the node.
pub struct Cluster {
    folder: PathBuf,
    indices: RwLock<BTreeMap<String, Arc<IndexHandle>>>,
    /// Held while an index is created or deleted.
    changing: Mutex<()>,
    rest: RwLock<Rest>,
    shared: Arc<Shared>,
}

#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
struct Rest {
    templates: BTreeMap<String, Template>,
    persistent: Map<String, Value>,
    #[serde(skip)]
    transient: Map<String, Value>,
}

impl Cluster {
    /// Opens what is in `folder`, or begins anew there.
    ///
    /// # Errors
    /// Where files cannot be read or written, or are damaged.
    pub fn open(folder: &Path) -> Result<Self, EsError> {
        let shared = Arc::new(Shared::default());
        let indices_folder = folder.join("indices");
        std::fs::create_dir_all(&indices_folder)?;
        let mut indices = BTreeMap::new();
        for entry in std::fs::read_dir(&indices_folder)? {
            let handle = IndexHandle::open(&entry?.path(), Arc::clone(&shared))?;
            indices.insert(handle.name.clone(), Arc::new(handle));
        }
        let rest = match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| EsError::internal(format!("{FILE}: {error}")))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Rest::default(),
            Err(error) => return Err(error.into()),
        };
        Ok(Cluster {
            folder: folder.to_path_buf(),
            indices: RwLock::new(indices),
            changing: Mutex::new(()),
            rest: RwLock::new(rest),
            shared,
        })
    }

    /// All indices, by name.
    pub fn indices(&self) -> Vec<Arc<IndexHandle>> {
        self.indices.read().values().cloned().collect()
    }

    /// The index called `name`.
    pub fn index(&self, name: &str) -> Option<Arc<IndexHandle>> {
        self.indices.read().get(name).cloned()
    }

    /// The indices that `expression` stands for.
    ///
    /// # Errors
    /// As [`names::resolve`].
    pub fn resolve(&self, expression: &str, options: IndexOptions) -> Result<Vec<Arc<IndexHandle>>, EsError> {
        let indices = self.indices.read();
        let existing: Vec<String> = indices.keys().cloned().collect();
        let chosen = names::resolve(expression, &existing, options)?;
        Ok(chosen.iter().filter_map(|name| indices.get(name).cloned()).collect())
    }

    /// Creates the index `name` from the body of the request and the templates that fit.
    ///
    /// # Errors
    /// 400 where the name is taken or wrong, or the body is.
    pub fn create_index(&self, name: &str, body: &Value, typed: bool) -> Result<Arc<IndexHandle>, EsError> {
        names::validate(name)?;
        let _changing = self.changing.lock();
        if let Some(existing) = self.index(name) {
            return Err(EsError::new(
                400,
                "resource_already_exists_exception",
                format!("index [{name}/{}] already exists", existing.uuid),
            )
            .detail("index_uuid", existing.uuid.clone())
            .detail("index", name));
        }
        let (mut given, mut mapping_body, mut type_name) = (Settings::default(), json!({}), None);
        let Value::Object(members) = body else {
            return Err(EsError::new(400, "parse_exception", "the request body must be an object"));
        };
        for (key, value) in members {
            match key.as_str() {
                "settings" => given = Settings::parse(value)?,
                "mappings" => (type_name, mapping_body) = untyped(value, typed)?,
                "aliases" => refuse_aliases(value)?,
                _ => {
                    return Err(EsError::new(
                        400,
                        "parse_exception",
                        format!("unknown key [{key}] for create index"),
                    ));
                }
            }
        }
        let mut settings = Settings::default();
        let mut mapping: Option<Mapping> = None;
        for template in self.fitting_templates(name) {
            settings.overlay(&template.settings);
            mapping = Some(merged(mapping, &template.mappings).map_err(mapping_failed)?);
        }
        settings.overlay(&given);
        let mapping = merged(mapping, &mapping_body).map_err(mapping_failed)?;
        let limit = settings.total_fields_limit();
        if mapping.total_fields() > limit {
            return Err(EsError::illegal_argument(format!(
                "Limit of total fields [{limit}] has been exceeded"
            )));
        }
        let type_name = type_name.unwrap_or_else(|| "_doc".to_string());
        let shared = Arc::clone(&self.shared);
        let folder = self.folder.join("indices");
        let handle = Arc::new(IndexHandle::create(&folder, name, &type_name, settings, mapping, shared)?);
        self.indices.write().insert(name.to_string(), Arc::clone(&handle));
        Ok(handle)
    }

    /// The index `name`, created now if it is not there.
    ///
    /// # Errors
    /// As [`Cluster::create_index`].
    pub fn index_or_create(&self, name: &str) -> Result<Arc<IndexHandle>, EsError> {
        if let Some(handle) = self.index(name) {
            return Ok(handle);
        }
        match self.create_index(name, &json!({}), false) {
            // Another request was faster.
            Err(error) if error.kind == "resource_already_exists_exception" => {
                self.index(name).ok_or_else(|| EsError::index_not_found(name))
            }
            other => other,
        }
    }

    /// Deletes indices.
    pub fn delete(&self, handles: &[Arc<IndexHandle>]) {
        let _changing = self.changing.lock();
        for handle in handles {
            self.indices.write().remove(&handle.name);
            handle.remove();
        }
    }

    /// The templates for an index called `name`, lowest order first.
    fn fitting_templates(&self, name: &str) -> Vec<Template> {
        let rest = self.rest.read();
        let mut templates: Vec<Template> =
            rest.templates.values().filter(|template| template.fits(name)).cloned().collect();
        templates.sort_by_key(|template| template.order);
        templates
    }

    /// The templates whose names `pattern` stands for.
    pub fn templates(&self, pattern: &str) -> Vec<(String, Template)> {
        let wanted: Vec<&str> = pattern.split(',').collect();
        let fits = |name: &String| pattern.is_empty() || wanted.iter().any(|each| names::matches(each, name));
        let rest = self.rest.read();
        rest.templates
            .iter()
            .filter(|(name, _)| fits(name))
            .map(|(name, template)| (name.clone(), template.clone()))
            .collect()
    }

    /// Keeps a template.
    ///
    /// # Errors
    /// 400 where `create` is set and it is there already.
    pub fn put_template(&self, name: &str, template: Template, create: bool) -> Result<(), EsError> {
        let mut rest = self.rest.write();
        if create && rest.templates.contains_key(name) {
            return Err(EsError::illegal_argument(format!("index_template [{name}] already exists")));
        }
        rest.templates.insert(name.to_string(), template);
        self.save(&rest)
    }

    /// Removes the templates that `pattern` stands for.
    ///
    /// # Errors
    /// 404 where there is none.
    pub fn delete_templates(&self, pattern: &str) -> Result<(), EsError> {
        let found = self.templates(pattern);
        if found.is_empty() && !pattern.contains('*') {
            return Err(EsError::new(
                404,
                "index_template_missing_exception",
                format!("index_template [{pattern}] missing"),
            ));
        }
        let mut rest = self.rest.write();
        for (name, _) in found {
            rest.templates.remove(&name);
        }
        self.save(&rest)
    }

    /// Persistent and transient cluster settings, flat.
    pub fn cluster_settings(&self) -> (Map<String, Value>, Map<String, Value>) {
        let rest = self.rest.read();
        (rest.persistent.clone(), rest.transient.clone())
    }

    /// Changes cluster settings; null removes one.
    ///
    /// # Errors
    /// Where they cannot be saved.
    pub fn update_cluster_settings(
        &self,
        persistent: &[(String, Value)],
        transient: &[(String, Value)],
    ) -> Result<(), EsError> {
        let mut rest = self.rest.write();
        for (change, settings) in [(persistent, 0), (transient, 1)] {
            let target = if settings == 0 { &mut rest.persistent } else { &mut rest.transient };
            for (name, value) in change {
                if value.is_null() {
                    target.remove(name);
                } else {
                    target.insert(name.clone(), value.clone());
                }
            }
        }
        self.save(&rest)
    }

    fn save(&self, rest: &Rest) -> Result<(), EsError> {
        let bytes = serde_json::to_vec(rest).map_err(|error| EsError::internal(error.to_string()))?;
        Ok(whole_file::replace(&self.folder.join(FILE), &bytes)?)
    }

    /// Commits and closes every index.
    ///
    /// # Errors
    /// The first failure; the others are closed nevertheless.
    pub fn close(&self) -> Result<(), EsError> {
        let mut result = Ok(());
        for handle in self.indices() {
            let closed = handle.shard.close().and_then(|()| handle.save());
            if let (Err(error), Ok(())) = (closed, &result) {
                result = Err(error);
            }
        }
        result
    }
}

fn merged(mapping: Option<Mapping>, body: &Value) -> Result<Mapping, EsError> {
    match mapping {
        Some(mapping) => mapping.merged(body),
        None => Mapping::new(body),
    }
}

/// A random id of 22 characters.
pub fn short_uuid() -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = uuid::Uuid::new_v4().as_u128();
    (0..22)
        .map(|_| {
            let character = char::from(ALPHABET[(bits & 63) as usize]);
            bits >>= 6;
            character
        })
        .collect()
}
