//! What ends a race before anything is created or deleted.

use std::fs;

use serde_json::json;

use super::tracks::{beside_honest, expect_refused, faults, guest, race, race_on, with};
use crate::support::Machine;
use crate::support::recorder::{Recorder, Seen};

#[test]
fn a_name_that_no_component_registers_is_named_beside_the_known_ones() {
    let machine = Machine::new();
    let source = json!([{"name": "a", "operation-type": "search", "param-source": "faulti"}]);
    let run = race(&machine, faults(source, json!([{"operation": "a"}])).path(), &[]);
    expect_refused(&run, &["faulti", "faulty", "track.json"]);
    let runner = json!([{"name": "a", "operation-type": "faulti"}]);
    let run = race(&machine, faults(runner, json!([{"operation": "a"}])).path(), &[]);
    expect_refused(&run, &["faulti", "faulty", "track.json"]);
    let search = json!([{"name": "a", "operation-type": "search", "body": {}}]);
    let run = race(&machine, faults(search, json!([{"operation": "a", "schedule": "faulti"}])).path(), &[]);
    expect_refused(&run, &["faulti", "faulty", "track.json"]);
}

#[test]
fn a_name_of_a_component_that_is_missing_is_refused() {
    let source = json!([{"name": "a", "operation-type": "search", "param-source": "faulty"}]);
    let run = race(&Machine::new(), with(&[], source, json!([{"operation": "a"}])).path(), &[]);
    expect_refused(&run, &["faulty", "track.json"]);
}

#[test]
fn components_in_folders_with_an_underscore_are_not_there() {
    let source = json!([{"name": "a", "operation-type": "search", "param-source": "faulty"}]);
    let folder = with(&[], source, json!([{"operation": "a"}]));
    fs::create_dir(folder.path().join("_build")).expect("made");
    fs::write(folder.path().join("_build/faults.wasm"), guest("faults")).expect("written");
    expect_refused(&race(&Machine::new(), folder.path(), &[]), &["faulty"]);
}

#[test]
fn two_components_of_one_name_are_both_named() {
    let source = json!([{"name": "a", "operation-type": "search", "param-source": "faulty"}]);
    let components = [("one.wasm", guest("faults")), ("two.wasm", guest("faults"))];
    let run = race(&Machine::new(), with(&components, source, json!([{"operation": "a"}])).path(), &[]);
    expect_refused(&run, &["faulty", "one.wasm", "two.wasm"]);
}

#[test]
fn a_component_for_a_newer_interface_is_refused() {
    let mut newer = guest("faults");
    let (old, new) = (b"@0.1.0", b"@0.9.0");
    let mut changed = 0;
    for at in 0..newer.len() - old.len() {
        if newer[at..].starts_with(old) {
            newer[at..at + new.len()].copy_from_slice(new);
            changed += 1;
        }
    }
    assert!(changed > 0, "the version stands in the component");
    let source = json!([{"name": "a", "operation-type": "search", "param-source": "faulty"}]);
    let folder = with(&[("newer.wasm", newer)], source, json!([{"operation": "a"}]));
    expect_refused(&race(&Machine::new(), folder.path(), &[]), &["newer.wasm", "0.9.0", "0.1.0"]);
}

#[test]
fn a_file_that_is_no_component_is_refused() {
    for bytes in [b"".to_vec(), b"(component)".to_vec(), guest("faults")[..5000].to_vec()] {
        let search = json!([{"name": "a", "operation-type": "search", "body": {}}]);
        let folder = with(&[("odd.wasm", bytes)], search, json!([{"operation": "a"}]));
        expect_refused(&race(&Machine::new(), folder.path(), &[]), &["odd.wasm"]);
    }
}

#[test]
fn what_fails_in_open_ends_the_race_before_it_begins() {
    let machine = Machine::new();
    let recorder = Recorder::start();
    for (fault, said) in [("open", "told to fail in open"), ("open-panic", "told to panic in open")] {
        for (role, call) in
            [("source", "source.open"), ("runner", "runner.open"), ("scheduler", "scheduler.open")]
        {
            let run = race_on(&machine, &recorder, beside_honest(role, fault, 1, 10).path(), &[]);
            run.expect_code(64);
            for part in ["faulty-task", "faults 0.1.0", call, said] {
                assert!(run.errors.contains(part), "{role}, {fault}: no {part} in\n{}", run.errors);
            }
        }
    }
    let changed: Vec<String> = recorder
        .take()
        .iter()
        .filter(|seen| !["GET", "HEAD"].contains(&seen.method.as_str()))
        .map(Seen::line)
        .collect();
    assert!(changed.is_empty(), "created, deleted or sent: {changed:?}");
    assert!(!machine.home().join("benchmarks/races").is_dir(), "there was no race");
}

#[test]
fn a_processor_that_may_not_write_ends_the_race_before_it_begins() {
    let operations = json!([{"name": "a", "operation-type": "search", "body": {}}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, json!([{"operation": "a"}]));
    let recorder = Recorder::start();
    let run = race_on(&Machine::new(), &recorder, folder.path(), &[]);
    expect_refused(&run, &["conformance 0.1.0", "run-job", "--extension-data-bytes"]);
    let seen: Vec<String> = recorder.take().iter().map(Seen::line).collect();
    assert_eq!(seen, ["GET /"], "the target was asked who it is, and nothing else");
}

#[test]
fn parameters_that_an_extension_does_not_expect_are_named_before_the_race() {
    let recorder = Recorder::start();
    let operations = json!([
        {"name": "a", "operation-type": "search", "param-source": "faulty", "fault": "none", "at": "soon"}
    ]);
    let folder = faults(operations, json!([{"operation": "a", "iterations": 1}]));
    let run = race_on(&Machine::new(), &recorder, folder.path(), &[]);
    expect_refused(&run, &["faults 0.1.0", "'at'", "\"soon\"", "must be"]);
    assert!(recorder.take().iter().all(|seen| seen.method == "GET"));
}
