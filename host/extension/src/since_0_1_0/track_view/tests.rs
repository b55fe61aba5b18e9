use std::fs;
use std::path::PathBuf;

use rally_track::{LoadOptions, TrackSource};
use serde_json::json;

use super::*;

/// A track of a dialect, read from files.
fn track(files: &[(&str, Value)]) -> Track {
    let folder = tempfile::tempdir().unwrap();
    let track = folder.path().join("places");
    fs::create_dir(&track).unwrap();
    for (name, content) in files {
        fs::write(track.join(name), content.to_string()).unwrap();
    }
    rally_track::load(&TrackSource::from_path(&track).unwrap(), &LoadOptions::default()).unwrap()
}

fn track_2017() -> Track {
    track(&[
        ("mapping.json", json!({"place": {"dynamic": "strict"}})),
        ("template.json", json!({"template": "logs-*"})),
        (
            "track.json",
            json!({
                "short-description": "places",
                "description": "places of the world",
                "data-url": "http://data.example/places",
                "meta": {"mine": 1},
                "indices": [
                    {"name": "places", "types": [
                        {
                            "name": "place",
                            "mapping": "mapping.json",
                            "documents": "documents.json.bz2",
                            "document-count": 1000,
                            "compressed-bytes": 200,
                            "uncompressed-bytes": 3000,
                        },
                        {"name": "empty", "mapping": "mapping.json"},
                    ]},
                ],
                "templates": [{"name": "logs", "index-pattern": "logs-*", "template": "template.json"}],
                "operations": [
                    {"name": "append", "operation-type": "index", "bulk-size": 100},
                    {"name": "stats", "operation-type": "index-stats"},
                ],
                "challenges": [{
                    "name": "append",
                    "description": "all",
                    "index-settings": {"index.number_of_shards": 2},
                    "schedule": [
                        {"operation": "append", "clients": 8, "warmup-time-period": 10},
                        {"operation": "stats", "iterations": 4, "target-throughput": 2},
                    ],
                }],
            }),
        ),
    ])
}

fn track_of_today() -> Track {
    track(&[
        ("index.json", json!({"settings": {"number_of_shards": 1}})),
        (
            "track.json",
            json!({
                "version": 2,
                "description": "places of the world",
                "indices": [
                    {"name": "places", "body": "index.json", "types": ["place"]},
                    {"name": "people"},
                ],
                "corpora": [{
                    "name": "world",
                    "base-url": "http://data.example",
                    "meta": {"year": 2026},
                    "documents": [
                        {
                            "source-file": "places-1.json.bz2",
                            "document-count": 700,
                            "compressed-bytes": 70,
                            "uncompressed-bytes": 900,
                            "target-index": "places",
                            "target-type": "place",
                        },
                        {
                            "source-file": "places-2.json",
                            "document-count": 300,
                            "target-index": "places",
                            "target-type": "place",
                        },
                        {"source-file": "people.json", "document-count": 50, "target-index": "people"},
                    ],
                }],
                "schedule": [
                    {"operation": {"name": "bulk", "operation-type": "bulk", "bulk-size": 10}, "tags": ["load"]},
                    {"parallel": {"completed-by": "search", "tasks": [
                        {"name": "search", "operation": {"operation-type": "search", "body": {}}, "target-interval": 4},
                        {"name": "more", "operation": {"operation-type": "bulk", "bulk-size": 5}, "target-throughput": "5 docs/s"},
                    ]}},
                ],
            }),
        ),
    ])
}

/// Holds a view to the file beside the SDK; `RALLY_RECORD_TRACK_VIEW=1` writes the file.
#[track_caller]
fn is_golden(track: &Track, name: &str) {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../guest-sdk/rust/tests/track-view");
    let path = golden.join(name);
    let shown: Value = serde_json::from_str(&show(track)).unwrap();
    let text = format!("{shown:#}\n");
    if std::env::var_os("RALLY_RECORD_TRACK_VIEW").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(text, fs::read_to_string(&path).unwrap(), "{}", path.display());
}

/// A track as the model has it, all of it.
fn model(track: &Track) -> Value {
    serde_json::to_value(track).unwrap()
}

/// What a track becomes when a processor changes its view.
fn changed(track: &Track, change: impl FnOnce(&mut Value)) -> Result<Track, TrackChangeError> {
    let mut view = view_of(track);
    change(&mut view);
    restore(&view.to_string(), track)
}

#[test]
fn a_track_of_2017_is_shown_as_0_1_0_promised() {
    is_golden(&track_2017(), "2017.json");
}

#[test]
fn a_track_of_today_is_shown_with_its_corpora() {
    is_golden(&track_of_today(), "current.json");
}

#[test]
fn a_track_that_is_handed_back_is_the_same() {
    for mut track in [track_2017(), track_of_today()] {
        track.dependencies = vec!["elasticsearch".to_owned()];
        track.challenges[0].serverless_info = vec!["no statistics".to_owned()];
        assert_eq!(model(&restore(&show(&track), &track).unwrap()), model(&track));
    }
}

#[test]
fn what_a_guest_leaves_out_stays() {
    let track = track_of_today();
    let same = changed(&track, |view| {
        let all = view.as_object_mut().unwrap();
        // What a guest that knows only the first fields of 0.1.0 hands back.
        for late in ["data_streams", "composable_templates", "component_templates", "corpora"] {
            all.remove(late).unwrap();
        }
        all.remove("root").unwrap();
        view["indices"][0].as_object_mut().unwrap().remove("body").unwrap();
        let challenge = view["challenges"][0].as_object_mut().unwrap();
        challenge.remove("parameters").unwrap();
        challenge["schedule"][0]["task"].as_object_mut().unwrap().remove("tags").unwrap();
        let parallel = challenge["schedule"][1]["parallel"].as_object_mut().unwrap();
        parallel.remove("completed_by").unwrap();
        parallel["tasks"][1].as_object_mut().unwrap().remove("target").unwrap();
    });
    assert_eq!(model(&same.unwrap()), model(&track));
}

#[test]
fn parts_that_are_taken_away_are_gone_and_the_others_keep_what_is_hidden() {
    let mut track = track_2017();
    track.challenges[0].serverless_info = vec!["no statistics".to_owned()];
    let less = changed(&track, |view| {
        view["challenges"][0]["schedule"].as_array_mut().unwrap().remove(0);
        view["templates"] = json!([]);
        view["meta"] = json!({});
    })
    .unwrap();
    assert_eq!(less.challenges[0].schedule.len(), 1);
    assert_eq!(less.challenges[0].schedule[0].tasks()[0].name, "stats");
    assert_eq!(less.challenges[0].serverless_info, ["no statistics"]);
    assert!(less.templates.is_empty() && less.meta.is_empty());
}

#[test]
fn the_documents_of_a_type_can_be_changed_where_0_1_0_has_them() {
    let track = track_2017();
    let fewer = changed(&track, |view| {
        view["indices"][0]["types"][0]["documents"]["document_count"] = 10.into();
    });
    let fewer = fewer.unwrap();
    assert_eq!(fewer.corpora[0].documents[0].document_count, 10);
    assert_eq!(fewer.corpora[0].documents[0].target_type.as_deref(), Some("place"));
    assert_eq!(view_of(&fewer)["indices"][0]["types"][0]["documents"]["document_count"], 10);

    let more = changed(&track, |view| {
        let mut documents = view["indices"][0]["types"][0]["documents"].clone();
        documents["file_name"] = "more.json".into();
        view["indices"][0]["types"][1]["documents"] = documents;
    });
    let files: Vec<String> =
        more.unwrap().corpora[0].documents.iter().map(|file| file.file_name.clone()).collect();
    assert_eq!(files, ["documents.json.bz2", "more.json"]);

    let none = changed(&track, |view| view["indices"][0]["types"][0]["documents"] = Value::Null).unwrap();
    assert!(none.corpora.is_empty());
}

#[test]
fn the_corpora_can_be_changed_and_the_types_follow() {
    let changed = changed(&track_of_today(), |view| {
        view["corpora"][0]["documents"][0]["document_count"] = 1.into();
    });
    let changed = changed.unwrap();
    assert_eq!(changed.corpora[0].documents[0].document_count, 1);
    assert_eq!(view_of(&changed)["indices"][0]["types"][0]["documents"]["document_count"], 301);
}

#[test]
fn two_places_that_disagree_are_an_error() {
    let error = changed(&track_2017(), |view| {
        view["indices"][0]["types"][0]["documents"]["document_count"] = 10.into();
        view["corpora"][0]["documents"][0]["document_count"] = 20.into();
    });
    assert!(matches!(error, Err(TrackChangeError::Disagree { .. })));
    let error = changed(&track_of_today(), |view| {
        view["indices"][0]["types"][0]["documents"]["document_count"] = 10.into();
    });
    assert!(matches!(error, Err(TrackChangeError::SeveralFiles { .. })));
    let error = changed(&track_2017(), |view| {
        view["indices"][0]["types"][1]["documents"] =
            json!({"document_count": 10, "includes_action_and_meta_data": false});
    });
    assert!(matches!(error, Err(TrackChangeError::NoFile { .. })));
}

#[test]
fn name_dialect_and_root_are_fixed() {
    for property in ["name", "dialect", "root"] {
        let error = changed(&track_2017(), |view| view[property] = "other".into());
        assert!(matches!(error, Err(TrackChangeError::Fixed(name)) if name == property), "{property}");
    }
}

#[test]
fn what_is_no_track_is_refused() {
    let track = track_2017();
    for text in ["", "[]", "7", "{}", "{\"indices\": 7}", "{\"name\": \"places\", \"challenges\": [7]}"] {
        assert!(matches!(restore(text, &track), Err(TrackChangeError::Shape(_))), "{text}");
    }
}
