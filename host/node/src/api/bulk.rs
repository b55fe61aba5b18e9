//! `_bulk`.

use super::bulk_body::{self, Item};
use super::document::{RefreshPolicy, check_type, check_unsupported};
use crate::cluster::IndexHandle;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use crate::shard::write::{Operation, Written};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// What became of one item.
struct Done {
    verb: &'static str,
    index: String,
    /// The type it named.
    type_name: Option<String>,
    id: Option<String>,
    result: Result<(Written, u64), EsError>,
}

/// Performs a bulk.
pub fn bulk(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let start = Instant::now();
    check_unsupported(&request.parameters, &["routing", "pipeline", "_source"])?;
    let policy = RefreshPolicy::parse(&request.parameters)?;
    let items = bulk_body::parse(&request.body, request.capture("index"))?;
    let count = items.len();
    let mut done: Vec<Option<Done>> = Vec::with_capacity(count);
    let mut groups: Vec<(String, Vec<(usize, Item)>)> = Vec::new();
    for (position, item) in items.into_iter().enumerate() {
        done.push(None);
        match groups.iter_mut().find(|(index, _)| *index == item.index) {
            Some((_, group)) => group.push((position, item)),
            None => groups.push((item.index.clone(), vec![(position, item)])),
        }
    }
    for (index, group) in groups {
        perform(state, &index, group, policy, &mut done)?;
    }
    Ok(Response::written(200, written(&done, policy, start)?))
}

/// Performs the items of one index.
fn perform(
    state: &State,
    index: &str,
    group: Vec<(usize, Item)>,
    policy: RefreshPolicy,
    done: &mut [Option<Done>],
) -> Result<(), EsError> {
    // Deletes alone do not create an index.
    let creates = group.iter().any(|(_, item)| item.verb != "delete");
    let handle = if creates {
        state.cluster.index_or_create(index)
    } else {
        state.cluster.index(index).ok_or_else(|| EsError::index_not_found(index))
    };
    let handle = match handle {
        Ok(handle) => handle,
        Err(error) => {
            for (position, item) in group {
                let result = Err(error.clone());
                done[position] =
                    Some(Done { verb: item.verb, index: item.index, type_name: None, id: item.id, result });
            }
            return Ok(());
        }
    };
    let mut operations = Vec::with_capacity(group.len());
    let mut places = Vec::with_capacity(group.len());
    for (position, item) in group {
        let action = check_type(&handle, item.type_name.as_deref()).and(item.action);
        match action {
            Ok(action) => {
                operations.push(Operation { action, id: item.id, if_sequence: item.if_sequence });
                places.push((position, item.verb, item.type_name));
            }
            Err(error) => {
                handle.shard.counters.index_failed.add(1);
                done[position] = Some(Done {
                    verb: item.verb,
                    index: item.index,
                    type_name: item.type_name,
                    id: item.id,
                    result: Err(error),
                });
            }
        }
    }
    let copies = 1 + handle.settings().replicas();
    for ((position, verb, type_name), (id, result)) in places.into_iter().zip(handle.shard.write(operations))
    {
        let result = result.map(|written| (written, copies)).map_err(|error| with_uuid(error, &handle));
        done[position] = Some(Done { verb, index: index.to_string(), type_name, id: Some(id), result });
    }
    handle.save_mapping()?;
    policy.apply(&handle)
}

pub(super) fn with_uuid(error: EsError, handle: &IndexHandle) -> EsError {
    match error.kind {
        "version_conflict_engine_exception" | "document_missing_exception" => {
            error.detail("index_uuid", handle.uuid.clone())
        }
        _ => error,
    }
}

/// Writes the answer; by hand, for a bulk of thousands has as many items.
fn written(done: &[Option<Done>], policy: RefreshPolicy, start: Instant) -> Result<Vec<u8>, EsError> {
    let errors = done.iter().any(|done| done.as_ref().is_none_or(|done| done.result.is_err()));
    let mut out = Vec::with_capacity(128 + 200 * done.len());
    let mut first = true;
    out.extend_from_slice(
        format!("{{\"took\":{},\"errors\":{errors},\"items\":[", start.elapsed().as_millis()).as_bytes(),
    );
    for each in done.iter().flatten() {
        if !first {
            out.push(b',');
        }
        first = false;
        let index = quoted(&each.index)?;
        let id = each.id.as_deref().map_or_else(|| Ok("null".to_string()), quoted)?;
        let type_name = quoted(each.type_name.as_deref().unwrap_or("_doc"))?;
        let head = format!("{{\"{}\":{{\"_index\":{index},\"_type\":{type_name},\"_id\":{id},", each.verb);
        out.extend_from_slice(head.as_bytes());
        let rest = match &each.result {
            Ok((written, copies)) => {
                let (total, successful) = written.shards(*copies);
                let forced = if policy.is_forced() { "\"forced_refresh\":true," } else { "" };
                format!(
                    "\"_version\":{},\"result\":\"{}\",{forced}\"_shards\":{{\"total\":{total},\"successful\":{successful},\"failed\":0}},\"_seq_no\":{},\"_primary_term\":1,\"status\":{}}}}}",
                    written.version,
                    written.result,
                    written.sequence,
                    written.status()
                )
            }
            Err(error) => {
                let object = Value::Object(error.to_object());
                format!("\"status\":{},\"error\":{object}}}}}", error.status)
            }
        };
        out.extend_from_slice(rest.as_bytes());
    }
    out.extend_from_slice(b"]}");
    Ok(out)
}

fn quoted(text: &str) -> Result<String, EsError> {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    Ok(if plain { format!("\"{text}\"") } else { json!(text).to_string() })
}
