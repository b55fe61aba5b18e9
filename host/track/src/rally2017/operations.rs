//! Operations: what can be done.

use std::collections::HashSet;
use std::sync::Arc;

use rally_support::suggest::{closest, listed};
use serde_json::{Map, Value};

use crate::error::did_you_mean;
use crate::reading::{Declared, Reader, object, text, whole};
use crate::{Documents, Index, Operation, OperationType};

/// Parameters whose values are whole numbers.
const WHOLE_NUMBERS: [&str; 6] =
    ["bulk-size", "batch-size", "pages", "results-per-page", "max_num_segments", "max-num-segments"];

impl Declared {
    /// Whether a task of it ends by itself, when its documents are used up. Sources of extensions may.
    pub(super) fn may_end(&self) -> bool {
        self.operation.operation_type == "index"
            || self.operation.param_source.is_some()
            || !self.is_built_in()
    }

    pub(super) fn is_built_in(&self) -> bool {
        built_in(&self.operation.operation_type).is_some()
    }
}

fn built_in(operation_type: &str) -> Option<&'static str> {
    OperationType::named_2017(operation_type).map(OperationType::name)
}

impl Reader<'_> {
    pub(super) fn operations(&mut self) -> Vec<Declared> {
        let mut operations: Vec<Declared> = Vec::new();
        let mut names = HashSet::new();
        for (pointer, value) in self.elements("", "operations") {
            let operation = self.operation(&pointer, value);
            if !names.insert(operation.name.clone()) {
                let message = format!("there is more than one operation '{}'", operation.name);
                self.problem(&format!("{pointer}/name"), message, None);
            }
            operations.push(Declared { operation: Arc::new(operation), pointer });
        }
        operations
    }

    /// What can only be said of an operation together with the indices. Operations that no schedule uses do no harm.
    pub(super) fn check_operations(
        &mut self,
        used: &[&Declared],
        indices: &[Index],
        documents: &mut [Documents],
    ) {
        for declared in used.iter().filter(|declared| declared.operation.param_source.is_none()) {
            match declared.operation.operation_type.as_str() {
                "index" => self.check_index_operation(declared, indices, documents),
                "search" => self.check_search(declared, indices),
                "force-merge" => self.check_force_merge(declared),
                _ => {}
            }
        }
        self.mark_files_with_action_lines(used, indices, documents);
    }

    fn operation(&mut self, pointer: &str, value: &Value) -> Operation {
        let written = text(value, "operation-type");
        let param_source = value["param-source"].as_str().map(str::to_owned);
        let known = built_in(&written);
        match (&param_source, known) {
            (Some(source), _) => {
                let names = &self.options.extension_names.param_sources;
                if !names.contains(source) && !self.options.any_names {
                    let message = format!("unknown parameter source '{source}'");
                    let help = registered(names.iter().map(String::as_str));
                    self.problem(&format!("{pointer}/param-source"), message, Some(help));
                }
            }
            (None, Some(kind)) => {
                self.check(pointer, &format!("operation-{kind}"));
            }
            (None, None) => {}
        }
        let names = &self.options.extension_names.operation_types;
        if known.is_none() && !names.contains(&written) && !self.options.any_names {
            let mut all: Vec<&str> = OperationType::all_2017().map(OperationType::name).collect();
            all.extend(names.iter().map(String::as_str));
            let suggestion = match written.as_str() {
                "bulk" => Some("index"),
                _ => closest(&written, all.iter().copied()),
            };
            let message = format!("unknown operation type '{written}'{}", did_you_mean(suggestion));
            let help = format!("known types: {}", listed(all.iter().copied()));
            self.problem(&format!("{pointer}/operation-type"), message, Some(help));
        }
        let mut params = object(value);
        if known.is_some() && param_source.is_none() {
            make_whole(&mut params);
        }
        // As without a name, the documents of all indices are meant.
        let means_all = params.get("index").is_some_and(|index| index == "_all" || index == "*");
        if known == Some("index") && param_source.is_none() && means_all {
            params.remove("index");
        }
        Operation {
            name: text(value, "name"),
            operation_type: known.map_or(written, str::to_owned),
            param_source,
            meta: object(&value["meta"]),
            params,
        }
    }

    fn check_index_operation(&mut self, declared: &Declared, indices: &[Index], documents: &[Documents]) {
        let (pointer, params) = (&declared.pointer, &declared.operation.params);
        let size = |key: &str| params.get(key).and_then(whole);
        if let (Some(bulk), Some(batch)) = (size("bulk-size"), size("batch-size"))
            && bulk > 0
            && (batch < bulk || batch % bulk != 0)
        {
            let message = format!("'batch-size' must be a multiple of 'bulk-size' ({bulk}), but is {batch}");
            self.problem(&format!("{pointer}/batch-size"), message, None);
        }
        let action = params.get("action-and-meta-data").and_then(Value::as_str);
        let conflicts = params.get("conflicts").and_then(Value::as_str);
        if let (Some(conflicts), Some(action @ ("none" | "sourcefile"))) = (conflicts, action) {
            let message = format!(
                "id conflicts '{conflicts}' can only be generated when 'action-and-meta-data' is 'generate', not '{action}'"
            );
            self.problem(&format!("{pointer}/conflicts"), message, None);
        }
        let chosen = match params.get("index").and_then(Value::as_str) {
            None => indices.iter().collect::<Vec<_>>(),
            Some(name) => {
                let chosen: Vec<&Index> = indices.iter().filter(|index| index.name == name).collect();
                if chosen.is_empty() {
                    let names: Vec<&str> = indices.iter().map(|index| index.name.as_str()).collect();
                    let suggestion = closest(name, names.iter().copied());
                    let message = format!(
                        "the track has no index '{name}' to take documents from{}",
                        did_you_mean(suggestion)
                    );
                    let help = match names.is_empty() {
                        true => "it declares no 'indices'".to_owned(),
                        false => format!("it has {}", listed(names.iter().copied())),
                    };
                    self.problem(&format!("{pointer}/index"), message, Some(help));
                    return;
                }
                chosen
            }
        };
        let documents: Vec<&Documents> = chosen.iter().flat_map(|index| of_index(documents, index)).collect();
        if documents.is_empty() {
            let message = format!("operation '{}' has no documents to index", declared.operation.name);
            let help = "give a type of the track's indices 'documents' and a 'document-count'".to_owned();
            self.problem(pointer, message, Some(help));
        }
        let included = documents.iter().find(|documents| documents.includes_action_and_meta_data);
        if let Some(documents) = included {
            let contradiction = match (conflicts, action) {
                (Some(_), _) => Some("conflicts"),
                (None, Some("generate" | "none")) => Some("action-and-meta-data"),
                _ => None,
            };
            if let Some(key) = contradiction {
                let message =
                    format!("'{}' already includes lines with action and meta-data", documents.file_name);
                self.problem(&format!("{pointer}/{key}"), message, None);
            }
        }
    }

    fn check_search(&mut self, declared: &Declared, indices: &[Index]) {
        if declared.operation.params.contains_key("use_request_cache") {
            let message = "'use_request_cache' has no effect; use 'cache'";
            self.warn_of_key(&format!("{}/use_request_cache", declared.pointer), message);
        }
        if declared.operation.params.contains_key("index") || indices.len() == 1 {
            return;
        }
        let names: Vec<&str> = indices.iter().map(|index| index.name.as_str()).collect();
        let why = match names.as_slice() {
            [] => "the track declares no 'indices'".to_owned(),
            names => format!("the track has several: {}", listed(names.iter().copied())),
        };
        let message = format!("operation '{}' has no index to search", declared.operation.name);
        self.problem(&declared.pointer, message, Some(format!("add 'index'; {why}")));
    }

    fn check_force_merge(&mut self, declared: &Declared) {
        let params = &declared.operation.params;
        if params.contains_key("max_num_segments") && params.contains_key("max-num-segments") {
            let message =
                "'max-num-segments' and 'max_num_segments' mean the same; give one of them".to_owned();
            self.problem(&format!("{}/max-num-segments", declared.pointer), message, None);
        }
    }

    /// `action-and-meta-data: sourcefile` says of the files of the operation's indices what they contain. Operations
    /// on the same file have to agree.
    fn mark_files_with_action_lines(
        &mut self,
        operations: &[&Declared],
        indices: &[Index],
        documents: &mut [Documents],
    ) {
        let takes = |declared: &Declared, index: &Index| {
            let wanted = declared.operation.params.get("index").and_then(Value::as_str);
            declared.operation.operation_type == "index"
                && declared.operation.param_source.is_none()
                && wanted.is_none_or(|wanted| wanted == index.name)
        };
        let from_file = |declared: &Declared| {
            declared.operation.params.get("action-and-meta-data").and_then(Value::as_str)
                == Some("sourcefile")
        };
        for index in indices {
            let users: Vec<&Declared> =
                operations.iter().copied().filter(|declared| takes(declared, index)).collect();
            let Some(first) = users.iter().find(|declared| from_file(declared)) else { continue };
            if of_index(documents, index).all(|documents| documents.includes_action_and_meta_data) {
                continue;
            }
            if let Some(other) = users.iter().find(|declared| !from_file(declared)) {
                let message = format!(
                    "operations '{}' and '{}' take the documents of index '{}', but only the first says that the file \
                     includes lines with action and meta-data",
                    first.operation.name, other.operation.name, index.name
                );
                let help = "say \"action-and-meta-data\": \"sourcefile\" in both".to_owned();
                self.problem(&other.pointer, message, Some(help));
            }
            for documents in documents
                .iter_mut()
                .filter(|documents| documents.target_index.as_deref() == Some(index.name.as_str()))
            {
                documents.includes_action_and_meta_data = true;
            }
        }
    }
}

/// The documents that go into an index.
fn of_index<'a>(documents: &'a [Documents], index: &'a Index) -> impl Iterator<Item = &'a Documents> {
    documents.iter().filter(|documents| documents.target_index.as_deref() == Some(index.name.as_str()))
}

/// Makes `5.0` the `5` that it is.
fn make_whole(params: &mut Map<String, Value>) {
    for key in WHOLE_NUMBERS {
        if let Some(value) = params.get_mut(key).filter(|value| value.is_f64())
            && let Some(number) = whole(value)
        {
            *value = number.into();
        }
    }
}

/// What extensions register, for a message.
pub(super) fn registered<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.is_empty() {
        true => "no extension of the track registers one".to_owned(),
        false => format!("registered names: {}", listed(names.iter().copied())),
    }
}
