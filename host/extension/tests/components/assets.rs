//! Files of the track: there by name, read only, and nothing beside them.

use std::fs;
use std::io::Write;

use serde_json::{Value, json};

use crate::course::{Builder, Course};

fn files(params: Value) -> (Builder, Value) {
    let mut operation = params;
    operation["operation-type"] = "search".into();
    operation["param-source"] = "files".into();
    (Builder::with_guest("conformance"), operation)
}

fn found(course: &Course) -> Value {
    serde_json::from_slice(&course.requests("files", 0, 1)[0].body).unwrap()
}

fn packed(name: &str, content: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    } else {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }
}

#[test]
fn a_file_is_read_whole_and_in_part_and_told_its_size() {
    let (builder, operation) = files(json!({"file": "lists/words.txt"}));
    let course = builder.file("lists/words.txt", b"one\ntwo\n").task("files", operation, json!({})).build();
    assert_eq!(found(&course), json!({"is_file": true, "size": 8, "text": "one\ntwo\n", "middle": "ne\n"}));
}

#[test]
fn packed_files_are_read_unpacked() {
    for name in ["words.gz", "words.bz2"] {
        let (builder, operation) = files(json!({"packed": name}));
        let content = packed(name, b"one two three");
        let course = builder.file(name, &content).task("files", operation, json!({})).build();
        assert_eq!(found(&course), json!({"unpacked": "one two three"}), "{name}");
    }
}

#[test]
fn a_packed_file_that_was_cut_off_is_an_error() {
    for name in ["words.gz", "words.bz2"] {
        let (builder, operation) = files(json!({"packed": name}));
        let content = packed(name, "many words ".repeat(5000).as_bytes());
        let course =
            builder.file(name, &content[..content.len() / 2]).task("files", operation, json!({})).build();
        let error = course.runtime.block_on(course.client("files", 0).source.next()).err().unwrap();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn the_entries_of_a_folder_are_sorted() {
    let (builder, operation) = files(json!({"folder": "lists"}));
    let course = builder
        .file("lists/c", b"")
        .file("lists/a", b"")
        .file("lists/b/inner", b"")
        .task("files", operation, json!({}))
        .build();
    assert_eq!(found(&course), json!({"entries": ["a", "b", "c"]}));
}

#[test]
fn the_empty_name_is_the_track_folder() {
    let (builder, operation) = files(json!({"folder": ""}));
    let course = builder.task("files", operation, json!({})).build();
    assert_eq!(found(&course), json!({"entries": ["conformance.wasm", "mapping.json", "track.json"]}));
}

#[test]
fn nothing_beside_the_track_folder_can_be_reached() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let secret = outside.path().join("secret");
    let names = [
        "../data/secret",
        "../places/../data/secret",
        "lists/../../places/track.json",
        "/etc/hostname",
        secret.to_str().unwrap(),
        "link",
        "folder-link/secret",
        "relative-link",
        "./../places/track.json",
        "a\u{0}b",
    ];
    for name in names {
        let (builder, operation) = files(json!({"missing": name}));
        let course = builder
            .file("lists/words.txt", b"one\n")
            .link("link", &secret)
            .link("folder-link", outside.path())
            .link("relative-link", std::path::Path::new("../data/secret"))
            .data(0)
            .task("files", operation, json!({}))
            .build();
        fs::write(course.environment.data.as_ref().unwrap().path.join("secret"), "secret").unwrap();
        let error = found(&course)["error"].clone();
        let refused = ["ErrorClass::Denied", "ErrorClass::NotFound"].map(Value::from);
        assert!(refused.contains(&error), "{name}: {error}");
    }
}

#[test]
fn a_link_within_the_track_folder_can_be_followed_but_one_out_of_it_is_no_entry() {
    let outside = tempfile::tempdir().unwrap();
    let (builder, operation) = files(json!({"file": "same.txt", "folder": "lists"}));
    let course = builder
        .file("lists/words.txt", b"one\ntwo\n")
        .link("same.txt", std::path::Path::new("lists/words.txt"))
        .link("lists/out", outside.path())
        .task("files", operation, json!({}))
        .build();
    let found = found(&course);
    assert_eq!((&found["text"], &found["entries"]), (&json!("one\ntwo\n"), &json!(["words.txt"])));
}

#[test]
fn a_missing_file_is_not_found() {
    let (builder, operation) = files(json!({"missing": "nowhere.txt"}));
    let course = builder.task("files", operation, json!({})).build();
    assert_eq!(found(&course), json!({"error": "ErrorClass::NotFound"}));
}

#[test]
fn files_of_the_data_folder_can_be_read() {
    let (builder, operation) = files(json!({"data-file": "made/words.txt"}));
    let course = builder.data(0).task("files", operation, json!({})).build();
    let folder = course.environment.data.as_ref().unwrap().path.clone();
    fs::create_dir(folder.join("made")).unwrap();
    fs::write(folder.join("made/words.txt"), "from before").unwrap();
    assert_eq!(found(&course), json!({"data": "from before", "data_size": 11}));
}

#[test]
fn without_a_data_folder_nothing_is_found_in_it() {
    let (builder, operation) = files(json!({"data-file": "made/words.txt"}));
    let course = builder.task("files", operation, json!({})).build();
    let error = course.runtime.block_on(course.client("files", 0).source.next()).err().unwrap();
    assert!(error.contains("no data folder"), "{error}");
}
