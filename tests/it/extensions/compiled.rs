//! Compiled code is kept, and believed only where nobody else has changed it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::tracks::{faults, guest, race_on, with};
use crate::support::Machine;
use crate::support::recorder::Recorder;

/// A track that is raced in a moment.
fn quick() -> tempfile::TempDir {
    let operations = json!([{"name": "a", "operation-type": "faulty"}]);
    faults(operations, json!([{"operation": "a", "iterations": 3}]))
}

fn cache(machine: &Machine) -> PathBuf {
    machine.home().join("cache/components")
}

fn compiled(machine: &Machine) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(cache(machine))
        .expect("a cache")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cwasm"))
        .collect();
    files.sort();
    files
}

/// Races, and tells what the log says of it at length.
fn logged(machine: &Machine, track: &Path) -> String {
    let path = format!("--track-path={}", track.display());
    let file = machine.home().join("logs/rally.log");
    let before = fs::read_to_string(&file).unwrap_or_default().len();
    let mut command = machine.command(["run", "--offline", "--quiet", &path]);
    let output = command.env("RALLY_LOG", "rally_extension=debug,warn").output().expect("rally runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(&file).expect("a log")[before..].to_owned()
}

const COMPILED: &str = "compiled a component";

#[test]
fn a_second_start_compiles_nothing() {
    let (machine, track) = (Machine::new(), quick());
    assert!(logged(&machine, track.path()).contains(COMPILED));
    let files = compiled(&machine);
    assert_eq!(files.len(), 1);
    let identity = |path: &Path| {
        let metadata = fs::metadata(path).expect("there");
        (metadata.ino(), metadata.modified().expect("a time"), metadata.len())
    };
    let first = identity(&files[0]);
    let second = logged(&machine, track.path());
    assert!(!second.contains(COMPILED), "{second}");
    assert_eq!((compiled(&machine), identity(&files[0])), (files, first));
    let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
    assert_eq!(mode(&cache(&machine)), 0o700);
}

#[test]
fn changed_compiled_code_is_not_run() {
    let (machine, track) = (Machine::new(), quick());
    logged(&machine, track.path());
    let file = compiled(&machine).remove(0);
    let right = fs::read(&file).expect("read");
    for (at, what) in [(0, "the seal"), (right.len() / 2, "the code"), (right.len() - 1, "the end")] {
        let mut wrong = right.clone();
        wrong[at] ^= 1;
        fs::write(&file, &wrong).expect("written");
        let told = logged(&machine, track.path());
        assert!(told.contains("damaged or tampered with") && told.contains(COMPILED), "{what}: {told}");
        assert_ne!(fs::read(&file).expect("made anew"), wrong, "{what}");
        assert!(!logged(&machine, track.path()).contains(COMPILED), "{what}: used again");
    }
    fs::write(&file, &right[..right.len() / 3]).expect("written");
    assert!(logged(&machine, track.path()).contains("damaged or tampered with"), "cut off");
    fs::write(&file, b"").expect("written");
    assert!(logged(&machine, track.path()).contains("damaged or tampered with"), "empty");
}

#[test]
fn a_cache_that_others_can_write_to_is_not_used() {
    let (machine, track) = (Machine::new(), quick());
    logged(&machine, track.path());
    fs::set_permissions(cache(&machine), fs::Permissions::from_mode(0o770)).expect("changed");
    let told = logged(&machine, track.path());
    assert!(told.contains(COMPILED) && told.contains("chmod 700"), "{told}");
}

#[test]
fn a_cache_with_another_key_is_made_anew() {
    let (machine, track) = (Machine::new(), quick());
    logged(&machine, track.path());
    fs::write(cache(&machine).join("key"), [7; 32]).expect("written");
    let told = logged(&machine, track.path());
    assert!(told.contains("damaged or tampered with") && told.contains(COMPILED), "{told}");
    fs::write(cache(&machine).join("key"), "short").expect("written");
    let told = logged(&machine, track.path());
    assert!(told.contains(COMPILED), "{told}");
}

#[test]
fn races_that_start_together_share_a_new_cache() {
    let (machine, track) = (Machine::new(), quick());
    let path = format!("--track-path={}", track.path().display());
    let running: Vec<_> = (0..4).map(|_| machine.start(["run", "--offline", "--quiet", &path])).collect();
    for running in running {
        running.wait().expect_code(0);
    }
    assert_eq!(compiled(&machine).len(), 1);
    let left: Vec<String> = fs::read_dir(cache(&machine))
        .expect("a cache")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "key" && !name.ends_with(".cwasm"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!logged(&machine, track.path()).contains(COMPILED));
}

#[test]
fn compiled_code_of_one_component_is_not_taken_for_another() {
    let machine = Machine::new();
    let faults = quick();
    let operations = json!([{"name": "a", "operation-type": "numbered", "param-source": "numbered"}]);
    let other = with(&[("sharing.wasm", guest("sharing"))], operations, json!([{"operation": "a"}]));
    let hosts = Recorder::start();
    logged(&machine, faults.path());
    let first = compiled(&machine).remove(0);
    race_on(&machine, &hosts, other.path(), &["--quiet"]).expect_code(0);
    let second = compiled(&machine).into_iter().find(|path| *path != first).expect("two components");
    fs::copy(second, first).expect("copied");
    let told = logged(&machine, faults.path());
    assert!(told.contains("damaged or tampered with") && told.contains(COMPILED), "{told}");
}
