//! `_stats`: what the shards counted.

use crate::cluster::IndexHandle;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use crate::search::json::did_you_mean;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The sections, in the order in which they are answered.
const SECTIONS: [&str; 16] = [
    "docs",
    "store",
    "indexing",
    "get",
    "search",
    "merge",
    "refresh",
    "flush",
    "warmer",
    "query_cache",
    "fielddata",
    "completion",
    "segments",
    "translog",
    "request_cache",
    "recovery",
];

/// `GET _stats`.
pub fn stats(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let sections = sections(request.capture("metric"), &request.path)?;
    let level = request.parameters.get("level").unwrap_or("indices");
    if !["cluster", "indices", "shards"].contains(&level) {
        return Err(EsError::illegal_argument(format!(
            "level parameter must be one of [cluster] or [indices] or [shards] but was [{level}]"
        )));
    }
    let handles = state.cluster.resolve(request.capture("index"), request.index_options()?)?;
    let mut all = Map::new();
    let mut indices = Map::new();
    for handle in &handles {
        let figures = figures(state, handle, &sections)?;
        add(&mut all, &figures);
        let mut index = Map::new();
        index.insert("uuid".to_string(), handle.uuid.clone().into());
        // There are no replicas: primaries are all there is.
        index.insert("primaries".to_string(), Value::Object(figures.clone()));
        index.insert("total".to_string(), Value::Object(figures.clone()));
        if level == "shards" {
            let mut shard = Map::new();
            shard.insert(
                "routing".to_string(),
                json!({ "state": "STARTED", "primary": true, "node": state.node_id, "relocating_node": null }),
            );
            shard.extend(figures);
            index.insert("shards".to_string(), json!({ "0": [shard] }));
        }
        indices.insert(handle.name.clone(), Value::Object(index));
    }
    let mut body = Map::new();
    body.insert("_shards".to_string(), super::indices::shards(&handles));
    body.insert("_all".to_string(), json!({ "primaries": all, "total": all }));
    if level != "cluster" {
        body.insert("indices".to_string(), Value::Object(indices));
    }
    Ok(Response::ok(Value::Object(body)))
}

/// The sections that a comma list asks for; all for none.
///
/// # Errors
/// 400 where one is not known.
pub(super) fn sections(metrics: &str, path: &str) -> Result<Vec<&'static str>, EsError> {
    let mut wanted = Vec::new();
    for metric in metrics.split(',').filter(|metric| !metric.is_empty()) {
        match SECTIONS.iter().find(|section| **section == metric) {
            _ if metric == "_all" => wanted.extend(SECTIONS),
            Some(section) => wanted.push(*section),
            // Known to Elasticsearch, and always empty.
            None if metric == "suggest" || metric == "bulk" => {}
            None => {
                return Err(EsError::illegal_argument(format!(
                    "request [{path}] contains unrecognized metric: [{metric}]{}",
                    did_you_mean(metric, SECTIONS).replacen(" did", " -> did", 1)
                )));
            }
        }
    }
    if metrics.is_empty() {
        wanted.extend(SECTIONS);
    }
    Ok(wanted)
}

/// The figures of one index.
///
/// # Errors
/// Where its files cannot be read.
pub(super) fn figures(
    state: &State,
    handle: &IndexHandle,
    sections: &[&'static str],
) -> Result<Map<String, Value>, EsError> {
    let shard = &handle.shard;
    let counters = &shard.counters;
    let view = shard.read_view();
    let mut figures = Map::new();
    for section in SECTIONS.iter().filter(|section| sections.contains(section)) {
        let value = match *section {
            "docs" => {
                let deleted: u64 = view
                    .searcher
                    .segment_readers()
                    .iter()
                    .map(|reader| u64::from(reader.num_deleted_docs()))
                    .sum();
                json!({ "count": view.searcher.num_docs(), "deleted": deleted })
            }
            "store" => json!({ "size_in_bytes": shard.store_size()?, "reserved_in_bytes": 0 }),
            "indexing" => json!({
                "index_total": counters.indexing.total(),
                "index_time_in_millis": counters.indexing.milliseconds(),
                "index_current": counters.indexing.current(),
                "index_failed": counters.index_failed.get(),
                "delete_total": counters.delete.total(),
                "delete_time_in_millis": counters.delete.milliseconds(),
                "delete_current": counters.delete.current(),
                "noop_update_total": counters.noop_updates.get(),
                "is_throttled": false,
                "throttle_time_in_millis": 0,
            }),
            "get" => json!({
                "total": counters.get_found.total() + counters.get_missing.total(),
                "time_in_millis": counters.get_found.milliseconds() + counters.get_missing.milliseconds(),
                "exists_total": counters.get_found.total(),
                "exists_time_in_millis": counters.get_found.milliseconds(),
                "missing_total": counters.get_missing.total(),
                "missing_time_in_millis": counters.get_missing.milliseconds(),
                "current": counters.get_found.current(),
            }),
            "search" => json!({
                "open_contexts": state.scrolls.count(&handle.name),
                "query_total": counters.query.total(),
                "query_time_in_millis": counters.query.milliseconds(),
                "query_current": counters.query.current(),
                "fetch_total": counters.fetch.total(),
                "fetch_time_in_millis": counters.fetch.milliseconds(),
                "fetch_current": counters.fetch.current(),
                "scroll_total": counters.scroll.total(),
                "scroll_time_in_millis": counters.scroll.milliseconds(),
                "scroll_current": counters.scroll.current(),
                "suggest_total": 0, "suggest_time_in_millis": 0, "suggest_current": 0,
            }),
            "merge" => json!({
                "current": counters.merge.current(),
                "current_docs": counters.merging_documents.load(Ordering::Relaxed),
                "current_size_in_bytes": counters.merging_bytes.load(Ordering::Relaxed),
                "total": counters.merge.total(),
                "total_time_in_millis": counters.merge.milliseconds(),
                "total_docs": counters.merged_documents.get(),
                "total_size_in_bytes": counters.merged_bytes.get(),
                "total_stopped_time_in_millis": 0,
                "total_throttled_time_in_millis": 0,
                "total_auto_throttle_in_bytes": 0,
            }),
            "refresh" => json!({
                "total": counters.refresh.total(),
                "total_time_in_millis": counters.refresh.milliseconds(),
                "external_total": counters.refresh.total(),
                "external_total_time_in_millis": counters.refresh.milliseconds(),
                "listeners": 0,
            }),
            "flush" => json!({
                "total": counters.flush.total(),
                "periodic": counters.periodic_flush.get(),
                "total_time_in_millis": counters.flush.milliseconds(),
            }),
            "warmer" => json!({ "current": 0, "total": 0, "total_time_in_millis": 0 }),
            "query_cache" => json!({
                "memory_size_in_bytes": 0, "total_count": 0, "hit_count": 0, "miss_count": 0, "cache_size": 0,
                "cache_count": 0, "evictions": 0,
            }),
            "fielddata" => json!({ "memory_size_in_bytes": 0, "evictions": 0 }),
            "completion" => json!({ "size_in_bytes": 0 }),
            // Segments are mapped files: none of their parts is on a heap.
            "segments" => json!({
                "count": view.searcher.segment_readers().len(),
                "memory_in_bytes": 0, "terms_memory_in_bytes": 0, "stored_fields_memory_in_bytes": 0,
                "term_vectors_memory_in_bytes": 0, "norms_memory_in_bytes": 0, "points_memory_in_bytes": 0,
                "doc_values_memory_in_bytes": 0, "index_writer_memory_in_bytes": 0,
                "version_map_memory_in_bytes": 0, "fixed_bit_set_memory_in_bytes": 0,
                "max_unsafe_auto_id_timestamp": -1, "file_sizes": {},
            }),
            // There is no transaction log.
            "translog" => json!({
                "operations": 0, "size_in_bytes": 0, "uncommitted_operations": 0, "uncommitted_size_in_bytes": 0,
                "earliest_last_modified_age": 0,
            }),
            "request_cache" => {
                json!({ "memory_size_in_bytes": 0, "evictions": 0, "hit_count": 0, "miss_count": 0 })
            }
            _ => json!({ "current_as_source": 0, "current_as_target": 0, "throttle_time_in_millis": 0 }),
        };
        let name = if *section == "merge" { "merges" } else { section };
        figures.insert(name.to_string(), value);
    }
    Ok(figures)
}

/// Adds the numbers of `other` to those of `sum`, member by member.
pub(super) fn add(sum: &mut Map<String, Value>, other: &Map<String, Value>) {
    for (name, value) in other {
        match (sum.get_mut(name), value) {
            (Some(Value::Object(inner)), Value::Object(other)) => add(inner, other),
            (Some(Value::Number(number)), Value::Number(other)) if name != "max_unsafe_auto_id_timestamp" => {
                *number = (number.as_i64().unwrap_or(0) + other.as_i64().unwrap_or(0)).into();
            }
            (Some(_), _) => {}
            (None, value) => _ = sum.insert(name.clone(), value.clone()),
        }
    }
}
