//! The data.

use std::collections::HashSet;

use serde_json::Value;

use crate::reading::{Reader, is_plain_file_name, object, optional_text, text, whole};
use crate::{Corpus, DataStream, Documents, Index};

/// Where the documents of a corpus go if their file does not say so.
struct Targets {
    index: Option<String>,
    data_stream: Option<String>,
    mapping_type: Option<String>,
}

impl Reader<'_> {
    pub(super) fn corpora(&mut self, indices: &[Index], data_streams: &[DataStream]) -> Vec<Corpus> {
        let mut names = HashSet::new();
        let mut corpora = Vec::new();
        for (pointer, value) in self.elements("", "corpora") {
            let name = text(value, "name");
            if !names.insert(name.clone()) {
                let message = format!("there is more than one corpus '{name}'");
                self.problem(&format!("{pointer}/name"), message, None);
            }
            if !is_plain_file_name(&name) {
                let message =
                    format!("a corpus cannot have the name '{name}': it becomes the name of a folder");
                self.problem(&format!("{pointer}/name"), message, None);
            }
            let targets = targets(value, indices, data_streams);
            let mut documents = Vec::new();
            for (pointer, file) in self.elements(&pointer, "documents") {
                if let Some(mut data) = self.documents_of(&pointer, value, file) {
                    self.set_target(&pointer, file, &targets, &mut data, (indices, data_streams));
                    documents.push(data);
                }
            }
            corpora.push(Corpus { name, meta: object(&value["meta"]), documents });
        }
        corpora
    }

    /// A data file with everything but where its documents go.
    fn documents_of(&mut self, pointer: &str, corpus: &Value, value: &Value) -> Option<Documents> {
        let either = |key: &str| value.get(key).or_else(|| corpus.get(key));
        let format = either("source-format").and_then(Value::as_str).unwrap_or("bulk");
        if format != "bulk" {
            let key = if value.get("source-format").is_some() { "/source-format" } else { "" };
            let message = format!("unknown source format '{format}'");
            self.problem(&format!("{pointer}{key}"), message, Some("the only format is bulk".to_owned()));
            return None;
        }
        let file_name = text(value, "source-file");
        if !is_plain_file_name(&file_name) {
            let message =
                format!("the name of a data file cannot lead out of the data directory: '{file_name}'");
            self.problem(&format!("{pointer}/source-file"), message, None);
        }
        let Some(document_count) = value.get("document-count").and_then(whole) else {
            let message = "this data file lacks 'document-count'".to_owned();
            let help = "add the number of documents in it; clients share the documents by number".to_owned();
            self.problem(pointer, message, Some(help));
            return None;
        };
        Some(Documents {
            base_url: either("base-url").and_then(Value::as_str).map(str::to_owned),
            includes_action_and_meta_data: either("includes-action-and-meta-data")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            compressed_bytes: whole(&value["compressed-bytes"]),
            uncompressed_bytes: whole(&value["uncompressed-bytes"]),
            sha256: self.sha256(pointer, value),
            meta: object(&value["meta"]),
            ..Documents::new(file_name, document_count)
        })
    }

    /// A digest that Rally does not know of.
    fn sha256(&mut self, pointer: &str, value: &Value) -> Option<String> {
        let written = self.text_if_any(pointer, value, "sha256")?;
        if written.len() != 64 || !written.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let message = format!("'sha256' must be 64 hexadecimal digits, not '{written}'");
            self.problem(&format!("{pointer}/sha256"), message, None);
            return None;
        }
        Some(written.to_ascii_lowercase())
    }

    /// Says where the documents of a file go, unless they say so themselves.
    fn set_target(
        &mut self,
        pointer: &str,
        value: &Value,
        targets: &Targets,
        documents: &mut Documents,
        (indices, data_streams): (&[Index], &[DataStream]),
    ) {
        if documents.includes_action_and_meta_data {
            return;
        }
        let file = &documents.file_name;
        let said = |key: &str, default: &Option<String>| match value.get(key) {
            Some(_) => optional_text(value, key),
            None => default.clone(),
        };
        if value.get("target-data-stream").is_some_and(|stream| !stream.is_string() && !stream.is_null()) {
            let message = "'target-data-stream' must be a string".to_owned();
            return self.problem(&format!("{pointer}/target-data-stream"), message, None);
        }
        let index = said("target-index", &targets.index);
        let data_stream = said("target-data-stream", &targets.data_stream);
        let mapping_type = said("target-type", &targets.mapping_type);
        let is_given = |target: &Option<String>| target.as_ref().is_some_and(|name| !name.is_empty());
        let message = if is_given(&data_stream) && !indices.is_empty() {
            Some("'target-data-stream' cannot be used when the track has indices".to_owned())
        } else if is_given(&data_stream) && is_given(&mapping_type) {
            Some("'target-type' cannot be used with data streams".to_owned())
        } else if is_given(&index) && !data_streams.is_empty() {
            Some("'target-index' cannot be used when the track has data streams".to_owned())
        } else if index.is_none() && !indices.is_empty() {
            Some(format!("'{file}' lacks 'target-index': the track has {} indices", indices.len()))
        } else if data_stream.is_none() && !data_streams.is_empty() {
            Some(format!("'{file}' lacks 'target-data-stream': the track has {}", data_streams.len()))
        } else if index.is_none() && data_stream.is_none() {
            Some(format!("the documents of '{file}' have no target"))
        } else {
            None
        };
        if let Some(message) = message {
            let help = "give it (or its corpus) 'target-index' or 'target-data-stream', or set \
                        'includes-action-and-meta-data' if the data contains the targets";
            self.problem(pointer, message, Some(help.to_owned()));
        }
        documents.target_index = index;
        documents.target_data_stream = data_stream;
        documents.target_type = mapping_type;
    }
}

/// With one index, or one data stream, it is the one that is meant; without any a corpus says nothing.
fn targets(corpus: &Value, indices: &[Index], data_streams: &[DataStream]) -> Targets {
    let said = |key: &str, any: bool, only: Option<String>| match any {
        true => optional_text(corpus, key).or(only),
        false => None,
    };
    let only_index = (indices.len() == 1).then(|| indices[0].name.clone());
    let only_stream = (data_streams.len() == 1).then(|| data_streams[0].name.clone());
    let only_type = match indices {
        [Index { types, .. }] if types.len() == 1 => Some(types[0].name.clone()),
        _ => None,
    };
    Targets {
        index: said("target-index", !indices.is_empty(), only_index),
        data_stream: said("target-data-stream", !data_streams.is_empty(), only_stream),
        mapping_type: said("target-type", !indices.is_empty(), only_type),
    }
}
