//! Puts the parts of the new track together.

use indexmap::IndexMap;
use rally_cluster::MappingError;
use rally_track::{Dialect, Documents, Operation, Track};
use serde_json::{Map, Value, json};

use super::bodies::{self, file_name};
use super::schedule;
use crate::text::template_text;

/// Why a track cannot be upgraded.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// There is nothing to do.
    #[error("track '{track}' already is in the current dialect")]
    Current {
        /// Name of the track.
        track: String,
    },
    /// The types of an index say different things, and there is only one mapping today.
    #[error("cannot write the index '{index}' without mapping types")]
    Mapping {
        /// The index.
        index: String,
        /// What does not fit.
        #[source]
        source: MappingError,
    },
    /// A template has mappings that do not fit together.
    #[error("cannot write the index template '{template}' without mapping types")]
    Template {
        /// The template.
        template: String,
        /// What does not fit.
        #[source]
        source: rally_cluster::TemplateError,
    },
}

/// A track of the current dialect, not yet written anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// Text of each file by its path in the track's folder; `track.json` first.
    pub files: IndexMap<String, String>,
    /// What does not mean exactly the same any more, each a sentence or two.
    pub warnings: Vec<String>,
}

/// Writes a track of 2017 in the current dialect. It has to be loaded whole: without filters and not in test mode.
///
/// # Errors
/// Where the track is not a track of 2017, or its mappings need types.
pub fn upgrade(track: &Track) -> Result<Upgraded, UpgradeError> {
    if track.dialect != Dialect::Rally2017 {
        return Err(UpgradeError::Current { track: track.name.clone() });
    }
    let mut warnings = Vec::new();
    let mut files = IndexMap::new();
    files.insert("track.json".to_owned(), String::new());

    let mut spec = Map::new();
    spec.insert("version".to_owned(), json!(2));
    spec.insert("description".to_owned(), json!(description(track)));
    if !track.meta.is_empty() {
        spec.insert("meta".to_owned(), json!(track.meta));
    }
    if !track.indices.is_empty() {
        let mut indices = Vec::new();
        for index in &track.indices {
            let file = file_name("indices", &index.name, &files);
            files.insert(file.clone(), template_text(&bodies::of_index(index)?));
            indices.push(json!({ "name": index.name, "body": file }));
        }
        spec.insert("indices".to_owned(), Value::Array(indices));
    }
    if !track.templates.is_empty() {
        let mut templates = Vec::new();
        for template in &track.templates {
            let file = file_name("templates", &template.name, &files);
            files.insert(file.clone(), template_text(&bodies::of_template(template)?));
            templates.push(json!({
                "name": template.name,
                "index-pattern": template.index_pattern,
                "delete-matching-indices": template.delete_matching_indices,
                "template": file,
            }));
        }
        spec.insert("templates".to_owned(), Value::Array(templates));
    }
    if !track.corpora.is_empty() {
        spec.insert("corpora".to_owned(), corpora(track));
    }
    let (operations, challenges) = schedule::challenges(track, &mut warnings);
    if !operations.is_empty() {
        spec.insert("operations".to_owned(), Value::Array(operations));
    }
    spec.insert("challenges".to_owned(), Value::Array(challenges));
    files.insert("track.json".to_owned(), template_text(&Value::Object(spec)));
    Ok(Upgraded { files, warnings })
}

/// The current dialect has one description.
fn description(track: &Track) -> &str {
    match track.description.is_empty() {
        true => track.short_description.as_deref().unwrap_or_default(),
        false => &track.description,
    }
}

fn corpora(track: &Track) -> Value {
    let corpora = track.corpora.iter().map(|corpus| {
        let mut spec = Map::new();
        spec.insert("name".to_owned(), json!(corpus.name));
        if let Some(url) = &track.data_url {
            spec.insert("base-url".to_owned(), json!(url));
        }
        spec.insert("documents".to_owned(), corpus.documents.iter().map(documents).collect());
        Value::Object(spec)
    });
    corpora.collect()
}

fn documents(documents: &Documents) -> Value {
    let mut spec = Map::new();
    spec.insert("source-file".to_owned(), json!(documents.file_name));
    spec.insert("document-count".to_owned(), json!(documents.document_count));
    for (key, bytes) in [
        ("compressed-bytes", documents.compressed_bytes),
        ("uncompressed-bytes", documents.uncompressed_bytes),
    ] {
        if let Some(bytes) = bytes.filter(|bytes| *bytes > 0) {
            spec.insert(key.to_owned(), json!(bytes));
        }
    }
    match documents.includes_action_and_meta_data {
        true => drop(spec.insert("includes-action-and-meta-data".to_owned(), json!(true))),
        false => drop(spec.insert("target-index".to_owned(), json!(documents.target_index))),
    }
    Value::Object(spec)
}

/// Whether two operations are one.
pub(super) fn same(one: &Operation, other: &Operation) -> bool {
    one.name == other.name && one.params == other.params
}
