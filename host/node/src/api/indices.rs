//! Indices: creating, deleting, mappings, settings, refresh, flush, force merge.

use crate::cluster::template::untyped;
use crate::cluster::{IndexHandle, Settings};
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;

fn resolve(state: &State, request: &Request) -> Result<Vec<Arc<IndexHandle>>, EsError> {
    state.cluster.resolve(request.capture("index"), request.index_options()?)
}

/// The `_shards` of an answer that concerned all of `handles`.
pub(super) fn shards(handles: &[Arc<IndexHandle>]) -> Value {
    let total: u64 = handles.iter().map(|handle| 1 + handle.settings().replicas()).sum();
    json!({ "total": total, "successful": handles.len(), "failed": 0 })
}

/// `PUT /{index}`.
pub fn create(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let typed = request.parameters.boolean("include_type_name", false)?;
    if let Some(shards) = request.parameters.get("wait_for_active_shards")
        && !["0", "1"].contains(&shards)
    {
        return Err(EsError::unsupported(format!("[wait_for_active_shards={shards}]")));
    }
    let name = request.capture("index");
    state.cluster.create_index(name, &request.json()?, typed)?;
    Ok(Response::ok(json!({ "acknowledged": true, "shards_acknowledged": true, "index": name })))
}

/// `DELETE /{index}`.
pub fn delete(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let handles = resolve(state, request)?;
    state.cluster.delete(&handles);
    Ok(Response::acknowledged())
}

/// `HEAD /{index}`.
pub fn exists(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    match resolve(state, request) {
        Ok(_) => Ok(Response::empty(200)),
        Err(error) if error.status == 404 => Ok(Response::empty(404)),
        Err(error) => Err(error),
    }
}

fn no_defaults(request: &Request) -> Result<(), EsError> {
    if request.parameters.boolean("include_defaults", false)? {
        return Err(EsError::unsupported("[include_defaults]"));
    }
    Ok(())
}

fn mapping_json(handle: &IndexHandle, typed: bool) -> Value {
    let mapping = handle.shard.mapping().to_json();
    match typed && mapping != json!({}) {
        true => json!({ handle.type_name.as_str(): mapping }),
        false => mapping,
    }
}

/// `GET /{index}`.
pub fn get(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    no_defaults(request)?;
    let typed = request.parameters.boolean("include_type_name", false)?;
    let flat = request.parameters.boolean("flat_settings", false)?;
    let mut body = Map::new();
    for handle in resolve(state, request)? {
        let index = json!({
            "aliases": {}, "mappings": mapping_json(&handle, typed), "settings": handle.settings().to_json(flat),
        });
        body.insert(handle.name.clone(), index);
    }
    Ok(Response::ok(Value::Object(body)))
}

/// `GET /{index}/_mapping`.
pub fn get_mapping(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let typed = request.parameters.boolean("include_type_name", false)?;
    let mut body = Map::new();
    for handle in resolve(state, request)? {
        body.insert(handle.name.clone(), json!({ "mappings": mapping_json(&handle, typed) }));
    }
    Ok(Response::ok(Value::Object(body)))
}

/// `PUT /{index}/_mapping`.
pub fn put_mapping(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let typed = request.parameters.boolean("include_type_name", false)?;
    let body = request.json()?;
    let (type_name, mapping) = untyped(&body, typed)?;
    let handles = resolve(state, request)?;
    for handle in &handles {
        if let Some(name) = type_name.as_ref().filter(|name| **name != handle.type_name) {
            return Err(EsError::illegal_argument(format!(
                "Rejecting mapping update to [{}] as the final mapping would have more than 1 type: [{}, {name}]",
                handle.name, handle.type_name
            )));
        }
        // All are asked before any is changed.
        handle.shard.mapping().merged(&mapping)?;
    }
    for handle in &handles {
        handle.shard.put_mapping(&mapping)?;
        handle.save()?;
    }
    Ok(Response::acknowledged())
}

/// `GET /{index}/_settings`.
pub fn get_settings(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    no_defaults(request)?;
    let flat = request.parameters.boolean("flat_settings", false)?;
    let mut body = Map::new();
    for handle in resolve(state, request)? {
        body.insert(handle.name.clone(), json!({ "settings": handle.settings().to_json(flat) }));
    }
    Ok(Response::ok(Value::Object(body)))
}

/// `PUT /{index}/_settings`.
pub fn put_settings(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let preserve = request.parameters.boolean("preserve_existing", false)?;
    let handles = resolve(state, request)?;
    let body = request.json()?;
    if body.as_object().is_none_or(Map::is_empty) {
        return Err(EsError::validation(&["no settings to update"]));
    }
    let mut change = Settings::default();
    for handle in &handles {
        let index = format!("{}/{}", handle.name, handle.uuid);
        change = Settings::parse_update(&body, &index)?;
    }
    for handle in &handles {
        handle.update_settings(&change, preserve)?;
    }
    Ok(Response::acknowledged())
}

/// `POST /{index}/_refresh`.
pub fn refresh(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let handles = resolve(state, request)?;
    for handle in &handles {
        handle.shard.refresh()?;
    }
    Ok(Response::ok(json!({ "_shards": shards(&handles) })))
}

/// `POST /{index}/_flush`.
pub fn flush(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    request.parameters.boolean("force", false)?;
    request.parameters.boolean("wait_if_ongoing", true)?;
    let handles = resolve(state, request)?;
    for handle in &handles {
        handle.shard.flush()?;
        handle.save()?;
    }
    Ok(Response::ok(json!({ "_shards": shards(&handles) })))
}

/// `POST /{index}/_forcemerge`.
pub fn force_merge(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let parameters = &request.parameters;
    let most = match parameters.get("max_num_segments") {
        None | Some("-1") => None,
        Some(_) => parameters.number("max_num_segments")?,
    };
    if most == Some(0) {
        return Err(EsError::validation(&["max_num_segments must be positive"]));
    }
    let expunge = parameters.boolean("only_expunge_deletes", false)?;
    if expunge && most.is_some() {
        return Err(EsError::validation(&[
            "cannot set only_expunge_deletes and max_num_segments at the same time, those two parameters are mutually exclusive",
        ]));
    }
    let flush = parameters.boolean("flush", true)?;
    let handles = resolve(state, request)?;
    for handle in &handles {
        match most {
            _ if expunge => handle.shard.expunge_deletes()?,
            Some(most) => handle.shard.force_merge(usize::try_from(most).unwrap_or(usize::MAX))?,
            // Without a number Elasticsearch merges only where its policy finds something.
            None => while handle.shard.merge_if_due()? {},
        }
        if flush {
            handle.shard.flush()?;
        }
    }
    Ok(Response::ok(json!({ "_shards": shards(&handles) })))
}
