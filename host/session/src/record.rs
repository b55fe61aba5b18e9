//! What is written down of a race before it begins.

use std::collections::BTreeMap;
use std::path::Path;

use rally_cluster::TargetHost;
use rally_extension::Extension;
use rally_results::{ClusterRecord, RaceRecord, RaceStatus, race_timestamp_now};
use rally_support::hex::Hex;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::bind::ReadyRace;
use crate::spec::TrackSpec;

/// Larger files of a track are data: they are told apart by their declared sizes and counts.
const LARGEST_DIGESTED: u64 = 4 << 20;
/// More files than this are no track.
const MOST_DIGESTED: usize = 1000;

/// The record of a race that begins now.
pub(crate) fn begin(ready: &ReadyRace) -> RaceRecord {
    let ReadyRace { spec, track, challenge, target, .. } = ready;
    let root = target.cluster.root();
    let text = |pointer: &str| root.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let mut meta = track.meta.clone();
    meta.extend(challenge.meta.iter().map(|(key, value)| (key.clone(), value.clone())));
    RaceRecord {
        rally_version: env!("CARGO_PKG_VERSION").to_owned(),
        rally_revision: option_env!("RALLY_REVISION").map(str::to_owned),
        environment: "local".to_owned(),
        race_id: uuid::Uuid::new_v4().to_string(),
        race_timestamp: race_timestamp_now(),
        status: RaceStatus::Running,
        failure: None,
        failed_tasks: Vec::new(),
        pipeline: ready.pipeline.to_owned(),
        user_tags: spec.user_tags.clone(),
        track: track.name.clone(),
        challenge: Some(challenge.name.clone()),
        car: vec!["external".to_owned()],
        total_laps: spec.laps,
        cluster: ClusterRecord {
            revision: text("/version/build_hash"),
            distribution_version: text("/version/number"),
            distribution_flavor: text("/version/build_flavor").or_else(|| text("/version/distribution")),
            hosts: target.hosts.iter().map(TargetHost::authority).collect(),
        },
        seed: Some(spec.seed.to_string()),
        track_digests: digests(&track.root),
        options: options(ready),
        load_driver: load_driver(),
        meta,
        schema_version: None,
        compat: None,
        results: None,
        lap_results: Vec::new(),
        warnings: Vec::new(),
    }
}

/// What decides about the figures.
fn options(ready: &ReadyRace) -> Map<String, Value> {
    let spec = &ready.spec;
    let filter = |tasks: &[String]| (!tasks.is_empty()).then(|| tasks.join(","));
    let path = match &spec.track {
        TrackSpec::Folder(path) => Some(path),
        TrackSpec::Named(_) | TrackSpec::Bundle(_) => None,
    };
    let mut options = Map::new();
    let mut put = |name: &str, value: Value| options.insert(name.to_owned(), value);
    put("test-mode", json!(spec.test_mode));
    put("laps", json!(spec.laps));
    put("include-tasks", json!(filter(&spec.include_tasks)));
    put("exclude-tasks", json!(filter(&spec.exclude_tasks)));
    put("on-error", json!(spec.on_error));
    put("compat", json!(spec.compat));
    put("cluster-health", json!(ready.health));
    put("offline", json!(spec.offline));
    put("client-options", Value::Object(ready.client_options.clone()));
    put("track-path", json!(path));
    put("extensions", json!(ready.components));
    if let Some(bundle) = &ready.source.bundle {
        put("bundle", bundle.record());
    }
    if let Some(revision) = &ready.source.revision {
        put("track-revision", json!(revision));
    }
    if !spec.track_params.is_empty() {
        put("track-params", json!(spec.track_params));
    }
    options
}

/// A component of the track, so that the same one can be found again.
pub(crate) fn component(extension: &Extension) -> Value {
    json!({
        "name": extension.description.name,
        "version": extension.description.version,
        "file": extension.path.file_name().map(|name| name.to_string_lossy()),
        "sha256": extension.facts.digest.to_string(),
        "wit-version": extension.facts.wit_version.to_string(),
        "imports": extension.facts.imports.iter().map(|import| import.interface.as_str()).collect::<Vec<_>>(),
    })
}

fn load_driver() -> Map<String, Value> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let model = read("/proc/cpuinfo").lines().find_map(|line| {
        Some(line.strip_prefix("model name")?.trim_start_matches([' ', '\t', ':']).to_owned())
    });
    let memory = read("/proc/meminfo")
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
        .map(|kilobytes| kilobytes * 1024);
    let mut machine = Map::new();
    machine.insert("os".to_owned(), json!(std::env::consts::OS));
    machine.insert("architecture".to_owned(), json!(std::env::consts::ARCH));
    machine.insert("kernel".to_owned(), json!(read("/proc/sys/kernel/osrelease").trim()));
    machine.insert("cpus".to_owned(), json!(std::thread::available_parallelism().map_or(1, usize::from)));
    machine.insert("cpu-model".to_owned(), json!(model));
    machine.insert("memory-bytes".to_owned(), json!(memory));
    machine
}

/// Digests of the files that make up a track, by path within it. What cannot be read is left out: the race itself has
/// read all that it needs.
fn digests(root: &Path) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && !entry.file_name().to_string_lossy().starts_with('.') {
                folders.push(path);
            } else if metadata.is_file()
                && metadata.len() <= LARGEST_DIGESTED
                && digests.len() < MOST_DIGESTED
            {
                let (Ok(content), Ok(name)) = (std::fs::read(&path), path.strip_prefix(root)) else {
                    continue;
                };
                let digest = Hex(Sha256::digest(content));
                digests.insert(name.to_string_lossy().into_owned(), format!("sha256:{digest}"));
            }
        }
    }
    digests
}
