//! Challenges and their schedules.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use rally_support::suggest::{closest, listed};

use serde_json::{Map, Value};

use super::operations::registered;
use super::schema::TASK_OF_BUILT_IN_SCHEDULER;
use crate::error::did_you_mean;
use crate::reading::{
    BUILT_IN_SCHEDULERS, Declared, DraftChallenge, DraftElement, DraftParallel, DraftTask, Reader, object,
    optional_text, text, whole,
};
use crate::{Challenge, CompletedBy, Target, Task};

/// What the tasks of a parallel element inherit.
const INHERITED: [&str; 4] = ["warmup-iterations", "iterations", "warmup-time-period", "time-period"];
/// What one might think that they inherit.
const NOT_INHERITED: [&str; 4] = ["schedule", "target-throughput", "target-interval", "meta"];

/// The rate of the longest target-interval. Lower ones are due after the end of all clocks.
const LOWEST_THROUGHPUT: f64 = 1e-9;

/// Operations by name, in their order.
type Operations<'a> = IndexMap<&'a str, &'a Declared>;

impl Reader<'_> {
    pub(super) fn challenges(&mut self, operations: &[Declared]) -> Vec<DraftChallenge> {
        let operations: Operations<'_> =
            operations.iter().map(|declared| (declared.operation.name.as_str(), declared)).collect();
        let mut challenges: Vec<DraftChallenge> = Vec::new();
        let mut names = HashSet::new();
        let mut default_challenge: Option<String> = None;
        let elements = self.elements("", "challenges");
        let only = elements.len() == 1;
        for (pointer, value) in elements {
            let name = text(value, "name");
            if !names.insert(name.clone()) {
                self.problem(
                    &format!("{pointer}/name"),
                    format!("there is more than one challenge '{name}'"),
                    None,
                );
            }
            let default = only || value["default"].as_bool().unwrap_or(false);
            if default {
                if let Some(other) = &default_challenge {
                    let message = format!("'{other}' already is the default challenge");
                    self.problem(
                        &format!("{pointer}/default"),
                        message,
                        Some("only one challenge can be the default".to_owned()),
                    );
                }
                default_challenge = Some(name.clone());
            }
            let elements = self.schedule(&pointer, &name, &operations);
            let optional = |key: &str| optional_text(value, key);
            challenges.push(DraftChallenge {
                pointer,
                challenge: Challenge {
                    description: optional("description"),
                    user_info: optional("user-info"),
                    default,
                    auto_generated: false,
                    serverless_info: Vec::new(),
                    parameters: Map::new(),
                    meta: object(&value["meta"]),
                    index_settings: object(&value["index-settings"]),
                    cluster_settings: object(&value["cluster-settings"]),
                    schedule: Vec::new(),
                    name,
                },
                elements,
            });
        }
        if default_challenge.is_none() {
            let names: Vec<&str> = challenges.iter().map(|draft| draft.challenge.name.as_str()).collect();
            let help = format!("add \"default\": true to one of {}", listed(names.iter().copied()));
            self.problem("/challenges", "no challenge is the default".to_owned(), Some(help));
        }
        challenges
    }

    fn schedule(&mut self, challenge: &str, name: &str, operations: &Operations<'_>) -> Vec<DraftElement> {
        let mut elements: Vec<DraftElement> = Vec::new();
        for (pointer, value) in self.elements(challenge, "schedule") {
            elements.push(match value.get("parallel") {
                Some(parallel) => self.parallel(&format!("{pointer}/parallel"), parallel, operations),
                None => {
                    let task = self.task(&pointer, value, &Map::new(), operations);
                    DraftElement { parallel: None, tasks: task.into_iter().collect() }
                }
            });
        }
        self.name_tasks(name, &mut elements);
        self.check_completing_tasks(&elements, challenge);
        elements
    }

    fn parallel(&mut self, pointer: &str, value: &Value, operations: &Operations<'_>) -> DraftElement {
        let defaults = INHERITED
            .into_iter()
            .filter_map(|key| value.get(key).map(|value| (key.to_owned(), value.clone())))
            .collect();
        for key in NOT_INHERITED.into_iter().filter(|key| value.get(key).is_some()) {
            let message = format!("'{key}' has no effect on a parallel element; give it to each task");
            self.warn_of_key(&format!("{pointer}/{key}"), &message);
        }
        let mut tasks = Vec::new();
        for (pointer, value) in self.elements(pointer, "tasks") {
            tasks.extend(self.task(&pointer, value, &defaults, operations));
        }
        let parallel = DraftParallel {
            clients: whole(&value["clients"]).map(clamped),
            completed_by: optional_text(value, "completed-by").map(CompletedBy::Task),
        };
        DraftElement { parallel: Some(parallel), tasks }
    }

    fn task(
        &mut self,
        pointer: &str,
        value: &Value,
        defaults: &Map<String, Value>,
        operations: &Operations<'_>,
    ) -> Option<DraftTask> {
        let schedule = value["schedule"].as_str().unwrap_or("deterministic").to_owned();
        let schedulers = &self.options.extension_names.schedulers;
        if BUILT_IN_SCHEDULERS.contains(&schedule.as_str()) {
            self.check(pointer, TASK_OF_BUILT_IN_SCHEDULER);
        } else if !schedulers.contains(&schedule) && !self.options.any_names {
            let known = BUILT_IN_SCHEDULERS.into_iter().chain(schedulers.iter().map(String::as_str));
            let suggestion = closest(&schedule, known.clone());
            let message = format!("unknown scheduler '{schedule}'{}", did_you_mean(suggestion));
            let help = format!(
                "built-in schedulers: {}; {}",
                BUILT_IN_SCHEDULERS.join(", "),
                registered(schedulers.iter().map(String::as_str))
            );
            self.problem(&format!("{pointer}/schedule"), message, Some(help));
        }
        self.check_mixed_limits(pointer, value, defaults);
        let target = self.target(pointer, value);
        if schedule == "poisson" && target.is_none() {
            let message = "'poisson' has no effect without 'target-throughput' or 'target-interval'";
            self.warn_of_key(&format!("{pointer}/schedule"), message);
        }

        let operation = text(value, "operation");
        let Some(declared) = operations.get(operation.as_str()) else {
            let names: Vec<&str> = operations.keys().copied().collect();
            let suggestion = closest(&operation, names.iter().copied());
            let message = format!("unknown operation '{operation}'{}", did_you_mean(suggestion));
            let help = format!("'operations' has {}", listed(names.iter().copied()));
            self.problem(&format!("{pointer}/operation"), message, Some(help));
            return None;
        };
        let limit = |key: &str| value.get(key).or_else(|| defaults.get(key));
        let tags = match &value["tags"] {
            Value::String(tag) => vec![tag.clone()],
            tags => {
                tags.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
            }
        };
        let task = Task {
            name: value["name"].as_str().unwrap_or(&operation).to_owned(),
            operation: declared.operation.clone(),
            meta: object(&value["meta"]),
            tags,
            clients: value.get("clients").and_then(whole).map_or(1, clamped),
            warmup_iterations: limit("warmup-iterations").and_then(whole),
            iterations: limit("iterations").and_then(whole),
            warmup_time_period: limit("warmup-time-period").and_then(Value::as_f64),
            time_period: limit("time-period").and_then(Value::as_f64),
            ramp_up_time_period: None,
            ignores_non_fatal_errors: false,
            schedule,
            target,
            params: object(value),
        };
        Some(DraftTask { task, declared: (*declared).clone(), pointer: pointer.to_owned() })
    }

    fn target(&mut self, pointer: &str, value: &Value) -> Option<Target> {
        let number = |key: &str| value.get(key).and_then(Value::as_f64);
        match (number("target-throughput"), number("target-interval")) {
            (Some(_), Some(_)) => {
                let message = "'target-throughput' and 'target-interval' both set the rate; give one of them"
                    .to_owned();
                self.problem(&format!("{pointer}/target-interval"), message, None);
                None
            }
            (Some(rate), None) if rate > 0.0 && rate < LOWEST_THROUGHPUT => {
                let message = format!("'target-throughput' must be at least 0.000000001, but is {rate:e}");
                self.problem(&format!("{pointer}/target-throughput"), message, None);
                None
            }
            (Some(rate), None) if rate > 0.0 => Some(Target::Throughput(rate)),
            (None, Some(seconds)) if seconds > 0.0 => Some(Target::Interval(seconds)),
            _ => None,
        }
    }

    /// Times and iterations cannot both limit a task. As in Rally only what differs from the inherited value counts as
    /// said, and `iterations` beside a `time-period` pass: the time wins.
    fn check_mixed_limits(&mut self, pointer: &str, value: &Value, defaults: &Map<String, Value>) {
        let own = |key: &str| value.get(key).filter(|value| defaults.get(key) != Some(value));
        let said = |key: &str| value.get(key).or_else(|| defaults.get(key));
        let is_zero = |value: &Value| value.as_f64() == Some(0.0);
        let iterations = own("iterations").filter(|value| value.as_f64() != Some(1.0));
        let warmup_iterations = own("warmup-iterations").filter(|value| !is_zero(value));
        for (own, time) in [
            ((warmup_iterations, "warmup-iterations"), "time-period"),
            ((iterations, "iterations"), "warmup-time-period"),
        ] {
            if let ((Some(count), key), Some(seconds)) = (own, said(time)) {
                let message = format!(
                    "'{key}' ({count}) cannot be combined with '{time}' ({seconds} s): a task has iterations or times"
                );
                self.problem(&format!("{pointer}/{key}"), message, None);
                return;
            }
        }
        if let (Some(iterations), Some(seconds)) = (said("iterations"), said("time-period")) {
            let key = if value.get("iterations").is_some() { "iterations" } else { "time-period" };
            let message = format!(
                "the task has {iterations} iterations and a time period of {seconds} s; the time counts"
            );
            self.warn_of_key(&format!("{pointer}/{key}"), &message);
        }
    }

    /// Gives each task a name of its own. A name that was written twice is an error; the second task of an operation
    /// gets a number.
    fn name_tasks(&mut self, challenge: &str, elements: &mut [DraftElement]) {
        let mut written = HashSet::new();
        for draft in elements.iter().flat_map(|element| &element.tasks) {
            if draft.task.params.contains_key("name") && !written.insert(draft.task.name.clone()) {
                let message =
                    format!("there is more than one task '{}' in challenge '{challenge}'", draft.task.name);
                self.problem(&format!("{}/name", draft.pointer), message, None);
            }
        }
        let mut taken = written;
        let mut numbers: HashMap<String, usize> = HashMap::new();
        for draft in elements.iter_mut().flat_map(|element| &mut element.tasks) {
            if draft.task.params.contains_key("name") || taken.insert(draft.task.name.clone()) {
                continue;
            }
            let operation = draft.task.name.clone();
            let number = numbers.entry(operation.clone()).or_insert(2_usize);
            draft.task.name = loop {
                let name = format!("{operation}-{number}");
                *number += 1;
                if taken.insert(name.clone()) {
                    break name;
                }
            };
            self.warn(&format!(
                "challenge '{challenge}' has more than one task of operation '{operation}'; this one is shown as '{}'. \
                 Give it a 'name' to choose another",
                draft.task.name
            ));
        }
    }

    fn check_completing_tasks(&mut self, elements: &[DraftElement], challenge: &str) {
        for (index, element) in elements.iter().enumerate() {
            let completed_by = element.parallel.as_ref().and_then(|parallel| parallel.completed_by.as_ref());
            let Some(CompletedBy::Task(name)) = completed_by else { continue };
            let pointer = format!("{challenge}/schedule/{index}/parallel/completed-by");
            let completing = element.tasks.iter().filter(|draft| draft.is_called(name)).count();
            if completing == 0 {
                let names: Vec<&str> = element.tasks.iter().map(|draft| draft.task.name.as_str()).collect();
                let suggestion = closest(name, names.iter().copied());
                let message = format!(
                    "'completed-by' names '{name}', but no task of this element has that name{}",
                    did_you_mean(suggestion)
                );
                self.problem(
                    &pointer,
                    message,
                    Some(format!("its tasks are {}", listed(names.iter().copied()))),
                );
            } else if completing > 1 {
                let message = format!(
                    "'completed-by' names '{name}', but several tasks of this element have that name"
                );
                self.problem(&pointer, message, Some("give the tasks a 'name'".to_owned()));
            }
        }
    }
}

/// The schema keeps clients far below this.
fn clamped(clients: u64) -> u32 {
    u32::try_from(clients).unwrap_or(u32::MAX)
}
