//! `rally extension`: writing, building, trying and looking into a track's own code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Machine, Run};
use serde_json::Value;

/// A machine with a folder to work in.
struct Author {
    machine: Machine,
    folder: tempfile::TempDir,
}

impl Author {
    fn new() -> Author {
        Author { machine: Machine::new(), folder: tempfile::tempdir().expect("temporary folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A track that searches with the param source of a track that ships with rally.
    fn track(&self) -> PathBuf {
        let track = self.path("searches");
        fs::create_dir_all(&track).expect("made");
        fs::copy(shipped("random-profession.wasm"), track.join("random-profession.wasm")).expect("copied");
        fs::write(
            track.join("mappings.json"),
            r#"{"person": {"properties": {"profession": {"type": "keyword"}}}}"#,
        )
        .expect("written");
        fs::write(
            track.join("track.json"),
            r#"{
              "short-description": "searches", "description": "searches",
              "indices": [{"name": "people", "types": [{"name": "person", "mapping": "mappings.json"}]}],
              "operations": [{
                "name": "search", "operation-type": "search", "param-source": "random-profession", "index": "people",
                "professions": ["baker", "diver"]
              }],
              "challenges": [
                {"name": "one", "description": "one client", "default": true,
                 "index-settings": {"index.number_of_replicas": 0},
                 "schedule": [{"operation": "search", "clients": 1, "warmup-iterations": 0, "iterations": 20}]},
                {"name": "two", "description": "two clients",
                 "index-settings": {"index.number_of_replicas": 0},
                 "schedule": [{"operation": "search", "clients": 2, "warmup-iterations": 0, "iterations": 20}]}
              ]
            }"#,
        )
        .expect("written");
        track
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine.command(arguments);
        command.current_dir(self.folder.path());
        // Kept from one run of the tests to the next: an SDK takes a minute to compile.
        command.env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("extensions"));
        // Those of the build of rally itself.
        command.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS");
        command
    }

    fn rally(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output().expect("rally runs");
        Run {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn fine(&self, arguments: &[&str]) -> Run {
        let run = self.rally(arguments);
        assert_eq!(run.code, 0, "{arguments:?}\n{}\n{}", run.output, run.errors);
        run
    }

    fn refused(&self, arguments: &[&str], text: &str) -> Run {
        let run = self.rally(arguments);
        assert_eq!(run.code, 64, "{arguments:?}\n{}\n{}", run.output, run.errors);
        assert!(run.errors.contains(text), "{arguments:?}: {}", run.errors);
        run
    }
}

/// A file of the track random-profession.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tracks/random-profession").join(name)
}

fn can_build_components() -> bool {
    let told = Command::new("rustc").args(["--print", "sysroot"]).output().expect("rustc runs");
    let sysroot = String::from_utf8_lossy(&told.stdout).trim().to_owned();
    Path::new(&sysroot).join("lib/rustlib/wasm32-unknown-unknown").is_dir()
}

#[test]
fn a_new_extension_builds_passes_its_tests_and_races() {
    let author = Author::new();
    let run = author.fine(&["extension", "new", "--lang", "rust", "colours"]);
    assert!(run.output.contains("_source/src/lib.rs"), "{}", run.output);
    author.refused(&["extension", "check", "colours"], "rally extension build");
    if !can_build_components() {
        author.refused(&["extension", "build", "colours"], "rustup target add wasm32-unknown-unknown");
        return;
    }
    let run = author.fine(&["extension", "build", "colours"]);
    assert!(run.output.contains("colours.wasm"), "{}", run.output);
    let component = author.path("colours/colours.wasm");
    let built = fs::read(&component).expect("built");
    for place in
        [author.folder.path(), Path::new(env!("CARGO_MANIFEST_DIR")), Path::new(env!("CARGO_TARGET_TMPDIR"))]
    {
        let place = place.display().to_string();
        assert!(
            !built.windows(place.len()).any(|window| window == place.as_bytes()),
            "{place} is in the component"
        );
    }
    let run = author.fine(&["extension", "check", "colours"]);
    assert!(
        run.output.contains("colours.wasm: fine") && run.output.contains("track colours: fine"),
        "{}",
        run.output
    );
    let run = author.fine(&["extension", "test", "colours"]);
    assert!(run.output.contains("test result: ok"), "{}", run.output);
    assert!(run.errors.contains("Challenge 'colours': fine"), "{}", run.errors);

    // Built again from a folder elsewhere: the same bytes.
    fs::rename(author.path("colours"), author.path("moved")).expect("moved");
    author.fine(&["extension", "build", "moved"]);
    assert_eq!(fs::read(author.path("moved/colours.wasm")).expect("built"), built);

    // What does not compile leaves the component alone, and what rustc says is shown.
    let code = author.path("moved/_source/src/lib.rs");
    let text = fs::read_to_string(&code).expect("read");
    fs::write(&code, format!("{text}\nfn broken() -> u32 {{ \"text\" }}\n")).expect("written");
    let run = author.refused(&["extension", "build", "moved"], "mismatched types");
    assert!(run.errors.contains("cargo build failed"), "{}", run.errors);
    assert_eq!(fs::read(author.path("moved/colours.wasm")).expect("there"), built);
}

#[test]
fn new_overwrites_nothing_and_says_what_it_cannot_do() {
    let author = Author::new();
    author.fine(&["extension", "new", "colours"]);
    let track = author.path("colours/track.json");
    fs::write(&track, "mine").expect("written");
    author.refused(&["extension", "new", "colours"], "already exists");
    assert_eq!(fs::read(&track).expect("read"), b"mine");
    author.refused(&["extension", "new", "--lang=python", "snake"], "Python are not supported yet");
    author.refused(&["extension", "new", "--lang=cobol", "old"], "possible values: rust");
    author.refused(&["extension", "new", "../escape"], "cannot be the name of a track");
    author.fine(&["extension", "new", "colours", "--path", "more/tracks"]);
    assert!(author.path("more/tracks/colours/track.json").is_file());
    assert!(!author.path("snake").exists());
}

#[test]
fn build_says_where_it_looked_for_sources() {
    let author = Author::new();
    author.track();
    author.refused(&["extension", "build", "searches"], "searches/_source/Cargo.toml' does not exist");
}

#[test]
fn inspect_shows_names_capabilities_size_digest_and_limits() {
    let author = Author::new();
    let component = shipped("random-profession.wasm").display().to_string();
    let shown = author.fine(&["extension", "inspect", &component]).output;
    for text in [
        "random-profession 1.0.0",
        "parameter sources: random-profession-function, random-profession",
        "sees the track, its parameters and the seed",
        "of rally:track 0.1.0:",
        "SHA-256",
        "256 MiB of memory (--extension-memory)",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("sends requests to the target"), "a param source does not: {shown}");
    let arguments = ["extension", "inspect", "--format=json", "--extension-memory=64MiB", &component];
    let shown: Value = serde_json::from_str(&author.fine(&arguments).output).expect("JSON");
    let shown_component = &shown["components"][0];
    assert_eq!(shown_component["wit-version"], "0.1.0");
    assert_eq!(shown_component["roles"], serde_json::json!(["param-sources"]));
    assert_eq!(shown_component["size"], fs::metadata(&component).expect("there").len());
    assert_eq!(shown["limits"]["extension-memory"], "64 MiB of memory");
}

#[test]
fn check_says_why_a_component_is_not_taken() {
    let author = Author::new();
    let good = fs::read(shipped("random-profession.wasm")).expect("read");
    for (bytes, text) in [
        (b"hello".as_slice(), "not WebAssembly"),
        (b"\0asm\x01\0\0\0", "core module"),
        (&good[..good.len() / 2], "cut short"),
    ] {
        fs::write(author.path("other.wasm"), bytes).expect("written");
        author.refused(&["extension", "check", "other.wasm"], text);
        author.refused(&["extension", "inspect", "other.wasm"], text);
    }
    fs::write(author.path("other.wasm"), &good).expect("written");
    author.fine(&["extension", "check", "other.wasm"]);
    author
        .refused(&["extension", "check", "other.wasm", "--extension-max-size=1KiB"], "--extension-max-size");
    author.refused(&["extension", "check", "nothing.wasm"], "cannot read");
}

#[test]
fn check_holds_a_track_to_the_names_of_its_components() {
    let author = Author::new();
    let track = author.track();
    author.fine(&["extension", "check", "searches"]);
    let file = track.join("track.json");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace("\"random-profession\"", "\"random-confession\"")).expect("written");
    author.refused(&["extension", "check", "searches"], "random-confession");
    fs::write(&file, text).expect("written");
    fs::copy(track.join("random-profession.wasm"), track.join("again.wasm")).expect("copied");
    author.refused(&["extension", "check", "searches"], "two components register the");
    fs::write(track.join("broken.wasm"), "hello").expect("written");
    let run = author.refused(&["extension", "check", "searches"], "2 problems");
    assert!(run.errors.contains("broken.wasm") && run.errors.contains("two components"), "{}", run.errors);
}

#[test]
fn test_races_each_challenge() {
    let author = Author::new();
    author.track();
    let run = author.fine(&["extension", "test", "searches"]);
    assert!(run.errors.contains("Challenge 'one': fine\nChallenge 'two': fine\n"), "{}", run.errors);
}

#[test]
fn test_fails_where_a_request_does() {
    let author = Author::new();
    let track = author.track();
    let file = track.join("track.json");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace("\"index\": \"people\"", "\"index\": \"nobody\"")).expect("written");
    let run = author.rally(&["extension", "test", "searches"]);
    assert_eq!(run.code, 1, "{}", run.errors);
    assert!(
        run.errors.contains("Challenge 'one': failed") && run.errors.contains("'search'"),
        "{}",
        run.errors
    );
    fs::remove_file(track.join("random-profession.wasm")).expect("removed");
    author.refused(&["extension", "test", "searches"], "rally extension build");
}

#[test]
fn a_recording_stands_in_for_the_node_and_notices_other_requests() {
    let author = Author::new();
    let track = author.track();
    author.fine(&["extension", "test", "searches", "--record", "answers.jsonl"]);
    let run = author.fine(&["extension", "test", "searches", "--recording", "answers.jsonl"]);
    assert!(run.errors.contains("Challenge 'two': fine"), "{}", run.errors);

    let file = track.join("track.json");
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace("[\"baker\", \"diver\"]", "[\"miner\"]")).expect("written");
    let run = author.refused(
        &["extension", "test", "searches", "--recording", "answers.jsonl"],
        "sent what the recording does not know",
    );
    assert!(run.errors.contains("POST /people") && run.errors.contains("miner"), "{}", run.errors);

    fs::write(&file, text.replace("\"two\"", "\"three\"")).expect("written");
    author.refused(
        &["extension", "test", "searches", "--recording", "answers.jsonl"],
        "has no challenge 'three'",
    );
    fs::write(author.path("answers.jsonl"), "{\"rally-recording\": 1, \"seed\": 1}\nnonsense\n")
        .expect("written");
    author.refused(
        &["extension", "test", "searches", "--recording", "answers.jsonl"],
        "answers.jsonl', line 2",
    );
    author.refused(
        &["extension", "test", "searches", "--recording", "nothing.jsonl"],
        "cannot read the recording",
    );
}
