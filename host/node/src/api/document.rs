//! Single documents.

use super::bulk::with_uuid;
use crate::cluster::IndexHandle;
use crate::error::EsError;
use crate::http::{Parameters, Request, Response};
use crate::node::State;
use crate::search::source_filter::SourceFilter;
use crate::shard::core::Document;
use crate::shard::update::Update;
use crate::shard::write::{Action, Operation};
use hyper::Method;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// When a write is to be visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefreshPolicy {
    /// With the next refresh.
    None,
    /// At once.
    Immediate,
    /// Before the answer; the node refreshes for that, instead of waiting.
    WaitFor,
}

impl RefreshPolicy {
    pub fn parse(parameters: &Parameters) -> Result<Self, EsError> {
        if let Some(shards) = parameters.get("wait_for_active_shards")
            && !["0", "1"].contains(&shards)
        {
            return Err(EsError::unsupported(format!("[wait_for_active_shards={shards}]")));
        }
        match parameters.get("refresh") {
            None | Some("false") => Ok(RefreshPolicy::None),
            Some("" | "true") => Ok(RefreshPolicy::Immediate),
            Some("wait_for") => Ok(RefreshPolicy::WaitFor),
            Some(other) => Err(EsError::illegal_argument(format!("Unknown value for refresh: [{other}]."))),
        }
    }

    pub fn apply(self, handle: &IndexHandle) -> Result<(), EsError> {
        if self != RefreshPolicy::None {
            handle.shard.refresh()?;
        }
        Ok(())
    }

    /// Whether the answer says that a refresh was forced.
    pub fn is_forced(self) -> bool {
        self == RefreshPolicy::Immediate
    }
}

/// Refuses parameters that Elasticsearch knows and the node does not honour.
pub(super) fn check_unsupported(parameters: &Parameters, names: &[&str]) -> Result<(), EsError> {
    match names.iter().find(|name| parameters.get(name).is_some()) {
        Some(name) => Err(EsError::unsupported(format!("parameter [{name}]"))),
        None => Ok(()),
    }
}

/// Checks that a document of type `type_name` may go into the index.
pub(super) fn check_type(handle: &IndexHandle, type_name: Option<&str>) -> Result<(), EsError> {
    match type_name {
        None | Some("_doc") => Ok(()),
        Some(name) if name == handle.type_name => Ok(()),
        Some(name) => Err(EsError::illegal_argument(format!(
            "Rejecting mapping update to [{}] as the final mapping would have more than 1 type: [{}, {name}]",
            handle.name, handle.type_name
        ))),
    }
}

/// `PUT /{index}/_doc/{id}` and `POST /{index}/_doc`.
pub fn index(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let source = request.body.clone();
    let creating = match request.parameters.get("op_type") {
        None | Some("index") => false,
        Some("create") => true,
        Some(other) => {
            return Err(EsError::illegal_argument(format!(
                "opType must be 'create' or 'index', found: [{other}]"
            )));
        }
    };
    let action = if creating { Action::Create(source) } else { Action::Index(source) };
    write(state, request, action)
}

/// `PUT /{index}/_create/{id}`.
pub fn create(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    write(state, request, Action::Create(request.body.clone()))
}

/// `POST /{index}/_update/{id}`.
pub fn update(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    write(state, request, Action::Update(Update::parse(&request.body)?))
}

/// `DELETE /{index}/_doc/{id}`.
pub fn delete(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    write(state, request, Action::Delete)
}

fn write(state: &State, request: &Request, action: Action) -> Result<Response, EsError> {
    let parameters = &request.parameters;
    check_unsupported(
        parameters,
        &["routing", "pipeline", "version", "version_type", "_source", "require_alias"],
    )?;
    let policy = RefreshPolicy::parse(parameters)?;
    if request.body.is_empty() && !matches!(action, Action::Delete) {
        return Err(EsError::new(400, "parse_exception", "request body is required"));
    }
    let if_sequence = parameters.number("if_seq_no")?;
    if if_sequence.is_some() && parameters.number("if_primary_term")? != Some(1) {
        return Err(EsError::validation(&["ifSeqNo is set, but primary term is [0]"]));
    }
    let name = request.capture("index");
    let handle = match action {
        Action::Delete => existing(state, name)?,
        _ => state.cluster.index_or_create(name)?,
    };
    let id = Some(request.capture("id").to_string()).filter(|id| !id.is_empty());
    if id.as_ref().is_some_and(|id| id == "_mapping" || id == "_mappings") {
        return Err(EsError::illegal_argument(
            "Types cannot be provided in put mapping requests, unless the include_type_name parameter is set to true.",
        ));
    }
    if let Some(id) = id.as_ref().filter(|id| id.len() > 512) {
        return Err(EsError::validation(&[&format!(
            "id [{id}] is too long, must be no longer than 512 bytes but was: {}",
            id.len()
        )]));
    }
    let outcome = handle.shard.write(vec![Operation { action, id, if_sequence }]).pop();
    handle.save_mapping()?;
    policy.apply(&handle)?;
    let (id, result) = outcome.ok_or_else(|| EsError::internal("the operation was not performed"))?;
    let written = result.map_err(|error| with_uuid(error, &handle))?;
    let (total, successful) = written.shards(1 + handle.settings().replicas());
    let mut body = json!({
        "_index": handle.name, "_type": "_doc", "_id": id,
        "_version": written.version, "result": written.result,
        "_shards": { "total": total, "successful": successful, "failed": 0 },
        "_seq_no": written.sequence, "_primary_term": 1,
    });
    if policy.is_forced() {
        body["forced_refresh"] = true.into();
    }
    Ok(Response::json(written.status(), body))
}

/// The index a call on one document names.
fn existing(state: &State, name: &str) -> Result<Arc<IndexHandle>, EsError> {
    let missing = || EsError::index_not_found(name).detail("resource.type", "index_expression");
    state.cluster.index(name).ok_or_else(missing)
}

/// What of the source a read shows.
fn source_filter(parameters: &Parameters) -> SourceFilter {
    let list = |name: &str| -> Vec<String> {
        parameters.get(name).map(|text| text.split(',').map(str::to_string).collect()).unwrap_or_default()
    };
    let mut includes = list("_source_includes");
    match parameters.get("_source") {
        Some("false") => return SourceFilter::None,
        None | Some("" | "true") => {}
        Some(paths) => includes.extend(paths.split(',').map(str::to_string)),
    }
    SourceFilter::of(includes, list("_source_excludes"))
}

fn find(state: &State, request: &Request) -> Result<(Arc<IndexHandle>, Option<Document>), EsError> {
    check_unsupported(&request.parameters, &["routing", "stored_fields", "version", "version_type"])?;
    let name = request.capture("index");
    let handle = existing(state, name)?;
    if request.parameters.boolean("refresh", false)? {
        handle.shard.refresh()?;
    }
    let id = request.capture("id");
    let document = if request.parameters.boolean("realtime", true)? {
        handle.shard.get(id)?
    } else {
        handle.shard.find_refreshed(id)?
    };
    Ok((handle, document))
}

/// `GET /{index}/_doc/{id}`, realtime.
pub fn get(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let (handle, document) = find(state, request)?;
    let id = request.capture("id");
    let Some(document) = document else {
        let body = json!({ "_index": handle.name, "_type": "_doc", "_id": id, "found": false });
        return Ok(Response::json(404, body));
    };
    if request.method == Method::HEAD {
        return Ok(Response::empty(200));
    }
    let head = json!({
        "_index": handle.name, "_type": "_doc", "_id": id, "_version": document.version,
        "_seq_no": document.sequence, "_primary_term": 1, "found": true,
    });
    let mut body = head.to_string();
    if let Some(source) = shown_source(&document, &source_filter(&request.parameters))? {
        // The source goes in as it came.
        body.pop();
        body.push_str(",\"_source\":");
        body.push_str(&source);
        body.push('}');
    }
    Ok(Response::written(200, body))
}

/// `GET /{index}/_source/{id}`.
pub fn source(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let (handle, document) = find(state, request)?;
    let id = request.capture("id");
    let missing = || {
        EsError::new(
            404,
            "resource_not_found_exception",
            format!("Document not found [{}]/[_doc]/[{id}]", handle.name),
        )
    };
    let document = document.ok_or_else(missing)?;
    let source = shown_source(&document, &source_filter(&request.parameters))?.ok_or_else(missing)?;
    Ok(if request.method == Method::HEAD { Response::empty(200) } else { Response::written(200, source) })
}

fn shown_source(document: &Document, filter: &SourceFilter) -> Result<Option<String>, EsError> {
    let Some(source) = document.source.as_ref().filter(|_| *filter != SourceFilter::None) else {
        return Ok(None);
    };
    let damaged =
        |error: &dyn std::fmt::Display| EsError::internal(format!("the stored source is no JSON: {error}"));
    if *filter == SourceFilter::All {
        let text = std::str::from_utf8(source).map_err(|error| damaged(&error))?;
        return Ok(Some(text.to_string()));
    }
    let members: Map<String, Value> = serde_json::from_slice(source).map_err(|error| damaged(&error))?;
    Ok(Some(Value::Object(filter.apply(members)).to_string()))
}
