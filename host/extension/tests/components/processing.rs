//! Processors and validators, before the race.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rally_extension::{Extensions, Folder, HostEnvironment, Limits};
use rally_track::{LoadOptions, Track, TrackSource};
use serde_json::json;

use crate::course::{chain, guest, host};

struct Before {
    folder: tempfile::TempDir,
    extensions: Extensions,
    environment: Arc<HostEnvironment>,
    track: Track,
}

/// A track with the conformance guest, before its race; its extensions may write so many bytes.
fn before(data_bytes: u64, data: bool) -> Before {
    let folder = tempfile::tempdir().unwrap();
    let track = folder.path().join("places");
    fs::create_dir(&track).unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::copy(guest("conformance"), track.join("conformance.wasm")).unwrap();
    fs::write(track.join("mapping.json"), "{\"place\": {}}").unwrap();
    let text = json!({
        "short-description": "places",
        "description": "places",
        "meta": {"mine": 1},
        "indices": [{"name": "places", "types": [{"name": "place", "mapping": "mapping.json"}]}],
        "operations": [{"name": "stats", "operation-type": "index-stats"}],
        "challenges": [{"name": "conformance", "description": "all", "schedule": [{"operation": "stats"}]}],
    });
    fs::write(track.join("track.json"), text.to_string()).unwrap();
    let mut around = HostEnvironment::before_race("places", Folder::open(&track).unwrap());
    if data {
        around.data = Some(Folder::open(folder.path().join("data")).unwrap());
    }
    let environment = Arc::new(around);
    let limits = Limits { data_bytes, ..Limits::default() };
    let extensions = Extensions::discover(&track, &host(limits), &environment).unwrap();
    let options = LoadOptions { extension_names: extensions.names(), ..LoadOptions::default() };
    let track = rally_track::load(&TrackSource::from_path(&track).unwrap(), &options).unwrap();
    Before { folder, extensions, environment, track }
}

fn prepared(folder: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(folder.join("data/prepared")) else { return Vec::new() };
    let mut all: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_processor_changes_the_track() {
    let before = before(0, false);
    let root = before.track.root.clone();
    let changed = before.extensions.process(before.track, "conformance", 1, &before.environment).unwrap();
    assert_eq!(changed.meta["processed-by"], "conformance");
    assert_eq!(changed.meta["mine"], 1);
    assert_eq!(changed.root, root, "guests do not see where the track lies, and cannot change it");
}

#[test]
fn a_processor_prepares_data_where_it_is_granted() {
    let before = before(1024, true);
    before.extensions.prepare(&before.track, "conformance", 1, &before.environment).unwrap();
    let job = |number: u32| (format!("{number}.txt"), format!("job {number} of places\ndone\n"));
    assert_eq!(prepared(before.folder.path()), [job(0), job(1)]);
}

#[test]
fn a_processor_writes_nothing_where_it_is_not_granted() {
    let before = before(0, true);
    let error =
        before.extensions.prepare(&before.track, "conformance", 1, &before.environment).err().unwrap();
    let error = chain(&error);
    for part in ["conformance 0.1.0", "run-job", "preparing", "--extension-data-bytes"] {
        assert!(error.contains(part), "no {part} in {error}");
    }
    assert!(prepared(before.folder.path()).is_empty());
}

#[test]
fn a_processor_that_writes_more_than_it_is_granted_is_ended() {
    let before = before(20, true);
    let error =
        before.extensions.prepare(&before.track, "conformance", 1, &before.environment).err().unwrap();
    let error = chain(&error);
    assert!(error.contains("20 bytes") && error.contains("--extension-data-bytes"), "{error}");
    let written: usize = prepared(before.folder.path()).iter().map(|(_, text)| text.len()).sum();
    assert!(written <= 20, "{written} bytes");
}

#[test]
fn a_validator_accepts_or_refuses_the_parameters_of_its_challenge() {
    let before = before(0, false);
    let validate =
        |challenge: &str, params: &str| before.extensions.validate(challenge, params, &before.environment);
    validate("conformance", "{\"fine\": 1}").unwrap();
    validate("another", "{\"forbidden\": 1}").unwrap();
    let error = chain(&validate("conformance", "{\"forbidden\": 1}").err().unwrap());
    for part in ["conformance 0.1.0", "validate", "track parameter 'forbidden' is forbidden"] {
        assert!(error.contains(part), "no {part} in {error}");
    }
}
