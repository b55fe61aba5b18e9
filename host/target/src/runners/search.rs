//! `search`: one search request, or the pages of a scroll.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Failure, FailureKind, Outcome, Params, Runner};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::common::{
    Made, OPS, Prepared, Span, UnusableParams, add_headers, add_request_params, failure, malformed, named,
};
use crate::answer::failure_of;
use crate::http::{Answer, Collect, Connection, Endpoint, JsonObject, Request, encode_path, encode_query};
use crate::version::Capabilities;

/// How long the target keeps a scroll between two pages, as in Rally.
const SCROLL: &str = "10s";

const JSON: &str = "application/json";

/// Sends search requests.
pub struct Search {
    connection: Connection,
    capabilities: Arc<Capabilities>,
    prepared: Option<Prepared<Option<Scroll>>>,
    page: Collect,
}

/// How far a scroll goes.
#[derive(Debug, Clone, Copy)]
struct Scroll {
    pages: u64,
}

impl Search {
    /// Sends over `connection` in the way that the target understands.
    pub fn new(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Search { connection, capabilities, prepared: None, page: Collect::default() }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let endpoint = self.connection.endpoint();
        let capabilities = &self.capabilities;
        let prepared = Prepared::of(&mut self.prepared, "search", params, |values, body_given| {
            request(endpoint, capabilities, values, body_given)
        })?;
        let body = prepared.body(params);
        if let Some(scroll) = prepared.more {
            // Boxed, so that ordinary searches do not carry its state.
            let first = prepared.request.clone();
            return Ok(Box::pin(self.scroll(scroll, first, body)).await);
        }
        let mut answer = JsonObject::default();
        let result = self.connection.exchange(&prepared.request, body, &mut answer).await;
        let mut span = Span::default();
        span.extend(&result);
        Ok(match failure(&result, &answer) {
            None => span.outcome(1.0, OPS, None),
            Some(failure) => span.failed(failure),
        })
    }

    /// Reads pages until there are enough or one is empty, and clears the scroll in any case: an open one holds segments.
    async fn scroll(&mut self, scroll: Scroll, first: Request, body: Bytes) -> Outcome {
        let mut span = Span::default();
        let mut pages = 0u64;
        let mut scroll_id: Option<String> = None;
        let failure = loop {
            if pages >= scroll.pages {
                break None;
            }
            let made = match scroll_id.as_deref() {
                None => Ok((first.clone(), body.clone())),
                Some(id) => next_request(self.connection.endpoint(), &self.capabilities, id),
            };
            let page = match self.page(&mut span, made, scroll_id.is_none()).await {
                Ok(page) => page,
                Err(outcome) => break Some(outcome),
            };
            pages += 1;
            scroll_id = page.scroll_id.or(scroll_id);
            if page.hits.hits.is_empty() {
                break None;
            }
        };
        if let Some(id) = scroll_id {
            // Part of the service time as in Rally; whether it succeeds does not change what was measured.
            if let Ok((request, body)) = clear_request(self.connection.endpoint(), &self.capabilities, &id) {
                let result = self.connection.exchange(&request, body, &mut self.page).await;
                if failure.is_none() {
                    span.extend(&result);
                }
                match &result {
                    Ok(answer) if !answer.status.is_success() => {
                        tracing::debug!(status = %answer.status, "the scroll was not cleared");
                    }
                    Err(error) => tracing::debug!(%error, "the scroll was not cleared"),
                    Ok(_) => {}
                }
            }
        }
        match failure {
            None => span.outcome(pages as f64, OPS, None),
            Some(failure) => span.failed(failure),
        }
    }

    async fn page(
        &mut self,
        span: &mut Span,
        made: Result<(Request, Bytes), String>,
        first: bool,
    ) -> Result<Page, Failure> {
        let (request, body) = made.map_err(|description| Failure {
            kind: FailureKind::Transport,
            status: None,
            description,
            count: 1,
        })?;
        let result = self.connection.exchange(&request, body, &mut self.page).await;
        span.extend(&result);
        let answer: Answer = result.map_err(|error| error.failure())?;
        if let Some(failure) = failure_of(&answer) {
            return Err(failure);
        }
        let page: Page = serde_json::from_slice(&self.page.body).map_err(|_| {
            malformed(&answer, "the answer is not the JSON that a scroll is answered with".to_owned())
        })?;
        if first && page.scroll_id.is_none() {
            return Err(malformed(&answer, "the answer to a scroll has no _scroll_id".to_owned()));
        }
        Ok(page)
    }
}

impl Runner for Search {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }
}

/// A page of a scroll; hits are counted, not kept.
#[derive(Deserialize)]
struct Page {
    #[serde(rename = "_scroll_id")]
    scroll_id: Option<String>,
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<IgnoredAny>,
}

/// Both `pages` and `results-per-page` make a scroll; either alone is an ordinary search, as in Rally of 2017. With the number
/// of results.
fn scroll(values: &Map<String, Value>) -> Result<Option<(Scroll, &Value)>, String> {
    let pages = named(values, &["pages"]);
    let (Some((_, pages)), Some((name, results))) =
        (pages, named(values, &["results-per-page", "items_per_page"]))
    else {
        return Ok(None);
    };
    if results.as_u64().is_none_or(|results| results == 0) {
        return Err(format!("'{name}' is {results} but must be a number above 0"));
    }
    let pages = match pages {
        Value::String(text) if text == "all" => u64::MAX,
        pages => {
            pages.as_u64().ok_or_else(|| format!("'pages' is {pages} but must be a number or \"all\""))?
        }
    };
    Ok(Some((Scroll { pages }, results)))
}

fn request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
    body_given: bool,
) -> Result<Made<Option<Scroll>>, String> {
    let body = match values.get("body") {
        _ if body_given => Bytes::new(),
        None => return Err("'body' is mandatory and missing: give the search request".to_owned()),
        Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(body) => Bytes::from(body.to_string()),
    };
    let index = names(values, "index")?;
    let mapping_type = names(values, "type")?.filter(|_| capabilities.typed());
    let path = match (index, mapping_type) {
        (Some(index), Some(mapping_type)) => format!("/{index}/{mapping_type}/_search"),
        (Some(index), None) => format!("/{index}/_search"),
        (None, Some(mapping_type)) => format!("/_all/{mapping_type}/_search"),
        (None, None) => "/_search".to_owned(),
    };
    let mut parameters = Map::new();
    match named(values, &["cache", "use_request_cache", "request-cache"]) {
        None => {}
        Some((_, cache @ (Value::Bool(_) | Value::String(_)))) => {
            parameters.insert(capabilities.request_cache_parameter.to_owned(), cache.clone());
        }
        Some((name, other)) => return Err(format!("'{name}' is {other} but must be true or false")),
    }
    let scroll = scroll(values)?;
    if let Some((_, results)) = scroll {
        parameters.insert("sort".to_owned(), Value::from("_doc"));
        parameters.insert("scroll".to_owned(), Value::from(SCROLL));
        parameters.insert("size".to_owned(), results.clone());
    }
    add_request_params(values, &mut parameters)?;
    let query = encode_query(parameters.iter().map(|(name, value)| (name.as_str(), value)));
    // Search bodies go with POST: some proxies drop the body of a GET.
    let (method, content_type) =
        if body_given || !body.is_empty() { (Method::POST, Some(JSON)) } else { (Method::GET, None) };
    let request = Request::new(endpoint, method, &path, &query, content_type);
    let mut request = request.map_err(|error| error.to_string())?;
    add_headers(values, &mut request)?;
    Ok(Made { request, body, more: scroll.map(|(scroll, _)| scroll) })
}

/// One name or a list of them, encoded for a path.
fn names(values: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match values.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) if name.is_empty() => Ok(None),
        Some(Value::String(name)) => Ok(Some(encode_path(name))),
        Some(Value::Array(names)) => {
            let names: Option<Vec<_>> = names.iter().map(|name| name.as_str().map(encode_path)).collect();
            names.map(|names| Some(names.join(","))).ok_or_else(|| format!("'{key}' must be a list of names"))
        }
        Some(other) => Err(format!("'{key}' is {other} but must be a name")),
    }
}

/// The next page. Ids of scrolls over many shards are too long for an address, so they go into the body where they can.
fn next_request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    id: &str,
) -> Result<(Request, Bytes), String> {
    let made = if capabilities.scroll_id_in_body {
        let body = Bytes::from(json!({"scroll": SCROLL, "scroll_id": id}).to_string());
        Request::new(endpoint, Method::POST, "/_search/scroll", "", Some(JSON)).map(|request| (request, body))
    } else {
        let query = format!("scroll={SCROLL}");
        // Before 2.0 the body is the id itself.
        let body = Bytes::from(id.to_owned());
        Request::new(endpoint, Method::POST, "/_search/scroll", &query, None).map(|request| (request, body))
    };
    made.map_err(|error| format!("scroll: {error}"))
}

fn clear_request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    id: &str,
) -> Result<(Request, Bytes), String> {
    let (body, content_type) = if capabilities.scroll_id_in_body {
        (json!({"scroll_id": [id]}).to_string(), Some(JSON))
    } else {
        (id.to_owned(), None)
    };
    Request::new(endpoint, Method::DELETE, "/_search/scroll", "", content_type)
        .map(|request| (request, Bytes::from(body)))
        .map_err(|error| format!("scroll: {error}"))
}
