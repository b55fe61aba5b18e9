//! Load drivers in processes of their own: `rally driver`.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use rally_cluster::parse_target_hosts;
use rally_race::{Cancel, DriverGroup, LoadDriver, LocalDriver};
use rally_results::Summary;
use rally_session::{
    Credentials, DriverProcess, Home, NoObserver, NodeProgram, RaceSpec, Session, TargetSpec, TrackSpec,
    bind, prepare, provider, race, record,
};

use crate::support::recorder::Recorder;
use crate::support::{Machine, OPERATIONS, small_track};

/// Indexing by three clients, then searches with warm-up, a target and Poisson intervals beside each other.
const SCHEDULE: &str = r#"[
  {"operation": "index", "clients": 3},
  {"parallel": {"tasks": [
    {"name": "steady", "operation": "match-all", "clients": 3, "warmup-iterations": 6, "iterations": 20, "target-throughput": 200},
    {"name": "random", "operation": "match-all", "clients": 2, "iterations": 10, "target-throughput": 100, "schedule": "poisson"}
  ]}}
]"#;

fn driver(machine: &Machine) -> DriverProcess {
    DriverProcess::start(machine.command(["driver"])).unwrap()
}

/// What a race came to that does not depend on the time: by task.
type Sums = Vec<(String, u64, u64, u64, String, Option<u64>)>;

fn sums(summary: &Summary) -> Sums {
    let tasks = summary.laps[0].tasks.iter();
    tasks
        .map(|task| {
            let failures = task.failures.iter().map(|failure| failure.count).sum();
            let name = task.info.name.clone();
            (
                name,
                task.requests,
                task.warmup_requests,
                failures,
                task.unit.to_string(),
                task.request_meta.figures.get("took").map(|took| took.count),
            )
        })
        .collect()
}

/// Races on the driver that `driver` makes for so many clients: the requests of its load, and its sums.
fn raced(
    machine: &Machine,
    track: &Path,
    driver: impl FnOnce(u32) -> Box<dyn LoadDriver>,
) -> (Vec<(String, Vec<u8>)>, Sums) {
    let recorder = Recorder::start();
    let mut spec = RaceSpec::new(TrackSpec::Folder(track.to_owned()), 1_735_689_600.0, 42);
    spec.target = TargetSpec::Hosts(parse_target_hosts(&recorder.address.to_string()).unwrap());
    let home = Home::at(machine.home()).unwrap();
    let cancel = Cancel::new();
    let session = Session::new(&home, Credentials::default(), &NoObserver, &cancel).unwrap();
    let node = NodeProgram { path: "not-started".into(), version: String::new() };
    let target = provider(&spec.target, &node);
    let ready = bind(&session, prepare(&session, spec, target).unwrap()).unwrap();
    let mut driver = driver(ready.race().plan.most_clients() as u32);
    let finished = race(&session, ready, driver.as_mut()).unwrap();
    let recorded = record(finished);
    recorded.end.unwrap();
    let load = |line: &str| line.contains("_bulk") || line.contains("_search");
    let mut requests: Vec<_> = recorder
        .take()
        .into_iter()
        .filter(|seen| load(&seen.target))
        .map(|seen| (seen.line(), seen.body))
        .collect();
    requests.sort();
    (requests, sums(&recorded.summary))
}

#[test]
fn a_driver_in_another_process_sends_the_same_requests_and_comes_to_the_same_sums() {
    let machine = Machine::new();
    let track = small_track(OPERATIONS, SCHEDULE);
    let here = raced(&machine, track.path(), |_| Box::new(LocalDriver::default()));
    assert!(here.0.len() > 30, "{}", here.0.len());
    let there = raced(&machine, track.path(), |_| Box::new(driver(&machine)));
    assert_eq!(there, here);
    let both = raced(&machine, track.path(), |clients| {
        Box::new(DriverGroup::new(vec![Box::new(driver(&machine)), Box::new(driver(&machine))], clients))
    });
    assert_eq!(both, here);
}

#[test]
fn a_driver_whose_process_is_killed_ends_the_race_with_what_was_measured() {
    let machine = Machine::new();
    let track = small_track(
        OPERATIONS,
        r#"[{"operation": "match-all", "warmup-time-period": 0, "time-period": 3600, "target-throughput": 50}]"#,
    );
    let recorder = Recorder::start();
    let mut spec = RaceSpec::new(TrackSpec::Folder(track.path().to_owned()), 1_735_689_600.0, 42);
    spec.target = TargetSpec::Hosts(parse_target_hosts(&recorder.address.to_string()).unwrap());
    let home = Home::at(machine.home()).unwrap();
    let cancel = Cancel::new();
    let session = Session::new(&home, Credentials::default(), &NoObserver, &cancel).unwrap();
    let node = NodeProgram { path: "not-started".into(), version: String::new() };
    let target = provider(&spec.target, &node);
    let ready = bind(&session, prepare(&session, spec, target).unwrap()).unwrap();
    let mut driver = driver(&machine);
    let id = driver.id().to_string();
    let finished = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Two seconds of requests: at least one recording is through.
            assert!(recorder.until_seen_often(|seen| seen.target.contains("_search"), 100));
            assert!(Command::new("kill").args(["-KILL", &id]).status().unwrap().success());
        });
        race(&session, ready, &mut driver).unwrap()
    });
    let recorded = record(finished);
    let error = recorded.end.unwrap_err().message();
    assert!(error.contains("the load driver failed"), "{error}");
    assert!(recorded.summary.laps[0].tasks[0].requests > 0);
}

/// What `rally driver` says and how it ends when its input is this.
fn driven(machine: &Machine, input: &[u8]) -> (i32, String) {
    let mut command = machine.command(["driver"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may end before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_driver_ends_with_its_input_and_refuses_what_makes_no_sense() {
    let machine = Machine::new();
    let frame = |text: &str| [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat();
    assert_eq!(driven(&machine, b""), (0, String::new()));
    assert_eq!(driven(&machine, &frame(r#"{"protocol": 1}"#)), (0, String::new()));
    for (input, part) in [
        (
            frame(r#"{"protocol": 2, "version": "99.0.0"}"#),
            "version 2 of the load driver's protocol (rally 99.0.0)",
        ),
        (b"hello, driver\n".to_vec(), "not a load driver"),
        (frame("{}x"), "not a message"),
        (frame(r#"{"protocol": 1}"#)[..8].to_vec(), "ended after 4 of the 15 bytes"),
    ] {
        let (code, errors) = driven(&machine, &input);
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains(part), "{errors}");
    }
}

#[test]
fn a_program_that_is_not_a_load_driver_is_refused_by_name() {
    let mut command = Command::new("cat");
    command.arg("/dev/null");
    let error = DriverProcess::start(command).err().unwrap();
    assert!(error.to_string().contains("'cat'"), "{error}");
    let error = DriverProcess::start(Command::new("no-such-driver")).err().unwrap();
    assert!(error.to_string().contains("'no-such-driver'"), "{error}");
}
