//! What the answers to operations of one request mean, where more counts than their status.

use std::collections::BTreeMap;

use rally_race::{Failure, FailureKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::common::{flag, mandatory, mandatory_text};
use super::session::{Done, Stop};

type Values = Map<String, Value>;
type Read = Result<Done, Stop>;

fn parsed<'a, Answer: Deserialize<'a>>(body: &'a [u8]) -> Result<Answer, Stop> {
    let description = "the answer is not the JSON that it should be".to_owned();
    serde_json::from_slice(body).map_err(|_| {
        // The status is added by who knows it.
        Stop::Failed(Failure { kind: FailureKind::Transport, status: None, description, count: 1 })
    })
}

/// The value behind a path of keys, if it is there.
fn behind<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

/// Whether two values are the same, whatever the form of their numbers.
fn same(left: Option<&Value>, right: &Value) -> bool {
    match (left.and_then(Value::as_f64), right.as_f64()) {
        (Some(left), Some(right)) => left == right,
        _ => left.unwrap_or(&Value::Null) == right,
    }
}

/// An operation that waits for a value somewhere in the answer, if its parameters say so.
fn condition(answer: &Value, values: &Values) -> Read {
    let Some(condition) = values.get("condition").filter(|condition| !condition.is_null()) else {
        return Ok(Done::ops(1));
    };
    let Value::Object(condition) = condition else {
        return Err(Stop::Unusable(format!("'condition' is {condition} but must be an object")));
    };
    let path = mandatory_text(condition, "path").map_err(|problem| format!("'condition': {problem}"))?;
    let expected =
        mandatory(condition, "expected-value").map_err(|problem| format!("'condition': {problem}"))?;
    let success = same(behind(answer, path), expected);
    Ok(Done::ops(1).expecting(success, || format!("the value at '{path}' is not {expected}")))
}

/// `index-stats`.
pub fn index_stats(body: &[u8], values: &Values) -> Read {
    condition(&parsed(body)?, values)
}

/// `transform-stats`.
pub fn transform_stats(body: &[u8], values: &Values) -> Read {
    let answer: Value = parsed(body)?;
    condition(answer.pointer("/transforms/0").unwrap_or(&Value::Null), values)
}

#[derive(Deserialize)]
struct Health {
    status: String,
    relocating_shards: u64,
}

fn rank(status: &str) -> u8 {
    match status.to_ascii_lowercase().as_str() {
        "red" => 1,
        "yellow" => 2,
        "green" => 3,
        _ => 0,
    }
}

/// `cluster-health`: as healthy as its `request-params` wait for.
pub fn cluster_health(body: &[u8], values: &Values) -> Read {
    let health: Health = parsed(body)?;
    let wanted = |name: &str| values.get("request-params").and_then(|params| params.get(name));
    let status = wanted("wait_for_status").and_then(Value::as_str).unwrap_or_default();
    let settled = wanted("wait_for_no_relocating_shards").is_none() || health.relocating_shards == 0;
    let healthy = rank(&health.status) >= rank(status);
    let done = Done::ops(1)
        .with("cluster-status", health.status.as_str())
        .with("relocating-shards", health.relocating_shards)
        .expecting(settled, || "shards are relocating".to_owned());
    Ok(if healthy {
        done
    } else {
        done.expecting(false, || format!("the cluster is {}, not {status}", health.status))
    })
}

#[derive(Deserialize)]
struct Esql {
    #[serde(default)]
    is_partial: bool,
    took: Option<u64>,
    documents_found: Option<u64>,
    values_loaded: Option<u64>,
    completion_time_in_millis: Option<i64>,
    start_time_in_millis: Option<i64>,
    expiration_time_in_millis: Option<i64>,
}

/// `esql`: partial results are a failure.
pub fn esql(body: &[u8], values: &Values) -> Read {
    let answer: Esql = parsed(body)?;
    let mut done = Done::ops(1);
    if flag(values, &["detailed-results"])?.unwrap_or(false) {
        done = done
            .with("took", answer.took)
            .with("documents_found", answer.documents_found)
            .with("values_loaded", answer.values_loaded)
            .with("completion_time_in_millis", answer.completion_time_in_millis)
            .with("start_time_in_millis", answer.start_time_in_millis)
            .with("expiration_time_in_millis", answer.expiration_time_in_millis);
    }
    Ok(done.expecting(!answer.is_partial, || "the ES|QL query returned partial results".to_owned()))
}

const NANOSECONDS_PER_MILLISECOND: f64 = 1_000_000.0;

/// `esql-profile`: how long the parts of the query took, by their names.
pub fn esql_profile(body: &[u8], _: &Values) -> Read {
    #[derive(Deserialize)]
    struct Answer {
        profile: Option<Value>,
    }
    let answer: Answer = parsed(body)?;
    let profile = answer.profile.unwrap_or_default();
    let mut figures: BTreeMap<String, f64> = BTreeMap::new();
    let milliseconds = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_f64).unwrap_or(0.0) / NANOSECONDS_PER_MILLISECOND
    };
    for phase in ["query", "planning", "parsing", "preanalysis", "dependency_resolution", "analysis"] {
        let took = profile.get(phase).map_or(0.0, |phase| milliseconds(phase, "took_nanos"));
        if took > 0.0 {
            figures.insert(format!("{phase}.took_ms"), took);
        }
    }
    let described =
        |value: &Value| value.get("description").and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let list =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    for driver in list(&profile, "drivers") {
        let name = described(&driver);
        let (took, cpu) = (milliseconds(&driver, "took_nanos"), milliseconds(&driver, "cpu_nanos"));
        *figures.entry(format!("{name}.number")).or_default() += 1.0;
        for (key, value) in [("took_ms", took), ("cpu_ms", cpu)] {
            let most = figures.entry(format!("{name}.{key}")).or_default();
            *most = most.max(value);
        }
        *figures.entry(format!("{name}.took_total_ms")).or_default() += took;
        *figures.entry(format!("{name}.cpu_total_ms")).or_default() += cpu;
        for (number, operator) in list(&driver, "operators").iter().enumerate() {
            let operator_name = match operator.get("operator").and_then(Value::as_str) {
                Some(name) => name.split('[').next().unwrap_or_default().to_owned(),
                None => format!("operator_{number}"),
            };
            let status = operator.get("status").unwrap_or(&Value::Null);
            let process: f64 = ["process_nanos", "receive_nanos", "emit_nanos"]
                .iter()
                .map(|key| milliseconds(status, key))
                .sum();
            let slices = status.get("processed_slices").and_then(Value::as_f64).unwrap_or(0.0);
            for (key, value) in [("process_ms", process), ("processed_slices", slices)] {
                if value > 0.0 {
                    *figures.entry(format!("{name}.{operator_name}.{key}")).or_default() += value;
                }
            }
        }
    }
    for plan in list(&profile, "plans") {
        let name = described(&plan);
        for optimization in ["logical_optimization", "physical_optimization", "reduction"] {
            let took = milliseconds(&plan, &format!("{optimization}_nanos"));
            if took > 0.0 {
                *figures.entry(format!("{name}.{optimization}.took_ms")).or_default() += took;
            }
        }
    }
    let mut done = Done::ops(1);
    for (name, value) in figures {
        done = done.with(&name, value);
    }
    Ok(done)
}
