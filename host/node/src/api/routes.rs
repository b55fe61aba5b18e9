//! The table of REST calls.

use super::{bulk, cat, cluster, document, indices, nodes, search, stats, templates};
use crate::http::{Class, Route};
use hyper::Method;

const GET: &[Method] = &[Method::GET];
const HEAD: &[Method] = &[Method::HEAD];
const GET_HEAD: &[Method] = &[Method::GET, Method::HEAD];
const GET_POST: &[Method] = &[Method::GET, Method::POST];
const POST: &[Method] = &[Method::POST];
const PUT: &[Method] = &[Method::PUT];
const PUT_POST: &[Method] = &[Method::PUT, Method::POST];
const DELETE: &[Method] = &[Method::DELETE];

/// How indices are named, and how long a call may take: taken by most calls on indices.
macro_rules! indices_and {
    ($($name:literal),*) => {
        Some(&["ignore_unavailable", "allow_no_indices", "expand_wildcards", "timeout", "master_timeout", "local", $($name),*])
    };
}

const WRITE: Option<&[&str]> = Some(&[
    "refresh",
    "timeout",
    "wait_for_active_shards",
    "require_alias",
    "_source",
    "if_seq_no",
    "if_primary_term",
    "op_type",
    "version",
    "version_type",
    "routing",
    "pipeline",
    "retry_on_conflict",
]);
const BULK: Option<&[&str]> = Some(&[
    "refresh",
    "timeout",
    "wait_for_active_shards",
    "routing",
    "pipeline",
    "require_alias",
    "_source",
]);
const READ: Option<&[&str]> = Some(&[
    "realtime",
    "refresh",
    "preference",
    "_source",
    "_source_includes",
    "_source_excludes",
    "routing",
    "stored_fields",
    "version",
    "version_type",
]);
const SEGMENT_OPTIONS: Option<&[&str]> = indices_and!(
    "level",
    "fields",
    "completion_fields",
    "fielddata_fields",
    "groups",
    "include_segment_file_sizes",
    "include_unloaded_segments",
    "forbid_closed_indices"
);
const HEALTH: Option<&[&str]> = indices_and!(
    "level",
    "wait_for_status",
    "wait_for_no_relocating_shards",
    "wait_for_no_initializing_shards",
    "wait_for_active_shards",
    "wait_for_nodes",
    "wait_for_events"
);
const NODE_STATS: Option<&[&str]> = Some(&[
    "level",
    "fields",
    "completion_fields",
    "fielddata_fields",
    "groups",
    "types",
    "include_segment_file_sizes",
    "timeout",
]);

/// Every call of the node.
pub fn routes() -> Vec<Route> {
    use Class::{Manage, Merge, Search, Wait, Write};
    let route = Route::new;
    vec![
        route(GET_HEAD, "/", Manage, Some(&[]), cluster::root),
        route(PUT_POST, "/_bulk", Write, BULK, bulk::bulk),
        route(PUT_POST, "/{index}/_bulk", Write, BULK, bulk::bulk),
        route(GET_POST, "/_search", Search, None, search::search),
        route(GET_POST, "/{index}/_search", Search, None, search::search),
        route(GET_POST, "/_count", Search, None, search::count),
        route(GET_POST, "/{index}/_count", Search, None, search::count),
        route(
            GET_POST,
            "/_search/scroll",
            Search,
            Some(&["scroll", "scroll_id", "rest_total_hits_as_int"]),
            search::scroll,
        ),
        route(DELETE, "/_search/scroll", Search, Some(&[]), search::close_scroll),
        route(
            GET_POST,
            "/_search/scroll/{scroll}",
            Search,
            Some(&["scroll", "rest_total_hits_as_int"]),
            search::scroll,
        ),
        route(DELETE, "/_search/scroll/{scroll}", Search, Some(&[]), search::close_scroll),
        route(POST, "/{index}/_doc", Write, WRITE, document::index),
        route(PUT_POST, "/{index}/_doc/{id}", Write, WRITE, document::index),
        route(DELETE, "/{index}/_doc/{id}", Write, WRITE, document::delete),
        route(GET_HEAD, "/{index}/_doc/{id}", Search, READ, document::get),
        route(GET_HEAD, "/{index}/_source/{id}", Search, READ, document::source),
        route(PUT_POST, "/{index}/_create/{id}", Write, WRITE, document::create),
        route(POST, "/{index}/_update/{id}", Write, WRITE, document::update),
        route(GET_POST, "/_refresh", Manage, indices_and!(), indices::refresh),
        route(GET_POST, "/{index}/_refresh", Manage, indices_and!(), indices::refresh),
        route(GET_POST, "/_flush", Manage, indices_and!("force", "wait_if_ongoing"), indices::flush),
        route(GET_POST, "/{index}/_flush", Manage, indices_and!("force", "wait_if_ongoing"), indices::flush),
        route(
            POST,
            "/_forcemerge",
            Merge,
            indices_and!("max_num_segments", "only_expunge_deletes", "flush"),
            indices::force_merge,
        ),
        route(
            POST,
            "/{index}/_forcemerge",
            Merge,
            indices_and!("max_num_segments", "only_expunge_deletes", "flush"),
            indices::force_merge,
        ),
        route(GET, "/_stats", Manage, SEGMENT_OPTIONS, stats::stats),
        route(GET, "/_stats/{metric}", Manage, SEGMENT_OPTIONS, stats::stats),
        route(GET, "/{index}/_stats", Manage, SEGMENT_OPTIONS, stats::stats),
        route(GET, "/{index}/_stats/{metric}", Manage, SEGMENT_OPTIONS, stats::stats),
        route(GET, "/_mapping", Manage, indices_and!("include_type_name"), indices::get_mapping),
        route(GET, "/_mappings", Manage, indices_and!("include_type_name"), indices::get_mapping),
        route(GET, "/{index}/_mapping", Manage, indices_and!("include_type_name"), indices::get_mapping),
        route(GET, "/{index}/_mappings", Manage, indices_and!("include_type_name"), indices::get_mapping),
        route(
            PUT_POST,
            "/{index}/_mapping",
            Manage,
            indices_and!("include_type_name", "write_index_only"),
            indices::put_mapping,
        ),
        route(
            GET,
            "/_settings",
            Manage,
            indices_and!("flat_settings", "include_defaults"),
            indices::get_settings,
        ),
        route(
            GET,
            "/{index}/_settings",
            Manage,
            indices_and!("flat_settings", "include_defaults"),
            indices::get_settings,
        ),
        route(
            PUT,
            "/_settings",
            Manage,
            indices_and!("flat_settings", "preserve_existing"),
            indices::put_settings,
        ),
        route(
            PUT,
            "/{index}/_settings",
            Manage,
            indices_and!("flat_settings", "preserve_existing"),
            indices::put_settings,
        ),
        route(
            GET,
            "/_template",
            Manage,
            Some(&["flat_settings", "master_timeout", "local", "include_type_name"]),
            templates::get,
        ),
        route(
            GET,
            "/_template/{name}",
            Manage,
            Some(&["flat_settings", "master_timeout", "local", "include_type_name"]),
            templates::get,
        ),
        route(
            HEAD,
            "/_template/{name}",
            Manage,
            Some(&["flat_settings", "master_timeout", "local"]),
            templates::exists,
        ),
        route(
            PUT_POST,
            "/_template/{name}",
            Manage,
            Some(&["order", "create", "master_timeout", "timeout", "include_type_name", "cause"]),
            templates::put,
        ),
        route(DELETE, "/_template/{name}", Manage, Some(&["master_timeout", "timeout"]), templates::delete),
        route(GET, "/_cluster/health", Wait, HEALTH, cluster::health),
        route(GET, "/_cluster/health/{index}", Wait, HEALTH, cluster::health),
        route(
            GET,
            "/_cluster/settings",
            Manage,
            Some(&["flat_settings", "include_defaults", "master_timeout", "timeout", "local"]),
            cluster::get_settings,
        ),
        route(
            PUT,
            "/_cluster/settings",
            Manage,
            Some(&["flat_settings", "master_timeout", "timeout"]),
            cluster::put_settings,
        ),
        route(GET, "/_nodes", Manage, Some(&["flat_settings", "timeout"]), nodes::info),
        route(GET, "/_nodes/stats", Manage, NODE_STATS, nodes::stats),
        route(GET, "/_nodes/stats/{metric}", Manage, NODE_STATS, nodes::stats),
        route(GET, "/_nodes/stats/{metric}/{index_metric}", Manage, NODE_STATS, nodes::stats),
        route(GET, "/_nodes/{node}", Manage, Some(&["flat_settings", "timeout"]), nodes::info),
        route(GET, "/_nodes/{node}/stats", Manage, NODE_STATS, nodes::stats),
        route(GET, "/_nodes/{node}/stats/{metric}", Manage, NODE_STATS, nodes::stats),
        route(GET, "/_cat/indices", Manage, indices_and!("v", "h", "s", "bytes"), cat::indices),
        route(GET, "/_cat/indices/{index}", Manage, indices_and!("v", "h", "s", "bytes"), cat::indices),
        route(
            PUT,
            "/{index}",
            Manage,
            Some(&["include_type_name", "wait_for_active_shards", "timeout", "master_timeout"]),
            indices::create,
        ),
        route(DELETE, "/{index}", Manage, indices_and!(), indices::delete),
        route(
            GET,
            "/{index}",
            Manage,
            indices_and!("include_type_name", "flat_settings", "include_defaults"),
            indices::get,
        ),
        route(
            HEAD,
            "/{index}",
            Manage,
            indices_and!("include_type_name", "flat_settings", "include_defaults"),
            indices::exists,
        ),
    ]
}
