//! `search`: one search request, or the pages of a scroll.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Outcome, Params, Runner};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::common::{OPS, Prepared, Span, bad_params, failure, malformed};
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
    prepared: Option<Prepared>,
    /// Of the prepared request.
    scroll: Option<Scroll>,
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
        Search { connection, capabilities, prepared: None, scroll: None, page: Collect::default() }
    }

    async fn perform(&mut self, params: &Params) -> Outcome {
        let endpoint = Arc::clone(self.connection.endpoint());
        let capabilities = &self.capabilities;
        let kept_scroll = &mut self.scroll;
        let prepared = Prepared::of(&mut self.prepared, params, |values| {
            *kept_scroll = scroll(values)?;
            request(&endpoint, capabilities, values)
        });
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return bad_params(problem),
        };
        if let Some(scroll) = self.scroll {
            // Boxed, so that ordinary searches do not carry its state.
            return Box::pin(self.scroll(scroll)).await;
        }
        let mut body = JsonObject::default();
        let result = self.connection.exchange(&prepared.request, prepared.body.clone(), &mut body).await;
        let mut span = Span::default();
        span.extend(&result);
        match failure(&result, &body) {
            None => span.outcome(1.0, OPS, None),
            Some(failure) => span.failed(failure),
        }
    }

    /// Reads pages until there are enough or one is empty, and clears the scroll in any case: an open one holds segments.
    async fn scroll(&mut self, scroll: Scroll) -> Outcome {
        let mut span = Span::default();
        let mut pages = 0u64;
        let mut scroll_id: Option<String> = None;
        let failure = loop {
            if pages >= scroll.pages {
                break None;
            }
            let page = match self.page(&mut span, scroll_id.as_deref()).await {
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

    async fn page(&mut self, span: &mut Span, scroll_id: Option<&str>) -> Result<Page, rally_race::Failure> {
        let result = match (scroll_id, &self.prepared) {
            (None, Some(prepared)) => {
                self.connection.exchange(&prepared.request, prepared.body.clone(), &mut self.page).await
            }
            (Some(id), _) => {
                let made = next_request(self.connection.endpoint(), &self.capabilities, id);
                let (request, body) = made.map_err(parameters_failure)?;
                self.connection.exchange(&request, body, &mut self.page).await
            }
            (None, None) => return Err(parameters_failure("nothing is prepared".to_owned())),
        };
        span.extend(&result);
        let answer: Answer = result.map_err(|error| error.failure())?;
        if let Some(failure) = failure_of(&answer) {
            return Err(failure);
        }
        let page: Page = serde_json::from_slice(&self.page.body).map_err(|_| {
            malformed(&answer, "the answer is not the JSON that a scroll is answered with".to_owned())
        })?;
        if scroll_id.is_none() && page.scroll_id.is_none() {
            return Err(malformed(&answer, "the answer to a scroll has no _scroll_id".to_owned()));
        }
        Ok(page)
    }
}

impl Runner for Search {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await) })
    }
}

fn parameters_failure(description: String) -> rally_race::Failure {
    rally_race::Failure { kind: rally_race::FailureKind::Transport, status: None, description, count: 1 }
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

/// Both `pages` and `items_per_page` make a scroll; either alone is an ordinary search, as in Rally.
fn scroll(values: &Map<String, Value>) -> Result<Option<Scroll>, String> {
    let (Some(pages), Some(_)) = (values.get("pages"), values.get("items_per_page")) else { return Ok(None) };
    match pages {
        Value::String(text) if text == "all" => Ok(Some(Scroll { pages: u64::MAX })),
        pages => match pages.as_u64() {
            Some(pages) => Ok(Some(Scroll { pages })),
            None => Err(format!("'pages' is {pages} but must be a number or \"all\"")),
        },
    }
}

fn request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
) -> Result<(Request, Bytes), String> {
    let index = names(values, "index")?;
    let mapping_type = names(values, "type")?.filter(|_| capabilities.typed());
    let path = match (index, mapping_type) {
        (Some(index), Some(mapping_type)) => format!("/{index}/{mapping_type}/_search"),
        (Some(index), None) => format!("/{index}/_search"),
        (None, Some(mapping_type)) => format!("/_all/{mapping_type}/_search"),
        (None, None) => "/_search".to_owned(),
    };
    let mut parameters = Map::new();
    if let Some(cache @ (Value::Bool(_) | Value::String(_))) = values.get("use_request_cache") {
        parameters.insert(capabilities.request_cache_parameter.to_owned(), cache.clone());
    }
    if scroll(values)?.is_some() {
        parameters.insert("sort".to_owned(), Value::from("_doc"));
        parameters.insert("scroll".to_owned(), Value::from(SCROLL));
        parameters.insert("size".to_owned(), values["items_per_page"].clone());
    }
    match values.get("request_params") {
        None | Some(Value::Null) => {}
        Some(Value::Object(more)) => {
            parameters.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        Some(other) => return Err(format!("'request_params' is {other} but must be an object")),
    }
    let query = encode_query(parameters.iter().map(|(name, value)| (name.as_str(), value)));
    let body = match values.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(body) => Bytes::from(body.to_string()),
    };
    // Search bodies go with POST: some proxies drop the body of a GET.
    let (method, content_type) =
        if body.is_empty() { (Method::GET, None) } else { (Method::POST, Some(JSON)) };
    let request = Request::new(endpoint, method, &path, &query, content_type);
    Ok((request.map_err(|error| format!("search: {error}"))?, body))
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
