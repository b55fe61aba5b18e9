//! Names that nothing has: operation types, operations, parameter sources, schedulers.

use std::collections::HashSet;

use rally_support::suggest::{closest, listed};

use super::operations::Operations;
use crate::error::did_you_mean;
use crate::reading::{BUILT_IN_SCHEDULERS, Declared, DraftChallenge, DraftTask, Reader};
use crate::{Dialect, OperationType};

impl Reader<'_> {
    /// Checks names against what is built in and what extensions register: those of the challenge that will be raced, or
    /// of all. Python code beside the track may register any name in Rally, so that nothing is known of such a track.
    pub(super) fn check_names(&mut self, operations: &Operations, challenges: &[DraftChallenge]) {
        if self.options.any_names || self.files.path("track.py").is_file() {
            return;
        }
        let mut checked = HashSet::new();
        for draft in challenges {
            if !self.options.every_challenge && !self.is_wanted(&draft.challenge) {
                continue;
            }
            for task in draft.tasks() {
                if checked.insert(task.declared.pointer.as_str()) {
                    self.check_operation_names(&task.declared, operations);
                }
                self.check_scheduler(task);
            }
        }
        if self.options.every_challenge {
            for declared in operations.values() {
                if checked.insert(declared.pointer.as_str()) {
                    self.check_operation_names(declared, operations);
                }
            }
        }
    }

    fn check_operation_names(&mut self, declared: &Declared, operations: &Operations) {
        let operation = &declared.operation;
        let pointer = &declared.pointer;
        let names = &self.options.extension_names;
        let name = operation.operation_type.as_str();
        // The runner of bulks also takes the parameters of a source that is not built in under its name of 2017.
        let known = match operation.param_source {
            Some(_) => Dialect::Current.performed_type(name),
            None => Dialect::Current.operation_type(name),
        };
        if known.is_none() && !names.operation_types.contains(name) {
            let mut types: Vec<&str> = OperationType::all().map(OperationType::name).collect();
            types.extend(names.operation_types.iter().map(String::as_str));
            // Its type and name are equal where a task has nothing but a name.
            let is_named = self.document.value.pointer(pointer).is_some_and(|value| value.is_string());
            let (message, pointer) = match is_named {
                true => {
                    let declared = operations.keys().map(String::as_str);
                    let suggestion = closest(name, declared.chain(types.iter().copied()));
                    (format!("unknown operation '{name}'{}", did_you_mean(suggestion)), pointer.clone())
                }
                false => {
                    let suggestion = match name {
                        "index" => Some("bulk"),
                        _ => closest(name, types.iter().copied()),
                    };
                    let message = format!("unknown operation type '{name}'{}", did_you_mean(suggestion));
                    (message, format!("{pointer}/operation-type"))
                }
            };
            let help = match (is_named, operations.is_empty()) {
                (true, false) => format!("\"operations\" has {}", listed(operations.keys())),
                _ => "a component beside the track can register types that are not built in".to_owned(),
            };
            self.problem(&pointer, message, Some(help));
        }
        let source = operation.param_source.as_ref();
        let is_unknown = Dialect::Current.built_in_source(operation).is_none();
        if let Some(source) = source.filter(|source| is_unknown && !names.param_sources.contains(*source)) {
            let suggestion = closest(source, names.param_sources.iter().map(String::as_str));
            let message = format!("unknown parameter source '{source}'{}", did_you_mean(suggestion));
            let help = registered(&names.param_sources);
            self.problem(&format!("{pointer}/param-source"), message, Some(help));
        }
    }

    fn check_scheduler(&mut self, draft: &DraftTask) {
        let names = &self.options.extension_names.schedulers;
        let schedule = draft.task.schedule.as_str();
        if BUILT_IN_SCHEDULERS.contains(&schedule) || names.contains(schedule) {
            return;
        }
        let known = BUILT_IN_SCHEDULERS.into_iter().chain(names.iter().map(String::as_str));
        let suggestion = closest(schedule, known);
        let message = format!("unknown scheduler '{schedule}'{}", did_you_mean(suggestion));
        let help = format!("built in are {}; {}", BUILT_IN_SCHEDULERS.join(", "), registered(names));
        self.problem(&format!("{}/schedule", draft.pointer), message, Some(help));
    }
}

fn registered(names: &std::collections::BTreeSet<String>) -> String {
    match names.is_empty() {
        true => "no component beside the track registers one".to_owned(),
        false => format!("components beside the track register {}", listed(names)),
    }
}
