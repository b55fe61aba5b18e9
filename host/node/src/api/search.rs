//! `_search`, `_count`, scrolls.

use crate::cluster::IndexHandle;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use crate::scroll::Scroll;
use crate::search::request::duration;
use crate::search::{Answer, CountRequest, SearchRequest};
use crate::shard::{OpenScroll, ShardView};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn views(handles: &[Arc<IndexHandle>]) -> Result<Vec<ShardView>, EsError> {
    handles.iter().map(|handle| handle.shard.search_view()).collect()
}

fn milliseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// `_search`.
pub fn search(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let start = Instant::now();
    let search = SearchRequest::parse(&request.body, &request.parameters.0, &request.path)?;
    let handles = state.cluster.resolve(request.capture("index"), request.index_options()?)?;
    if search.scroll.is_some() {
        state.scrolls.check_room()?;
    }
    let views = views(&handles)?;
    let running: Vec<_> = handles.iter().map(|handle| handle.shard.counters.query.enter()).collect();
    let mut answer = crate::search::execute(&views, &search, None)?;
    drop(running);
    count_search(&handles, &answer);
    let scroll_id = match search.scroll {
        Some(keep_alive) => {
            let counters = handles.iter().map(|handle| Arc::clone(&handle.shard.counters)).collect();
            let counted = OpenScroll::new(counters);
            let scroll = Scroll { views, request: search, cursor: answer.cursor.take(), _counted: counted };
            Some(state.scrolls.open(scroll, keep_alive)?)
        }
        None => None,
    };
    Ok(Response::written(200, answer.to_json(milliseconds(start), scroll_id.as_deref())?))
}

/// Counts a page of hits, as Elasticsearch does: a query for every index that was looked at, and a fetch for every one that
/// has hits in the page, or for the only one in any case. The indices share the time.
fn count_search(handles: &[Arc<IndexHandle>], answer: &Answer) {
    let fetched: Vec<_> = match handles {
        [only] => vec![only],
        several => several.iter().filter(|handle| answer.has_hit_of(&handle.shard.name)).collect(),
    };
    for handle in handles {
        handle.shard.counters.query.add_time(1, share(answer.query_time, handles.len()));
    }
    for handle in &fetched {
        handle.shard.counters.fetch.add_time(1, share(answer.fetch_time, fetched.len()));
    }
}

/// What one of `sharers` has of the time.
fn share(time: Duration, sharers: usize) -> Duration {
    u32::try_from(sharers).ok().and_then(|sharers| time.checked_div(sharers)).unwrap_or_default()
}

/// `_count`.
pub fn count(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let count = CountRequest::parse(&request.body, &request.parameters.0, &request.path)?;
    let handles = state.cluster.resolve(request.capture("index"), request.index_options()?)?;
    let views = views(&handles)?;
    let start = Instant::now();
    let counted = crate::search::count(&views, &count)?;
    for handle in &handles {
        handle.shard.counters.query.add_time(1, share(start.elapsed(), handles.len()));
    }
    // An only index has its fetch counted even though there is nothing to fetch, as in Elasticsearch.
    if let [only] = handles.as_slice() {
        only.shard.counters.fetch.add_time(1, Duration::ZERO);
    }
    let shards = handles.len();
    Ok(Response::ok(json!({
        "count": counted,
        "_shards": { "total": shards, "successful": shards, "skipped": 0, "failed": 0 },
    })))
}

/// `_search/scroll`: the next page.
pub fn scroll(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let start = Instant::now();
    let body = request.json()?;
    let parameters = &request.parameters;
    for name in body.as_object().into_iter().flat_map(|members| members.keys()) {
        if !["scroll", "scroll_id"].contains(&name.as_str()) {
            return Err(EsError::illegal_argument(format!(
                "Unknown parameter [{name}] in request body or parameter is of the wrong type"
            )));
        }
    }
    let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_string);
    let captured = Some(request.capture("scroll")).filter(|id| !id.is_empty()).map(str::to_string);
    let id = text("scroll_id").or(captured).or_else(|| parameters.get("scroll_id").map(str::to_string));
    let Some(id) = id else { return Err(EsError::validation(&["scrollId is missing"])) };
    let keep_alive = text("scroll").or_else(|| parameters.get("scroll").map(str::to_string));
    let keep_alive: Option<Duration> = keep_alive.map(|text| duration("keep_alive", &text)).transpose()?;
    let scroll = state.scrolls.get(&id, keep_alive)?;
    let mut scroll = scroll.lock();
    if let Some(as_integer) = parameters.get("rest_total_hits_as_int") {
        scroll.request.total_hits_as_integer = as_integer != "false";
    }
    let answer = scroll.next()?;
    let handles: Vec<_> =
        scroll.views.iter().filter_map(|view| state.cluster.index(&view.index_name)).collect();
    count_search(&handles, &answer);
    Ok(Response::written(200, answer.to_json(milliseconds(start), Some(&id))?))
}

/// `DELETE _search/scroll`.
pub fn close_scroll(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let captured = request.capture("scroll");
    let mut ids: Vec<String> = captured.split(',').filter(|id| !id.is_empty()).map(str::to_string).collect();
    if ids.is_empty() {
        let body = request.json()?;
        match body.get("scroll_id") {
            Some(Value::String(id)) => ids.push(id.clone()),
            Some(Value::Array(list)) => ids.extend(list.iter().filter_map(Value::as_str).map(str::to_string)),
            _ => {}
        }
    }
    if ids.is_empty() {
        return Err(EsError::validation(&["no scroll ids specified"]));
    }
    let freed = if ids == ["_all"] { state.scrolls.close_all() } else { state.scrolls.close(&ids) };
    let status = if freed == 0 && ids != ["_all"] { 404 } else { 200 };
    Ok(Response::json(status, json!({ "succeeded": true, "num_freed": freed })))
}
