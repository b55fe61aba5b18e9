//! What is different on purpose, so that it does not hide what is not. Each has its reason here.

use std::sync::Arc;

use anyhow::{Context, Result};
use rally_plan::Allocation;
use rally_track::{CompletedBy, Element, Operation, Parallel, Task};
use serde_json::{Map, Value};

/// Takes out of both plans what is different on purpose.
pub fn level(expected: &mut Value, actual: &mut Value) -> Result<()> {
    names(expected, actual);
    words_of_errors(expected, actual);
    caps(expected)
}

/// Who read the track from a repository knows it by another name than who reads it from a folder; and what a plan calls its inputs, or tells of
/// the cause of an error, is no part of the track.
fn names(expected: &mut Value, actual: &mut Value) {
    for plan in [expected, actual] {
        if let Some(plan) = plan.as_object_mut() {
            plan.retain(|key, _| !matches!(key.as_str(), "track_name" | "variant" | "error_cause"));
        }
        if let Some(name) = plan.pointer_mut("/track/name") {
            *name = Value::Null;
        }
    }
}

/// Rally says in its own words why it rejects a track, with the line and what to do: only that it does so is compared.
fn words_of_errors(expected: &mut Value, actual: &mut Value) {
    for plan in [expected, actual] {
        if let Some(error) = plan.get_mut("error") {
            *error = Value::Bool(true);
        }
    }
}

/// `clients` of a parallel element is a hard cap in rally; in Elastic Rally it is one only where no other element needs more
/// clients. What Elastic Rally would allocate if it were one takes the place of what it did.
fn caps(expected: &mut Value) -> Result<()> {
    let challenges = expected.pointer_mut("/track/challenges").and_then(Value::as_array_mut);
    for challenge in challenges.into_iter().flatten() {
        let schedule = challenge["schedule"].as_array().context("a challenge without a schedule")?;
        if schedule.iter().any(capped) {
            let elements: Vec<Element> = schedule.iter().map(element).collect::<Result<_>>()?;
            challenge["allocation"] = serde_json::to_value(Allocation::of(&elements)?)?;
        }
    }
    Ok(())
}

fn capped(element: &Value) -> bool {
    let tasks = element["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
    let needed: u64 = tasks.iter().filter_map(|task| task["clients"].as_u64()).sum();
    element.get("clients_explicit").and_then(Value::as_u64).is_some_and(|cap| cap < needed)
}

/// As much of an element as its allocation depends on.
fn element(element: &Value) -> Result<Element> {
    let clients = |value: &Value| -> Result<u32> {
        let clients = value.as_u64().and_then(|clients| u32::try_from(clients).ok());
        clients.with_context(|| format!("{value} is no number of clients"))
    };
    let mut tasks = Vec::new();
    let mut completed_by = None;
    for task in element["tasks"].as_array().into_iter().flatten() {
        let name = task["name"].as_str().unwrap_or_default();
        if task["any_completes_parent"] == true {
            completed_by = Some(CompletedBy::Any);
        } else if task["completes_parent"] == true {
            completed_by = Some(CompletedBy::Task(name.to_owned()));
        }
        let operation = Operation {
            name: name.to_owned(),
            operation_type: String::new(),
            param_source: None,
            meta: Map::new(),
            params: Map::new(),
        };
        tasks.push(Arc::new(Task { clients: clients(&task["clients"])?, ..Task::new(name, operation) }));
    }
    if element["parallel"] == true {
        let clients = element.get("clients_explicit").map(clients).transpose()?;
        return Ok(Element::Parallel(Parallel { tasks, clients, completed_by }));
    }
    tasks.pop().map(Element::Task).context("an element without a task")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan_with_cap(cap: u64) -> Value {
        let task = |name: &str| json!({"name": name, "clients": 1, "op": 0, "params": {}});
        json!({"track": {"challenges": [{
            "allocation": "as Elastic Rally has it",
            "schedule": [
                {"parallel": false, "clients": 4, "tasks": [{"name": "index", "clients": 4, "op": 0, "params": {}}]},
                {"parallel": true, "clients": cap, "clients_explicit": cap, "tasks": [task("a"), task("b"), task("c")]},
            ],
        }]}})
    }

    #[test]
    fn a_cap_holds_although_another_element_needs_more_clients() {
        let mut expected = plan_with_cap(2);
        caps(&mut expected).expect("levelled");
        let matrix = &expected["track"]["challenges"][0]["allocation"]["matrix"];
        assert_eq!(
            matrix[0],
            json!([
                ["J", 0],
                ["T", "index", 0, 0, 4],
                ["J", 1],
                ["T", "a", 0, 0, 2],
                ["T", "c", 0, 2, 2],
                ["J", 2]
            ])
        );
        assert_eq!(matrix[3], json!([["J", 0], ["T", "index", 3, 3, 4], ["J", 1], null, null, ["J", 2]]));
    }

    #[test]
    fn without_a_cap_the_allocation_is_compared_as_it_is() {
        let mut expected = plan_with_cap(3);
        caps(&mut expected).expect("levelled");
        assert_eq!(expected["track"]["challenges"][0]["allocation"], "as Elastic Rally has it");
    }

    #[test]
    fn only_that_there_is_an_error_is_compared() {
        let mut expected = json!({"ok": false, "error": {"type": "A", "message": "a"}});
        let mut actual = json!({"ok": false, "error": {"type": "B", "message": "b"}});
        level(&mut expected, &mut actual).expect("levelled");
        assert_eq!(expected, actual);
        let mut accepted = json!({"ok": true});
        level(&mut expected, &mut accepted).expect("levelled");
        assert_ne!(expected, accepted);
    }
}
