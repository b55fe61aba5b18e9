//! `/`, `_cluster/health`, `_cluster/settings`.

use super::VERSION;
use crate::cluster::IndexHandle;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Name of the node and of its cluster.
pub(super) const NODE_NAME: &str = "rally-node";
pub(super) const CLUSTER_NAME: &str = "rally";

/// `GET /`.
pub fn root(state: &Arc<State>, _: &Request) -> Result<Response, EsError> {
    Ok(Response::ok(json!({
        "name": NODE_NAME,
        "cluster_name": CLUSTER_NAME,
        "cluster_uuid": state.cluster_id,
        "version": {
            "number": VERSION,
            "build_flavor": "rally-embedded",
            "build_type": "rust",
            "build_hash": "unknown",
            "build_date": "unknown",
            "build_snapshot": false,
            "lucene_version": "none (tantivy 0.27)",
            "minimum_wire_compatibility_version": "6.8.0",
            "minimum_index_compatibility_version": "6.0.0-beta1",
        },
        "tagline": "rally's embedded search node: answers as Elasticsearch does, but is not Elasticsearch",
    })))
}

fn color(handle: &IndexHandle) -> &'static str {
    // The primary is always there; replicas never are.
    if handle.settings().replicas() == 0 { "green" } else { "yellow" }
}

/// `GET _cluster/health`.
pub fn health(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let parameters = &request.parameters;
    let wanted =
        match parameters.get("wait_for_status") {
            None => None,
            Some(status) => Some(rank(&status.to_lowercase()).ok_or_else(|| {
                EsError::illegal_argument(format!("unknown cluster health status [{status}]"))
            })?),
        };
    for name in ["wait_for_no_relocating_shards", "wait_for_no_initializing_shards"] {
        // Nothing ever relocates or initializes here.
        parameters.boolean(name, false)?;
    }
    let level = parameters.get("level").unwrap_or("cluster");
    if !["cluster", "indices"].contains(&level) {
        return Err(EsError::unsupported(format!("[level={level}]")));
    }
    let expression = request.capture("index");
    let resolved = state.cluster.resolve(expression, request.index_options()?);
    let (handles, missing) = match resolved {
        Ok(handles) => (handles, false),
        // Elasticsearch waits for an index that is not there yet.
        Err(error) if error.status == 404 => (Vec::new(), true),
        Err(error) => return Err(error),
    };
    let status = handles.iter().map(|handle| color(handle)).max_by_key(|color| rank(color));
    let status = if missing { "red" } else { status.unwrap_or("green") };
    let unassigned: u64 = handles.iter().map(|handle| handle.settings().replicas()).sum();
    let active = handles.len() as u64;
    let mut reached = !missing && wanted.is_none_or(|wanted| rank(status).is_some_and(|rank| rank <= wanted));
    if let Some(shards) = parameters.get("wait_for_active_shards") {
        reached &= match shards {
            "all" => unassigned == 0,
            number => number
                .parse::<u64>()
                .map(|number| active >= number)
                .map_err(|_| EsError::illegal_argument(format!("cannot parse ActiveShardCount[{number}]")))?,
        };
    }
    if let Some(nodes) = parameters.get("wait_for_nodes") {
        reached &= nodes_fit(nodes)?;
    }
    let total = active + unassigned;
    let percent = if total == 0 { 100.0 } else { active as f64 / total as f64 * 100.0 };
    let mut body = json!({
        "cluster_name": CLUSTER_NAME, "status": status, "timed_out": !reached,
        "number_of_nodes": 1, "number_of_data_nodes": 1,
        "active_primary_shards": active, "active_shards": active,
        "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": unassigned,
        "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
        "task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": percent,
    });
    if level == "indices" {
        let indices: Map<String, Value> = handles
            .iter()
            .map(|handle| {
                let replicas = handle.settings().replicas();
                let body = json!({
                    "status": color(handle), "number_of_shards": 1, "number_of_replicas": replicas,
                    "active_primary_shards": 1, "active_shards": 1, "relocating_shards": 0,
                    "initializing_shards": 0, "unassigned_shards": replicas,
                });
                (handle.name.clone(), body)
            })
            .collect();
        body["indices"] = Value::Object(indices);
    }
    Ok(Response::json(if reached { 200 } else { 408 }, body))
}

fn rank(status: &str) -> Option<u8> {
    ["green", "yellow", "red"]
        .iter()
        .position(|each| *each == status)
        .and_then(|rank| u8::try_from(rank).ok())
}

/// Whether one node is what `wait_for_nodes` asks for: `1`, `>=1`, `ge(1)` and so on.
fn nodes_fit(text: &str) -> Result<bool, EsError> {
    let wrong = || EsError::illegal_argument(format!("failed to parse [wait_for_nodes={text}]"));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let operator = text.replace(&digits, "");
    Ok(match operator.as_str() {
        "" => number == 1,
        ">=" | "ge()" => 1 >= number,
        "<=" | "le()" => 1 <= number,
        ">" | "gt()" => 1 > number,
        "<" | "lt()" => 1 < number,
        _ => return Err(wrong()),
    })
}

/// `GET _cluster/settings`.
pub fn get_settings(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    if request.parameters.boolean("include_defaults", false)? {
        return Err(EsError::unsupported("[include_defaults]"));
    }
    let flat = request.parameters.boolean("flat_settings", false)?;
    let (persistent, transient) = state.cluster.cluster_settings();
    Ok(Response::ok(json!({ "persistent": shown(&persistent, flat), "transient": shown(&transient, flat) })))
}

/// `PUT _cluster/settings`.
pub fn put_settings(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let flat = request.parameters.boolean("flat_settings", false)?;
    let body = request.json()?;
    let (mut persistent, mut transient) = (Vec::new(), Vec::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        let target = match name.as_str() {
            "persistent" => &mut persistent,
            "transient" => &mut transient,
            _ => {
                return Err(EsError::new(
                    400,
                    "x_content_parse_exception",
                    format!("[cluster_update_settings_request] unknown field [{name}]"),
                ));
            }
        };
        flatten("", value, target);
    }
    if persistent.is_empty() && transient.is_empty() {
        return Err(EsError::validation(&["no settings to update"]));
    }
    for (name, _) in persistent.iter().chain(&transient) {
        check_setting(name)?;
    }
    state.cluster.update_cluster_settings(&persistent, &transient)?;
    let kept = |list: Vec<(String, Value)>| list.into_iter().filter(|(_, value)| !value.is_null()).collect();
    Ok(Response::ok(json!({
        "acknowledged": true,
        "persistent": shown(&kept(persistent), flat),
        "transient": shown(&kept(transient), flat),
    })))
}

/// Settings of a cluster have no effect on a single node; those Elasticsearch has are kept and shown.
fn check_setting(name: &str) -> Result<(), EsError> {
    const GROUPS: [&str; 11] = [
        "action.",
        "cluster.",
        "indices.",
        "search.",
        "http.",
        "transport.",
        "logger.",
        "discovery.",
        "network.",
        "script.",
        "ingest.",
    ];
    if GROUPS.iter().any(|group| name.starts_with(group)) {
        return Ok(());
    }
    Err(EsError::illegal_argument(format!("transient setting [{name}], not recognized")))
}

fn flatten(prefix: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, into);
            }
        }
        Value::Null | Value::String(_) | Value::Array(_) => into.push((prefix.to_string(), value.clone())),
        other => into.push((prefix.to_string(), other.to_string().into())),
    }
}

fn shown(settings: &Map<String, Value>, flat: bool) -> Value {
    if flat {
        return Value::Object(settings.clone());
    }
    let mut nested = Map::new();
    for (name, value) in settings {
        nest(&mut nested, name, value);
    }
    Value::Object(nested)
}

fn nest(object: &mut Map<String, Value>, name: &str, value: &Value) {
    let Some((first, rest)) = name.split_once('.') else {
        object.insert(name.to_string(), value.clone());
        return;
    };
    if let Value::Object(inner) = object.entry(first).or_insert_with(|| Value::Object(Map::new())) {
        nest(inner, rest, value);
    }
}
