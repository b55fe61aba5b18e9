//! Indices and data streams.

use serde_json::{Map, Value};

use crate::reading::{Reader, text};
use crate::{DataStream, Index, MappingType};

impl Reader<'_> {
    pub(super) fn indices_with_bodies(&mut self) -> Vec<Index> {
        let mut indices = Vec::new();
        for (pointer, value) in self.elements("", "indices") {
            let body = match self.text_if_any(&pointer, value, "body") {
                Some(file) if !file.is_empty() => self.body(&format!("{pointer}/body"), &file),
                _ => Value::Object(Map::new()),
            };
            indices.push(Index {
                name: text(value, "name"),
                body: match body {
                    Value::Object(body) => body,
                    _ => Map::new(),
                },
                auto_managed: false,
                types: self.type_names(&pointer),
            });
        }
        indices
    }

    fn type_names(&mut self, index: &str) -> Vec<MappingType> {
        let mut types = Vec::new();
        for (pointer, value) in self.elements(index, "types") {
            // Tracks on the way from the dialect of 2017 still have an object with the name in it.
            match value.as_str().or_else(|| value["name"].as_str()) {
                Some(name) => types.push(MappingType { name: name.to_owned(), mapping: Value::Null }),
                None => {
                    let message = "each element of 'types' must be the name of a mapping type".to_owned();
                    self.problem(&pointer, message, None);
                }
            }
        }
        types
    }

    pub(super) fn data_streams(&self) -> Vec<DataStream> {
        let elements = self.elements("", "data-streams");
        elements.into_iter().map(|(_, value)| DataStream { name: text(value, "name") }).collect()
    }
}
