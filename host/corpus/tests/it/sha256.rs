//! Declared checksums: what is verified, when, and what happens to files that are wrong.

use std::fs::{self, File};
use std::sync::Arc;
use std::time::SystemTime;

use crate::support::server::{Server, answer, serve_file};
use crate::support::{CancelIn, Witness, cache_with, data_set, documents, gzip, hasty, names, sha256};
use rally_corpus::{DataSet, DownloadError, NoProgress, Phase, PrepareError, PrepareOptions, prepare};

const NAME: &str = "documents.json.gz";

fn declared(name: &str, content: &[u8]) -> DataSet {
    DataSet { sha256: Some(sha256(content)), ..data_set(name) }
}

fn phases(data_set: &DataSet, cache: &tempfile::TempDir) -> Vec<Phase> {
    let witness = Witness::default();
    prepare(data_set, &[], cache.path(), &hasty(), &witness).unwrap();
    witness.phases()
}

#[test]
fn an_archive_is_verified_before_it_is_unpacked_and_only_once() {
    let archive = gzip(&documents(20));
    let cache = cache_with(NAME, &archive);
    let data_set = declared(NAME, &archive);
    assert_eq!(phases(&data_set, &cache), [Phase::Verifying, Phase::Decompressing]);
    assert_eq!(phases(&data_set, &cache), [Phase::IndexingLines]);
    // Checksums are written in both cases.
    let upper = DataSet { sha256: data_set.sha256.map(|digits| digits.to_ascii_uppercase()), ..data_set };
    assert_eq!(phases(&upper, &cache), [Phase::IndexingLines]);
}

#[test]
fn an_archive_with_another_checksum_is_not_unpacked() {
    let archive = gzip(&documents(20));
    let cache = cache_with(NAME, &archive);
    let error = prepare(&declared(NAME, b"other"), &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, PrepareError::WrongSha256 { .. }), "{message}");
    assert!(message.contains(&sha256(&archive)) && message.contains(&sha256(b"other")), "{message}");
    assert!(message.starts_with(&format!("'{}' is corrupt", cache.path().join(NAME).display())), "{message}");
    assert_eq!(names(cache.path()), [NAME]);
}

#[test]
fn a_wrong_archive_is_replaced_by_the_right_one_from_the_server() {
    let right = Arc::new(gzip(&documents(30)));
    let served = Arc::clone(&right);
    let server =
        Server::start(move |request, stream| serve_file(request, stream, &served, "\"v1\"", usize::MAX));
    let cache = cache_with(NAME, &gzip(&documents(20)));
    let data_set = DataSet { base_url: Some(server.url()), ..declared(NAME, &right) };
    assert_eq!(prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap().document_count, 30);
    assert!(fs::read(cache.path().join(NAME)).unwrap() == *right);
}

#[test]
fn a_wrong_archive_beside_the_track_is_passed_over_for_the_right_one() {
    let right = gzip(&documents(30));
    let (track, cache) = (cache_with(NAME, &gzip(&documents(20))), cache_with(NAME, &right));
    let prepared =
        prepare(&declared(NAME, &right), &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress)
            .unwrap();
    assert_eq!(prepared.document_count, 30);
}

#[test]
fn a_download_with_another_checksum_never_gets_its_name() {
    let server =
        Server::start(|_, stream| answer(stream, "200 OK", &[("etag", "\"v1\"")], &gzip(&documents(20))));
    let cache = tempfile::tempdir().unwrap();
    let data_set = DataSet { base_url: Some(server.url()), ..declared(NAME, b"other") };
    let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    let PrepareError::Download { source, .. } = error else { panic!("{error}") };
    let DownloadError::WrongSha256 { expected, actual } = *source else { panic!("{source}") };
    assert_eq!((expected, actual), (sha256(b"other"), sha256(&gzip(&documents(20)))));
    assert_eq!(names(cache.path()), Vec::<String>::new());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_download_with_the_right_checksum_is_hashed_once() {
    let body = Arc::new(gzip(&documents(20)));
    let served = Arc::clone(&body);
    let server =
        Server::start(move |request, stream| serve_file(request, stream, &served, "\"v1\"", usize::MAX));
    let cache = tempfile::tempdir().unwrap();
    let data_set = DataSet { base_url: Some(server.url()), ..declared(NAME, &body) };
    assert_eq!(phases(&data_set, &cache), [Phase::Downloading, Phase::Verifying, Phase::Decompressing]);
    assert_eq!(phases(&data_set, &cache), [Phase::IndexingLines]);
}

#[test]
fn documents_of_unknown_origin_are_made_again_from_the_verified_archive() {
    let archive = gzip(&documents(20));
    let cache = cache_with(NAME, &archive);
    // As large as the right ones, and newer than the archive.
    fs::write(cache.path().join("documents.json"), documents(20).to_ascii_uppercase()).unwrap();
    let data_set =
        DataSet { uncompressed_bytes: Some(documents(20).len() as u64), ..declared(NAME, &archive) };
    let prepared = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(&prepared.path).unwrap(), documents(20));
}

#[test]
fn documents_that_were_changed_after_they_were_verified_are_made_again() {
    let archive = gzip(&documents(20));
    let cache = cache_with(NAME, &archive);
    let data_set = declared(NAME, &archive);
    phases(&data_set, &cache);
    let document = cache.path().join("documents.json");
    fs::write(&document, documents(20).to_ascii_uppercase()).unwrap();
    File::options().write(true).open(&document).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let prepared = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(&prepared.path).unwrap(), documents(20));
}

#[test]
fn documents_without_the_archive_that_proves_them_are_not_used() {
    let cache = cache_with("documents.json", &documents(20));
    let mut data_set = declared(NAME, b"archive");
    let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::Unverified { offline: false, .. }), "{error}");
    assert!(error.to_string().contains("the sha256 of 'documents.json.gz'"), "{error}");
    data_set.base_url = Some("http://127.0.0.1:9".to_owned());
    let options = PrepareOptions { offline: true, ..hasty() };
    let error = prepare(&data_set, &[], cache.path(), &options, &NoProgress).unwrap_err();
    assert!(error.to_string().ends_with("Disable offline mode and retry, or put the file there."), "{error}");
    assert_eq!(names(cache.path()), ["documents.json"]);
}

#[test]
fn documents_that_are_not_packed_are_verified_themselves_and_only_once() {
    let track = cache_with("documents.json", &documents(20));
    let cache = tempfile::tempdir().unwrap();
    let data_set = declared("documents.json", &documents(20));
    for expected in [&[Phase::Verifying, Phase::IndexingLines][..], &[Phase::IndexingLines]] {
        let witness = Witness::default();
        prepare(&data_set, &[track.path().to_owned()], cache.path(), &hasty(), &witness).unwrap();
        assert_eq!(witness.phases(), expected);
    }
    assert_eq!(names(track.path()), ["documents.json"]);
    let wrong = declared("documents.json", b"other");
    let error = prepare(&wrong, &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(matches!(error, PrepareError::WrongSha256 { .. }), "{error}");
}

#[test]
fn a_checksum_that_is_none_is_refused() {
    let cache = cache_with(NAME, &gzip(&documents(20)));
    for digits in ["", "abc", &"g".repeat(64), &"a".repeat(63), &"ä".repeat(32)] {
        let data_set = DataSet { sha256: Some(digits.to_owned()), ..data_set(NAME) };
        let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
        assert!(matches!(error, PrepareError::InvalidSha256 { .. }), "{digits}: {error}");
    }
}

#[test]
fn a_cancelled_verification_leaves_everything_as_it_was() {
    let archive = gzip(&documents(200_000));
    let cache = cache_with(NAME, &archive);
    let progress = CancelIn::new(Phase::Verifying);
    let error = prepare(&declared(NAME, &archive), &[], cache.path(), &hasty(), &progress).unwrap_err();
    assert!(matches!(error, PrepareError::Cancelled));
    assert_eq!(names(cache.path()), [NAME]);
}
