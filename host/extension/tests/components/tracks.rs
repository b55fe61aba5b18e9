//! What guests see of the track, in both dialects.

use std::fs;

use rally_extension::{Folder, HostEnvironment, Limits};
use serde_json::{Value, json};

use crate::course::{Course, guest, host};
use crate::recorder::Recorder;

/// What a guest that counts the documents of this track sends to the target.
fn counted(track: Value) -> Value {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().join("places");
    fs::create_dir(&folder).unwrap();
    fs::copy(guest("conformance"), folder.join("conformance.wasm")).unwrap();
    fs::write(folder.join("mapping.json"), "{\"place\": {}}").unwrap();
    fs::write(folder.join("track.json"), track.to_string()).unwrap();
    let around = HostEnvironment::before_race("places", Folder::open(&folder).unwrap());
    let course = Course::at(&folder, around, &host(Limits::default()), 1, Recorder::start());
    let outcome = course.client("count", 0).run().unwrap();
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    let seen = course.recorder.take();
    let searches: Vec<_> = seen.iter().filter(|seen| seen.target.contains("_search")).collect();
    assert_eq!(searches.len(), 1);
    serde_json::from_slice(&searches[0].body).unwrap()
}

#[test]
fn a_guest_counts_the_documents_of_a_track_of_2017() {
    let sent = counted(json!({
        "short-description": "places",
        "description": "places",
        "data-url": "http://data.example",
        "indices": [{"name": "places", "types": [
            {"name": "place", "mapping": "mapping.json", "documents": "p.json.bz2", "document-count": 7},
            {"name": "other", "mapping": "mapping.json"},
        ]}],
        "operations": [{"name": "count", "operation-type": "search", "index": "places", "param-source": "track"}],
        "challenges": [{"name": "only", "description": "only", "schedule": [{"operation": "count"}]}],
    }));
    assert_eq!(
        sent,
        json!({
            "indices": {"places": {"documents": 7, "types": {"place": 7, "other": 0}}},
            "corpora": {"places": {"p.json.bz2": 7}},
        })
    );
}

#[test]
fn a_guest_counts_the_documents_of_a_track_of_today() {
    let sent = counted(json!({
        "version": 2,
        "description": "places",
        "indices": [{"name": "places"}, {"name": "people", "types": ["person"]}],
        "corpora": [
            {"name": "near", "documents": [
                {"source-file": "a.json", "document-count": 3, "target-index": "places"},
                {"source-file": "b.json", "document-count": 4, "target-index": "places"},
            ]},
            {"name": "far", "documents": [{
                "source-file": "c.json", "document-count": 5, "target-index": "people", "target-type": "person",
            }]},
        ],
        "schedule": [{"operation": {
            "name": "count", "operation-type": "search", "index": "places", "param-source": "track",
        }}],
    }));
    assert_eq!(
        sent,
        json!({
            "indices": {
                "places": {"documents": 7, "types": {}},
                "people": {"documents": 5, "types": {"person": 5}},
            },
            "corpora": {"near": {"a.json": 3, "b.json": 4}, "far": {"c.json": 5}},
        })
    );
}
