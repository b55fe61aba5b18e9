//! Mirrors: asked before the server of the track, and never in the way of it.

use std::sync::Mutex;

use crate::support::server::{Server, answer, serve_file};
use crate::support::{data_set, documents, gzip, hasty, names, sha256};
use rally_corpus::{
    DataSet, DownloadError, Mirror, Phase, PrepareError, PrepareOptions, PreparedDocuments, Progress, prepare,
};

const NAME: &str = "documents.json.gz";

/// Keeps the reasons why something was tried again.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn report(&self, _phase: Phase, _done: u64, _total: Option<u64>) {}

    fn retrying(&self, reason: &str) {
        self.0.lock().unwrap().push(reason.to_owned());
    }
}

fn server(content: Vec<u8>) -> Server {
    Server::start(move |request, stream| serve_file(request, stream, &content, "\"v1\"", usize::MAX))
}

fn paths(server: &Server) -> Vec<String> {
    server.requests().into_iter().map(|request| request.path).collect()
}

struct Case {
    cache: tempfile::TempDir,
    told: Vec<String>,
    result: Result<PreparedDocuments, PrepareError>,
}

/// Downloads what the track's server has below `/corpora`, from mirrors if they have it.
fn download(data_set: DataSet, origin: &str, mirrors: &[&str]) -> Case {
    let cache = tempfile::tempdir().unwrap();
    let mut options: PrepareOptions = hasty();
    options.download.mirrors = vec![Mirror {
        sources: vec![origin.to_owned()],
        destinations: mirrors.iter().map(|url| (*url).to_owned()).collect(),
    }];
    let data_set = DataSet { base_url: Some(format!("{origin}/corpora")), ..data_set };
    let told = Told::default();
    let result = prepare(&data_set, &[], cache.path(), &options, &told);
    Case { cache, told: told.0.into_inner().unwrap(), result }
}

#[test]
fn a_mirror_is_asked_instead_of_the_server_of_the_track() {
    let (origin, mirror) = (server(gzip(&documents(10))), server(gzip(&documents(10))));
    let case = download(data_set(NAME), &origin.url(), &[&format!("{}/copies/", mirror.url())]);
    assert_eq!(case.result.unwrap().document_count, 10);
    assert_eq!((paths(&origin), paths(&mirror)), (vec![], vec![format!("/copies/corpora/{NAME}")]));
    assert!(case.told.is_empty());
}

#[test]
fn mirrors_are_tried_in_their_order() {
    let lacks = || Server::start(|_, stream| answer(stream, "404 Not Found", &[], b""));
    let (origin, first, second) = (lacks(), lacks(), server(gzip(&documents(10))));
    let case = download(data_set(NAME), &origin.url(), &[&first.url(), &second.url()]);
    assert_eq!(case.result.unwrap().document_count, 10);
    assert_eq!((origin.requests().len(), first.requests().len(), second.requests().len()), (0, 1, 1));
    assert_eq!(case.told.len(), 1);
    assert!(case.told[0].contains(&first.url()) && case.told[0].contains("404"), "{:?}", case.told);
}

#[test]
fn what_mirrors_lack_comes_from_the_server_of_the_track() {
    let origin = server(gzip(&documents(10)));
    let broken = Server::start(|_, stream| answer(stream, "503 Service Unavailable", &[], b""));
    let gone = Server::start(|_, _| {}).url();
    let case = download(data_set(NAME), &origin.url(), &[&broken.url(), &gone]);
    assert_eq!(case.result.unwrap().document_count, 10);
    // Not as patient with a mirror as with the only server there is.
    assert_eq!(broken.requests().len(), 2);
    assert_eq!(origin.requests().len(), 1);
}

#[test]
fn a_mirror_with_another_file_is_not_believed() {
    let right = gzip(&documents(10));
    let (origin, other) = (server(right.clone()), server(gzip(&documents(11))));
    let sized = DataSet { compressed_bytes: Some(right.len() as u64), ..data_set(NAME) };
    let hashed = DataSet { sha256: Some(sha256(&right)), ..data_set(NAME) };
    for data_set in [sized, hashed] {
        let case = download(data_set, &origin.url(), &[&other.url()]);
        assert_eq!(case.result.unwrap().document_count, 10);
        assert_eq!(names(case.cache.path()), ["documents.json", NAME]);
    }
    assert_eq!((origin.requests().len(), other.requests().len()), (2, 2));
}

#[test]
fn a_mirror_in_a_bucket_is_said_to_be_unusable_and_passed_over() {
    let origin = server(gzip(&documents(10)));
    let case = download(data_set(NAME), &origin.url(), &["s3://bucket/tracks"]);
    assert_eq!(case.result.unwrap().document_count, 10);
    assert_eq!(case.told.len(), 1);
    assert!(case.told[0].contains("'s3://bucket/tracks/corpora/documents.json.gz'"), "{:?}", case.told);
}

#[test]
fn the_error_is_that_of_the_server_of_the_track() {
    let lacks = || Server::start(|_, stream| answer(stream, "404 Not Found", &[], b""));
    let (origin, mirror) = (lacks(), lacks());
    let case = download(data_set(NAME), &origin.url(), &[&mirror.url()]);
    let PrepareError::Download { url, source, .. } = case.result.unwrap_err() else { panic!("wrong error") };
    assert_eq!(url, format!("{}/corpora/{NAME}", origin.url()));
    assert!(matches!(*source, DownloadError::Status { status: 404 }));
}
