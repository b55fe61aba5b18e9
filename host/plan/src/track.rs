//! The track itself, as it is shown.

use rally_track::{Corpus, Dialect, Documents, Index, IndexTemplate, Track};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::bodies::{Bodies, BodyReference};
use crate::canonical;
use crate::operations::Operations;
use crate::schedule::{self, PlannedChallenge};

/// A track.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTrack {
    /// What can be raced.
    pub challenges: Vec<PlannedChallenge>,
    /// Component templates.
    pub component_templates: Vec<PlannedComponentTemplate>,
    /// Composable index templates.
    pub composable_templates: Vec<PlannedTemplate>,
    /// Bytes of all archives; left out where a data file does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compressed_size_in_bytes: Option<u64>,
    /// The documents.
    pub corpora: Vec<PlannedCorpus>,
    /// Root URL of the documents (2017).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_url: Option<String>,
    /// Data streams.
    pub data_streams: Vec<PlannedDataStream>,
    /// What Python code of the track would need.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<String>,
    /// What it is about.
    pub description: String,
    /// Indices.
    pub indices: Vec<PlannedIndex>,
    /// Properties of all records.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Its name.
    pub name: String,
    /// Documents of all corpora.
    pub number_of_documents: u64,
    /// One line about it (2017).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_description: Option<String>,
    /// Index templates.
    pub templates: Vec<PlannedTemplate>,
    /// Bytes of all plain data files; left out where one does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncompressed_size_in_bytes: Option<u64>,
}

/// An index.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedIndex {
    /// Whether each lap creates it again (2017).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_managed: Option<bool>,
    /// What creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<BodyReference>,
    /// Its name.
    pub name: String,
    /// Names of its mapping types; in 2017 with their mappings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<PlannedType>,
}

/// A mapping type.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum PlannedType {
    /// Its name only.
    Named(String),
    /// With its mapping (2017).
    Mapped {
        /// The mapping file's content.
        mapping: BodyReference,
        /// Its name.
        name: String,
    },
}

/// A data stream.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedDataStream {
    /// Its name.
    pub name: String,
}

/// An index template, composable or not.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedTemplate {
    /// What creates it.
    pub content: BodyReference,
    /// Whether indices that match are deleted first.
    pub delete_matching_indices: bool,
    /// Which indices it is for.
    pub index_pattern: String,
    /// Its name.
    pub name: String,
}

/// A component template.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedComponentTemplate {
    /// What creates it.
    pub content: BodyReference,
    /// Its name.
    pub name: String,
}

/// A corpus.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedCorpus {
    /// Its data files.
    pub documents: Vec<PlannedDocuments>,
    /// Its properties.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Its name.
    pub name: String,
}

/// A data file.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedDocuments {
    /// Root URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Bytes of the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compressed_size_in_bytes: Option<u64>,
    /// Name of the archive, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_archive: Option<String>,
    /// Name of the plain file.
    pub document_file: String,
    /// Whether each document has a line before it.
    pub includes_action_and_meta_data: bool,
    /// Its properties.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// How many.
    pub number_of_documents: u64,
    /// Lines of the plain file.
    pub number_of_lines: u64,
    /// Always `bulk`.
    pub source_format: &'static str,
    /// The data stream that they go into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_data_stream: Option<String>,
    /// The index that they go into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_index: Option<String>,
    /// Their mapping type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<String>,
    /// Bytes of the plain file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uncompressed_size_in_bytes: Option<u64>,
}

/// Makes a plan's track of a track; `selected` is the challenge that the user names.
pub(crate) fn planned(
    track: &Track,
    selected: Option<&str>,
    operations: &mut Operations,
    bodies: &mut Bodies,
) -> serde_json::Result<PlannedTrack> {
    let challenges = track.challenges.iter().map(|challenge| {
        let selected = track.challenges.len() == 1 || selected == Some(challenge.name.as_str());
        schedule::challenge(challenge, selected, track.dialect, operations)
    });
    let challenges = challenges.collect::<Result<_, _>>()?;
    let component_templates = track.component_templates.iter().map(|template| {
        let content = bodies.keep(&template.template)?;
        Ok::<_, serde_json::Error>(PlannedComponentTemplate { content, name: template.name.clone() })
    });
    let component_templates = component_templates.collect::<Result<_, _>>()?;
    Ok(PlannedTrack {
        challenges,
        component_templates,
        composable_templates: templates(&track.composable_templates, bodies)?,
        compressed_size_in_bytes: total(track, |documents| documents.compressed_bytes),
        corpora: track.corpora.iter().map(corpus).collect(),
        data_url: track.data_url.clone(),
        data_streams: track
            .data_streams
            .iter()
            .map(|stream| PlannedDataStream { name: stream.name.clone() })
            .collect(),
        dependencies: track.dependencies.clone(),
        description: track.description.clone(),
        indices: track
            .indices
            .iter()
            .map(|index| planned_index(index, track.dialect, bodies))
            .collect::<Result<_, _>>()?,
        meta: track.meta.clone(),
        name: track.name.clone(),
        number_of_documents: track
            .document_sets()
            .fold(0, |sum: u64, (_, documents)| sum.saturating_add(documents.document_count)),
        short_description: track.short_description.clone(),
        templates: templates(&track.templates, bodies)?,
        uncompressed_size_in_bytes: total(track, |documents| documents.uncompressed_bytes),
    })
}

/// The sum over all data files, if each says its part.
fn total(track: &Track, part: fn(&Documents) -> Option<u64>) -> Option<u64> {
    track
        .document_sets()
        .try_fold(0_u64, |sum, (_, documents)| part(documents).map(|part| sum.saturating_add(part)))
}

fn templates(templates: &[IndexTemplate], bodies: &mut Bodies) -> serde_json::Result<Vec<PlannedTemplate>> {
    let planned = templates.iter().map(|template| {
        Ok(PlannedTemplate {
            content: bodies.keep(&template.template)?,
            delete_matching_indices: template.delete_matching_indices,
            index_pattern: template.index_pattern.clone(),
            name: template.name.clone(),
        })
    });
    planned.collect()
}

fn planned_index(index: &Index, dialect: Dialect, bodies: &mut Bodies) -> serde_json::Result<PlannedIndex> {
    let current = dialect == Dialect::Current;
    let types = index.types.iter().map(|mapping_type| {
        let name = mapping_type.name.clone();
        Ok::<_, serde_json::Error>(match current {
            true => PlannedType::Named(name),
            false => PlannedType::Mapped { mapping: bodies.keep(&mapping_type.mapping)?, name },
        })
    });
    let types = types.collect::<Result<_, _>>()?;
    let body = current.then(|| bodies.keep(&Value::Object(index.body.clone()))).transpose()?;
    Ok(PlannedIndex {
        auto_managed: (!current).then_some(index.auto_managed),
        body,
        name: index.name.clone(),
        types,
    })
}

fn corpus(corpus: &Corpus) -> PlannedCorpus {
    PlannedCorpus {
        documents: corpus.documents.iter().map(documents).collect(),
        meta: corpus.meta.clone(),
        name: corpus.name.clone(),
    }
}

fn documents(documents: &Documents) -> PlannedDocuments {
    let plain = plain_name(&documents.file_name);
    PlannedDocuments {
        base_url: documents.base_url.clone(),
        compressed_size_in_bytes: documents.compressed_bytes,
        document_archive: (plain != documents.file_name).then(|| documents.file_name.clone()),
        document_file: plain.to_owned(),
        includes_action_and_meta_data: documents.includes_action_and_meta_data,
        meta: documents.meta.clone(),
        number_of_documents: documents.document_count,
        number_of_lines: documents.line_count(),
        source_format: "bulk",
        target_data_stream: documents.target_data_stream.clone(),
        target_index: documents.target_index.clone(),
        target_type: documents.target_type.clone(),
        uncompressed_size_in_bytes: documents.uncompressed_bytes,
    }
}

/// Endings of archives; longer ones come before those that they end with.
const ARCHIVES: [&str; 8] = [".tar.gz", ".tar.bz2", ".zip", ".bz2", ".gz", ".tar", ".tgz", ".zst"];

/// Name of the plain file that an archive holds; any other name is returned as it is.
pub(crate) fn plain_name(file_name: &str) -> &str {
    let stripped = ARCHIVES.iter().find_map(|ending| file_name.strip_suffix(ending));
    stripped.filter(|plain| !plain.is_empty()).unwrap_or(file_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_file_of_an_archive_has_its_name_without_the_ending() {
        for (archive, plain) in [
            ("a.json.bz2", "a.json"),
            ("a.json.zst", "a.json"),
            ("a.json.tar.gz", "a.json"),
            ("a.tar.bz2", "a"),
            ("a.json", "a.json"),
            ("folder/a.json.gz", "folder/a.json"),
            (".gz", ".gz"),
        ] {
            assert_eq!(plain_name(archive), plain);
        }
    }
}
