//! One corpus name, several sources: each race gets its own documents.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rally_corpus::{DataSet, NoProgress, Phase, PrepareError, PrepareOptions, prepare};

use crate::support::server::{Server, serve_file};
use crate::support::{Witness, bzip2, cache_with, data_set, documents, gzip, hasty};

const NAME: &str = "documents.json.bz2";

/// Documents of the same number and size, with other content.
fn others(count: usize) -> Vec<u8> {
    documents(count).to_ascii_uppercase()
}

/// A track's folder with this file, of the same time as all others here.
fn track(name: &str, content: &[u8]) -> tempfile::TempDir {
    let folder = cache_with(name, content);
    settle(&folder.path().join(name));
    folder
}

fn settle(path: &Path) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

fn content(data_set: &DataSet, track: &Path, cache: &Path) -> Vec<u8> {
    let prepared = prepare(data_set, &[track.to_owned()], cache, &hasty(), &NoProgress).unwrap();
    fs::read(prepared.path).unwrap()
}

fn server(content: Vec<u8>) -> Server {
    let content = Arc::new(content);
    Server::start(move |request, stream| serve_file(request, stream, &content, "\"v1\"", usize::MAX))
}

fn at(server: &Server) -> DataSet {
    DataSet { base_url: Some(server.url()), ..data_set(NAME) }
}

#[test]
fn two_tracks_with_archives_of_one_name_and_time_are_kept_apart_both_ways() {
    for declared in [None, Some(documents(20).len() as u64)] {
        let cache = tempfile::tempdir().unwrap();
        let (one, two) = (track(NAME, &bzip2(&documents(20))), track(NAME, &bzip2(&others(20))));
        let data_set = DataSet { uncompressed_bytes: declared, ..data_set(NAME) };
        for _ in 0..2 {
            assert_eq!(content(&data_set, one.path(), cache.path()), documents(20));
            assert_eq!(content(&data_set, two.path(), cache.path()), others(20));
        }
    }
}

#[test]
fn both_tracks_find_their_documents_again_without_unpacking() {
    let cache = tempfile::tempdir().unwrap();
    let (one, two) = (track(NAME, &bzip2(&documents(20))), track(NAME, &bzip2(&documents(30))));
    for folder in [one.path(), two.path()] {
        content(&data_set(NAME), folder, cache.path());
    }
    for folder in [one.path(), two.path()] {
        let witness = Witness::default();
        prepare(&data_set(NAME), &[folder.to_owned()], cache.path(), &hasty(), &witness).unwrap();
        assert_eq!(witness.phases(), [Phase::IndexingLines]);
    }
}

#[test]
fn a_copy_of_a_track_uses_what_was_unpacked_for_the_first() {
    let cache = tempfile::tempdir().unwrap();
    let (one, two) = (track(NAME, &bzip2(&documents(20))), track(NAME, &bzip2(&documents(20))));
    content(&data_set(NAME), one.path(), cache.path());
    let witness = Witness::default();
    prepare(&data_set(NAME), &[two.path().to_owned()], cache.path(), &hasty(), &witness).unwrap();
    assert_eq!(witness.phases(), [Phase::IndexingLines]);
}

#[test]
fn an_archive_that_was_replaced_by_one_of_equal_size_and_time_is_unpacked_again() {
    let cache = tempfile::tempdir().unwrap();
    let archives = [tar(&documents(20)), tar(&others(20))];
    assert_eq!(archives[0].len(), archives[1].len());
    let one = track("documents.json.tar", &archives[0]);
    let data_set =
        DataSet { uncompressed_bytes: Some(documents(20).len() as u64), ..data_set("documents.json.tar") };
    assert_eq!(content(&data_set, one.path(), cache.path()), documents(20));
    fs::write(one.path().join("documents.json.tar"), &archives[1]).unwrap();
    settle(&one.path().join("documents.json.tar"));
    assert_eq!(content(&data_set, one.path(), cache.path()), others(20));
    assert!(!has_own_folder(cache.path()), "the place of the same archive is used again");
}

fn tar(content: &[u8]) -> Vec<u8> {
    crate::support::tar(&[crate::support::file("documents.json", content)])
}

fn has_own_folder(cache: &Path) -> bool {
    fs::read_dir(cache)
        .unwrap()
        .any(|entry| entry.unwrap().file_name().to_string_lossy().starts_with("source-"))
}

#[test]
fn two_servers_of_one_corpus_name_are_kept_apart_both_ways() {
    let cache = tempfile::tempdir().unwrap();
    let (one, two) = (server(bzip2(&documents(20))), server(bzip2(&others(20))));
    let nowhere = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(content(&at(&one), nowhere.path(), cache.path()), documents(20));
        assert_eq!(content(&at(&two), nowhere.path(), cache.path()), others(20));
    }
    assert_eq!((one.requests().len(), two.requests().len()), (1, 1));
}

#[test]
fn two_servers_with_documents_that_are_not_packed_are_kept_apart() {
    let cache = tempfile::tempdir().unwrap();
    let (one, two) = (server(documents(20)), server(others(20)));
    let nowhere = tempfile::tempdir().unwrap();
    let plain = |server: &Server| DataSet {
        uncompressed_bytes: Some(documents(20).len() as u64),
        base_url: Some(server.url()),
        ..data_set("documents.json")
    };
    for _ in 0..2 {
        assert_eq!(content(&plain(&one), nowhere.path(), cache.path()), documents(20));
        assert_eq!(content(&plain(&two), nowhere.path(), cache.path()), others(20));
    }
}

#[test]
fn an_archive_beside_a_track_is_not_mixed_up_with_a_download_of_its_name() {
    let cache = tempfile::tempdir().unwrap();
    let (remote, local) = (server(bzip2(&documents(20))), track(NAME, &bzip2(&others(20))));
    let nowhere = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert_eq!(content(&at(&remote), nowhere.path(), cache.path()), documents(20));
        assert_eq!(content(&data_set(NAME), local.path(), cache.path()), others(20));
    }
}

#[test]
fn a_track_without_data_does_not_race_what_another_one_downloaded() {
    let cache = tempfile::tempdir().unwrap();
    let (remote, nowhere) = (server(bzip2(&documents(20))), tempfile::tempdir().unwrap());
    content(&at(&remote), nowhere.path(), cache.path());
    let error = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains(&format!("comes from {}", remote.url())), "{error}");
}

#[test]
fn what_an_earlier_version_unpacked_from_another_archive_is_not_taken() {
    let cache = cache_with("documents.json", &others(20));
    let one = track(NAME, &bzip2(&documents(20)));
    settle(&cache.path().join("documents.json"));
    let data_set = DataSet { uncompressed_bytes: Some(documents(20).len() as u64), ..data_set(NAME) };
    assert_eq!(content(&data_set, one.path(), cache.path()), documents(20));
    assert_eq!(fs::read(cache.path().join("documents.json")).unwrap(), others(20), "it is kept");
}

#[test]
fn what_an_earlier_version_unpacked_from_the_same_archive_is_compared_once_and_used() {
    let cache = cache_with("documents.json", &documents(20));
    let one = track(NAME, &bzip2(&documents(20)));
    let place = cache.path().join("documents.json");
    for phases in [vec![Phase::Decompressing], vec![Phase::IndexingLines]] {
        let witness = Witness::default();
        let prepared =
            prepare(&data_set(NAME), &[one.path().to_owned()], cache.path(), &hasty(), &witness).unwrap();
        assert_eq!((prepared.path, witness.phases()), (place.clone(), phases));
    }
}

#[test]
fn a_download_of_an_earlier_version_is_used_if_its_size_is_declared_and_a_warning_says_so_once() {
    let archive = bzip2(&documents(20));
    let cache = cache_with(NAME, &archive);
    let remote = server(archive.clone());
    let declared = DataSet { compressed_bytes: Some(archive.len() as u64), ..at(&remote) };
    let warnings = |data_set: &DataSet| {
        prepare(data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap().warnings.len()
    };
    assert_eq!((warnings(&declared), warnings(&declared)), (1, 0));
    assert!(remote.requests().is_empty());
}

#[test]
fn a_download_of_an_earlier_version_is_not_used_if_nothing_is_declared() {
    let cache = cache_with(NAME, &bzip2(&others(20)));
    let (remote, nowhere) = (server(bzip2(&documents(20))), tempfile::tempdir().unwrap());
    assert_eq!(content(&at(&remote), nowhere.path(), cache.path()), documents(20));
    assert_eq!(fs::read(cache.path().join(NAME)).unwrap(), bzip2(&others(20)), "it is kept");
}

#[test]
fn data_that_the_user_links_into_the_cache_are_used_and_never_written_to() {
    let elsewhere = cache_with("documents.json", &documents(20));
    let cache = tempfile::tempdir().unwrap();
    let link = cache.path().join("documents.json");
    std::os::unix::fs::symlink(elsewhere.path().join("documents.json"), &link).unwrap();
    let prepared = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(prepared.path).unwrap(), documents(20));
    let one = track(NAME, &bzip2(&others(20)));
    assert_eq!(content(&data_set(NAME), one.path(), cache.path()), others(20));
    assert_eq!(fs::read(&link).unwrap(), documents(20));
}

#[test]
fn an_unpacked_file_beside_a_newer_archive_of_the_same_time_is_not_taken() {
    let cache = tempfile::tempdir().unwrap();
    let one = track(NAME, &bzip2(&documents(20)));
    let stale = one.path().join("documents.json");
    fs::write(&stale, others(20)).unwrap();
    settle(&stale);
    assert_eq!(content(&data_set(NAME), one.path(), cache.path()), documents(20));
}

#[test]
fn documents_of_a_track_are_not_mixed_up_with_those_that_another_one_unpacked() {
    let cache = tempfile::tempdir().unwrap();
    let (packed, plain) = (track(NAME, &bzip2(&documents(20))), track("documents.json", &others(20)));
    for _ in 0..2 {
        assert_eq!(content(&data_set(NAME), packed.path(), cache.path()), documents(20));
        assert_eq!(content(&data_set(NAME), plain.path(), cache.path()), others(20));
        assert_eq!(content(&data_set("documents.json"), plain.path(), cache.path()), others(20));
    }
}

#[test]
fn small_files_of_test_mode_are_kept_apart() {
    let cache = tempfile::tempdir().unwrap();
    let small = "documents-1k.json.gz";
    let (one, two) = (track(small, &gzip(&documents(10))), track(small, &gzip(&others(10))));
    let options = PrepareOptions { test_mode: true, ..hasty() };
    for (folder, expected) in [(&one, documents(10)), (&two, others(10)), (&one, documents(10))] {
        let folders: [PathBuf; 1] = [folder.path().to_owned()];
        let prepared = prepare(&data_set(small), &folders, cache.path(), &options, &NoProgress).unwrap();
        assert_eq!(fs::read(prepared.path).unwrap(), expected);
    }
}

#[test]
fn a_checksum_does_not_trust_a_document_that_was_replaced_by_one_of_equal_size_and_time() {
    let cache = tempfile::tempdir().unwrap();
    let one = track("documents.json", &documents(20));
    let declared =
        DataSet { sha256: Some(crate::support::sha256(&documents(20))), ..data_set("documents.json") };
    content(&declared, one.path(), cache.path());
    fs::write(one.path().join("documents.json"), others(20)).unwrap();
    settle(&one.path().join("documents.json"));
    let error = prepare(&declared, &[one.path().to_owned()], cache.path(), &hasty(), &NoProgress);
    assert!(matches!(error.unwrap_err(), PrepareError::WrongSha256 { .. }));
}
