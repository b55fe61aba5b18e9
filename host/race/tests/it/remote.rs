//! Races through load drivers at the other end of a pipe, and what may come out of such a pipe.

use std::collections::BTreeMap;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rally_race::*;
use rally_track::{CompletedBy, Element, Target};
use serde_json::{Value, json};

use crate::support::*;

/// Options of a driver in a test: two threads, whatever the machine has.
fn options() -> LocalDriverOptions {
    LocalDriverOptions { threads: Some(2), ..LocalDriverOptions::default() }
}

/// A load driver at the other end of two pipes, that makes its race by `load`.
fn remote(load: impl RaceLoader + 'static) -> (RemoteDriver, JoinHandle<Result<(), WireError>>) {
    let (commands, to_driver) = pipe().unwrap();
    let (from_driver, events) = pipe().unwrap();
    let served = thread::spawn(move || {
        serve(commands, events, LocalDriver::with_loader(options(), Box::new(load)), &Cancel::new())
    });
    (RemoteDriver::connect(from_driver, to_driver).unwrap(), served)
}

/// A race with most of what a race may have: warm-up, throttling, a parallel element that one task completes, failures.
fn elements() -> Vec<Element> {
    let mut index = task("index");
    index.clients = 4;
    let mut search = task("search");
    (search.clients, search.warmup_iterations, search.iterations) = (3, Some(30), Some(200));
    search.target = Some(Target::Throughput(2000.0));
    let mut poisson = task("poisson");
    (poisson.clients, poisson.iterations, poisson.schedule) = (2, Some(40), "poisson".to_owned());
    poisson.target = Some(Target::Throughput(1000.0));
    let mut forever = task("forever");
    forever.time_period = Some(3600.0);
    let mut last = task("last");
    (last.clients, last.iterations) = (1, Some(5));
    vec![
        single(index),
        parallel(vec![search, poisson], None, None),
        parallel(vec![forever, last], None, Some("last")),
    ]
}

fn bindings(log: &Log) -> Bound {
    let failing = |performed: Performed| async move {
        performed.number.is_multiple_of(7).then(|| failure(FailureKind::Answered))
    };
    let slow = |_| async {
        tokio::time::sleep(Duration::from_millis(2)).await;
        None
    };
    let mut bound = Bound::default();
    bound.log = log.clone();
    bound
        .with("index", Source::finite(500))
        .with_runner("search", Source::endless(), failing)
        .with("poisson", Source::endless())
        .with_runner("forever", Source::endless(), slow)
        .with_runner("last", Source::endless(), slow)
}

/// Requests by task, client and number, but those of tasks that last as long as others do.
fn requests(log: &Log) -> Vec<(&'static str, u32, u64)> {
    let mut all: Vec<_> = log
        .all()
        .into_iter()
        .filter(|performed| performed.task != "forever")
        .map(|performed| (performed.task, performed.client, performed.number))
        .collect();
    all.sort_unstable();
    all
}

/// What is exactly the same in each race of [`elements`]: numbers of samples, work, failures.
fn sums(figures: &Collector) -> BTreeMap<usize, Value> {
    let sum = |recording: &Recording| {
        let counts: Vec<_> =
            recording.histograms.iter().map(|(key, times)| (format!("{key:?}"), times.len())).collect();
        let weight = |weight: fn(&SecondOfWork) -> f64| recording.seconds.values().map(weight).sum::<f64>();
        json!({
            "counts": counts,
            "warm-up": weight(|second| second.warmup_weight),
            "normal": weight(|second| second.normal_weight),
            "requests": recording.seconds.values().map(|second| second.requests).sum::<u64>(),
            "failed": recording.failed_work,
            "failures": recording.failures.values().sum::<u64>(),
            "unit": recording.unit,
            "intervals": recording.measured_intervals,
        })
    };
    figures.recordings.iter().filter(|(task, _)| **task != 3).map(|(task, all)| (*task, sum(all))).collect()
}

/// Races [`elements`] in this process.
fn raced_here() -> (Log, Collector) {
    let (log, mut figures) = (Log::default(), Collector::default());
    let mut driver = LocalDriver::new(options());
    let end = run(&plan(elements()), &bindings(&log), &mut driver, &mut figures, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
    (log, figures)
}

/// The plan as it is bound, which a remote driver has to come to.
fn bound_plan(elements: Vec<Element>) -> RacePlan {
    bind(&plan(elements), &bindings(&Log::default())).unwrap().plan
}

#[test]
fn a_race_at_the_other_end_of_a_pipe_sends_the_same_requests_and_comes_to_the_same_sums() {
    let (log, figures) = raced_here();
    let (remote_log, mut remote_figures) = (Log::default(), Collector::default());
    let their_log = remote_log.clone();
    let (mut driver, served) = remote(move |order: &LoadOrder| {
        assert_eq!(order.race, json!({"name": "all of it"}));
        Ok(bind(&plan(elements()), &bindings(&their_log))?)
    });
    let race = json!({"name": "all of it"});
    let end = run_on(&bound_plan(elements()), race, &mut driver, &mut remote_figures, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
    drop(driver);
    served.join().unwrap().unwrap();
    assert_eq!(requests(&remote_log), requests(&log));
    assert_eq!(sums(&remote_figures), sums(&figures));
    let finished = |figures: &Collector| {
        let mut finished: Vec<String> =
            figures.events.iter().filter(|event| event.ends_with("finished")).cloned().collect();
        finished.sort();
        finished
    };
    assert_eq!(finished(&remote_figures), finished(&figures));
}

#[test]
fn two_drivers_with_half_of_the_clients_each_come_to_the_sums_of_one() {
    let (log, figures) = raced_here();
    let shared = Log::default();
    let shares = Arc::new(Mutex::new(Vec::new()));
    let mut drivers: Vec<Box<dyn LoadDriver>> = Vec::new();
    let mut served = Vec::new();
    for _ in 0..2 {
        let (log, shares) = (shared.clone(), Arc::clone(&shares));
        let (driver, thread) = remote(move |order: &LoadOrder| {
            shares.lock().unwrap().push(order.clients.clone());
            Ok(bind(&plan(elements()), &bindings(&log))?)
        });
        drivers.push(Box::new(driver));
        served.push(thread);
    }
    let bound = bound_plan(elements());
    let mut group = DriverGroup::new(drivers, bound.most_clients() as u32);
    let mut both = Collector::default();
    let end = run_on(&bound, Value::Null, &mut group, &mut both, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
    drop(group);
    served.into_iter().for_each(|served| served.join().unwrap().unwrap());
    let mut shares = shares.lock().unwrap().clone();
    shares.sort_by_key(|share| !share.contains(0));
    let half = |from| ClientShare::Only((from..5).step_by(2).collect());
    assert_eq!(shares, [half(0), half(1)]);
    assert_eq!(requests(&shared), requests(&log));
    assert_eq!(sums(&both), sums(&figures));
}

#[test]
fn the_first_client_that_is_done_completes_the_element_on_all_drivers() {
    let elements = || {
        let (mut long, mut short) = (task("forever"), task("last"));
        long.time_period = Some(3600.0);
        long.clients = 3;
        short.iterations = Some(3);
        let mut element = parallel(vec![long, short], None, None);
        if let Element::Parallel(parallel) = &mut element {
            parallel.completed_by = Some(CompletedBy::Any);
        }
        vec![element]
    };
    let mut drivers: Vec<Box<dyn LoadDriver>> = Vec::new();
    for _ in 0..2 {
        let load = move |_: &LoadOrder| Ok(bind(&plan(elements()), &bindings(&Log::default()))?);
        drivers.push(Box::new(remote(load).0));
    }
    let bound = bound_plan(elements());
    let mut group = DriverGroup::new(drivers, bound.most_clients() as u32);
    let mut figures = Collector::default();
    let end = run_on(&bound, Value::Null, &mut group, &mut figures, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
}

#[test]
fn a_driver_that_comes_to_another_plan_is_refused_by_both_digests() {
    let mut other = task("last");
    other.iterations = Some(6);
    let (mut driver, _) = remote(move |_: &LoadOrder| {
        Ok(bind(&plan(vec![single(other.clone())]), &bindings(&Log::default()))?)
    });
    let mut own = task("last");
    own.iterations = Some(5);
    let bound = bound_plan(vec![single(own)]);
    let mut figures = Collector::default();
    let end = run_on(&bound, Value::Null, &mut driver, &mut figures, &Cancel::new());
    let EndReason::Failed(error @ RaceError::OtherPlan { .. }) = end.reason else { panic!("{end:?}") };
    assert!(error.to_string().contains(&bound.digest().to_string()), "{error}");
    assert!(figures.events.is_empty());
}

#[test]
fn what_a_remote_driver_cannot_load_ends_the_race_with_the_causes() {
    let (mut driver, _) = remote(|_: &LoadOrder| Err("no such track".into()));
    let bound = bound_plan(elements());
    let mut figures = Collector::default();
    let end = run_on(&bound, Value::Null, &mut driver, &mut figures, &Cancel::new());
    let EndReason::Failed(error) = end.reason else { panic!("{end:?}") };
    assert_eq!(chain(&error), ["the load driver cannot prepare the race", "no such track"]);
}

#[test]
fn an_error_of_a_remote_runner_keeps_its_kind_and_its_causes() {
    let broken = || {
        let mut task = task("broken");
        task.iterations = Some(10);
        let source = Source::by(false, |_, number| match number {
            3 => Err("it is broken".into()),
            number => Ok(Some(numbered(number))),
        });
        (plan(vec![single(task)]), Bound::default().with("broken", source))
    };
    let (mut driver, _) = remote(move |_: &LoadOrder| {
        let (plan, bound) = broken();
        Ok(bind(&plan, &bound)?)
    });
    let (plan, bound) = broken();
    let bound = bind(&plan, &bound).unwrap().plan;
    let mut figures = Collector::default();
    let end = run_on(&bound, Value::Null, &mut driver, &mut figures, &Cancel::new());
    assert!(matches!(end.reason, EndReason::Completed), "{end:?}");
    let error = &end.failed_tasks[0].error;
    assert!(matches!(**error, RaceError::ParamSource { client: 0, .. }), "{error:?}");
    assert_eq!(
        chain(error.as_ref()),
        ["the param source of task 'broken' failed for client 0", "it is broken"]
    );
    assert_eq!(figures.count(0, Kind::ServiceTime, SampleType::Normal), 3);
}

/// The pipes of a driver that is played by the test.
fn played() -> ((PipeReader, PipeWriter), (PipeReader, PipeWriter)) {
    let (commands, to_driver) = pipe().unwrap();
    let (from_driver, events) = pipe().unwrap();
    ((from_driver, to_driver), (commands, events))
}

fn frame(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes(), text.as_bytes()].concat()
}

/// Connects to a driver that says `bytes` and ends.
fn connected_to(bytes: &[u8]) -> WireError {
    let ((from, to), (_commands, mut events)) = played();
    events.write_all(bytes).unwrap();
    drop(events);
    RemoteDriver::connect(from, to).err().unwrap()
}

#[test]
fn what_is_not_a_load_driver_is_refused_when_it_is_connected() {
    let refusals = [
        (connected_to(b""), "closed"),
        (connected_to(b"\0\0"), "ended after 2 of the 4 bytes"),
        (connected_to(&frame(r#"{"protocol": 1}"#)[..9]), "ended after 5 of the 15 bytes"),
        (connected_to(b"rally: command not found\n"), "not a load driver"),
        (connected_to(&frame("[1, 2]")), "not a message"),
    ];
    for (error, part) in refusals {
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn a_driver_of_another_version_is_refused_by_both_versions() {
    let error = connected_to(&frame(r#"{"protocol": 7, "version": "9.1.0", "more": true}"#));
    assert!(matches!(error, WireError::Version { .. }));
    let error = error.to_string();
    assert!(error.contains("version 7") && error.contains("rally 9.1.0"), "{error}");
}

/// Serves what the test says, to its end.
fn served(bytes: &[u8]) -> Result<(), WireError> {
    let ((mut from_driver, mut to_driver), (commands, events)) = played();
    to_driver.write_all(bytes).unwrap();
    drop(to_driver);
    let reading = thread::spawn(move || from_driver.read_to_end(&mut Vec::new()));
    let driver = LocalDriver::with_loader(options(), Box::new(|_: &LoadOrder| Err("no race".into())));
    let served = serve(commands, events, driver, &Cancel::new());
    reading.join().unwrap().unwrap();
    served
}

#[test]
fn a_driver_ends_in_peace_when_its_input_does_and_in_an_error_at_what_makes_no_sense() {
    let greeting = frame(&serde_json::to_string(&Greeting::own()).unwrap());
    let then = |bytes: &[u8]| served(&[&greeting, bytes].concat());
    assert!(served(b"").is_ok());
    assert!(then(b"").is_ok());
    assert!(then(&frame(r#"{"ping": 1}"#)).is_ok());
    assert!(matches!(served(b"GET / HTTP/1.1\r\n"), Err(WireError::TooLong { .. })));
    assert!(matches!(served(&frame(r#"{"protocol": 0}"#)), Err(WireError::Version { .. })));
    assert!(matches!(then(b"\xff\xff\xff\xff"), Err(WireError::TooLong { .. })));
    assert!(matches!(then(&frame(r#"{"ping": 1}"#)[..7]), Err(WireError::Truncated { .. })));
    assert!(matches!(
        then(&frame(r#"{"command": {"open-step": {"stap": 0}}}"#)),
        Err(WireError::Malformed(_))
    ));
    assert!(matches!(then(&frame(r#"{"command": "format-disk"}"#)), Err(WireError::Malformed(_))));
}

#[test]
fn commands_out_of_order_are_refused_and_the_driver_stays() {
    let ((from_driver, to_driver), (commands, events)) = played();
    let load = |_: &LoadOrder| Ok(bind(&plan(elements()), &bindings(&Log::default()))?);
    let served = thread::spawn(move || {
        serve(commands, events, LocalDriver::with_loader(options(), Box::new(load)), &Cancel::new())
    });
    let mut driver = RemoteDriver::connect(from_driver, to_driver).unwrap();
    let next = |driver: &RemoteDriver| driver.events().recv_timeout(Duration::from_secs(60)).unwrap();
    driver.send(DriverCommand::OpenStep { step: 0 }).unwrap();
    assert!(matches!(next(&driver), DriverEvent::Failed(RaceError::Driver(_))));
    let plan = bound_plan(elements()).digest();
    let order = LoadOrder { race: Value::Null, plan, clients: ClientShare::All };
    driver.send(DriverCommand::Load(order)).unwrap();
    assert!(matches!(next(&driver), DriverEvent::Loaded { .. }));
    driver.send(DriverCommand::OpenStep { step: 99 }).unwrap();
    assert!(matches!(next(&driver), DriverEvent::Failed(RaceError::Driver(_))));
    driver.send(DriverCommand::Acknowledge { number: 12_345 }).unwrap();
    driver.send(DriverCommand::StopTask { task: 77 }).unwrap();
    drop(driver);
    served.join().unwrap().unwrap();
}

#[test]
fn a_driver_that_dies_in_the_middle_of_a_step_ends_the_race_with_what_was_measured() {
    let elements = || {
        let mut long = task("forever");
        long.time_period = Some(3600.0);
        vec![single(long)]
    };
    let ((from_driver, to_driver), (commands, events)) = played();
    let dying = Dying { from: from_driver, recordings: 0 };
    let load = move |_: &LoadOrder| Ok(bind(&plan(elements()), &bindings(&Log::default()))?);
    let served = thread::spawn(move || {
        serve(commands, events, LocalDriver::with_loader(options(), Box::new(load)), &Cancel::new())
    });
    let mut driver = RemoteDriver::connect(dying, to_driver).unwrap();
    let bound = bound_plan(elements());
    let mut figures = Collector::default();
    let end = run_on(&bound, Value::Null, &mut driver, &mut figures, &Cancel::new());
    let EndReason::Failed(error) = end.reason else { panic!("{end:?}") };
    assert_eq!(chain(&error), ["the load driver failed", "the other end has closed the connection"]);
    assert!(figures.count(0, Kind::ServiceTime, SampleType::Normal) > 0);
    drop(driver);
    // It ends by itself, although its step would last an hour.
    served.join().unwrap().unwrap();
}

/// A connection that ends after its first recording.
struct Dying {
    from: PipeReader,
    recordings: usize,
}

impl Read for Dying {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.len() == 4 && self.recordings > 0 {
            return Ok(0);
        }
        let got = self.from.read(buffer)?;
        let recording = buffer[..got].windows(11).any(|text| text == b"\"recording\"");
        self.recordings += usize::from(recording);
        Ok(got)
    }
}

/// An error and its causes.
fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}
