//! Downloads from servers that work, and from servers that do not.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::server::{Server, answer, head, serve_file};
use crate::support::{CancelIn, Witness, data_set, documents, gzip, hasty, names};
use rally_corpus::{
    DataSet, DownloadError, NoProgress, Phase, PrepareError, PrepareOptions, PreparedDocuments, Progress,
    prepare,
};

const NAME: &str = "documents.json.gz";
const TAG: &str = "\"v1\"";

struct Case {
    data_set: DataSet,
    cache: tempfile::TempDir,
    options: PrepareOptions,
}

impl Case {
    fn new(server: &Server) -> Case {
        let mut data_set = data_set(NAME);
        data_set.base_url = Some(server.url());
        Case { data_set, cache: tempfile::tempdir().unwrap(), options: hasty() }
    }

    fn prepare(&self) -> Result<PreparedDocuments, PrepareError> {
        prepare(&self.data_set, &[], self.cache.path(), &self.options, &NoProgress)
    }

    fn download_error(&self) -> DownloadError {
        match self.prepare().unwrap_err() {
            PrepareError::Download { source, .. } => *source,
            error => panic!("{error}"),
        }
    }

    fn names(&self) -> Vec<String> {
        names(self.cache.path())
    }

    fn archive(&self) -> Vec<u8> {
        fs::read(self.cache.path().join(NAME)).unwrap()
    }
}

/// An archive of some 100 kB.
fn archive() -> Arc<Vec<u8>> {
    Arc::new(gzip(&documents(60_000)))
}

#[test]
fn a_file_is_downloaded_and_unpacked_with_progress() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| serve_file(request, stream, &served, TAG, usize::MAX));
    let mut case = Case::new(&server);
    case.data_set.compressed_bytes = Some(body.len() as u64);
    case.data_set.document_count = Some(60_000);
    let witness = Witness::default();
    let prepared = prepare(&case.data_set, &[], case.cache.path(), &case.options, &witness).unwrap();
    assert_eq!(prepared.document_count, 60_000);
    assert_eq!(case.names(), ["documents.json", NAME]);
    assert_eq!(witness.phases(), [Phase::Downloading, Phase::Decompressing]);
    let downloads: Vec<_> = witness.reports().into_iter().filter(|r| r.0 == Phase::Downloading).collect();
    assert_eq!(downloads.last().unwrap().1, body.len() as u64);
    assert!(downloads.iter().all(|report| report.2 == Some(body.len() as u64)));
    assert_eq!(server.requests()[0].path, format!("/{NAME}"));
}

#[test]
fn documents_that_are_not_packed_are_downloaded_too() {
    let server = Server::start(|_, stream| answer(stream, "200 OK", &[], &documents(10)));
    let mut case = Case::new(&server);
    case.data_set = DataSet { base_url: Some(server.url()), ..data_set("documents.json") };
    assert_eq!(case.prepare().unwrap().document_count, 10);
}

#[test]
fn an_interrupted_download_is_resumed_where_it_ended() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| serve_file(request, stream, &served, TAG, 40_000));
    let mut case = Case::new(&server);
    case.options.download.attempts = 1000;
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    let requests = server.requests();
    let starts: Vec<_> = requests.iter().map(|request| request.range_start().unwrap_or(0)).collect();
    assert!(starts.len() > 2 && starts.is_sorted(), "{starts:?}");
    assert!(starts[1..].iter().all(|&start| start > 0));
    assert!(requests[1..].iter().all(|request| request.header("if-range") == Some(TAG)));
}

#[test]
fn a_download_is_resumed_by_the_next_process() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| {
        serve_file(request, stream, &served, TAG, if request.number < 3 { 10_000 } else { usize::MAX });
    });
    let case = Case::new(&server);
    assert!(matches!(case.download_error(), DownloadError::Unreachable { attempts: 3, .. }));
    assert_eq!(case.names(), [format!("{NAME}.part"), format!("{NAME}.part.json")]);
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    assert!(server.requests()[3].range_start().unwrap() > 0);
    assert_eq!(case.names(), ["documents.json", NAME]);
}

#[test]
fn parts_of_two_different_files_are_never_joined() {
    let (old, new) = (archive(), Arc::new(gzip(&documents(61_000))));
    let served = (old, Arc::clone(&new));
    let server = Server::start(move |request, stream| match request.number {
        0 => serve_file(request, stream, &served.0, TAG, 30_000),
        _ => serve_file(request, stream, &served.1, "\"v2\"", usize::MAX),
    });
    let case = Case::new(&server);
    assert_eq!(case.prepare().unwrap().document_count, 61_000);
    assert_eq!(case.archive(), *new);
}

#[test]
fn a_server_that_continues_another_file_is_not_believed() {
    let (old, new) = (archive(), Arc::new(gzip(&documents(61_000))));
    let served = (old, Arc::clone(&new));
    // Ignores If-Range: sends the rest of the new file to who has a part of the old one.
    let server = Server::start(move |request, stream| match (request.number, request.range_start()) {
        (0, _) => serve_file(request, stream, &served.0, TAG, 30_000),
        (_, Some(start)) => {
            let total = served.1.len();
            let range = format!("bytes {start}-{}/{total}", total - 1);
            let headers = [("content-range", range.as_str()), ("etag", "\"v2\"")];
            answer(stream, "206 Partial Content", &headers, &served.1[start..]);
        }
        _ => serve_file(request, stream, &served.1, "\"v2\"", usize::MAX),
    });
    let case = Case::new(&server);
    assert_eq!(case.prepare().unwrap().document_count, 61_000);
    assert_eq!(case.archive(), *new);
}

#[test]
fn a_part_from_another_address_is_not_resumed() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| serve_file(request, stream, &served, TAG, usize::MAX));
    let case = Case::new(&server);
    let part = case.cache.path().join(format!("{NAME}.part"));
    fs::write(&part, b"some other bytes").unwrap();
    let origin = format!(
        "{{\"url\":\"http://elsewhere/{NAME}\",\"validator\":\"\\\"v1\\\"\",\"total\":{}}}",
        body.len()
    );
    fs::write(case.cache.path().join(format!("{NAME}.part.json")), origin).unwrap();
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    assert_eq!(server.requests()[0].range_start(), None);
}

#[test]
fn without_a_validator_a_download_begins_anew() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| {
        let length = served.len().to_string();
        head(stream, "200 OK", &[("content-length", &length)]);
        let end = if request.number == 0 { served.len() / 2 } else { served.len() };
        let _ = stream.write_all(&served[..end]);
    });
    let case = Case::new(&server);
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    assert!(server.requests().iter().all(|request| request.range_start().is_none()));
}

#[test]
fn a_weak_entity_tag_is_no_validator() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| {
        serve_file(request, stream, &served, "W/\"v1\"", if request.number == 0 { 9000 } else { usize::MAX });
    });
    let case = Case::new(&server);
    case.prepare().unwrap();
    assert!(server.requests().iter().all(|request| request.range_start().is_none()));
}

#[test]
fn server_errors_are_tried_again() {
    for status in ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests"] {
        let body = archive();
        let server = Server::start(move |request, stream| match request.number {
            0 | 1 => answer(stream, status, &[], b"later"),
            _ => serve_file(request, stream, &body, TAG, usize::MAX),
        });
        Case::new(&server).prepare().unwrap();
        assert_eq!(server.requests().len(), 3, "{status}");
    }
}

#[test]
fn attempts_are_bounded() {
    let server = Server::start(|_, stream| answer(stream, "500 Internal Server Error", &[], b""));
    let case = Case::new(&server);
    let error = case.download_error();
    assert!(matches!(error, DownloadError::Unreachable { attempts: 3, .. }), "{error}");
    assert!(error.to_string().contains("500 Internal Server Error"), "{error}");
    assert_eq!(server.requests().len(), 3);
    assert!(case.names().is_empty());
}

#[test]
fn a_server_that_closes_at_once_is_unreachable() {
    let server = Server::start(|_, _| {});
    let case = Case::new(&server);
    assert!(matches!(case.download_error(), DownloadError::Unreachable { .. }));
    assert!(case.names().is_empty());
}

#[test]
fn no_server_is_unreachable() {
    let case = Case::new(&Server::start(|_, _| {}));
    let message = case.prepare().unwrap_err().to_string();
    assert!(message.contains("(after 3 attempts). Check your internet connection"), "{message}");
}

#[test]
fn a_silent_server_is_given_up() {
    let server = Server::start(|_, stream| {
        head(stream, "200 OK", &[("content-length", "1000")]);
        let _ = stream.write_all(b"some");
        let _ = stream.flush();
        thread::sleep(Duration::from_secs(3));
    });
    let mut case = Case::new(&server);
    case.options.download.attempts = 1;
    assert!(matches!(case.download_error(), DownloadError::Unreachable { attempts: 1, .. }));
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let server = Server::start(|_, _| thread::sleep(Duration::from_secs(3)));
    let mut case = Case::new(&server);
    case.options.download.attempts = 1;
    assert!(matches!(case.download_error(), DownloadError::Unreachable { attempts: 1, .. }));
}

/// Gives up while the first answer is waited for.
struct Impatient;

impl Progress for Impatient {
    fn report(&self, _phase: Phase, _done: u64, _total: Option<u64>) {}

    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn who_gives_up_does_not_wait_for_a_silent_server() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let server = Server::start(move |_, _| {
        let _ = held.lock().unwrap().recv();
    });
    let mut case = Case::new(&server);
    // Were the answer waited for, this test would not end.
    case.options.download.idle_timeout = Duration::from_secs(100_000);
    let error = prepare(&case.data_set, &[], case.cache.path(), &case.options, &Impatient).unwrap_err();
    drop(release);
    assert!(matches!(error, PrepareError::Cancelled), "{error}");
    assert_eq!(case.names(), Vec::<String>::new());
}

#[test]
fn a_password_in_the_address_is_not_shown() {
    let server = Server::start(|_, stream| answer(stream, "404 Not Found", &[], b""));
    let mut case = Case::new(&server);
    case.data_set.base_url = Some(server.url().replace("http://", "http://me:secret@"));
    let error = case.prepare().unwrap_err().to_string();
    assert!(error.contains("'http://…@127.0.0.1:") && !error.contains("secret"), "{error}");
}

#[test]
fn each_further_attempt_is_said_with_its_reason() {
    #[derive(Default)]
    struct Told(std::sync::Mutex<Vec<String>>);
    impl Progress for Told {
        fn report(&self, _phase: Phase, _done: u64, _total: Option<u64>) {}

        fn retrying(&self, reason: &str) {
            self.0.lock().unwrap().push(reason.to_owned());
        }
    }
    let server = Server::start(|_, stream| answer(stream, "503 Service Unavailable", &[], b""));
    let mut case = Case::new(&server);
    case.options.download.attempts = 3;
    let told = Told::default();
    prepare(&case.data_set, &[], case.cache.path(), &case.options, &told).unwrap_err();
    let reasons = told.0.into_inner().unwrap();
    assert_eq!(reasons, vec!["the server answered 503 Service Unavailable"; 2]);
}

#[test]
fn a_server_that_trickles_is_given_up() {
    let server = Server::start(|_, stream| {
        head(stream, "200 OK", &[("content-length", "1000000")]);
        while stream.write_all(b"x").and_then(|()| stream.flush()).is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    let mut case = Case::new(&server);
    case.options.download.attempts = 1;
    case.options.download.idle_timeout = Duration::from_secs(1);
    let error = case.download_error();
    assert!(error.to_string().contains("the server sent only"), "{error}");
}

#[test]
fn a_missing_or_forbidden_file_is_not_tried_again() {
    for (status, code) in [("404 Not Found", 404), ("403 Forbidden", 403), ("410 Gone", 410)] {
        let server = Server::start(move |_, stream| {
            answer(stream, status, &[("content-type", "text/html")], b"<html>no</html>");
        });
        let case = Case::new(&server);
        let error = case.download_error();
        assert!(matches!(error, DownloadError::Status { status } if status == code), "{error}");
        assert_eq!(server.requests().len(), 1);
        assert!(case.names().is_empty());
    }
}

#[test]
fn a_missing_file_in_test_mode_says_that_the_track_lacks_it() {
    let server = Server::start(|_, stream| answer(stream, "404 Not Found", &[], b""));
    let mut case = Case::new(&server);
    case.options.test_mode = true;
    let error = case.prepare().unwrap_err();
    assert!(matches!(error, PrepareError::TestModeNotSupported { source: Some(_), .. }), "{error}");
}

#[test]
fn a_web_page_instead_of_data_is_refused() {
    let server = Server::start(|_, stream| {
        answer(
            stream,
            "200 OK",
            &[("content-type", "text/html; charset=utf-8")],
            b"<html>Please log in</html>",
        );
    });
    let case = Case::new(&server);
    assert!(matches!(case.download_error(), DownloadError::WebPage { .. }));
    assert!(case.names().is_empty());
}

#[test]
fn a_file_of_another_size_is_refused_before_it_is_loaded() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| serve_file(request, stream, &served, TAG, usize::MAX));
    let mut case = Case::new(&server);
    case.data_set.compressed_bytes = Some(body.len() as u64 - 1);
    let error = case.download_error();
    assert!(
        matches!(error, DownloadError::WrongSize { actual, .. } if actual == body.len() as u64),
        "{error}"
    );
    assert_eq!(server.requests().len(), 1);
    assert!(case.names().is_empty());
}

#[test]
fn a_short_file_of_unannounced_size_is_refused() {
    let server = Server::start(|_, stream| {
        head(stream, "200 OK", &[]);
        let _ = stream.write_all(b"too short");
    });
    let mut case = Case::new(&server);
    case.data_set.compressed_bytes = Some(100);
    let error = case.download_error();
    assert!(error.to_string().contains("the server sent 9 bytes but 100 bytes are expected"), "{error}");
    assert!(case.names().is_empty());
}

#[test]
fn a_server_that_sends_for_ever_is_cut_off() {
    let server = Server::start(|_, stream| {
        head(stream, "200 OK", &[]);
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let mut case = Case::new(&server);
    case.data_set.compressed_bytes = Some(100_000);
    let error = case.download_error();
    assert!(matches!(error, DownloadError::Endless { limit: 100_000 }), "{error}");
    assert!(case.names().is_empty());
}

#[test]
fn redirects_are_followed_to_the_data() {
    let body = archive();
    let server = Server::start(move |request, stream| match request.path.as_str() {
        "/elsewhere" => serve_file(request, stream, &body, TAG, usize::MAX),
        _ => answer(stream, "302 Found", &[("location", "/elsewhere")], b""),
    });
    assert_eq!(Case::new(&server).prepare().unwrap().document_count, 60_000);
}

#[test]
fn redirects_in_a_circle_are_given_up() {
    let server = Server::start(|_, stream| answer(stream, "302 Found", &[("location", "/again")], b""));
    let case = Case::new(&server);
    assert!(matches!(case.download_error(), DownloadError::TooManyRedirects { .. }));
}

#[test]
fn an_encoded_document_is_refused_but_an_archive_is_taken_as_it_is() {
    let body = gzip(&documents(10));
    let served = body.clone();
    let server =
        Server::start(move |_, stream| answer(stream, "200 OK", &[("content-encoding", "gzip")], &served));
    let mut case = Case::new(&server);
    assert_eq!(case.prepare().unwrap().document_count, 10);
    case.data_set = DataSet { base_url: Some(server.url()), ..data_set("other.json") };
    assert!(matches!(case.download_error(), DownloadError::ContentEncoding { .. }));
}

#[test]
fn an_address_that_is_not_http_is_refused() {
    let mut case = Case::new(&Server::start(|_, _| {}));
    for url in ["file:///etc", "data", "http://", "http://host name"] {
        case.data_set.base_url = Some(url.to_owned());
        let error = case.download_error();
        assert!(matches!(error, DownloadError::InvalidUrl { .. }), "{url}: {error}");
    }
}

#[test]
fn buckets_are_not_supported_and_the_message_says_what_to_do() {
    let mut case = Case::new(&Server::start(|_, _| {}));
    for scheme in ["s3", "gs"] {
        case.data_set.base_url = Some(format!("{scheme}://bucket/data"));
        let message = case.prepare().unwrap_err().to_string();
        let (address, path) = (format!("{scheme}://bucket/data/{NAME}"), case.cache.path().join(NAME));
        assert!(
            message.starts_with(&format!("cannot download '{address}' to '{}'", path.display())),
            "{message}"
        );
        assert!(message.contains(&format!("{scheme}:// is not supported")), "{message}");
        assert!(message.contains("HTTPS as base-url in the track, or as a mirror"), "{message}");
    }
}

#[test]
fn a_cancelled_download_can_be_resumed() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| {
        serve_file(request, stream, &served, TAG, if request.number == 0 { 50_000 } else { usize::MAX });
    });
    let case = Case::new(&server);
    let progress = CancelIn::new(Phase::Downloading);
    let error = prepare(&case.data_set, &[], case.cache.path(), &case.options, &progress).unwrap_err();
    assert!(matches!(error, PrepareError::Cancelled));
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    assert!(server.requests()[1].range_start().unwrap() > 0);
}

#[test]
fn a_part_of_a_file_that_the_track_no_longer_means_is_not_resumed() {
    let (old, new) = (archive(), Arc::new(gzip(&documents(61_000))));
    let served = (old, Arc::clone(&new));
    let server = Server::start(move |request, stream| match request.number {
        0..3 => serve_file(request, stream, &served.0, TAG, 30_000),
        _ => serve_file(request, stream, &served.1, "\"v2\"", usize::MAX),
    });
    let mut case = Case::new(&server);
    case.download_error();
    case.data_set.compressed_bytes = Some(new.len() as u64);
    case.prepare().unwrap();
    assert_eq!(case.archive(), *new);
    assert_eq!(server.requests()[3].range_start(), None);
}

#[test]
fn what_a_killed_process_downloaded_is_resumed_and_its_lock_is_free() {
    let body = archive();
    let served = Arc::clone(&body);
    let server = Server::start(move |request, stream| {
        if request.number > 0 {
            return serve_file(request, stream, &served, TAG, usize::MAX);
        }
        serve_file(request, stream, &served, TAG, 50_000);
        let _ = stream.flush();
        // Until the other side is gone.
        let _ = stream.read(&mut [0]);
    });
    let case = Case::new(&server);
    let part = case.cache.path().join(format!("{NAME}.part"));
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "download::downloads_until_it_is_killed", "--ignored"])
        .env("RALLY_TEST_URL", server.url())
        .env("RALLY_TEST_CACHE", case.cache.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while fs::metadata(&part).map_or(0, |part| part.len()) < 50_000 {
        assert!(child.try_wait().unwrap().is_none(), "the child ended before it was killed");
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    case.prepare().unwrap();
    assert_eq!(case.archive(), *body);
    assert_eq!(server.requests()[1].range_start(), Some(50_000));
}

#[test]
#[ignore = "runs as a child of what_a_killed_process_downloaded_is_resumed_and_its_lock_is_free"]
fn downloads_until_it_is_killed() {
    let Some(cache) = std::env::var_os("RALLY_TEST_CACHE").map(PathBuf::from) else { return };
    let data_set = DataSet { base_url: std::env::var("RALLY_TEST_URL").ok(), ..data_set(NAME) };
    let _ = prepare(&data_set, &[], &cache, &PrepareOptions::default(), &NoProgress);
}

#[test]
fn a_file_too_large_for_the_disk_is_not_begun() {
    let server = Server::start(|_, stream| {
        head(stream, "200 OK", &[("content-length", "1152921504606846976")]);
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let case = Case::new(&server);
    let error = case.prepare().unwrap_err();
    assert!(matches!(error, PrepareError::DiskFull { available: Some(_), .. }), "{error}");
    assert!(case.names().is_empty());
}
