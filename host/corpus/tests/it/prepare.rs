//! Where data are looked for, what is trusted, and what happens when several processes want the same.

use std::fs::{self, File};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use crate::support::server::{Server, serve_file};
use crate::support::{Witness, bzip2, cache_with, data_set, documents, files, gzip, hasty, names};
use rally_corpus::{DataSet, NoProgress, Phase, PrepareError, PrepareOptions, prepare};

const NAME: &str = "documents.json.bz2";

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_archive_beside_the_track_is_unpacked_into_the_cache() {
    let track = cache_with(NAME, &bzip2(&documents(20)));
    let cache = empty();
    let folder = cache.path().join("not/yet/there");
    let prepared =
        prepare(&data_set(NAME), &[track.path().to_owned()], &folder, &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.path, folder.join("documents.json"));
    assert_eq!(names(track.path()), [NAME]);
    assert!(folder.join("documents.json.offset").exists());
}

#[test]
fn the_second_time_nothing_is_unpacked() {
    let track = cache_with(NAME, &bzip2(&documents(20)));
    let cache = empty();
    let dirs = [track.path().to_owned()];
    let first = prepare(&data_set(NAME), &dirs, cache.path(), &hasty(), &NoProgress).unwrap();
    let witness = Witness::default();
    let second = prepare(&data_set(NAME), &dirs, cache.path(), &hasty(), &witness).unwrap();
    assert_eq!(witness.phases(), [Phase::IndexingLines]);
    assert_eq!(first.offsets, second.offsets);
}

#[test]
fn a_new_archive_is_unpacked_again() {
    let track = cache_with(NAME, &bzip2(&documents(20)));
    let cache = empty();
    let dirs = [track.path().to_owned()];
    prepare(&data_set(NAME), &dirs, cache.path(), &hasty(), &NoProgress).unwrap();
    let archive = track.path().join(NAME);
    fs::write(&archive, bzip2(&documents(30))).unwrap();
    // Older than what was unpacked, but another one.
    File::options().write(true).open(&archive).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let prepared = prepare(&data_set(NAME), &dirs, cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.document_count, 30);
}

#[test]
fn documents_of_another_track_of_the_same_name_are_not_taken() {
    let cache = cache_with("documents.json", &documents(5));
    let track = cache_with(NAME, &bzip2(&documents(20)));
    // The clock of the file system is coarse: both could bear the same time.
    let other = cache.path().join("documents.json");
    File::options().write(true).open(&other).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let prepared =
        prepare(&data_set(NAME), &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.document_count, 20);
}

#[test]
fn documents_that_the_user_unpacked_are_used_where_they_are() {
    let track = cache_with(NAME, &bzip2(&documents(20)));
    fs::write(track.path().join("documents.json"), documents(20)).unwrap();
    let cache = empty();
    let folder = cache.path().join("places");
    let prepared =
        prepare(&data_set(NAME), &[track.path().to_owned()], &folder, &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.path, track.path().join("documents.json"));
    assert_eq!(names(track.path()), ["documents.json", NAME]);
    let kept = files(&folder);
    assert!(kept.iter().all(|(name, _)| name.starts_with("source-")), "{kept:?}");
}

#[test]
fn documents_are_enough_without_their_archive() {
    let cache = cache_with("documents.json", &documents(20));
    let mut data_set = data_set(NAME);
    data_set.base_url = Some("http://127.0.0.1:9".into());
    data_set.uncompressed_bytes = Some(documents(20).len() as u64);
    assert_eq!(prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap().document_count, 20);
}

#[test]
fn a_cache_that_cannot_be_written_does_not_matter_if_all_is_there() {
    let track = cache_with("documents.json", &documents(20));
    let blocked = cache_with("file", b"");
    let folder = blocked.path().join("file").join("below a file");
    let prepared =
        prepare(&data_set(NAME), &[track.path().to_owned()], &folder, &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.line_count, 20);
}

#[test]
fn data_below_a_folder_of_the_track_are_found() {
    let track = empty();
    fs::create_dir(track.path().join("data")).unwrap();
    fs::write(track.path().join("data").join(NAME), bzip2(&documents(3))).unwrap();
    let cache = empty();
    let prepared = prepare(
        &data_set("data/documents.json.bz2"),
        &[track.path().to_owned()],
        cache.path(),
        &hasty(),
        &NoProgress,
    )
    .unwrap();
    assert_eq!(prepared.path, cache.path().join("data/documents.json"));
}

#[test]
fn offline_the_places_that_were_searched_are_named() {
    let (track, cache) = (empty(), empty());
    let mut data_set = data_set(NAME);
    data_set.base_url = Some("http://127.0.0.1:9".into());
    let options = PrepareOptions { offline: true, ..hasty() };
    let error =
        prepare(&data_set, &[track.path().to_owned()], cache.path(), &options, &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::NotFound { offline: true, .. }));
    let message = error.to_string();
    assert!(message.starts_with("cannot find documents.json.bz2 or documents.json."), "{message}");
    for place in [track.path(), cache.path()] {
        assert!(message.contains(&format!("looked in {}", place.display())), "{message}");
    }
    assert!(message.ends_with("Disable offline mode and retry, or put the file there."), "{message}");
}

#[test]
fn without_data_url_the_message_says_so() {
    let cache = empty();
    let error = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::NotFound { offline: false, .. }));
    assert!(error.to_string().contains("no base-url (in tracks of 2017 data-url)"), "{error}");
    assert!(names(cache.path()).is_empty());
}

#[test]
fn without_data_url_a_wrong_compressed_size_is_a_warning_if_the_content_is_proven() {
    let archive = bzip2(&documents(20));
    let cache = cache_with(NAME, &archive);
    let declared = DataSet {
        compressed_bytes: Some(archive.len() as u64 + 1),
        uncompressed_bytes: Some(documents(20).len() as u64),
        ..data_set(NAME)
    };
    let prepared = prepare(&declared, &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert!(prepared.warnings.iter().any(|warning| warning.contains("compressed-bytes")));
}

#[test]
fn without_data_url_a_wrong_compressed_size_is_an_error_if_nothing_else_is_declared() {
    let archive = bzip2(&documents(20));
    let cache = cache_with(NAME, &archive);
    let declared = DataSet { compressed_bytes: Some(archive.len() as u64 + 1), ..data_set(NAME) };
    let error = prepare(&declared, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::WrongArchiveSize { .. }), "{error}");
}

#[test]
fn documents_of_the_wrong_size_are_an_error_if_they_are_all_there_is() {
    let cache = cache_with("documents.json", &documents(20));
    let declared = DataSet { uncompressed_bytes: Some(7), ..data_set("documents.json") };
    let error = prepare(&declared, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::WrongDocumentSize { expected: 7, .. }), "{error}");
}

#[test]
fn an_archive_of_the_wrong_size_is_passed_over_for_the_right_one() {
    let archive = bzip2(&documents(20));
    let track = cache_with(NAME, b"not it");
    let cache = cache_with(NAME, &archive);
    let declared = DataSet {
        compressed_bytes: Some(archive.len() as u64),
        base_url: Some("http://127.0.0.1:9".into()),
        ..data_set(NAME)
    };
    let prepared =
        prepare(&declared, &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.document_count, 20);
    assert_eq!(fs::read(track.path().join(NAME)).unwrap(), b"not it");
}

#[test]
fn the_number_of_documents_is_verified_in_pairs_of_lines() {
    let content = "{\"index\":{}}\n{}\n".repeat(6);
    let options = PrepareOptions { lines_per_document: 2, ..hasty() };
    for (count, fits) in [(Some(6), true), (None, true), (Some(12), false)] {
        let cache = cache_with(NAME, &bzip2(content.as_bytes()));
        let declared = DataSet { document_count: count, ..data_set(NAME) };
        match prepare(&declared, &[], cache.path(), &options, &NoProgress) {
            Ok(prepared) => assert!(fits && prepared.document_count == 6 && prepared.line_count == 12),
            Err(PrepareError::WrongDocumentCount { expected: 24, actual: 12, .. }) => assert!(!fits),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn half_a_pair_of_lines_is_an_error() {
    let cache = cache_with("documents.json", b"{}\n{}\n{}\n");
    let options = PrepareOptions { lines_per_document: 2, ..hasty() };
    let error = prepare(&data_set("documents.json"), &[], cache.path(), &options, &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::IncompleteDocument { lines: 3, .. }), "{error}");
}

#[test]
fn a_last_line_without_newline_is_a_document() {
    let cache = cache_with("documents.json.gz", &gzip(b"{}\n{}"));
    let declared = DataSet { document_count: Some(2), ..data_set("documents.json.gz") };
    let prepared = prepare(&declared, &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.byte_range(1, 1).unwrap(), 3..5);
}

#[test]
fn documents_in_test_mode_without_a_small_data_set_say_so() {
    let options = PrepareOptions { test_mode: true, ..hasty() };
    let error =
        prepare(&data_set("documents-1k.json.bz2"), &[], empty().path(), &options, &NoProgress).unwrap_err();
    assert!(error.to_string().contains("does not support test mode"), "{error}");
}

#[test]
fn a_wrong_offset_file_is_replaced() {
    let cache = cache_with("documents.json", &documents(60_000));
    let offset_file = cache.path().join("documents.json.offset");
    fs::write(&offset_file, "50000;17\n").unwrap();
    let prepared = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.line_count, 60_000);
    let text = fs::read_to_string(&offset_file).unwrap();
    assert_eq!(text, format!("50000;{}\n", documents(50_000).len()));
}

#[test]
fn several_preparations_at_once_download_once_and_all_succeed() {
    let body = Arc::new(gzip(&documents(60_000)));
    let server = Server::start(move |request, stream| {
        thread::sleep(Duration::from_millis(100));
        serve_file(request, stream, &body, "\"v1\"", usize::MAX);
    });
    let cache = empty();
    let mut data_set = data_set("documents.json.gz");
    data_set.base_url = Some(server.url());
    let waited: Vec<bool> = thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let witness = Witness::default();
                    let prepared = prepare(&data_set, &[], cache.path(), &hasty(), &witness).unwrap();
                    assert_eq!(prepared.document_count, 60_000);
                    witness.phases().contains(&Phase::Waiting)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(server.requests().len(), 1);
    assert!(waited.iter().filter(|waited| !**waited).count() >= 1);
    assert_eq!(names(cache.path()), ["documents.json", "documents.json.gz"]);
}

#[test]
fn blank_and_invisible_characters_of_a_file_name_are_named_by_code_point() {
    let cache = empty();
    for (name, character) in [
        (" documents.json.bz2", "U+0020"),
        ("documents.json ", "U+0020"),
        ("documents.json.bz2\u{a0}", "U+00A0"),
        ("\u{feff}documents.json", "U+FEFF"),
        ("docu\u{200b}ments.json.gz", "U+200B"),
    ] {
        let error =
            prepare(&data_set(name), &[], cache.path(), &hasty(), &NoProgress).unwrap_err().to_string();
        assert!(error.contains(character), "{name:?}: {error}");
        assert!(error.contains("blank or invisible characters"), "{error}");
    }
    let error =
        prepare(&data_set("my documents.json"), &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(!error.to_string().contains("invisible"), "{error}");
}

#[test]
fn a_wrong_declared_size_is_not_called_damage() {
    let track = cache_with(NAME, &bzip2(&documents(20)));
    let declared = DataSet { uncompressed_bytes: Some(1_000_000), ..data_set(NAME) };
    let cache = empty();
    let error = prepare(&declared, &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress);
    let error = error.unwrap_err().to_string();
    assert!(error.contains(&documents(20).len().to_string()) && error.contains("1000000"), "{error}");
    assert!(!error.contains("corrupt"), "{error}");
}
