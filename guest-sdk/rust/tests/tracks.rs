//! What the SDK reads of a track, from the very texts that hosts are held to.

#![allow(clippy::unwrap_used)] // tests fail by panicking

use rally_sdk::{Context, Track};

fn read(view: &str) -> Track {
    let view = rally_sdk::serde_json::from_str(view).unwrap();
    Context::for_test().track(view).build().track().clone()
}

fn track_2017() -> Track {
    read(include_str!("track-view/2017.json"))
}

fn track_of_today() -> Track {
    read(include_str!("track-view/current.json"))
}

#[test]
fn types_of_2017_know_how_many_documents_they_have() {
    let track = track_2017();
    let index = track.index("places").unwrap();
    let types: Vec<_> = index.types().map(|each| (each.name(), each.document_count())).collect();
    assert_eq!(types, [("place", 1000), ("empty", 0)]);
    assert_eq!(index.types().next().unwrap().mapping().unwrap()["place"]["dynamic"], "strict");
    assert_eq!(index.document_count(), 1000);
    assert!(track.index("other").is_none());
}

#[test]
fn types_of_today_have_the_documents_of_all_their_files() {
    let track = track_of_today();
    let places = track.index("places").unwrap();
    let types: Vec<_> = places.types().map(|each| (each.name(), each.document_count())).collect();
    assert_eq!(types, [("place", 1000)]);
    assert_eq!(places.document_count(), 1000);
    assert_eq!(track.index("people").unwrap().document_count(), 50);
}

#[test]
fn corpora_are_read_file_by_file() {
    for (track, name, expected) in [
        (track_2017(), "places", vec![("documents.json.bz2", 1000, Some("places"), Some("place"))]),
        (
            track_of_today(),
            "world",
            vec![
                ("places-1.json.bz2", 700, Some("places"), Some("place")),
                ("places-2.json", 300, Some("places"), Some("place")),
                ("people.json", 50, Some("people"), None),
            ],
        ),
    ] {
        let corpora: Vec<_> = track.corpora().collect();
        assert_eq!(corpora.iter().map(|corpus| corpus.name()).collect::<Vec<_>>(), [name]);
        let files: Vec<_> = corpora[0]
            .documents()
            .map(|file| (file.file_name(), file.document_count(), file.target_index(), file.target_type()))
            .collect();
        assert_eq!(files, expected);
        assert!(corpora[0].documents().all(|file| !file.has_action_lines()));
        assert!(corpora[0].documents().all(|file| file.target_data_stream().is_none()));
    }
}

#[test]
fn challenges_are_read_with_their_schedules() {
    let track = track_2017();
    let challenge = track.challenges().next().unwrap();
    assert_eq!(challenge.name(), "append");
    let schedule = challenge.schedule().unwrap().as_array().unwrap();
    assert_eq!(schedule[0]["task"]["operation"]["params"]["bulk-size"], 100);
}
