//! Tracks with code of their own from end to end: bad input ends before anything is sent, and what fails in the middle of a race
//! is told with its names, while the rest of the race goes on.

#[path = "support/recorder.rs"]
mod recorder;
mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use recorder::Recorder;
use serde_json::{Value, json};
use support::{Machine, Run, track};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guest(name: &str) -> Vec<u8> {
    let shipped = project().join("tracks").join(name).join(format!("{name}.wasm"));
    let path =
        if shipped.is_file() { shipped } else { project().join(format!("tests/guests/{name}/{name}.wasm")) };
    fs::read(path).expect("a component")
}

/// A track with these components, operations and schedule, whose index has no documents.
fn with(components: &[(&str, Vec<u8>)], operations: Value, schedule: Value) -> tempfile::TempDir {
    let text = json!({
        "short-description": "places",
        "description": "places",
        "indices": [{"name": "places", "types": [{"name": "place", "mapping": "mapping.json"}]}],
        "operations": operations,
        "challenges": [{"name": "only", "description": "the only one", "schedule": schedule}],
    });
    let folder = track(&[("track.json", &text.to_string()), ("mapping.json", "{\"place\": {}}")]);
    for (name, bytes) in components {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    folder
}

fn faults(operations: Value, schedule: Value) -> tempfile::TempDir {
    with(&[("faults.wasm", guest("faults"))], operations, schedule)
}

const HONEST: u64 = 20;

/// The faulty task beside an honest one, and one more after them. `role` misbehaves with `fault` in call `at`.
fn beside_honest(role: &str, fault: &str, at: u64, iterations: u64) -> tempfile::TempDir {
    let search = json!({"name": "honest", "operation-type": "search", "body": {"query": {"match_all": {}}}});
    let (operation, mut task) = match role {
        "source" => (
            json!({"operation-type": "search", "param-source": "faulty", "fault": fault, "at": at, "index": "places", "body": {}}),
            json!({}),
        ),
        "runner" => (json!({"operation-type": "faulty", "runner-fault": fault, "runner-at": at}), json!({})),
        _ => (
            json!({"operation-type": "search", "index": "places", "body": {}}),
            json!({"schedule": "faulty", "fault": fault, "at": at, "target-throughput": 1000}),
        ),
    };
    let mut faulty = operation;
    faulty["name"] = "faulty-task".into();
    task["operation"] = "faulty-task".into();
    task["iterations"] = iterations.into();
    let honest = json!({"operation": "honest", "iterations": HONEST});
    let after = json!({"operation": "honest", "name": "after", "iterations": HONEST});
    faults(json!([search, faulty]), json!([{"parallel": {"tasks": [task, honest]}}, after]))
}

/// Races on the embedded node.
fn race(machine: &Machine, track: &Path, more: &[&str]) -> Run {
    let path = format!("--track-path={}", track.display());
    let mut arguments = vec!["run", "--offline", "--report-format=json", &path];
    arguments.extend(more);
    machine.rally(arguments)
}

/// Races against a recorder.
fn race_on(machine: &Machine, recorder: &Arc<Recorder>, track: &Path, more: &[&str]) -> Run {
    let hosts = format!("--target-hosts={}", recorder.address);
    race(machine, track, &[&[hosts.as_str()], more].concat())
}

/// What the record of a race has of a task.
#[track_caller]
fn row(results: &Value, task: &str) -> Value {
    let rows = results["op_metrics"].as_array().unwrap_or_else(|| panic!("no rows in {results:#}"));
    let row = rows.iter().find(|row| row["task"] == task);
    row.unwrap_or_else(|| panic!("no row of {task} in {rows:#?}")).clone()
}

#[track_caller]
fn expect_refused(run: &Run, parts: &[&str]) {
    run.expect_code(64).expect_error(parts);
}

// Components and names.

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

// Before the race.

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
        .map(recorder::Seen::line)
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
    assert!(recorder.take().is_empty(), "nobody has talked to the target");
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

// In the race.

#[test]
fn a_source_that_ends_before_its_time_is_worth_a_word() {
    let operations = json!([
        {"name": "a", "operation-type": "search", "param-source": "faulty", "fault": "end", "at": 6, "index": "places", "body": {}}
    ]);
    let schedule = json!([{"operation": "a", "warmup-time-period": 0, "time-period": 30}]);
    let machine = Machine::new();
    let run = race(&machine, faults(operations, schedule).path(), &[]);
    run.expect_code(0);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "complete");
    let warnings = record["warnings"].to_string();
    assert!(warnings.contains("[a] ended after") && warnings.contains("parameters ran out"), "{warnings}");
}

#[test]
fn a_source_that_ends_before_its_iterations_ends_its_task() {
    let operations = json!([
        {"name": "a", "operation-type": "search", "param-source": "faulty", "fault": "end", "at": 6, "index": "places", "body": {}}
    ]);
    let machine = Machine::new();
    let schedule = json!([{"operation": "a", "iterations": 100}]);
    race(&machine, faults(operations, schedule).path(), &[]).expect_code(0);
    assert_eq!(requests(&machine, "a"), 5);
}

/// A fault, in which role and call, and what the user reads of it.
const FAULTS: [(&str, &str, &str, &str); 16] = [
    ("source", "error", "source.next", "told to fail in call 5"),
    ("source", "panic", "source.next", "told to panic in call 5"),
    ("source", "memory", "source.next", "--extension-memory"),
    ("runner", "error", "runner.run", "told to fail in call 5"),
    ("runner", "panic", "runner.run", "told to panic in call 5"),
    ("runner", "memory", "runner.run", "--extension-memory"),
    ("runner", "nan", "runner.run", "NaN"),
    ("runner", "infinite", "runner.run", "inf"),
    ("runner", "negative", "runner.run", "-1"),
    ("runner", "unit", "runner.run", "\"others\" after \"ops\""),
    ("scheduler", "error", "scheduler.next", "told to fail in call 5"),
    ("scheduler", "panic", "scheduler.next", "told to panic in call 5"),
    ("scheduler", "nan", "scheduler.next", "NaN"),
    ("scheduler", "infinite", "scheduler.next", "inf"),
    ("scheduler", "negative", "scheduler.next", "-1"),
    ("scheduler", "backwards", "scheduler.next", "due times do not go back"),
];

/// A fault in the middle, and in the last call.
fn continues(role: &str, fault: &str, call: &str, said: &str, iterations: u64) {
    let machine = Machine::new();
    let run = race(&machine, beside_honest(role, fault, 5, iterations).path(), &["--extension-memory=32MiB"]);
    assert_eq!(run.code, 1, "{role}, {fault}\n{}\n{}", run.output, run.errors);
    for part in ["faulty-task", "faults 0.1.0", call, said] {
        assert!(run.errors.contains(part), "{role}, {fault}: no {part} in\n{}", run.errors);
    }
    let trapped = ["panic", "memory"].contains(&fault);
    assert_eq!(run.errors.contains("backtrace of the component"), trapped, "{role}, {fault}: {}", run.errors);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "tasks-failed", "{role}, {fault}: {record:#}");
    let failed = record["failed-tasks"].to_string();
    assert!(failed.contains("faulty-task") && failed.contains("faults 0.1.0"), "{role}, {fault}: {failed}");
    for task in ["honest", "after"] {
        let row = row(&record["results"], task);
        assert_eq!(row["error_rate"], 0.0, "{role}, {fault}: {row:#}");
        assert_eq!(requests(&machine, task), HONEST, "{role}, {fault}: {task}");
    }
}

/// Measured requests of a task, as the record of the race has them.
fn requests(machine: &Machine, task: &str) -> u64 {
    let record = machine.only_race().1;
    row(&record["results"], task)["requests"].as_u64().unwrap_or_default()
}

#[test]
fn a_task_that_fails_in_the_middle_leaves_the_others_their_figures() {
    for (role, fault, call, said) in FAULTS {
        continues(role, fault, call, said, 1000);
    }
}

#[test]
fn a_task_that_fails_in_its_last_call_leaves_the_others_their_figures() {
    for (role, fault, call, said) in FAULTS.into_iter().filter(|(_, fault, ..)| *fault == "error") {
        continues(role, fault, call, said, 5);
    }
}

#[test]
fn a_task_of_many_clients_ends_with_the_first_that_fails() {
    for (role, call) in [("source", "source.next"), ("runner", "runner.run")] {
        let operations = json!([
            {"name": "honest", "operation-type": "search", "body": {"query": {"match_all": {}}}},
            {"name": "a", "operation-type": "faulty", "param-source": "faulty", "fault": "none"},
        ]);
        let mut operations = operations;
        let fault = if role == "source" { "fault" } else { "runner-fault" };
        operations[1][fault] = "panic".into();
        operations[1][if role == "source" { "at" } else { "runner-at" }] = 50.into();
        let schedule = json!([
            {"operation": "a", "clients": 6, "warmup-time-period": 0, "time-period": 600},
            {"operation": "honest", "iterations": HONEST},
        ]);
        let machine = Machine::new();
        let run = race(&machine, faults(operations, schedule).path(), &[]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        let told = run.errors.matches(&format!("call of {call}")).count();
        assert!((1..=2).contains(&told), "{role}: as it happens, and at the end:\n{}", run.errors);
        assert_eq!(machine.only_race().1["failed-tasks"].as_array().map(Vec::len), Some(1), "{role}");
        assert_eq!(requests(&machine, "honest"), HONEST);
    }
}

#[test]
fn a_fault_ends_the_race_where_errors_end_it() {
    for (role, fault, call, said) in FAULTS.into_iter().filter(|(_, fault, ..)| *fault == "panic") {
        let machine = Machine::new();
        let run = race(&machine, beside_honest(role, fault, 5, 1000).path(), &["--on-error=abort"]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        for part in ["faulty-task", "faults 0.1.0", call, said] {
            assert!(run.errors.contains(part), "{role}: no {part} in\n{}", run.errors);
        }
        let record = machine.only_race().1;
        assert_eq!(record["status"], "failed", "{role}");
        let after = record["results"]["op_metrics"].as_array().expect("rows").iter();
        let raced = after.filter(|row| row["task"] == "after").any(|row| row["requests"] != 0);
        assert!(!raced, "{role}: the race went on");
    }
}

#[test]
fn a_failed_request_of_a_runner_is_counted_like_any_other() {
    let machine = Machine::new();
    let run = race(&machine, beside_honest("runner", "api", 5, 8).path(), &[]);
    run.expect_code(0);
    let record = machine.only_race().1;
    assert_eq!(row(&record["results"], "faulty-task")["error_rate"], 0.5);
    assert!(record["warnings"].to_string().contains("4 x HTTP 503 told that the target failed"));
}

#[test]
fn an_endless_call_ends_at_its_time_limit() {
    for (role, call) in [("source", "source.next"), ("runner", "runner.run"), ("scheduler", "scheduler.next")]
    {
        let machine = Machine::new();
        let folder = beside_honest(role, "loop", 5, 1000);
        let run = race(&machine, folder.path(), &["--extension-time-per-call=50ms"]);
        assert_eq!(run.code, 1, "{role}\n{}\n{}", run.output, run.errors);
        for part in
            ["faults 0.1.0", call, "0.05 s", "--extension-time-per-call", "backtrace of the component"]
        {
            assert!(run.errors.contains(part), "{role}: no {part} in\n{}", run.errors);
        }
        for task in ["honest", "after"] {
            assert_eq!(requests(&machine, task), HONEST, "{role}: {task}");
        }
    }
}

#[test]
fn a_race_whose_guests_do_not_come_back_can_be_interrupted() {
    let tasks = [
        (
            "loop",
            json!({"name": "a", "operation-type": "faulty", "runner-fault": "loop", "runner-at": 5}),
            json!({}),
        ),
        ("sleep", json!({"name": "a", "operation-type": "sleep", "millis": 600_000}), json!({})),
        (
            "schedule",
            json!({"name": "a", "operation-type": "search", "index": "places", "body": {}}),
            json!({"schedule": "faulty", "fault": "loop", "at": 5}),
        ),
    ];
    for (name, operation, mut task) in tasks {
        task["operation"] = "a".into();
        task["iterations"] = 1000.into();
        let components = [("faults.wasm", guest("faults")), ("conformance.wasm", guest("conformance"))];
        let folder = with(&components, json!([operation]), json!([task]));
        let (machine, recorder) = (Machine::new(), Recorder::start());
        let running = machine.start([
            "run",
            "--offline",
            "--extension-data-bytes=1KiB",
            "--extension-time-per-call=2m",
            &format!("--target-hosts={}", recorder.address),
            &format!("--track-path={}", folder.path().display()),
        ]);
        let begun = match name {
            // Whoever connects asks for it as well.
            "loop" => recorder.until_seen_often(|seen| seen.line() == "GET /", 1 + 5),
            // Due times are asked for ahead: the first ones are not there before the one that does not come.
            _ => recorder.until_seen_often(|seen| seen.line() == "PUT /places", 1),
        };
        assert!(begun, "{name}");
        running.interrupt();
        let run = running.wait();
        run.expect_code(130);
        assert!(!run.errors.contains("--extension-time-per-call"), "{name}: it waited\n{}", run.errors);
        assert_eq!(machine.only_race().1["status"], "interrupted", "{name}");
    }
}

#[test]
fn a_flood_of_lines_does_not_fill_the_log() {
    let operations = json!([{"name": "a", "operation-type": "echo", "param-source": "log"}]);
    let schedule = json!([{"operation": "a", "iterations": 500}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let flags = ["--extension-log-lines=30", "--extension-data-bytes=1KiB"];
    let run = race_on(&machine, &recorder, folder.path(), &flags);
    run.expect_code(0);
    let log = fs::read_to_string(machine.home().join("logs/rally.log")).expect("a log");
    let lines = log.lines().filter(|line| line.contains(" of a")).count();
    // Debug lines are not kept, but count; instances of other roles log nothing.
    assert!((20..=30).contains(&lines), "{lines} lines");
    assert!(log.contains("--extension-log-lines"), "{log}");
}

// Compiled code.

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

// Ways to live.

#[test]
fn clients_that_share_an_instance_race() {
    let operations = json!([{"name": "a", "operation-type": "numbered", "param-source": "numbered"}]);
    let schedule = json!([{"operation": "a", "clients": 8, "iterations": 400}]);
    let folder = with(&[("sharing.wasm", guest("sharing"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    race_on(&machine, &recorder, folder.path(), &[]).expect_code(0);
    assert_eq!(requests(&machine, "a"), 400);
    let mut sent: Vec<String> = recorder.take().into_iter().map(|seen| seen.target).collect();
    sent.retain(|target| target.starts_with("/begin/") || target.starts_with("/end/"));
    sent.sort();
    let mut expected: Vec<String> = (0..8)
        .flat_map(|client| (1..=50).map(move |number| (client, number)))
        .flat_map(|(client, number)| ["begin", "end"].map(|what| format!("/{what}/{client}/{number}")))
        .collect();
    expected.sort();
    assert_eq!(sent, expected, "each object of each client once");
}

#[test]
fn source_runner_and_scheduler_of_a_client_share_an_instance() {
    let operations = json!([{"name": "a", "operation-type": "held", "param-source": "held"}]);
    let schedule = json!([{"operation": "a", "clients": 4, "iterations": 80, "schedule": "watching"}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(requests(&machine, "a"), 80);
    let log = fs::read_to_string(machine.home().join("logs/rally.log")).expect("a log");
    // The last request of each client is not followed by a call of the scheduler.
    assert_eq!(log.matches("times in order: true").count(), 76, "{log}");
    assert!(!log.contains("times in order: false"));
}

#[test]
fn a_runner_completes_its_task() {
    let operations = json!([{"name": "a", "operation-type": "completing", "runs": 7}]);
    let schedule = json!([{"operation": "a", "clients": 2}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(requests(&machine, "a"), 14);
}

#[test]
fn what_a_runner_tells_is_in_the_record() {
    let operations = json!([{
        "name": "a", "operation-type": "outcome", "weight": 25, "unit": "pages", "throughput": 123.5,
        "meta": {"took": 3},
    }]);
    let schedule = json!([{"operation": "a", "iterations": 10}]);
    let folder = with(&[("conformance.wasm", guest("conformance"))], operations, schedule);
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    let row = row(&machine.only_race().1["results"], "a");
    assert_eq!(
        (&row["throughput"]["median"], &row["throughput"]["unit"]),
        (&json!(123.5), &json!("pages/s"))
    );
    assert!(row["request_meta"].to_string().contains("took"), "{row:#}");
}

#[test]
fn a_processor_changes_the_track_and_prepares_its_data() {
    let operations = json!([{"name": "a", "operation-type": "echo", "param-source": "files", "data-file": "prepared/1.txt"}]);
    let folder = with(
        &[("conformance.wasm", guest("conformance"))],
        operations,
        json!([{"operation": "a", "iterations": 1}]),
    );
    let text = fs::read_to_string(folder.path().join("track.json")).expect("read");
    let mut track: Value = serde_json::from_str(&text).expect("JSON");
    track["meta"] = json!({"mine": 1});
    fs::write(folder.path().join("track.json"), track.to_string()).expect("written");
    let (machine, recorder) = (Machine::new(), Recorder::start());
    let run = race_on(&machine, &recorder, folder.path(), &["--extension-data-bytes=1KiB"]);
    run.expect_code(0);
    assert_eq!(machine.only_race().1["meta"], json!({"mine": 1, "processed-by": "conformance"}));
    let seen = recorder.take().into_iter().find(|seen| seen.target == "/echo").expect("sent");
    let body = seen.json()["body"].to_string();
    assert!(body.contains("job 1 of ") && body.contains("done"), "{body}");
}

// Seeds.

/// What each client of a race sent, in its order; clients in the order of what they sent.
fn sent(seed: &str) -> Vec<Vec<(String, Vec<u8>)>> {
    let operations = json!([{
        "name": "random", "operation-type": "search", "param-source": "random-profession",
        "professions": ["baker", "nurse", "smith", "pilot"],
    }]);
    let schedule = json!([{"operation": "random", "clients": 3, "iterations": 300}]);
    let folder = with(&[("random-profession.wasm", guest("random-profession"))], operations, schedule);
    let recorder = Recorder::start();
    race_on(&Machine::new(), &recorder, folder.path(), &[seed]).expect_code(0);
    let mut by_connection = std::collections::BTreeMap::<usize, Vec<_>>::new();
    for seen in recorder.take().into_iter().filter(|seen| seen.target.contains("/_search")) {
        by_connection.entry(seen.connection).or_default().push((seen.line(), seen.body));
    }
    let mut all: Vec<_> = by_connection.into_values().collect();
    all.sort();
    all
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let first = sent("--seed=7");
    assert_eq!((first.len(), first.iter().map(Vec::len).sum::<usize>()), (3, 300));
    assert_eq!(sent("--seed=7"), first);
    assert_ne!(sent("--seed=8"), first);
}

#[test]
fn each_lap_sends_something_else_and_the_same_seed_the_same_laps() {
    let laps = || {
        let operations = json!([{
            "name": "random", "operation-type": "search", "param-source": "random-profession",
            "professions": ["baker", "nurse", "smith", "pilot"],
        }]);
        let schedule = json!([{"operation": "random", "iterations": 100}]);
        let folder = with(&[("random-profession.wasm", guest("random-profession"))], operations, schedule);
        let recorder = Recorder::start();
        race_on(&Machine::new(), &recorder, folder.path(), &["--seed=7", "--laps=2"]).expect_code(0);
        let searches = recorder.take().into_iter().filter(|seen| seen.target.contains("/_search"));
        let bodies: Vec<Vec<u8>> = searches.map(|seen| seen.body).collect();
        assert_eq!(bodies.len(), 200);
        bodies
    };
    let bodies = laps();
    assert_ne!(bodies[..100], bodies[100..]);
    assert_eq!(laps(), bodies);
}

#[test]
fn a_task_that_fails_in_one_lap_is_tried_again_in_the_next() {
    let machine = Machine::new();
    let run = race(&machine, beside_honest("runner", "panic", 5, 1000).path(), &["--laps=2"]);
    run.expect_code(1);
    let record = machine.only_race().1;
    assert_eq!(record["status"], "tasks-failed");
    for lap in record["lap-results"].as_array().expect("laps") {
        for task in ["honest", "after"] {
            assert_eq!(row(lap, task)["requests"], HONEST, "{lap:#}");
        }
        assert_eq!(row(lap, "faulty-task")["requests"], 4);
    }
    assert_eq!(row(&record["results"], "honest")["requests"], 2 * HONEST);
}

// Tracks that ship.

#[test]
fn shipped_tracks_with_extensions_race_in_test_mode() {
    for name in ["random-profession", "percolate", "random-scheduler"] {
        let machine = Machine::new();
        let track = format!("--track={name}");
        let run = machine.rally(["run", "--test-mode", "--report-format=json", &track]);
        run.expect_code(0);
        let record = machine.only_race().1;
        assert_eq!((&record["track"], &record["status"]), (&json!(name), &json!("complete")));
        for row in record["results"]["op_metrics"].as_array().expect("rows") {
            assert_eq!(row["error_rate"], 0.0, "{name}: {row:#}");
        }
    }
}
