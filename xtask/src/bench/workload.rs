//! The workload of `cargo xtask bench peers`, as a track for rally and as one for esrally.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use bzip2::read::MultiBzDecoder;
use serde_json::{Value, json};

use crate::tool;

/// The tasks whose figures are compared, in the order of the race.
pub const TASKS: [&str; 4] = ["index", "match-all", "term", "match-all-unthrottled"];

const CLIENTS: u32 = 8;
const BULK_SIZE: u32 = 1000;

/// The two tracks.
pub struct Tracks {
    /// In the dialect of 2017, for rally.
    pub rally: PathBuf,
    /// In the current dialect, for esrally.
    pub esrally: PathBuf,
}

/// How long each search is measured.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// Seconds that do not count.
    pub warmup: u32,
    /// Seconds that do.
    pub measured: u32,
}

/// Writes both tracks into `folder`, with the documents of the tutorial unpacked beside them: unpacking is not compared.
///
/// # Errors
/// Where the tutorial cannot be read or the tracks cannot be written.
pub fn write(folder: &Path, times: Times) -> anyhow::Result<Tracks> {
    let tutorial = tool::workspace().join("tracks/tutorial");
    let mapping = read_json(&tutorial.join("mappings.json"))?;
    let mapping = mapping.get("type").context("the tutorial's mapping is not under 'type'")?.clone();
    let archive = tutorial.join("documents.json.bz2");
    let mut documents = Vec::new();
    fs::File::open(&archive)
        .and_then(|file| MultiBzDecoder::new(file).read_to_end(&mut documents))
        .with_context(|| format!("{} could not be unpacked", archive.display()))?;
    let count = lines(&documents);
    let tracks = Tracks { rally: folder.join("rally"), esrally: folder.join("esrally") };
    for track in [&tracks.rally, &tracks.esrally] {
        fs::create_dir_all(track)?;
        fs::write(track.join("documents.json"), &documents)?;
    }
    let bytes = documents.len();
    write_json(&tracks.rally.join("mappings.json"), &json!({ "type": mapping }))?;
    write_json(&tracks.rally.join("track.json"), &rally(count, bytes, times))?;
    write_json(&tracks.esrally.join("index.json"), &json!({ "settings": settings(), "mappings": mapping }))?;
    write_json(&tracks.esrally.join("track.json"), &esrally(count, bytes, times))?;
    Ok(tracks)
}

fn lines(documents: &[u8]) -> usize {
    documents.iter().filter(|byte| **byte == b'\n').count()
}

fn settings() -> Value {
    json!({ "index.number_of_shards": 1, "index.number_of_replicas": 0 })
}

/// The searches: name, body, requests per second over all clients.
fn searches() -> [(&'static str, Value, Option<u32>); 3] {
    let match_all = json!({ "query": { "match_all": {} } });
    let term = json!({ "query": { "term": { "country_code": "AT" } } });
    [
        ("match-all", match_all.clone(), Some(100)),
        ("term", term, Some(150)),
        ("match-all-unthrottled", match_all, None),
    ]
}

fn search_tasks(times: Times) -> Vec<Value> {
    searches()
        .into_iter()
        .map(|(name, _, rate)| {
            let mut task = json!({
                "operation": name,
                "clients": CLIENTS,
                "warmup-time-period": times.warmup,
                "time-period": times.measured,
            });
            if let Some(rate) = rate {
                task["target-throughput"] = json!(rate);
            }
            task
        })
        .collect()
}

fn search_operations() -> Vec<Value> {
    searches()
        .into_iter()
        .map(|(name, body, _)| json!({ "name": name, "operation-type": "search", "index": "geonames", "body": body }))
        .collect()
}

fn rally(count: usize, bytes: usize, times: Times) -> Value {
    let mut operations = vec![
        json!({ "name": "index", "operation-type": "index", "bulk-size": BULK_SIZE }),
        json!({ "name": "force-merge", "operation-type": "force-merge", "max_num_segments": 1 }),
    ];
    operations.extend(search_operations());
    let mut schedule =
        vec![json!({ "operation": "index", "clients": CLIENTS }), json!({ "operation": "force-merge" })];
    schedule.extend(search_tasks(times));
    json!({
        "short-description": "rally beside esrally",
        "description": "Places are indexed and searched",
        "indices": [{
            "name": "geonames",
            "types": [{
                "name": "type",
                "mapping": "mappings.json",
                "documents": "documents.json",
                "document-count": count,
                "uncompressed-bytes": bytes,
            }],
        }],
        "operations": operations,
        "challenges": [{
            "name": "beside",
            "description": "Index, merge, search",
            "index-settings": settings(),
            "schedule": schedule,
        }],
    })
}

fn esrally(count: usize, bytes: usize, times: Times) -> Value {
    let mut operations = vec![
        json!({ "name": "index", "operation-type": "bulk", "bulk-size": BULK_SIZE }),
        json!({ "name": "force-merge", "operation-type": "force-merge", "max-num-segments": 1 }),
        json!({
            "name": "green",
            "operation-type": "cluster-health",
            "request-params": { "wait_for_status": "green" },
            "retry-until-success": true,
        }),
    ];
    operations.extend(search_operations());
    let mut schedule = vec![
        json!({ "operation": "delete-index" }),
        json!({ "operation": "create-index" }),
        json!({ "operation": "green" }),
        json!({ "operation": "index", "clients": CLIENTS }),
        json!({ "operation": "force-merge" }),
    ];
    schedule.extend(search_tasks(times));
    json!({
        "version": 2,
        "description": "Places are indexed and searched",
        "indices": [{ "name": "geonames", "body": "index.json" }],
        "corpora": [{
            "name": "geonames",
            "documents": [{
                "source-file": "documents.json",
                "document-count": count,
                "uncompressed-bytes": bytes,
            }],
        }],
        "operations": operations,
        "schedule": schedule,
    })
}

fn read_json(path: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn write_json(path: &Path, value: &Value) -> anyhow::Result<()> {
    fs::write(path, serde_json::to_vec_pretty(value)?)
        .with_context(|| format!("{} could not be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times { warmup: 5, measured: 15 };

    #[test]
    fn both_tracks_search_alike() {
        let (rally, esrally) = (rally(10, 100, TIMES), esrally(10, 100, TIMES));
        let searches = |schedule: &Value| -> Vec<Value> {
            let tasks = schedule.as_array().expect("a schedule").iter();
            tasks.filter(|task| task.get("time-period").is_some()).cloned().collect()
        };
        let mine = searches(&rally["challenges"][0]["schedule"]);
        assert_eq!(mine.len(), 3);
        assert_eq!(mine, searches(&esrally["schedule"]));
    }

    #[test]
    fn all_compared_tasks_are_in_both_tracks() {
        let (rally, esrally) = (rally(10, 100, TIMES), esrally(10, 100, TIMES));
        for schedule in [&rally["challenges"][0]["schedule"], &esrally["schedule"]] {
            for task in TASKS {
                let tasks = schedule.as_array().expect("a schedule");
                assert!(tasks.iter().any(|known| known["operation"] == task), "{task}");
            }
        }
    }
}
