//! Indices with their documents, and index templates.

use std::collections::HashSet;

use rally_support::suggest::listed;
use serde_json::{Map, Value};

use crate::document::Document;
use crate::reading::{Reader, is_plain_file_name, text, whole};
use crate::{Documents, Index, IndexTemplate, MappingType};

impl Reader<'_> {
    /// The indices, and the documents of all their types.
    pub(super) fn indices(&mut self, data_url: Option<&str>) -> (Vec<Index>, Vec<Documents>) {
        let mut indices: Vec<Index> = Vec::new();
        let mut documents: Vec<Documents> = Vec::new();
        let mut names = HashSet::new();
        for (pointer, value) in self.elements("", "indices") {
            let name = text(value, "name");
            if !names.insert(name.clone()) {
                self.problem(
                    &format!("{pointer}/name"),
                    format!("there is more than one index '{name}'"),
                    None,
                );
            }
            let mut types: Vec<MappingType> = Vec::new();
            let mut type_names = HashSet::new();
            for (pointer, value) in self.elements(&pointer, "types") {
                let kind = self.mapping_type(&pointer, value);
                documents.extend(self.documents(&pointer, value, (&name, &kind.name), data_url));
                if !type_names.insert(kind.name.clone()) {
                    let message = format!("index '{name}' has more than one type '{}'", kind.name);
                    self.problem(&format!("{pointer}/name"), message, None);
                }
                types.push(kind);
            }
            let declared = value["auto-managed"].as_bool().unwrap_or(true);
            let auto_managed = self.options.auto_manage_indices.unwrap_or(declared);
            indices.push(Index { name, body: Map::new(), auto_managed, types });
        }
        (indices, documents)
    }

    fn mapping_type(&mut self, pointer: &str, value: &Value) -> MappingType {
        let mapping =
            self.json_file(&format!("{pointer}/mapping"), value["mapping"].as_str().unwrap_or_default());
        MappingType { name: text(value, "name"), mapping }
    }

    fn documents(
        &mut self,
        pointer: &str,
        value: &Value,
        (index, mapping_type): (&str, &str),
        data_url: Option<&str>,
    ) -> Option<Documents> {
        let file_name = value["documents"].as_str()?;
        if !is_plain_file_name(file_name) {
            let message =
                format!("the name of a data file cannot lead out of the data directory: '{file_name}'");
            self.problem(&format!("{pointer}/documents"), message, None);
        }
        Some(Documents {
            file_name: file_name.to_owned(),
            base_url: data_url.map(str::to_owned),
            document_count: whole(&value["document-count"]).unwrap_or_default(),
            includes_action_and_meta_data: value["includes-action-and-meta-data"].as_bool().unwrap_or(false),
            compressed_bytes: whole(&value["compressed-bytes"]),
            uncompressed_bytes: whole(&value["uncompressed-bytes"]),
            sha256: None,
            target_index: Some(index.to_owned()),
            target_type: Some(mapping_type.to_owned()),
            target_data_stream: None,
            meta: Map::new(),
        })
    }

    pub(super) fn templates(&mut self) -> Vec<IndexTemplate> {
        let mut templates: Vec<IndexTemplate> = Vec::new();
        let mut names = HashSet::new();
        for (pointer, value) in self.elements("", "templates") {
            let name = text(value, "name");
            if !names.insert(name.clone()) {
                self.problem(
                    &format!("{pointer}/name"),
                    format!("there is more than one template '{name}'"),
                    None,
                );
            }
            let body = self
                .json_file(&format!("{pointer}/template"), value["template"].as_str().unwrap_or_default());
            self.check_index_pattern(&pointer, value, &body);
            templates.push(IndexTemplate {
                name,
                index_pattern: text(value, "index-pattern"),
                delete_matching_indices: value["delete-matching-indices"].as_bool().unwrap_or(true),
                template: body,
            });
        }
        templates
    }

    /// The pattern of the track says what is deleted, the one in the file what the template applies to.
    fn check_index_pattern(&mut self, pointer: &str, value: &Value, body: &Value) {
        let declared = text(value, "index-pattern");
        let in_file: Vec<&str> = match (&body["template"], &body["index_patterns"]) {
            (Value::String(pattern), _) | (_, Value::String(pattern)) => vec![pattern],
            (_, Value::Array(patterns)) => patterns.iter().filter_map(Value::as_str).collect(),
            _ => return,
        };
        if !in_file.is_empty() && !in_file.contains(&declared.as_str()) {
            let message = format!(
                "'index-pattern' is '{declared}', but the template file applies to {}; rally deletes the indices of the first, \
                 the target applies the second",
                listed(in_file.iter().copied())
            );
            self.warn_of_key(&format!("{pointer}/index-pattern"), &message);
        }
    }

    /// Content of a file that the value at `pointer` names: an object. Unlike the track these files are no templates.
    fn json_file(&mut self, pointer: &str, name: &str) -> Value {
        let Some(text) = self.file_text(pointer, name) else { return Value::Null };
        let outcome = Document::read(self.files, name, text);
        self.content(outcome).unwrap_or_default()
    }
}
