//! Links: nothing outside of its folder is read for a track or written by it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::server::{Server, serve_file};
use crate::support::{bzip2, cache_with, data_set, documents, hasty, names};
use rally_corpus::{DataSet, NoProgress, PrepareError, prepare};

const NAME: &str = "documents.json.bz2";

fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn refused(name: &str, track: &Path) -> PrepareError {
    let cache = empty();
    let error =
        prepare(&data_set(name), &[track.to_owned()], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert_eq!(names(cache.path()), Vec::<String>::new());
    error
}

#[test]
fn a_track_reads_no_file_elsewhere_through_a_link() {
    let elsewhere = cache_with("secret.json", &documents(3));
    fs::write(elsewhere.path().join(NAME), bzip2(&documents(3))).unwrap();
    for (name, target) in [("documents.json", "secret.json"), (NAME, NAME)] {
        let track = empty();
        let (link, target) = (track.path().join(name), elsewhere.path().join(target));
        symlink(&target, &link).unwrap();
        let error = refused(name, track.path());
        assert!(matches!(error, PrepareError::OutsideFolder { .. }), "{error}");
        let message = error.to_string();
        for path in [link.as_path(), track.path(), &target] {
            assert!(message.contains(&format!("'{}'", path.display())), "{message}");
        }
    }
}

#[test]
fn a_track_reads_nothing_below_a_linked_folder() {
    let elsewhere = cache_with("documents.json", &documents(3));
    let track = empty();
    symlink(elsewhere.path(), track.path().join("data")).unwrap();
    assert!(matches!(refused("data/documents.json", track.path()), PrepareError::OutsideFolder { .. }));
}

#[test]
fn a_link_within_the_folder_of_the_track_is_followed() {
    let track = cache_with("packed.json.bz2", &bzip2(&documents(3)));
    symlink("packed.json.bz2", track.path().join(NAME)).unwrap();
    let cache = empty();
    let prepared =
        prepare(&data_set(NAME), &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.document_count, 3);
}

#[test]
fn a_track_folder_that_is_a_link_itself_is_the_users_choice() {
    let (track, links) = (cache_with(NAME, &bzip2(&documents(3))), empty());
    let link = links.path().join("track");
    symlink(track.path(), &link).unwrap();
    let cache = empty();
    assert_eq!(
        prepare(&data_set(NAME), &[link], cache.path(), &hasty(), &NoProgress).unwrap().document_count,
        3
    );
}

#[test]
fn a_cache_that_is_a_link_is_the_users_choice() {
    let (disk, home) = (cache_with(NAME, &bzip2(&documents(3))), empty());
    let cache = home.path().join("places");
    symlink(disk.path(), &cache).unwrap();
    let prepared = prepare(&data_set(NAME), &[], &cache, &hasty(), &NoProgress).unwrap();
    assert_eq!(prepared.path, cache.join("documents.json"));
    assert_eq!(names(disk.path()), ["documents.json", NAME]);
}

#[test]
fn nothing_is_written_below_a_linked_folder_in_the_cache() {
    let (track, cache, elsewhere) = (empty(), empty(), empty());
    fs::create_dir(track.path().join("data")).unwrap();
    fs::write(track.path().join("data").join(NAME), bzip2(&documents(3))).unwrap();
    symlink(elsewhere.path(), cache.path().join("data")).unwrap();
    let name = "data/documents.json.bz2";
    let error = prepare(&data_set(name), &[track.path().to_owned()], cache.path(), &hasty(), &NoProgress)
        .unwrap_err();
    assert!(matches!(error, PrepareError::OutsideFolder { .. }), "{error}");
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}

#[test]
fn unpacking_replaces_links_and_does_not_follow_them() {
    let cache = cache_with(NAME, &bzip2(&documents(3)));
    let precious = cache_with("precious", b"precious");
    let target = precious.path().join("precious");
    for name in ["documents.json.unpacking", "documents.json.offset", "documents.json.source"] {
        symlink(&target, cache.path().join(name)).unwrap();
    }
    // A document that is only a link to nowhere is none.
    symlink(precious.path().join("none"), cache.path().join("documents.json")).unwrap();
    prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(cache.path().join("documents.json")).unwrap(), documents(3));
    assert_eq!(fs::read(&target).unwrap(), b"precious");
    assert_eq!(names(precious.path()), ["precious"]);
}

#[test]
fn a_download_is_not_written_through_a_link() {
    let server = Server::start(|request, stream| {
        serve_file(request, stream, &bzip2(&documents(3)), "\"v1\"", usize::MAX);
    });
    let (cache, precious) = (empty(), cache_with("precious", b"precious"));
    let target = precious.path().join("precious");
    let data_set = DataSet { base_url: Some(server.url()), ..data_set(NAME) };
    let part = cache.path().join(format!("{NAME}.part"));
    symlink(&target, &part).unwrap();
    let error = prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "documents.json.bz2.part': it is a symbolic link, and nothing is written through links; remove it"
        ),
        "{error}"
    );
    assert_eq!(fs::read(&target).unwrap(), b"precious");

    fs::remove_file(part).unwrap();
    symlink(&target, cache.path().join(format!("{NAME}.part.json"))).unwrap();
    prepare(&data_set, &[], cache.path(), &hasty(), &NoProgress).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"precious");
}

#[test]
fn a_lock_is_not_taken_through_a_link() {
    let (cache, elsewhere) = (cache_with(NAME, &bzip2(&documents(3))), empty());
    let target = elsewhere.path().join("lock");
    symlink(&target, cache.path().join("documents.json.lock")).unwrap();
    let error = prepare(&data_set(NAME), &[], cache.path(), &hasty(), &NoProgress).unwrap_err();
    assert!(error.to_string().contains("documents.json.lock"), "{error}");
    assert!(!target.exists());
}
