//! `rally bundle`: making, looking into, signing and racing a track that is one file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Machine, Run};
use serde_json::Value;

/// A track without code of its own that indexes two documents.
fn track(folder: &Path) -> PathBuf {
    let track = folder.join("tiny");
    fs::create_dir_all(track.join("_source")).expect("made");
    fs::write(track.join("_source/notes.txt"), "not packed").expect("written");
    fs::write(track.join("documents.json"), "{\"a\": 1}\n{\"a\": 2}\n").expect("written");
    fs::write(track.join("far.json"), "{\"a\": 1}\n").expect("written");
    fs::write(
        track.join("track.json"),
        r#"{
          "short-description": "two documents",
          "description": "two documents",
          "indices": [{"name": "tiny", "types": [
            {"name": "doc", "mapping": "mapping.json", "documents": "documents.json", "document-count": 2}
          ]}],
          "operations": [
            {"name": "index", "operation-type": "index", "bulk-size": 1},
            {"name": "all", "operation-type": "search", "index": "tiny", "body": {"query": {"match_all": {}}}}
          ],
          "challenges": [{
            "name": "short", "description": "short", "default": true,
            "index-settings": {"index.number_of_replicas": 0},
            "schedule": [
              {"operation": "index", "clients": 1},
              {"operation": "all", "clients": 1, "iterations": 5}
            ]
          }]
        }"#,
    )
    .expect("written");
    fs::write(track.join("mapping.json"), "{\"doc\": {\"properties\": {\"a\": {\"type\": \"integer\"}}}}")
        .expect("written");
    track
}

/// A machine with a track, a pair of keys and a signed bundle.
struct Author {
    machine: Machine,
    folder: tempfile::TempDir,
}

impl Author {
    fn new() -> Author {
        let author =
            Author { machine: Machine::new(), folder: tempfile::tempdir().expect("temporary folder") };
        track(author.folder.path());
        author.fine(&["bundle", "keygen", &author.path("my.key")]);
        author.create(&["--sign", &author.path("my.key")]);
        author
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn rally(&self, arguments: &[&str]) -> Run {
        self.machine.rally(arguments)
    }

    fn fine(&self, arguments: &[&str]) -> Run {
        let run = self.rally(arguments);
        assert_eq!(run.code, 0, "{arguments:?}\n{}\n{}", run.output, run.errors);
        run
    }

    fn refused(&self, arguments: &[&str], text: &str) {
        let run = self.rally(arguments);
        assert_eq!(run.code, 64, "{arguments:?}\n{}\n{}", run.output, run.errors);
        assert!(run.errors.contains(text), "{arguments:?}: {}", run.errors);
    }

    fn create(&self, more: &[&str]) -> Run {
        let (track, output) = (self.path("tiny"), self.path("tiny.bundle"));
        let mut arguments = vec!["bundle", "--track-path", &track, "--output", &output];
        arguments.extend(more);
        self.fine(&arguments)
    }

    fn race<'a>(&'a self, bundle: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let mut arguments = vec!["run", "--bundle", bundle, "--report-format=json"];
        arguments.extend(more);
        arguments
    }
}

#[test]
fn a_signed_bundle_races_where_its_key_is_trusted_and_leaves_nothing_unpacked() {
    let author = Author::new();
    let (bundle, key) = (author.path("tiny.bundle"), author.path("my.key.pub"));
    let run = author.fine(&author.race(&bundle, &["--trusted-key", &key]));
    assert!(run.errors.contains("signed by key"), "{}", run.errors);
    let report: Value = serde_json::from_str(&run.output).expect("a report");
    assert!(report.to_string().contains("\"all\""), "{report}");
    let (_, race) = author.machine.only_race();
    assert_eq!(race["track"], "tiny");
    assert_eq!(race["options"]["bundle"]["trust"], "signed");
    assert_eq!(race["options"]["bundle"]["sha256"].as_str().map(str::len), Some(64));
    let unpacked = author.machine.home().join("benchmarks").join("bundles");
    let left: Vec<_> = fs::read_dir(unpacked)
        .expect("listing")
        .map(|entry| entry.expect("entry").file_name())
        .filter(|name| name != "lock")
        .collect();
    assert_eq!(left, Vec::<std::ffi::OsString>::new());
}

#[test]
fn keys_in_the_home_are_trusted() {
    let author = Author::new();
    let keys = author.machine.home().join("trusted-keys");
    fs::create_dir_all(&keys).expect("made");
    fs::copy(author.path("my.key.pub"), keys.join("author.pub")).expect("copied");
    author.fine(&author.race(&author.path("tiny.bundle"), &["--trust", "signed"]));
}

#[test]
fn a_strangers_bundle_does_not_run_by_itself() {
    let author = Author::new();
    let bundle = author.path("tiny.bundle");
    author.refused(&author.race(&bundle, &[]), "no key is trusted yet");
    author.fine(&["bundle", "keygen", &author.path("other.key")]);
    let other = author.path("other.key.pub");
    author.refused(&author.race(&bundle, &["--trusted-key", &other]), "which is not trusted");
    fs::remove_file(author.path("tiny.bundle.sig")).expect("removed");
    author.refused(&author.race(&bundle, &["--trusted-key", &other]), "the bundle is not signed");
    assert!(!author.machine.home().join("benchmarks").join("races").exists(), "nothing was raced");
}

#[test]
fn a_changed_byte_is_refused_at_each_level_that_verifies() {
    let author = Author::new();
    let (bundle, key) = (author.path("tiny.bundle"), author.path("my.key.pub"));
    let good = fs::read(&bundle).expect("read");
    for at in [0, 130, 700, good.len() / 2, good.len() - 1] {
        let mut changed = good.clone();
        changed[at] ^= 1;
        fs::write(&bundle, &changed).expect("written");
        author.refused(&author.race(&bundle, &["--trusted-key", &key]), "the signature does not match");
        author.refused(&author.race(&bundle, &["--trust", "digest"]), "rally refuses");
        author.refused(&["bundle", "inspect", &bundle], "rally refuses");
    }
}

#[test]
fn a_pinned_digest_is_a_way_to_trust_without_keys() {
    let author = Author::new();
    let bundle = author.path("tiny.bundle");
    let shown = author.fine(&["bundle", "inspect", &bundle, "--format=json"]);
    let shown: Value = serde_json::from_str(&shown.output).expect("JSON");
    let digest = shown["sha256"].as_str().expect("a digest").to_owned();
    author.fine(&author.race(&bundle, &["--trust", "digest", "--bundle-digest", &digest]));
    let other = "0".repeat(64);
    author.refused(
        &author.race(&bundle, &["--trust", "digest", "--bundle-digest", &other]),
        "this is a different bundle",
    );
    author.refused(
        &author.race(&bundle, &["--trust", "digest", "--bundle-digest", "12"]),
        "64 hexadecimal digits",
    );
}

#[test]
fn an_archive_of_ones_own_races_with_local_trust_only() {
    let author = Author::new();
    let archive = author.path("mine.tar");
    let packed = std::process::Command::new("tar")
        .args(["-C", &author.path("tiny"), "-cf", &archive, "."])
        .status()
        .expect("tar runs");
    assert!(packed.success());
    author.refused(&author.race(&archive, &["--trust", "digest"]), "this is not a bundle");
    author.fine(&author.race(&archive, &["--trust", "local"]));
    let (_, race) = author.machine.only_race();
    assert_eq!(race["track"], "mine");
}

#[test]
fn the_same_track_gives_the_same_bundle() {
    let author = Author::new();
    let first = fs::read(author.path("tiny.bundle")).expect("read");
    let copy = author.folder.path().join("copy").join("tiny");
    fs::create_dir_all(&copy).expect("made");
    for name in ["documents.json", "track.json", "mapping.json", "far.json"] {
        fs::copy(Path::new(&author.path("tiny")).join(name), copy.join(name)).expect("copied");
    }
    let (copy, output) = (copy.display().to_string(), author.path("again.bundle"));
    author.fine(&["bundle", "create", "--track-path", &copy, "--output", &output]);
    assert_eq!(fs::read(output).expect("read"), first);
}

#[test]
fn what_is_fetched_from_a_url_is_left_out_and_named() {
    let author = Author::new();
    let file = Path::new(&author.path("tiny")).join("track.json");
    let text = fs::read_to_string(&file).expect("read");
    let text = text.replace("\"documents\": \"documents.json\"", "\"documents\": \"documents.json.bz2\"");
    let text = text.replace(
        "\"description\": \"two documents\",",
        "\"description\": \"two documents\", \"data-url\": \"http://127.0.0.1:1/data\",",
    );
    fs::write(&file, text).expect("written");
    fs::remove_file(author.path("tiny.bundle.sig")).expect("removed");
    let run = author.create(&[]);
    assert!(run.output.contains("Left out: documents.json (fetched from its URL)"), "{}", run.output);
    assert!(run.output.contains("Left out: _source/ (sources)"), "{}", run.output);
    let shown = author.fine(&["bundle", "inspect", &author.path("tiny.bundle")]).output;
    assert!(!shown.contains("documents.json") && shown.contains("far.json"), "{shown}");
}

#[test]
fn inspect_shows_files_and_the_state_of_the_signature() {
    let author = Author::new();
    let (bundle, key) = (author.path("tiny.bundle"), author.path("my.key.pub"));
    let shown = author.fine(&["bundle", "inspect", &bundle, "--trusted-key", &key]).output;
    assert!(shown.contains("track tiny") && shown.contains("which is trusted"), "{shown}");
    assert!(shown.contains("  documents.json\n") && shown.contains("No code of its own."), "{shown}");
    let shown = author.fine(&["bundle", "inspect", &bundle]).output;
    assert!(shown.contains("which is not trusted"), "{shown}");
    fs::remove_file(author.path("tiny.bundle.sig")).expect("removed");
    let shown = author.fine(&["bundle", "inspect", &bundle, "--format=json"]).output;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["signature"]["state"], "none");
    assert_eq!(shown["files"].as_array().map(Vec::len), Some(4));
    assert_eq!(shown["components"], serde_json::json!([]));
}

#[test]
fn keys_are_private_and_never_overwritten() {
    let author = Author::new();
    let key = author.path("my.key");
    let before = fs::read(&key).expect("read");
    author.refused(&["bundle", "keygen", &key], "already exists");
    assert_eq!(fs::read(&key).expect("read"), before);
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&key).expect("there").permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
    let (track, output) = (author.path("tiny"), author.path("tiny.bundle"));
    author.refused(
        &["bundle", "--track-path", &track, "--output", &output, "--sign", &key],
        "other users of this machine can read",
    );
    let public = author.path("my.key.pub");
    fs::set_permissions(&public, fs::Permissions::from_mode(0o600)).expect("set");
    author.refused(
        &["bundle", "--track-path", &track, "--output", &output, "--sign", &public],
        "not a rally-secret-key-1",
    );
}

#[test]
fn a_bundle_that_would_not_fit_its_old_signature_or_lie_in_its_track_is_not_made() {
    let author = Author::new();
    let (track, output) = (author.path("tiny"), author.path("tiny.bundle"));
    author.refused(&["bundle", "--track-path", &track, "--output", &output], "sign this one with --sign");
    let inside = author.path("tiny/tiny.bundle");
    author.refused(&["bundle", "--track-path", &track, "--output", &inside], "write it elsewhere");
    assert!(!Path::new(&inside).exists());
}

#[cfg(unix)]
#[test]
fn a_track_with_a_link_is_not_packed() {
    let author = Author::new();
    std::os::unix::fs::symlink("/etc/passwd", author.path("tiny/secrets.txt")).expect("linked");
    fs::remove_file(author.path("tiny.bundle.sig")).expect("removed");
    let before = fs::read(author.path("tiny.bundle")).expect("read");
    let (track, output) = (author.path("tiny"), author.path("tiny.bundle"));
    author.refused(&["bundle", "--track-path", &track, "--output", &output], "secrets.txt' is a link");
    assert_eq!(fs::read(output).expect("read"), before, "the bundle from before is still there");
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    let author = Author::new();
    let (bundle, key) = (author.path("tiny.bundle"), author.path("my.key.pub"));
    author.refused(&author.race(&bundle, &["--trust", "digest", "--trusted-key", &key]), "--trust signed");
    author.refused(&["run", "--track=tutorial", "--trust", "digest"], "need --bundle");
    author.refused(&["bundle"], "--track-path");
    author.refused(&author.race(&author.path("nothing"), &[]), "cannot read");
}

#[test]
fn a_bundle_with_code_of_its_own_shows_what_that_asks_for_and_races() {
    let author = Author::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tracks/random-profession");
    let (track, bundle) = (shipped.display().to_string(), author.path("random-profession.bundle"));
    let key = author.path("my.key");
    author.fine(&["bundle", "--track-path", &track, "--output", &bundle, "--sign", &key]);
    let shown = author.fine(&["bundle", "inspect", &bundle]).output;
    for text in [
        "random-profession.wasm: random-profession 1.0.0",
        "parameter sources: random-profession-function, random-profession",
        "sees the track, its parameters and the seed",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("sends requests"), "{shown}");
    let shown = author.fine(&["bundle", "inspect", &bundle, "--format=json"]).output;
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["components"][0]["names"]["param-sources"][1], "random-profession");
    let public = author.path("my.key.pub");
    author.fine(&[
        "run",
        "--bundle",
        &bundle,
        "--trusted-key",
        &public,
        "--test-mode",
        "--on-error=abort",
        "--quiet",
    ]);
    let (_, race) = author.machine.only_race();
    assert_eq!(race["track"], "random-profession");
    assert_eq!(race["options"]["extensions"][0]["name"], "random-profession");
}
