//! Keys that nothing reads.
//!
//! Rally ignores them, and some tracks have them on purpose, so that they are warnings unless the user wants to be strict.
//! What an extension may read is never unknown: keys of operations with a type or parameter source that is not built in,
//! of the tasks that perform them, and of tasks with a scheduler of their own.

use rally_support::suggest::{closest, listed};
use serde_json::{Map, Value};

use crate::error::did_you_mean;
use crate::json::child;
use crate::reading::{BUILT_IN_SCHEDULERS, DraftChallenge, Reader};
use crate::{Dialect, Operation};

const TRACK: &[&str] = &[
    "version",
    "description",
    "short-description",
    "meta",
    "indices",
    "data-streams",
    "templates",
    "composable-templates",
    "component-templates",
    "corpora",
    "operations",
    "challenges",
    "challenge",
    "schedule",
    "parameters",
    "dependencies",
    "data-url",
    "name",
];

const INDEX: &[&str] = &["name", "body", "types", "auto-managed"];

const DATA_STREAM: &[&str] = &["name", "body"];

const CORPUS: &[&str] = &[
    "name",
    "base-url",
    "source-url",
    "source-format",
    "includes-action-and-meta-data",
    "target-index",
    "target-data-stream",
    "target-type",
    "meta",
    "documents",
];

const DOCUMENTS: &[&str] = &[
    "source-file",
    "base-url",
    "source-url",
    "source-format",
    "document-count",
    "includes-action-and-meta-data",
    "compressed-bytes",
    "uncompressed-bytes",
    "sha256",
    "target-index",
    "target-data-stream",
    "target-type",
    "meta",
];

const CHALLENGE: &[&str] = &[
    "name",
    "description",
    "user-info",
    "default",
    "meta",
    "parameters",
    "schedule",
    "cluster-settings",
    "index-settings",
];

const TASK: &[&str] = &[
    "name",
    "operation",
    "tags",
    "meta",
    "clients",
    "warmup-iterations",
    "iterations",
    "warmup-time-period",
    "time-period",
    "ramp-up-time-period",
    "schedule",
    "target-throughput",
    "target-interval",
    "ignore-response-error-level",
    "run-on-serverless",
    "parallel",
];

const PARALLEL: &[&str] = &[
    "name",
    "tags",
    "clients",
    "warmup-iterations",
    "iterations",
    "warmup-time-period",
    "time-period",
    "ramp-up-time-period",
    "completed-by",
    "tasks",
];

impl Reader<'_> {
    /// Reports the unknown keys of the whole track.
    pub(super) fn check_keys(&mut self, challenges: &[DraftChallenge]) {
        let track = &self.document.value;
        let value = track;
        self.check_keys_of("", value, TRACK, "the track");
        for (pointer, value) in self.elements("", "indices") {
            self.check_keys_of(&pointer, value, INDEX, "an index");
        }
        for (pointer, value) in self.elements("", "data-streams") {
            self.check_keys_of(&pointer, value, DATA_STREAM, "a data stream");
        }
        for (pointer, value) in self.elements("", "corpora") {
            self.check_keys_of(&pointer, value, CORPUS, "a corpus");
            for (pointer, value) in self.elements(&pointer, "documents") {
                self.check_keys_of(&pointer, value, DOCUMENTS, "a data file");
            }
        }
        for (pointer, value) in self.elements("", "challenges") {
            self.check_keys_of(&pointer, value, CHALLENGE, "a challenge");
        }
        if let Some(value) = track.get("challenge") {
            self.check_keys_of("/challenge", value, CHALLENGE, "a challenge");
        }
        self.check_keys_of_tasks(challenges);
    }

    fn check_keys_of_tasks(&mut self, challenges: &[DraftChallenge]) {
        let document = self.document;
        let mut checked = std::collections::HashSet::new();
        for draft in challenges.iter().flat_map(DraftChallenge::tasks) {
            if let Some((element, _)) = draft.pointer.rsplit_once("/tasks/")
                && element.ends_with("/parallel")
                && checked.insert(element.to_owned())
                && let Some(value) = document.value.pointer(element)
            {
                self.check_keys_of(element, value, PARALLEL, "a parallel element");
            }
            let operation = &draft.declared.operation;
            if !is_built_in(operation) {
                continue;
            }
            if BUILT_IN_SCHEDULERS.contains(&draft.task.schedule.as_str())
                && let Some(value) = document.value.pointer(&draft.pointer)
            {
                self.check_keys_of(&draft.pointer, value, TASK, "a task");
            }
            let pointer = &draft.declared.pointer;
            if checked.insert(pointer.clone())
                && let Some(value) = document.value.pointer(pointer)
            {
                self.check_keys_of_operation(pointer, value, operation);
            }
        }
    }

    fn check_keys_of_operation(&mut self, pointer: &str, value: &Value, operation: &Operation) {
        let Some(kind) = Dialect::Current.operation_type(&operation.operation_type) else { return };
        let known: Vec<&str> = kind.parameters().map(|parameter| parameter.name).collect();
        self.check_keys_of(pointer, value, &known, &format!("an operation of type '{}'", kind.name()));
    }

    fn check_keys_of(&mut self, pointer: &str, value: &Value, known: &[&str], owner: &str) {
        for key in value.as_object().into_iter().flat_map(Map::keys) {
            if known.contains(&key.as_str()) || is_comment(key) {
                continue;
            }
            let suggestion = closest(key, known.iter().copied());
            let suggested = did_you_mean(suggestion);
            let pointer = child(pointer, key);
            if self.options.strict {
                let help = suggestion.is_none().then(|| format!("known here: {}", listed(known)));
                let message = format!("unknown key '{key}' of {owner}{suggested}");
                self.problem_of_key(&pointer, message, help);
            } else {
                let message = format!("unknown key '{key}' of {owner} has no effect{suggested}");
                self.warn_of_key(&pointer, &message);
            }
        }
    }
}

/// Whether nothing but what is built in reads the operation.
fn is_built_in(operation: &Operation) -> bool {
    Dialect::Current.operation_type(&operation.operation_type).is_some() && operation.param_source.is_none()
}

/// Whether a key is there for people: `#COMMENT`, `_comment`, `//`, `comment`.
fn is_comment(key: &str) -> bool {
    key.starts_with(['#', '_', '$', '/']) || key.to_ascii_lowercase().starts_with("comment")
}
