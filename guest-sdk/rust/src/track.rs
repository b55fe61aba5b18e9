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
        objects(self.values.value("indices")).map(|object| Index { object })
    }

    /// The index with this name.
    pub fn index(&self, name: &str) -> Option<Index<'_>> {
        self.indices().find(|index| index.name() == name)
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

    /// Number of documents that belong to it.
    pub fn document_count(&self) -> u64 {
        let own = self.object.get("documents").and_then(Value::as_object).unwrap_or(self.object);
        ["document-count", "document_count"]
            .into_iter()
            .find_map(|key| own.get(key).and_then(Value::as_u64))
            .unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn indices_types_and_challenges_are_found() {
        let Value::Object(map) = json!({
            "indices": [{"name": "logs", "types": [{"name": "type", "mapping": {}, "documents": {"document_count": 7}}]}],
            "challenges": [{"name": "append", "schedule": []}],
        }) else {
            unreachable!()
        };
        let track = Track::new(Values::from(map));
        let types: Vec<_> = track.index("logs").unwrap().types().collect();
        assert_eq!((types[0].name(), types[0].document_count()), ("type", 7));
        assert!(track.index("other").is_none());
        assert_eq!(track.challenges().map(|challenge| challenge.name()).collect::<Vec<_>>(), ["append"]);
    }
}
