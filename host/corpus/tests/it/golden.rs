//! The cases that Rally 0.7.2 answered itself: which files are downloaded and unpacked, and what is there afterwards.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use crate::support::server::{Server, answer};
use crate::support::{Witness, files, hasty};
use rally_corpus::{DataSet, DownloadError, Phase, PrepareError, PrepareOptions, prepare};
use serde_json::{Value, json};

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for character in text.bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

fn cases() -> Vec<Value> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/data_files.json"))
        .unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone()
}

/// The host of the cases does not exist; its files are on a server of this test.
const HOST: &str = "http://data.example.org";

/// The data set of a type of a 2017 track; in test mode its small sibling, as Rally names it.
fn data_set(input: &Value, kind: &Value, server: &str) -> Option<DataSet> {
    let test_mode = input["test_mode"] == json!(true);
    let documents = kind["documents"].as_str()?;
    let small = documents.replace(".json", "-1k.json");
    let mut data_set = DataSet::from_documents(if test_mode { &small } else { documents }).unwrap();
    data_set.base_url = input["track"]["data-url"].as_str().map(|url| url.replace(HOST, server));
    data_set.document_count = if test_mode { Some(1000) } else { kind["document-count"].as_u64() };
    if !test_mode {
        data_set.compressed_bytes = kind["compressed-bytes"].as_u64();
        data_set.uncompressed_bytes = kind["uncompressed-bytes"].as_u64();
    }
    Some(data_set)
}

fn run(case: &Value) {
    let id = case["id"].as_str().unwrap();
    let input = &case["input"];
    let remote: Vec<(String, Vec<u8>)> = input["remote"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(url, content)| (url.strip_prefix(HOST).unwrap().to_owned(), base64(content.as_str().unwrap())))
        .collect();
    let remote = Arc::new(remote);
    let server =
        Server::start(move |request, stream| match remote.iter().find(|(path, _)| *path == request.path) {
            Some((_, content)) => answer(stream, "200 OK", &[], content),
            None => answer(stream, "404 Not Found", &[("content-type", "text/html")], b"<html>no</html>"),
        });

    let data = tempfile::tempdir().unwrap();
    let cache = data.path().join("places");
    for (path, content) in input["local"].as_object().into_iter().flatten() {
        let path = data.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, base64(content.as_str().unwrap())).unwrap();
    }

    let options = PrepareOptions {
        offline: input["offline"] == json!(true),
        test_mode: input["test_mode"] == json!(true),
        ..hasty()
    };
    let witness = Witness::default();
    let kinds = input["track"]["indices"][0]["types"].as_array().unwrap();
    let results: Vec<_> = kinds
        .iter()
        .filter_map(|kind| data_set(input, kind, &server.url()))
        .map(|data_set| prepare(&data_set, &[], &cache, &options, &witness))
        .collect();

    let expected = &case["expected"];
    match expected["message"].as_str() {
        None => assert!(results.iter().all(Result::is_ok), "{id}: {results:?}"),
        Some(message) => {
            let error = results.into_iter().find_map(Result::err).unwrap_or_else(|| panic!("{id}: no error"));
            assert_same_error(id, &error, message);
        }
    }

    let mut events: Vec<Value> = server
        .requests()
        .iter()
        .map(|request| json!(["download", format!("{HOST}{}", request.path)]))
        .collect();
    if witness.phases().contains(&Phase::Decompressing) {
        events.push(json!(["decompress", "<data>/places/documents.json.bz2"]));
    }
    let mut wanted = expected["events"].as_array().unwrap().clone();
    wanted.iter_mut().for_each(|event| event.as_array_mut().unwrap().truncate(2));
    assert_eq!(events, wanted, "{id}: events");
    assert_eq!(json!(files(data.path())), expected["files"], "{id}: files");
}

/// Compares the kind of the error and its figures; the words are rally's own.
fn assert_same_error(id: &str, error: &PrepareError, message: &str) {
    let numbers =
        |text: &str| -> Vec<u64> { text.split(['[', ']']).filter_map(|part| part.parse().ok()).collect() };
    let (kind, figures) = match error {
        PrepareError::WrongArchiveSize { expected, actual, .. } => ("is corrupt", vec![*actual, *expected]),
        PrepareError::WrongDocumentCount { expected, actual, .. } => {
            ("are invalid", vec![*expected, *actual])
        }
        PrepareError::TestModeNotSupported { .. } => ("does not support test mode", vec![]),
        PrepareError::Download { source, .. }
            if matches!(**source, DownloadError::Status { status: 404 }) =>
        {
            ("Cannot download from", vec![])
        }
        error => panic!("{id}: {error}"),
    };
    assert!(message.contains(kind), "{id}: {error}");
    assert_eq!(figures, numbers(message), "{id}: {error}");
}

#[test]
fn all_cases_are_there() {
    assert_eq!(cases().len(), 10);
}

#[test]
fn data_files_are_prepared_as_by_rally() {
    cases().iter().for_each(run);
}
