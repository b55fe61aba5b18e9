//! `search`: one search request, or the pages of a scroll.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Failure, FailureKind, Outcome, Params, Runner};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::common::{
    Made, OPS, Prepared, Span, UnusableParams, failure, flag, malformed, named, names, seconds,
};
use super::paging::{PAGES, Total, most_pages, results_per_page};
use super::session::{Done, Environment, Session, Stop};
use crate::answer::failure_of;
use crate::http::{Answer, Collect, Connection, Endpoint, JsonObject, Request};
use crate::version::Capabilities;

/// How long the target keeps a scroll between two pages, as in Rally.
const SCROLL: &str = "10s";

const JSON: &str = "application/json";

/// What errors call the operation.
const SEARCH: &str = "search";

/// Which searches go from page to page by a scroll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paging {
    /// Those with both `pages` and `results-per-page`, in 2017. Pages count as `ops`.
    PagesAndResults,
    /// Those with `pages`. Pages count as `pages`.
    Pages,
    /// All. Pages count as `pages`.
    Always,
}

/// Sends search requests.
pub struct Search {
    connection: Connection,
    environment: Environment,
    paging: Paging,
    prepared: Option<Prepared<Reading>>,
    page: Collect,
}

/// What is read of the answers.
#[derive(Debug, Clone)]
struct Reading {
    scroll: Option<Scroll>,
    /// More than whether they are answers: `detailed-results`.
    detailed: bool,
    /// Statuses that are no failures.
    ignored: Vec<u16>,
    timeout: Option<Duration>,
}

/// How far a scroll goes.
#[derive(Debug, Clone, Copy)]
struct Scroll {
    pages: u64,
    /// Results of a page, where a page that is not full ends the scroll as in current Rally.
    results: Option<u64>,
    unit: &'static str,
}

impl Search {
    /// Sends over `connection` in the way that the target understands.
    pub fn new(connection: Connection, environment: Environment, paging: Paging) -> Self {
        Search { connection, environment, paging, prepared: None, page: Collect::default() }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let endpoint = self.connection.endpoint();
        let (environment, paging) = (&self.environment, self.paging);
        let prepared = Prepared::of(&mut self.prepared, SEARCH, params, |values, body_given| {
            request(endpoint, environment, paging, values, body_given)
        })?;
        let body = prepared.body(params);
        self.connection.set_timeout(prepared.more.timeout);
        if let Some(scroll) = prepared.more.scroll {
            // Boxed, so that ordinary searches do not carry its state.
            let first = prepared.request.clone();
            return Ok(Box::pin(self.scroll(scroll, first, body)).await);
        }
        let mut span = Span::default();
        if prepared.more.detailed {
            let result = self.connection.exchange(&prepared.request, body, &mut self.page).await;
            span.extend(&result);
            return Ok(match detailed(&result, &self.page.body) {
                Ok(meta) => Outcome { meta: Some(Box::new(meta)), ..span.outcome(1.0, OPS, None) },
                Err(failure) => ignoring(&prepared.more.ignored, span, failure),
            });
        }
        let mut answer = JsonObject::default();
        let result = self.connection.exchange(&prepared.request, body, &mut answer).await;
        span.extend(&result);
        Ok(match failure(&result, &answer) {
            None => span.outcome(1.0, OPS, None),
            Some(failure) => ignoring(&prepared.more.ignored, span, failure),
        })
    }

    /// Reads pages until there are enough or one is empty, and clears the scroll in any case: an open one holds segments.
    async fn scroll(&mut self, scroll: Scroll, first: Request, body: Bytes) -> Outcome {
        let mut span = Span::default();
        let mut pages = 0u64;
        let mut scroll_id: Option<String> = None;
        let mut meta = Map::new();
        let (mut took, mut timed_out) = (0u64, false);
        let failure = loop {
            if pages >= scroll.pages {
                break None;
            }
            let made = match scroll_id.as_deref() {
                None => Ok((first.clone(), body.clone())),
                Some(id) => next_request(self.connection.endpoint(), &self.environment.capabilities, id),
            };
            let page = match self.page(&mut span, made, scroll_id.is_none()).await {
                Ok(page) => page,
                Err(outcome) => break Some(outcome),
            };
            pages += 1;
            took += page.took;
            timed_out |= page.timed_out;
            let mut is_last = page.hits.hits.is_empty();
            if let (Some(total), 1) = (&page.hits.total, pages) {
                meta.insert("hits".to_owned(), total.value().into());
                meta.insert("hits_relation".to_owned(), total.relation().into());
                is_last |= scroll.results.is_some_and(|results| total.value() < results);
            }
            scroll_id = page.scroll_id.or(scroll_id);
            if is_last {
                break None;
            }
        };
        if let Some(id) = scroll_id {
            // Part of the service time as in Rally; whether it succeeds does not change what was measured.
            if let Ok((request, body)) =
                clear_request(self.connection.endpoint(), &self.environment.capabilities, &id)
            {
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
            None => {
                meta.insert("pages".to_owned(), pages.into());
                meta.insert("took".to_owned(), took.into());
                meta.insert("timed_out".to_owned(), timed_out.into());
                Outcome { meta: Some(Box::new(meta)), ..span.outcome(pages as f64, scroll.unit, None) }
            }
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
    #[serde(default)]
    took: u64,
    #[serde(default)]
    timed_out: bool,
    hits: Hits,
}

#[derive(Deserialize)]
struct Hits {
    total: Option<Total>,
    hits: Vec<IgnoredAny>,
}

/// A failure, unless its status is to be ignored.
fn ignoring(ignored: &[u16], span: Span, failure: Failure) -> Outcome {
    match failure.status {
        Some(status) if failure.kind == FailureKind::Answered && ignored.contains(&status) => {
            span.outcome(1.0, OPS, None)
        }
        _ => span.failed(failure),
    }
}

/// What an answer says of its search.
fn detailed(
    result: &Result<Answer, crate::http::ExchangeError>,
    body: &[u8],
) -> Result<Map<String, Value>, Failure> {
    #[derive(Deserialize)]
    struct Details {
        #[serde(default)]
        took: u64,
        #[serde(default)]
        timed_out: bool,
        #[serde(default)]
        hits: HitsTotal,
        #[serde(rename = "_shards", default)]
        shards: Map<String, Value>,
    }
    #[derive(Deserialize, Default)]
    struct HitsTotal {
        total: Option<Total>,
    }
    let answer = result.as_ref().map_err(|error| error.failure())?;
    if let Some(failure) = failure_of(answer) {
        return Err(failure);
    }
    let details: Details = serde_json::from_slice(body).map_err(|_| {
        malformed(answer, "the answer is not the JSON that a search is answered with".to_owned())
    })?;
    let total = details.hits.total.unwrap_or(Total::Exact(0));
    let shards = ["total", "successful", "skipped", "failed"]
        .map(|key| (key.to_owned(), details.shards.get(key).cloned().unwrap_or_else(|| json!(0))));
    Ok(Map::from_iter([
        ("hits".to_owned(), json!(total.value())),
        ("hits_relation".to_owned(), json!(total.relation())),
        ("timed_out".to_owned(), json!(details.timed_out)),
        ("took".to_owned(), json!(details.took)),
        ("shards".to_owned(), Value::Object(Map::from_iter(shards))),
    ]))
}

/// Whether and how far a search scrolls.
fn scroll(paging: Paging, values: &Map<String, Value>) -> Result<Option<(Scroll, Option<u64>)>, String> {
    let (pages, results) = (named(values, &["pages"]), results_per_page(values)?);
    let default = match (paging, pages, results) {
        // Either alone is an ordinary search.
        (Paging::PagesAndResults, Some(_), Some(_)) => None,
        (Paging::PagesAndResults, ..) | (Paging::Pages, None, _) => return Ok(None),
        (Paging::Pages | Paging::Always, ..) => None,
    };
    let pages = most_pages(values, default)?;
    let counted = match paging {
        Paging::PagesAndResults => Scroll { pages, results: None, unit: OPS },
        Paging::Pages | Paging::Always => Scroll { pages, results, unit: PAGES },
    };
    Ok(Some((counted, results)))
}

/// The parameters of the address that all searches have.
///
/// # Errors
/// Where one is of the wrong kind.
pub fn parameters(
    call: Call,
    environment: &Environment,
    values: &Map<String, Value>,
) -> Result<Call, String> {
    match named(values, &["cache", "use_request_cache", "request-cache"]) {
        // What is measured is a search, not a cache that the user cannot switch off.
        None if environment.serverless => Ok(call.parameter("request_cache", false)),
        None => Ok(call),
        Some((_, cache @ (Value::Bool(_) | Value::String(_)))) => {
            Ok(call.parameter(environment.capabilities.request_cache_parameter, cache.clone()))
        }
        Some((name, other)) => Err(format!("'{name}' is {other} but must be true or false")),
    }
}

fn request(
    endpoint: &Endpoint,
    environment: &Environment,
    paging: Paging,
    values: &Map<String, Value>,
    body_given: bool,
) -> Result<Made<Reading>, String> {
    let scroll = scroll(paging, values)?;
    let body = match (values.get("body"), results_per_page(values)?) {
        _ if body_given => None,
        (None, _) => return Err("'body' is mandatory and missing: give the search request".to_owned()),
        // Ordinary searches, too, may say how many results they want.
        (Some(Value::Null), Some(results)) if paging != Paging::PagesAndResults && scroll.is_none() => {
            Some(json!({ "size": results }))
        }
        (Some(Value::Object(body)), Some(results))
            if paging != Paging::PagesAndResults && scroll.is_none() =>
        {
            let mut body = body.clone();
            body.insert("size".to_owned(), Value::from(results));
            Some(Value::Object(body))
        }
        (Some(body), _) => Some(body.clone()),
    };
    let index = names(values, "index")?;
    let mapping_type = names(values, "type")?.filter(|_| environment.capabilities.typed());
    let path = match (index, mapping_type) {
        (Some(index), Some(mapping_type)) => format!("/{index}/{mapping_type}/_search"),
        (Some(index), None) => format!("/{index}/_search"),
        (None, Some(mapping_type)) => format!("/_all/{mapping_type}/_search"),
        (None, None) => "/_search".to_owned(),
    };
    let empty = body.as_ref().is_some_and(|body| body.is_null() || body.as_str() == Some(""));
    // Search bodies go with POST: some proxies drop the body of a GET.
    let call = match body {
        None => Call::post(path).bytes(Bytes::new()),
        Some(_) if empty => Call::get(path),
        Some(body) => Call::post(path).body(&body),
    };
    let mut call = parameters(call, environment, values)?;
    if let Some((_, results)) = &scroll {
        call = call.parameter("sort", "_doc").parameter("scroll", SCROLL).parameter("size", *results);
    }
    let mut ready = call.given(values)?.ready(endpoint, values)?;
    if flag(values, &["response-compression-enabled"])? == Some(false) {
        let plain = http::HeaderValue::from_static("identity");
        ready.request.headers.insert(http::header::ACCEPT_ENCODING, plain);
    }
    let more = Reading {
        scroll: scroll.map(|(scroll, _)| scroll),
        detailed: flag(values, &["detailed-results"])?.unwrap_or(false),
        ignored: ready.ignored,
        timeout: seconds(values, &["request-timeout"])?.filter(|timeout| !timeout.is_zero()),
    };
    Ok(Made { request: ready.request, body: ready.body, more })
}

/// A search as a part of a composite operation: one request.
///
/// # Errors
/// Where it fails, or cannot be made.
pub async fn part(session: &mut Session<'_>) -> Result<Done, Stop> {
    let made = request(session.endpoint(), session.environment, Paging::Pages, session.values, false)?;
    if made.more.scroll.is_some() {
        let problem =
            "'pages' make a scroll, which cannot be a part of a composite operation; use paginated-search";
        return Err(Stop::Unusable(problem.to_owned()));
    }
    let mut object = JsonObject::default();
    if let Some(answer) = session.exchange(&made.request, made.body, &made.more.ignored, &mut object).await? {
        super::session::check_object(&answer, &object)?;
    }
    Ok(Done::ops(1))
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
