//! The track as an extension sees it.

use serde_json::{Map, Value};

use crate::Values;

/// The track of the race. What has no method of its own is in [`values`](Track::values), as rally hands it over.
#[derive(Debug, Clone)]
pub struct Track {
    values: Values,
}

impl Track {
    pub(crate) fn new(values: Values) -> Track {
        Track { values }
    }

    /// Everything that rally tells of the track.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Its indices.
    pub fn indices(&self) -> impl Iterator<Item = Index<'_>> {
        let corpora = self.values.value("corpora");
        objects(self.values.value("indices")).map(move |object| Index { object, corpora })
    }

    /// The index with this name.
    pub fn index(&self, name: &str) -> Option<Index<'_>> {
        self.indices().find(|index| index.name() == name)
    }

    /// Its corpora: the documents, file by file. A track of 2017 has at most one, of its own name.
    pub fn corpora(&self) -> impl Iterator<Item = Corpus<'_>> {
        objects(self.values.value("corpora")).map(|object| Corpus { object })
    }

    /// Its challenges.
    pub fn challenges(&self) -> impl Iterator<Item = Challenge<'_>> {
        objects(self.values.value("challenges")).map(|object| Challenge { object })
    }
}

/// An index of the track.
#[derive(Debug, Clone, Copy)]
pub struct Index<'track> {
    object: &'track Map<String, Value>,
    corpora: Option<&'track Value>,
}

impl<'track> Index<'track> {
    /// Its name.
    pub fn name(&self) -> &'track str {
        text(self.object, "name")
    }

    /// Its mapping types.
    pub fn types(&self) -> impl Iterator<Item = MappingType<'track>> + use<'track> {
        objects(self.object.get("types")).map(|object| MappingType { object })
    }

    /// Number of documents that go into it, as far as the track says it: data with action lines say themselves where they go.
    pub fn document_count(&self) -> u64 {
        let corpora = objects(self.corpora).map(|object| Corpus { object });
        let own = |file: &DataFile<'track>| file.target_index() == Some(self.name());
        corpora.flat_map(|corpus| corpus.documents()).filter(own).map(|file| file.document_count()).sum()
    }

    /// Everything that rally tells of it.
    pub fn object(&self) -> &'track Map<String, Value> {
        self.object
    }
}

/// A mapping type of an index.
#[derive(Debug, Clone, Copy)]
pub struct MappingType<'track> {
    object: &'track Map<String, Value>,
}

impl<'track> MappingType<'track> {
    /// Its name.
    pub fn name(&self) -> &'track str {
        text(self.object, "name")
    }

    /// Its mapping, as the file has it.
    pub fn mapping(&self) -> Option<&'track Value> {
        self.object.get("mapping")
    }

    /// Number of documents that belong to it, in all its files.
    pub fn document_count(&self) -> u64 {
        let documents = self.object.get("documents").and_then(Value::as_object);
        documents.map_or(0, |documents| number(documents, "document_count"))
    }

    /// Everything that rally tells of it.
    pub fn object(&self) -> &'track Map<String, Value> {
        self.object
    }
}

/// Documents that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Corpus<'track> {
    object: &'track Map<String, Value>,
}

impl<'track> Corpus<'track> {
    /// Its name.
    pub fn name(&self) -> &'track str {
        text(self.object, "name")
    }

    /// Its data files.
    pub fn documents(&self) -> impl Iterator<Item = DataFile<'track>> + use<'track> {
        objects(self.object.get("documents")).map(|object| DataFile { object })
    }

    /// Everything that rally tells of it.
    pub fn object(&self) -> &'track Map<String, Value> {
        self.object
    }
}

/// A data file of a corpus.
#[derive(Debug, Clone, Copy)]
pub struct DataFile<'track> {
    object: &'track Map<String, Value>,
}

impl<'track> DataFile<'track> {
    /// Its name as the track has it, compressed or plain.
    pub fn file_name(&self) -> &'track str {
        text(self.object, "file_name")
    }

    /// Number of documents in it.
    pub fn document_count(&self) -> u64 {
        number(self.object, "document_count")
    }

    /// Whether each document is preceded by a line that says what becomes of it.
    pub fn has_action_lines(&self) -> bool {
        self.object.get("includes_action_and_meta_data").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The index that its documents go into.
    pub fn target_index(&self) -> Option<&'track str> {
        self.object.get("target_index").and_then(Value::as_str)
    }

    /// Their mapping type.
    pub fn target_type(&self) -> Option<&'track str> {
        self.object.get("target_type").and_then(Value::as_str)
    }

    /// The data stream that its documents go into.
    pub fn target_data_stream(&self) -> Option<&'track str> {
        self.object.get("target_data_stream").and_then(Value::as_str)
    }

    /// Everything that rally tells of it.
    pub fn object(&self) -> &'track Map<String, Value> {
        self.object
    }
}

/// A challenge of the track.
#[derive(Debug, Clone, Copy)]
pub struct Challenge<'track> {
    object: &'track Map<String, Value>,
}

impl<'track> Challenge<'track> {
    /// Its name.
    pub fn name(&self) -> &'track str {
        text(self.object, "name")
    }

    /// Its schedule as JSON.
    pub fn schedule(&self) -> Option<&'track Value> {
        self.object.get("schedule")
    }

    /// Everything that rally tells of it.
    pub fn object(&self) -> &'track Map<String, Value> {
        self.object
    }
}

fn objects(list: Option<&Value>) -> impl Iterator<Item = &Map<String, Value>> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn text<'value>(object: &'value Map<String, Value>, key: &str) -> &'value str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(object: &Map<String, Value>, key: &str) -> u64 {
    object.get(key).and_then(Value::as_u64).unwrap_or_default()
}
