//! Tracks that rally writes: from what a cluster holds, and from tracks of 2017. They are raced on the embedded node.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use crate::support::node::Node;
use crate::support::{Machine, Run, track};
use serde_json::{Value, json};

const DOCUMENTS: usize = 1234;

impl Node {
    /// An index of these documents.
    fn fill(&self, index: &str, documents: &[String]) {
        let body = json!({
            "settings": {"index": {"number_of_shards": 1, "number_of_replicas": 0}},
            "mappings": {"properties": {
                "name": {"type": "text"}, "big": {"type": "long"}, "price": {"type": "float"},
                "owner": {"properties": {"age": {"type": "integer"}}}
            }}
        });
        self.call("PUT", &format!("/{index}"), &body.to_string());
        let lines: String =
            documents.iter().map(|document| format!("{{\"index\":{{}}}}\n{document}\n")).collect();
        if !lines.is_empty() {
            let answer = self.call("POST", &format!("/{index}/_bulk?refresh=true"), &lines);
            assert_eq!(answer["errors"], false, "{answer}");
        }
    }

    fn create(&self, machine: &Machine, folder: &Path, name: &str, more: &[&str]) -> Run {
        let mut arguments = vec![
            "create-track".to_owned(),
            format!("--track={name}"),
            format!("--target-hosts={}", self.address),
            format!("--output-path={}", folder.display()),
        ];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        machine.rally(arguments)
    }

    fn race_quietly(&self, machine: &Machine, track: &Path, more: &[&str]) -> Run {
        let mut arguments = vec![
            "run".to_owned(),
            "--quiet".to_owned(),
            "--on-error=abort".to_owned(),
            format!("--target-hosts={}", self.address),
            format!("--track-path={}", track.display()),
        ];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        machine.rally(arguments)
    }
}

/// Documents that are easily spoilt: text of many kinds, big numbers, numbers with zeros at their end, none at all.
fn documents(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| match number % 100 {
            7 => "{}".to_owned(),
            _ => format!(
                r#"{{"name":"Größe 日本 \u00e9 \"q\" \\ line\nbreak {{{{x}}}} {{% raw %}} {number}","big":922337203685477{number:04},"price":1.50,"owner":{{"age":{}}}}}"#,
                number % 90
            ),
        })
        .collect()
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(str::to_owned).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort_unstable();
    lines
}

/// All files below a folder, as paths from there.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("folder").map(|entry| entry.expect("entry").path()));
        } else {
            found.insert(path.strip_prefix(folder).expect("below").to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn a_created_track_brings_back_every_document_as_it_was() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let documents = documents(DOCUMENTS);
    node.fill("acme", &documents);
    // Never green; none of the track's business.
    node.call("PUT", "/other", r#"{"settings": {"number_of_replicas": 1}}"#);
    let folder = tempfile::tempdir().expect("folder");
    node.create(&machine, folder.path(), "first", &["--indices=acme", "--batch-size=100"]).expect_code(0);
    let first = folder.path().join("first");
    let expected = [
        "acme-documents-1k.json",
        "acme-documents-1k.json.bz2",
        "acme-documents.json",
        "acme-documents.json.bz2",
        "acme.json",
        "challenges/default.json",
        "operations/default.json",
        "track.json",
    ];
    assert_eq!(files(&first), expected.map(str::to_owned).into());
    assert_eq!(sorted(lines(&first.join("acme-documents.json"))), sorted(documents.clone()));
    assert_eq!(
        lines(&first.join("acme-documents-1k.json")),
        lines(&first.join("acme-documents.json"))[..1000]
    );

    // Only what is packed is left: the race unpacks it.
    fs::remove_file(first.join("acme-documents.json")).expect("removed");
    fs::remove_file(first.join("acme-documents-1k.json")).expect("removed");
    node.race_quietly(&machine, &first, &[]).expect_code(0);
    assert_eq!(node.count("acme"), DOCUMENTS as u64);
    node.create(&machine, folder.path(), "second", &["--indices=acme"]).expect_code(0);
    assert_eq!(
        sorted(lines(&folder.path().join("second/acme-documents.json"))),
        sorted(documents),
        "after the race"
    );
    node.race_quietly(&machine, &first, &["--test-mode"]).expect_code(0);
    assert_eq!(node.count("acme"), 1000);
}

#[test]
fn a_track_is_created_of_all_indices_that_patterns_find() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    node.fill("acme-one", &documents(3));
    node.fill("acme-two", &documents(5));
    node.fill("acme-none", &[]);
    let folder = tempfile::tempdir().expect("folder");
    let run = node.create(&machine, folder.path(), "all", &["--indices=acme-*,acme-one"]);
    run.expect_code(0);
    let listed = machine
        .rally(["render-track".to_owned(), format!("--track-path={}", folder.path().join("all").display())]);
    listed.expect_code(0);
    let track: Value = serde_json::from_str(&listed.output).expect("JSON");
    let names = |part: &str| -> BTreeSet<String> {
        let parts = track[part].as_array().expect("a list").iter();
        parts.map(|part| part["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names("indices"), ["acme-none", "acme-one", "acme-two"].map(str::to_owned).into());
    assert_eq!(names("corpora"), ["acme-one", "acme-two"].map(str::to_owned).into(), "those with documents");
    node.race_quietly(&machine, &folder.path().join("all"), &[]).expect_code(0);
    assert_eq!((node.count("acme-one"), node.count("acme-two"), node.count("acme-none")), (3, 5, 0));
}

#[test]
fn an_index_that_is_not_there_is_named_and_nothing_is_written() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    let folder = tempfile::tempdir().expect("folder");
    for pattern in ["nope", "nope-*"] {
        let run = node.create(&machine, folder.path(), "new", &[&format!("--indices={pattern}")]);
        run.expect_code(64).expect_error(&["the cluster has no index", pattern]);
        assert_eq!(files(folder.path()), BTreeSet::new());
    }
}

#[test]
fn an_empty_name_between_commas_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    // Before anything is asked of the target, which is not there.
    let run = Machine::new().rally([
        "create-track".to_owned(),
        "--track=new".to_owned(),
        "--indices=acme,".to_owned(),
        "--target-hosts=127.0.0.1:1".to_owned(),
        format!("--output-path={}", folder.path().display()),
    ]);
    run.expect_code(64).expect_error(&["--indices", "empty"]);
}

#[test]
fn a_folder_that_has_something_in_it_stays_as_it_is() {
    let machine = Machine::new();
    let node = Node::start(&machine);
    node.fill("acme", &documents(3));
    let folder = tempfile::tempdir().expect("folder");
    fs::create_dir(folder.path().join("new")).expect("made");
    fs::write(folder.path().join("new/mine.txt"), "mine").expect("written");
    let run = node.create(&machine, folder.path(), "new", &["--indices=acme"]);
    run.expect_code(64).expect_error(&["already exists and is not empty", "--output-path"]);
    assert_eq!(files(folder.path()), ["new/mine.txt".to_owned()].into());
}

/// What a scripted cluster does when it is asked for the second page.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    Dies,
    IsSilent,
}

/// A cluster with an index `acme` whose documents never end well. Tells once it was asked for the second page.
fn scripted(second: Second) -> (String, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = listener.local_addr().expect("address").to_string();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            std::thread::spawn(move || converse(stream, second, &tell));
        }
    });
    (address, told)
}

fn converse(stream: TcpStream, second: Second, tell: &std::sync::mpsc::Sender<()>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        std::io::copy(&mut Read::by_ref(&mut reader).take(length), &mut std::io::sink()).ok()?;
        let body = if first.contains("/_search/scroll") {
            tell.send(()).ok()?;
            if second == Second::IsSilent {
                // Until the other side has had enough.
                reader.read_line(&mut String::new()).ok()?;
            }
            return None;
        } else if first.contains("/acme/_search") {
            r#"{"_scroll_id":"s","_shards":{"failed":0},"hits":{"total":{"value":9},"hits":[{"_source":{"n":1}}]}}"#
        } else if first.contains("/acme") {
            r#"{"acme":{"mappings":{},"settings":{"index":{"number_of_shards":"1"}}}}"#
        } else {
            r#"{"name":"n","cluster_name":"scripted","version":{"number":"7.10.2","build_flavor":"oss"},"tagline":"You Know, for Search"}"#
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all((head + body).as_bytes()).ok()?;
    }
}

fn create_of_scripted(address: &str, folder: &Path) -> [String; 5] {
    [
        "create-track".to_owned(),
        "--track=new".to_owned(),
        "--indices=acme".to_owned(),
        format!("--target-hosts={address}"),
        format!("--output-path={}", folder.display()),
    ]
}

#[test]
fn a_cluster_that_dies_in_the_middle_leaves_no_part_of_a_track() {
    let (address, _told) = scripted(Second::Dies);
    let folder = tempfile::tempdir().expect("folder");
    let run = Machine::new().rally(create_of_scripted(&address, folder.path()));
    run.expect_code(1)
        .expect_error(&["cannot read the documents of 'acme' from the cluster", "/_search/scroll"]);
    assert_eq!(files(folder.path()), BTreeSet::new());
}

#[test]
fn ctrl_c_ends_the_wait_for_a_silent_cluster_and_leaves_no_part_of_a_track() {
    let (address, told) = scripted(Second::IsSilent);
    let folder = tempfile::tempdir().expect("folder");
    let machine = Machine::new();
    let running = machine.start(create_of_scripted(&address, folder.path()));
    told.recv().expect("the second page is asked for");
    running.interrupt();
    running.wait().expect_code(130).expect_error(&["interrupted; no track was written"]);
    assert_eq!(files(folder.path()), BTreeSet::new());
}

/// A track of 2017 with two documents sets and tasks whose meaning depends on the dialect.
fn track_of_2017() -> tempfile::TempDir {
    let specification = json!({
        "short-description": "two kinds of places", "description": "two kinds of places",
        "indices": [
            {"name": "towns", "types": [{
                "name": "type", "mapping": "mapping.json", "documents": "towns.json", "document-count": 50
            }]},
            {"name": "rivers", "types": [{
                "name": "type", "mapping": "mapping.json", "documents": "rivers.json", "document-count": 30
            }]}
        ],
        "operations": [
            {"name": "index", "operation-type": "index", "bulk-size": 7},
            {"name": "match-all", "operation-type": "search", "index": "towns", "body": {"query": {"match_all": {}}}},
            {"name": "scroll", "operation-type": "search", "index": "towns", "pages": 2, "results-per-page": 10,
             "body": {"query": {"match_all": {}}}},
            {"name": "force-merge", "operation-type": "force-merge", "max_num_segments": 1}
        ],
        "challenges": [{
            "name": "only", "description": "the only one", "default": true,
            "index-settings": {"index.number_of_shards": 1, "index.number_of_replicas": 0},
            "schedule": [
                {"operation": "index", "clients": 3},
                {"operation": "force-merge"},
                {"operation": "match-all", "clients": 4, "warmup-iterations": 8, "iterations": 40},
                {"parallel": {"tasks": [
                    {"operation": "scroll", "clients": 2, "iterations": 6},
                    {"name": "beside", "operation": "match-all", "iterations": 5}
                ]}}
            ]
        }]
    });
    let documents = |count: usize| -> String {
        (0..count).map(|number| format!("{{\"name\":\"place {number}\"}}\n")).collect()
    };
    track(&[
        ("track.json", &specification.to_string()),
        ("mapping.json", r#"{"type": {"properties": {"name": {"type": "keyword"}}}}"#),
        ("towns.json", &documents(50)),
        ("rivers.json", &documents(30)),
    ])
}

/// Requests of each task that the report names, warm-up and afterwards.
fn requests(machine: &Machine) -> Vec<(String, Value, Value)> {
    let (_, race) = machine.only_race();
    let tasks = race["results"]["op_metrics"].as_array().expect("op_metrics");
    tasks
        .iter()
        .map(|task| {
            let name = task["task"].as_str().expect("a name").to_owned();
            (name, task["warmup-requests"].clone(), task["requests"].clone())
        })
        .filter(|(name, _, _)| {
            ["index", "force-merge", "match-all", "scroll", "beside"].contains(&name.as_str())
        })
        .collect()
}

#[test]
fn an_upgraded_track_sends_as_many_requests_as_the_track_of_2017() {
    let old = track_of_2017();
    let parent = tempfile::tempdir().expect("folder");
    let new = parent.path().join("new");
    Machine::new()
        .rally([
            "upgrade-track".to_owned(),
            format!("--track-path={}", old.path().display()),
            format!("--output-path={}", new.display()),
        ])
        .expect_code(0);
    let raced = |folder: &Path| {
        let machine = Machine::new();
        let node = Node::start(&machine);
        node.race_quietly(&machine, folder, &[]).expect_code(0);
        (requests(&machine), node.count("towns"), node.count("rivers"))
    };
    let (old, new) = (raced(old.path()), raced(&new));
    assert_eq!(old.0.len(), 5, "{old:?}");
    assert_eq!((old.1, old.2), (50, 30));
    assert_eq!(old, new);
}
