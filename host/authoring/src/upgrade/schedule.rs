//! Challenges: what happened before each lap becomes operations, totals become counts per client.

use rally_track::{Challenge, CompletedBy, Element, Operation, Task, Track};
use serde_json::{Map, Value, json};

use super::operations::operation;
use super::track::same;
use crate::text::CLUSTER_HEALTH;

/// All operations that tasks name, and the challenges.
pub(super) fn challenges(track: &Track, warnings: &mut Vec<String>) -> (Vec<Value>, Vec<Value>) {
    let mut known: Vec<&Operation> = Vec::new();
    let mut operations = Vec::new();
    for task in track
        .challenges
        .iter()
        .flat_map(|challenge| &challenge.schedule)
        .flat_map(|element| element.tasks())
        .map(|task| &*task.operation)
    {
        if !known.iter().any(|other| same(task, other)) {
            known.push(task);
            operations.push(Value::Object(operation(task, track, warnings)));
        }
    }
    let challenges = track.challenges.iter().map(|challenge| one(track, challenge, warnings)).collect();
    (operations, challenges)
}

fn one(track: &Track, challenge: &Challenge, warnings: &mut Vec<String>) -> Value {
    let mut spec = Map::new();
    spec.insert("name".to_owned(), json!(challenge.name));
    for (key, text) in [("description", &challenge.description), ("user-info", &challenge.user_info)] {
        if let Some(text) = text {
            spec.insert(key.to_owned(), json!(text));
        }
    }
    if challenge.default {
        spec.insert("default".to_owned(), json!(true));
    }
    if !challenge.meta.is_empty() {
        spec.insert("meta".to_owned(), json!(challenge.meta));
    }
    let mut schedule = before_the_race(track, challenge);
    schedule.extend(challenge.schedule.iter().map(|element| match element {
        Element::Task(task) => self::task(task, challenge, warnings),
        Element::Parallel(parallel) => {
            let mut spec = Map::new();
            if let Some(clients) = parallel.clients {
                spec.insert("clients".to_owned(), json!(clients));
            }
            match &parallel.completed_by {
                Some(CompletedBy::Task(name)) => drop(spec.insert("completed-by".to_owned(), json!(name))),
                Some(CompletedBy::Any) => drop(spec.insert("completed-by".to_owned(), json!("any"))),
                None => {}
            }
            let tasks = parallel.tasks.iter().map(|task| self::task(task, challenge, warnings));
            spec.insert("tasks".to_owned(), tasks.collect());
            json!({ "parallel": spec })
        }
    }));
    spec.insert("schedule".to_owned(), Value::Array(schedule));
    Value::Object(spec)
}

/// What a lap of 2017 did before its first task.
fn before_the_race(track: &Track, challenge: &Challenge) -> Vec<Value> {
    let mut tasks = Vec::new();
    let mut add = |name: &str, operation_type: &str, more: Value| {
        let mut operation = Map::new();
        operation.insert("operation-type".to_owned(), json!(operation_type));
        if let Value::Object(more) = more {
            operation.extend(more);
        }
        tasks.push(json!({ "name": name, "operation": operation }));
    };
    if !challenge.cluster_settings.is_empty() {
        let settings = &challenge.cluster_settings;
        let explicit = settings.keys().all(|key| key == "persistent" || key == "transient");
        let body = if explicit { json!(settings) } else { json!({ "transient": settings }) };
        add("put-cluster-settings", "put-settings", json!({ "body": body }));
    }
    if !track.templates.is_empty() {
        add("delete-index-templates", "delete-index-template", json!({}));
        add("create-index-templates", "create-index-template", json!({}));
    }
    let managed: Vec<&str> =
        track.indices.iter().filter(|index| index.auto_managed).map(|index| index.name.as_str()).collect();
    let all = managed.len() == track.indices.len();
    let settings = match challenge.index_settings.is_empty() {
        true => json!({}),
        false => json!({ "settings": challenge.index_settings }),
    };
    match (managed.is_empty(), all) {
        (true, _) => {}
        (false, true) => {
            add("delete-indices", "delete-index", json!({}));
            add("create-indices", "create-index", settings);
        }
        (false, false) => {
            for name in managed {
                add(&format!("delete-index-{name}"), "delete-index", json!({ "index": name }));
                let mut create = settings.clone();
                create["index"] = json!(name);
                add(&format!("create-index-{name}"), "create-index", create);
            }
        }
    }
    add(
        "check-cluster-health",
        "cluster-health",
        json!({
            "request-params": { "wait_for_status": CLUSTER_HEALTH, "wait_for_no_relocating_shards": "true" },
            "retry-until-success": true,
        }),
    );
    tasks
}

fn task(task: &Task, challenge: &Challenge, warnings: &mut Vec<String>) -> Value {
    let mut spec = task.params.clone();
    for key in ["warmup-iterations", "iterations", "warmup-time-period", "time-period"] {
        spec.shift_remove(key);
    }
    spec.insert("operation".to_owned(), json!(task.operation.name));
    if task.name != task.operation.name {
        spec.insert("name".to_owned(), json!(task.name));
    }
    let timed = task.time_period.is_some() || task.warmup_time_period.is_some();
    let mut warn = |text: String| {
        warnings.push(format!("task '{}' of challenge '{}': {text}", task.name, challenge.name));
    };
    if timed {
        for (key, seconds) in
            [("warmup-time-period", task.warmup_time_period), ("time-period", task.time_period)]
        {
            let Some(seconds) = seconds else { continue };
            if seconds.fract() != 0.0 {
                warn(format!(
                    "'{key}' is {seconds} s; rounded up, because the current dialect has whole seconds"
                ));
            }
            spec.insert(key.to_owned(), json!(seconds.ceil() as u64));
        }
        return Value::Object(spec);
    }
    let clients = u64::from(task.clients.max(1));
    // One in total where nothing is said, but indexing runs to the end of its documents.
    let unsaid =
        (task.operation.operation_type != "index" && task.operation.param_source.is_none()).then_some(1);
    for (key, total) in
        [("warmup-iterations", task.warmup_iterations), ("iterations", task.iterations.or(unsaid))]
    {
        let Some(total) = total else { continue };
        if total % clients != 0 {
            warn(format!(
                "{total} {} in total over {clients} clients become {} for each client",
                key.replace('-', " "),
                total.div_ceil(clients)
            ));
        }
        if total > 0 && (total != 1 || clients != 1 || task.params.contains_key(key)) {
            spec.insert(key.to_owned(), json!(total.div_ceil(clients)));
        }
    }
    Value::Object(spec)
}
