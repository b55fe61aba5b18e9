//! Challenges and their schedules.

use std::collections::HashSet;

use rally_support::suggest::{closest, listed};
use serde_json::{Map, Value};

use super::operations::Operations;
use super::tasks::INHERITED;
use crate::error::did_you_mean;
use crate::reading::{
    DraftChallenge, DraftElement, DraftParallel, DraftTask, Reader, object, optional_text, text,
};
use crate::{Challenge, CompletedBy};

/// The keys that a track can have its schedules below.
const PLACES: [&str; 3] = ["challenges", "challenge", "schedule"];

impl Reader<'_> {
    pub(super) fn challenges_of(&mut self, operations: &Operations) -> Vec<DraftChallenge> {
        let track = &self.document.value;
        let places: Vec<&str> = PLACES.into_iter().filter(|key| track.get(*key).is_some()).collect();
        let specifications = match places.as_slice() {
            ["challenges"] => self.elements("", "challenges"),
            ["challenge"] => vec![("/challenge".to_owned(), &track["challenge"])],
            ["schedule"] => {
                let parameters = self.object_if_any("", track, "parameters");
                let challenge = Challenge {
                    default: true,
                    auto_generated: true,
                    parameters,
                    ..Challenge::new("default", Vec::new())
                };
                let elements = self.schedule_of("", "default", operations);
                return vec![DraftChallenge { challenge, pointer: "/schedule".to_owned(), elements }];
            }
            [] => {
                let help = "add 'challenges', 'challenge' or 'schedule'".to_owned();
                self.problem("", "the track has no challenges".to_owned(), Some(help));
                return Vec::new();
            }
            [first, others @ ..] => {
                let message = format!("the track has both '{first}' and '{}'", others.join("' and '"));
                let help = "give one of 'challenges', 'challenge' and 'schedule'".to_owned();
                self.problem(&format!("/{}", others[0]), message, Some(help));
                return Vec::new();
            }
        };
        let challenges = self.all_challenges(&specifications, operations);
        if !challenges.is_empty() && !challenges.iter().any(|draft| draft.challenge.default) {
            let names: Vec<&str> = challenges.iter().map(|draft| draft.challenge.name.as_str()).collect();
            let help = format!("add \"default\": true to one of {}", listed(names.iter().copied()));
            self.problem("/challenges", "no challenge is the default".to_owned(), Some(help));
        }
        challenges
    }

    fn all_challenges(
        &mut self,
        specifications: &[(String, &Value)],
        operations: &Operations,
    ) -> Vec<DraftChallenge> {
        let of_track = self.object_if_any("", &self.document.value, "parameters");
        let only = specifications.len() == 1;
        let mut names = HashSet::new();
        let mut default_challenge: Option<String> = None;
        let mut challenges = Vec::new();
        for (pointer, value) in specifications {
            let name = text(value, "name");
            if !names.insert(name.clone()) {
                let message = format!("there is more than one challenge '{name}'");
                self.problem(&format!("{pointer}/name"), message, None);
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
            let parameters = self.object_if_any(pointer, value, "parameters");
            let challenge = Challenge {
                description: optional_text(value, "description"),
                user_info: self.text_if_any(pointer, value, "user-info"),
                default,
                parameters: merged(&of_track, &parameters),
                meta: object(&value["meta"]),
                ..Challenge::new(name.clone(), Vec::new())
            };
            let elements = self.schedule_of(pointer, &name, operations);
            challenges.push(DraftChallenge { challenge, pointer: pointer.clone(), elements });
        }
        challenges
    }

    fn schedule_of(&mut self, pointer: &str, challenge: &str, operations: &Operations) -> Vec<DraftElement> {
        let mut elements = Vec::new();
        for (pointer, value) in self.elements(pointer, "schedule") {
            elements.push(match value.get("parallel") {
                Some(parallel) => self.parallel_of(&format!("{pointer}/parallel"), parallel, operations),
                None => {
                    let task = self.task_of(&pointer, value, &Map::new(), operations);
                    DraftElement { parallel: None, tasks: task.into_iter().collect() }
                }
            });
        }
        let mut names = HashSet::new();
        for draft in elements.iter().flat_map(|element| &element.tasks) {
            if !names.insert(draft.task.name.as_str()) {
                let message =
                    format!("there is more than one task '{}' in challenge '{challenge}'", draft.task.name);
                let help = "give each task a 'name' of its own".to_owned();
                self.problem(&draft.pointer, message, Some(help));
            }
        }
        elements
    }

    fn parallel_of(&mut self, pointer: &str, value: &Value, operations: &Operations) -> DraftElement {
        let inherited = |key: &&str| value.get(*key).map(|value| ((*key).to_owned(), value.clone()));
        let defaults: Map<String, Value> = INHERITED.iter().filter_map(inherited).collect();
        let mut tasks = Vec::new();
        for (pointer, value) in self.elements(pointer, "tasks") {
            tasks.extend(self.task_of(&pointer, value, &defaults, operations));
        }
        let ramp_up = defaults.get("ramp-up-time-period").and_then(Value::as_f64);
        for draft in tasks.iter().filter(|draft: &&DraftTask| draft.task.ramp_up_time_period != ramp_up) {
            let message = format!(
                "task '{}' has a ramp-up time of its own; all clients of a parallel element start together",
                draft.task.name
            );
            let help = "give 'ramp-up-time-period' to the parallel element".to_owned();
            self.problem(&format!("{}/ramp-up-time-period", draft.pointer), message, Some(help));
        }
        let completed_by = match optional_text(value, "completed-by").filter(|name| !name.is_empty()) {
            Some(name) if name == "any" => Some(CompletedBy::Any),
            Some(name) => {
                self.check_completing_task(pointer, &name, &tasks);
                Some(CompletedBy::Task(name))
            }
            None => None,
        };
        let clients = self.clients(pointer, value);
        DraftElement { parallel: Some(DraftParallel { clients, completed_by }), tasks }
    }

    fn check_completing_task(&mut self, pointer: &str, name: &str, tasks: &[DraftTask]) {
        // Two of the same name are a problem of their own.
        if tasks.iter().any(|draft| draft.task.name == name) {
            return;
        }
        let names: Vec<&str> = tasks.iter().map(|draft| draft.task.name.as_str()).collect();
        let suggestion = closest(name, names.iter().copied());
        let message = format!(
            "'completed-by' names '{name}', but no task of this element has that name{}",
            did_you_mean(suggestion)
        );
        let help = format!("its tasks are {}; any is also possible", listed(names.iter().copied()));
        self.problem(&format!("{pointer}/completed-by"), message, Some(help));
    }
}

/// Parameters of a challenge over those of the track: objects are merged, of lists each element is taken once.
fn merged(under: &Map<String, Value>, over: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = under.clone();
    for (key, value) in over {
        let value = match (merged.get(key), value) {
            (Some(Value::Object(under)), Value::Object(over)) => Value::Object(self::merged(under, over)),
            (Some(Value::Array(under)), Value::Array(over)) => {
                let mut seen = HashSet::new();
                let all = under.iter().chain(over);
                all.filter(|element| seen.insert(element.to_string())).cloned().collect()
            }
            (_, value) => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}
