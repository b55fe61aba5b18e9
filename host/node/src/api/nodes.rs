//! `_nodes` and `_nodes/stats`: the process and its machine, as the operating system tells.

use super::VERSION;
use super::cluster::{CLUSTER_NAME, NODE_NAME};
use super::stats;
use crate::error::EsError;
use crate::http::{Request, Response};
use crate::node::State;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::SystemTime;

/// The parts of `_nodes/stats`; Elasticsearch has more, which mean nothing here.
const SECTIONS: [&str; 7] = ["indices", "os", "process", "jvm", "thread_pool", "fs", "http"];

fn now() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Checks that a node of the path is this one.
fn is_this_node(state: &State, expression: &str) -> bool {
    expression.is_empty()
        || expression.split(',').any(|part| {
            ["_all", "_local", "_master"].contains(&part)
                || crate::cluster::names::matches(part, NODE_NAME)
                || part == state.node_id
        })
}

fn framed(
    state: &State,
    chosen: bool,
    node: impl FnOnce() -> Result<Value, EsError>,
) -> Result<Response, EsError> {
    let count = usize::from(chosen);
    let mut nodes = Map::new();
    if chosen {
        nodes.insert(state.node_id.clone(), node()?);
    }
    Ok(Response::ok(json!({
        "_nodes": { "total": count, "successful": count, "failed": 0 },
        "cluster_name": CLUSTER_NAME,
        "nodes": nodes,
    })))
}

/// `GET _nodes`.
pub fn info(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let chosen = is_this_node(state, request.capture("node"));
    framed(state, chosen, || {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Ok(json!({
            "name": NODE_NAME,
            "transport_address": state.address.to_string(),
            "host": state.address.ip().to_string(),
            "ip": state.address.ip().to_string(),
            "version": VERSION,
            "build_flavor": "rally-embedded",
            "build_type": "rust",
            "build_hash": "unknown",
            "roles": ["data", "master"],
            "os": {
                "name": std::env::consts::OS, "pretty_name": std::env::consts::OS, "arch": std::env::consts::ARCH,
                "version": release.trim(), "available_processors": processors(),
                "allocated_processors": processors(),
            },
            "process": { "id": std::process::id(), "mlockall": false },
            "http": {
                "bound_address": [state.address.to_string()], "publish_address": state.address.to_string(),
            },
            "plugins": [],
            "modules": [],
        }))
    })
}

/// `GET _nodes/stats`.
pub fn stats(state: &Arc<State>, request: &Request) -> Result<Response, EsError> {
    let metrics = request.capture("metric");
    let mut wanted: Vec<&str> = metrics.split(',').filter(|metric| !metric.is_empty()).collect();
    if wanted.is_empty() || wanted.contains(&"_all") {
        wanted = SECTIONS.to_vec();
    }
    // Known to Elasticsearch, and empty here.
    const OTHERS: [&str; 8] = [
        "transport",
        "breaker",
        "script",
        "discovery",
        "ingest",
        "adaptive_selection",
        "script_cache",
        "indexing_pressure",
    ];
    if let Some(unknown) = wanted.iter().find(|metric| !SECTIONS.contains(metric) && !OTHERS.contains(metric))
    {
        return Err(EsError::illegal_argument(format!(
            "request [{}] contains unrecognized metric: [{unknown}]",
            request.path
        )));
    }
    let sections = stats::sections(request.capture("index_metric"), &request.path)?;
    let level = request.parameters.get("level").unwrap_or("node");
    if !["node", "indices", "shards"].contains(&level) {
        return Err(EsError::illegal_argument(format!(
            "level parameter must be one of [indices] or [node] or [shards] but was [{level}]"
        )));
    }
    let chosen = is_this_node(state, request.capture("node"));
    framed(state, chosen, || {
        let mut node = json!({
            "timestamp": now(), "name": NODE_NAME, "transport_address": state.address.to_string(),
            "host": state.address.ip().to_string(), "ip": state.address.to_string(), "roles": ["data", "master"],
        });
        for section in SECTIONS.iter().filter(|section| wanted.contains(section)) {
            node[*section] = match *section {
                "indices" => indices(state, &sections, level)?,
                "os" => os(),
                "process" => process(),
                "jvm" => jvm(state),
                "thread_pool" => pools(state),
                "fs" => file_system(state),
                _ => json!({
                    "current_open": state.connections_open.load(std::sync::atomic::Ordering::Relaxed),
                    "total_opened": state.connections_opened.load(std::sync::atomic::Ordering::Relaxed),
                }),
            };
        }
        Ok(node)
    })
}

fn indices(state: &State, sections: &[&'static str], level: &str) -> Result<Value, EsError> {
    let (mut sum, mut each) = (Map::new(), Map::new());
    for handle in state.cluster.indices() {
        let figures = stats::figures(state, &handle, sections)?;
        stats::add(&mut sum, &figures);
        let value = if level == "shards" { json!([{ "0": figures }]) } else { Value::Object(figures) };
        each.insert(handle.name.clone(), value);
    }
    if level != "node" {
        sum.insert(level.to_string(), Value::Object(each));
    }
    Ok(Value::Object(sum))
}

/// The number behind `name` in a file of lines such as `MemTotal:  123 kB`, in bytes where it is in kB.
fn from_lines(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let number: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(if line.trim_end().ends_with("kB") { number * 1024 } else { number })
}

fn os() -> Value {
    let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = from_lines(&memory, "MemTotal").unwrap_or(0);
    let free = from_lines(&memory, "MemAvailable").unwrap_or(0);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let loads: Vec<f64> = load.split_whitespace().take(3).filter_map(|part| part.parse().ok()).collect();
    let percent = |part: u64| (part * 100).checked_div(total).unwrap_or(0);
    let mut body = json!({
        "timestamp": now(),
        "mem": {
            "total_in_bytes": total, "free_in_bytes": free, "used_in_bytes": total.saturating_sub(free),
            "free_percent": percent(free), "used_percent": percent(total.saturating_sub(free)),
        },
    });
    if let [one, five, fifteen] = loads.as_slice() {
        body["cpu"] = json!({ "load_average": { "1m": one, "5m": five, "15m": fifteen } });
    }
    body
}

fn process() -> Value {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program, in brackets, may hold spaces; user and system time are the 12th and 13th behind it.
    let times: Vec<u64> = usage
        .rsplit_once(')')
        .map(|(_, rest)| {
            rest.split_whitespace().skip(11).take(2).filter_map(|part| part.parse().ok()).collect()
        })
        .unwrap_or_default();
    let tick = rustix::param::clock_ticks_per_second().max(1);
    let open = std::fs::read_dir("/proc/self/fd").map(Iterator::count).unwrap_or(0);
    json!({
        "timestamp": now(),
        "open_file_descriptors": open,
        "cpu": { "total_in_millis": times.iter().sum::<u64>() * 1000 / tick },
        "mem": {
            "total_virtual_in_bytes": from_lines(&status, "VmSize").unwrap_or(0),
            "resident_in_bytes": from_lines(&status, "VmRSS").unwrap_or(0),
        },
        "threads": from_lines(&status, "Threads").unwrap_or(0),
    })
}

/// There is no virtual machine: no heap, and no collection ever.
fn jvm(state: &State) -> Value {
    let none = json!({ "collection_count": 0, "collection_time_in_millis": 0 });
    json!({
        "timestamp": now(),
        "uptime_in_millis": u64::try_from(state.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "mem": { "heap_used_in_bytes": 0, "heap_max_in_bytes": 0, "pools": {} },
        "gc": { "collectors": { "young": none, "old": none } },
    })
}

fn pools(state: &State) -> Value {
    let pools = &state.pools;
    let mut body = Map::new();
    for pool in [&pools.write, &pools.search, &pools.manage, &pools.merge] {
        let (queue, active, completed, rejected) = pool.counts();
        body.insert(
            pool.name.to_string(),
            json!({
                "threads": pool.threads, "queue": queue, "active": active, "rejected": rejected,
                "largest": pool.threads, "completed": completed,
            }),
        );
    }
    Value::Object(body)
}

fn file_system(state: &State) -> Value {
    let Ok(space) = rustix::fs::statvfs(&state.data_dir) else { return json!({ "timestamp": now() }) };
    let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
    json!({
        "timestamp": now(),
        "total": {
            "total_in_bytes": bytes(space.f_blocks), "free_in_bytes": bytes(space.f_bfree),
            "available_in_bytes": bytes(space.f_bavail),
        },
    })
}
