//! Tasks.

use serde_json::{Map, Value};

use super::operations::Operations;
use super::throughput;
use crate::Task;
use crate::reading::{DraftTask, Reader, whole};

/// What the tasks of a parallel element inherit.
pub(super) const INHERITED: [&str; 5] =
    ["warmup-iterations", "iterations", "warmup-time-period", "time-period", "ramp-up-time-period"];

/// The only level of errors that a task can ignore.
const NON_FATAL: &str = "non-fatal";

impl Reader<'_> {
    /// A task; `defaults` has what it inherits.
    pub(super) fn task_of(
        &mut self,
        pointer: &str,
        value: &Value,
        defaults: &Map<String, Value>,
        operations: &Operations,
    ) -> Option<DraftTask> {
        let Some(operation) = value.get("operation") else {
            let message = "this task lacks 'operation'".to_owned();
            self.problem(pointer, message, None);
            return None;
        };
        let declared = self.operation_of_task(&format!("{pointer}/operation"), operation, operations)?;
        let target = match throughput::target(value.as_object()?) {
            Ok(target) => target,
            Err(error) => {
                let pointer = format!("{pointer}/{}", error.key);
                self.problem(&pointer, error.message, error.help.map(str::to_owned));
                None
            }
        };
        let limit = |key: &str| value.get(key).or_else(|| defaults.get(key));
        let count = |key: &str| limit(key).and_then(whole);
        let seconds = |key: &str| limit(key).and_then(Value::as_f64);
        let schedule = self.text_if_any(pointer, value, "schedule").filter(|name| !name.is_empty());
        let task = Task {
            meta: self.object_if_any(pointer, value, "meta"),
            tags: self.tags(pointer, value),
            clients: self.clients(pointer, value).unwrap_or(1),
            warmup_iterations: count("warmup-iterations"),
            iterations: count("iterations"),
            warmup_time_period: seconds("warmup-time-period"),
            time_period: seconds("time-period"),
            ramp_up_time_period: seconds("ramp-up-time-period"),
            ignores_non_fatal_errors: self.ignores_non_fatal_errors(pointer, value),
            schedule: schedule.unwrap_or_else(|| "deterministic".to_owned()),
            target,
            params: value.as_object()?.clone(),
            name: value["name"].as_str().unwrap_or(&declared.operation.name).to_owned(),
            operation: declared.operation.clone(),
        };
        self.check_limits(pointer, value, &task);
        Some(DraftTask { task, declared, pointer: pointer.to_owned() })
    }

    fn tags(&mut self, pointer: &str, value: &Value) -> Vec<String> {
        let tags = match value.get("tags") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::String(tag)) => return vec![tag.clone()],
            Some(tags) => tags,
        };
        let elements = tags.as_array().map_or(std::slice::from_ref(tags), Vec::as_slice);
        let texts: Vec<String> = elements.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        // Elastic Rally takes what is no string as a tag that no filter can name.
        if texts.len() < elements.len() {
            let message = "'tags' should be a string or a list of strings; no filter selects anything else";
            self.warn_of_key(&format!("{pointer}/tags"), message);
        }
        texts
    }

    fn ignores_non_fatal_errors(&mut self, pointer: &str, value: &Value) -> bool {
        let level = self.text_if_any(pointer, value, "ignore-response-error-level");
        match level.as_deref() {
            None | Some("") => false,
            Some(NON_FATAL) => true,
            Some(other) => {
                let message = format!(
                    "'ignore-response-error-level' can only be '{NON_FATAL}'; '{other}' has no effect"
                );
                self.warn_of_key(&format!("{pointer}/ignore-response-error-level"), &message);
                false
            }
        }
    }

    /// Times and iterations exclude each other, in the combinations that Rally looks at; clients that start one after the
    /// other need a warm-up time for that.
    fn check_limits(&mut self, pointer: &str, value: &Value, task: &Task) {
        let place = |key: &str| match value.get(key) {
            Some(_) => format!("{pointer}/{key}"),
            None => pointer.to_owned(),
        };
        let name = &task.name;
        let mixed = "iterations and times exclude each other";
        if let (Some(count), Some(seconds)) = (task.warmup_iterations, task.time_period) {
            let message = format!(
                "task '{name}' has {count} warm-up iterations and a time period of {seconds} s: {mixed}"
            );
            self.problem(&place("warmup-iterations"), message, None);
        } else if let (Some(seconds), Some(count)) = (task.warmup_time_period, task.iterations) {
            let message =
                format!("task '{name}' has a warm-up time of {seconds} s and {count} iterations: {mixed}");
            self.problem(&place("iterations"), message, None);
        }
        let Some(ramp_up) = task.ramp_up_time_period else { return };
        if task.warmup_iterations.is_some() || task.iterations.is_some() {
            let message = format!("task '{name}' has a ramp-up time of {ramp_up} s and iterations: {mixed}");
            self.problem(&place("ramp-up-time-period"), message, None);
        }
        match task.warmup_time_period {
            None => {
                let message = format!(
                    "task '{name}' has a ramp-up time of {ramp_up} s but no 'warmup-time-period', which it is a part of"
                );
                self.problem(&place("ramp-up-time-period"), message, None);
            }
            Some(warm_up) if warm_up < ramp_up => {
                let message = format!(
                    "task '{name}' has a warm-up time of {warm_up} s, less than its ramp-up time of {ramp_up} s"
                );
                self.problem(&place("warmup-time-period"), message, None);
            }
            Some(_) => {}
        }
    }
}
