//! Commands, events and figures as they are written on the wire.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use rally_race::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::support::{current_plan, failure, merge, single, task};

fn written<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&written(value)).unwrap()
}

fn histogram(times: &[u64]) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NANOSECONDS, SIGNIFICANT_DIGITS).unwrap();
    times.iter().for_each(|time| histogram.saturating_record(*time));
    histogram
}

fn key() -> impl Strategy<Value = Key> {
    let kinds = [Kind::ServiceTime, Kind::Latency, Kind::ProcessingTime, Kind::SendLateness, Kind::DriverLag];
    (
        prop::sample::select(kinds.to_vec()),
        prop::sample::select(vec![SampleType::Warmup, SampleType::Normal]),
        prop::sample::select(vec![Ending::Success, Ending::Failure]),
    )
}

/// Times of all sizes, those beyond what is told apart too.
fn time() -> impl Strategy<Value = u64> {
    (0u32..64).prop_flat_map(|bits| 0..=(u64::MAX >> bits))
}

fn weight() -> impl Strategy<Value = f64> {
    prop_oneof![
        (0u32..100_000).prop_map(f64::from),
        prop::num::f64::POSITIVE | prop::num::f64::ZERO,
        Just(f64::INFINITY)
    ]
}

fn failure_key() -> impl Strategy<Value = FailureKey> {
    (any::<Option<u16>>(), ".{0,20}").prop_map(|(status, description)| FailureKey { status, description })
}

fn second() -> impl Strategy<Value = SecondOfWork> {
    (weight(), weight(), any::<u32>(), any::<u32>()).prop_map(
        |(warmup_weight, normal_weight, requests, failures)| SecondOfWork {
            warmup_weight,
            normal_weight,
            requests: requests.into(),
            failures: failures.into(),
        },
    )
}

fn slot() -> impl Strategy<Value = StartedInSlot> {
    (weight(), any::<u64>(), any::<u64>(), weight(), any::<bool>(), any::<u64>()).prop_map(
        |(weight, first_start, first_end, first_weight, warm, last_start)| StartedInSlot {
            weight,
            first_start,
            first_end,
            first_weight,
            first_type: if warm { SampleType::Normal } else { SampleType::Warmup },
            last_start,
        },
    )
}

fn recording() -> impl Strategy<Value = Recording> {
    let figures = (
        btree_map(key(), vec(time(), 0..50).prop_map(|times| histogram(&times)), 0..6),
        btree_map(any::<u32>(), second(), 0..5),
        btree_map(any::<u32>(), slot(), 0..5),
        btree_map(failure_key(), any::<u32>().prop_map(u64::from), 0..4),
        btree_map(failure_key(), ".{0,40}", 0..3),
        weight(),
        vec(weight().prop_filter("rates are finite", |rate| rate.is_finite()), 0..20),
    );
    let rest = (
        prop::sample::select(vec!["", "docs", "ops", "Seiten/Füße"]),
        any::<Option<(u64, u64)>>(),
        any::<Option<u64>>(),
        any::<u32>(),
        any::<u32>(),
        btree_map("[a-z\"]{1,8}", -1e300..1e300, 0..40),
        proptest::option::of((any::<u32>(), weight(), weight(), weight())),
    );
    (figures, rest).prop_map(|(figures, rest)| {
        let (histograms, seconds, started, failures, examples, failed_work, rates) = figures;
        let (unit, normal_span, first_measured_start, intervals, stalls, meta, ran_out) = rest;
        let mut recording = Recording {
            histograms,
            seconds,
            started,
            failures,
            examples,
            failed_work,
            unit: Unit::from(unit),
            normal_span,
            first_measured_start,
            measured_intervals: intervals.into(),
            param_source_stalls: stalls.into(),
            ran_out: ran_out.map(|(clients, first, last, planned)| RanOut {
                clients: clients / 4,
                first: first.min(1e9),
                last: last.min(1e9),
                planned: planned.min(1e9),
            }),
            ..Recording::default()
        };
        rates.into_iter().for_each(|rate| recording.given_throughput.add(rate));
        let meta = meta.into_iter().map(|(key, value)| (key, json!(value))).collect();
        recording.request_meta.add(&meta);
        recording
    })
}

proptest! {
    #[test]
    fn a_recording_is_the_same_after_the_wire(recording in recording()) {
        prop_assert_eq!(again(&recording), recording);
    }

    #[test]
    fn recordings_add_up_to_the_same_after_the_wire(recordings in vec(recording(), 1..6)) {
        let mut here = Recording::default();
        let mut there = Recording::default();
        for recording in recordings {
            merge(&mut there, again(&recording));
            merge(&mut here, recording);
        }
        prop_assert_eq!(here, there);
    }
}

#[test]
fn a_histogram_of_other_bounds_is_refused() {
    let mut recording = serde_json::to_value(Recording {
        histograms: BTreeMap::from([((Kind::Latency, SampleType::Normal, Ending::Success), histogram(&[5]))]),
        ..Recording::default()
    })
    .unwrap();
    for wrong in ["", "AAAA", "not base64"] {
        recording["histograms"][0]["v2"] = wrong.into();
        assert!(serde_json::from_value::<Recording>(recording.clone()).is_err(), "{wrong}");
    }
}

#[test]
fn a_plan_has_one_digest_and_every_difference_another() {
    let of = |iterations, clients, seed| {
        let mut task = task("a");
        (task.iterations, task.clients) = (Some(iterations), clients);
        current_plan(vec![single(task)], PlanOptions { seed, ..PlanOptions::default() }).digest()
    };
    assert_eq!(of(5, 2, 1), of(5, 2, 1));
    for other in [of(6, 2, 1), of(5, 3, 1), of(5, 2, 2)] {
        assert_ne!(other, of(5, 2, 1));
    }
}

/// Holds a message to its golden file; `SNAPSHOTS=overwrite` writes it.
fn hold<T: Serialize + DeserializeOwned>(name: &str, message: &T) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/wire/{name}.json"));
    let text = format!("{}\n", serde_json::to_string_pretty(message).unwrap());
    if std::env::var_os("SNAPSHOTS").is_some_and(|how| how == "overwrite") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text, golden, "{name} is written another way; a change needs another PROTOCOL_VERSION");
    let read: T = serde_json::from_str(&golden).unwrap();
    assert_eq!(format!("{}\n", serde_json::to_string_pretty(&read).unwrap()), golden, "{name}");
}

#[test]
fn messages_are_written_as_they_were_in_this_version_of_the_protocol() {
    assert_eq!(PROTOCOL_VERSION, 1, "golden files are of this version");
    let digest: PlanDigest = serde_json::from_value(json!("0a1b")).unwrap();
    let clients = ClientShare::Only([0, 2, 4].into());
    let order = LoadOrder { race: json!({"track": "geonames"}), plan: digest.clone(), clients };
    hold("greeting", &Greeting { protocol: 1, version: "0.1.0".to_owned() });
    let commands = vec![
        DriverCommand::Load(LoadOrder { clients: ClientShare::All, ..order.clone() }),
        DriverCommand::Load(order),
        DriverCommand::OpenStep { step: 3 },
        DriverCommand::StartStep { at: Duration::new(12, 500) },
        DriverCommand::StopTask { task: 7 },
        DriverCommand::StopStep(StopMode::Finish),
        DriverCommand::StopStep(StopMode::Abandon(Duration::from_secs(1))),
        DriverCommand::Acknowledge { number: u64::MAX },
    ];
    hold("commands", &commands);
    let load = DriverLoad {
        busiest_thread: 0.25,
        longest_burst: 1,
        cpu_time: 2,
        wall_time: 3,
        run_queue_delay: 4,
        steal: 0.5,
        load_average: 1.5,
    };
    let cause = || Cause::from("the cause");
    let events = vec![
        DriverEvent::Loaded { plan: digest.clone() },
        DriverEvent::Ready,
        DriverEvent::Recording { task: 1, recording: Box::new(whole_recording()), number: 17 },
        DriverEvent::Progress { task: 1, part: 0, clients: 4, fraction: Some(0.5) },
        DriverEvent::Progress { task: 1, part: 1, clients: 4, fraction: None },
        DriverEvent::Load(load),
        DriverEvent::TaskDone { task: 1, elapsed: Duration::from_millis(1500) },
        DriverEvent::TaskFailed {
            task: 2,
            error: RaceError::Runner { task: "a".to_owned(), client: 3, source: cause() },
        },
        DriverEvent::ElementCompleted,
        DriverEvent::Failed(RaceError::RequestFailed {
            task: "a".to_owned(),
            failure: failure(FailureKind::Transport),
        }),
        DriverEvent::Failed(RaceError::OtherPlan { expected: digest.clone(), found: digest }),
        DriverEvent::Failed(RaceError::Load(cause())),
        DriverEvent::StepDone,
    ];
    hold("events", &events);
}

/// A recording with something in each place.
fn whole_recording() -> Recording {
    let failure = FailureKey { status: Some(429), description: "busy".to_owned() };
    let mut recording = Recording {
        histograms: BTreeMap::from([(
            (Kind::ServiceTime, SampleType::Normal, Ending::Success),
            histogram(&[1_000, 1_000_000]),
        )]),
        seconds: BTreeMap::from([(
            0,
            SecondOfWork { warmup_weight: 0.5, normal_weight: 0.1, requests: 2, failures: 1 },
        )]),
        started: BTreeMap::from([(
            4,
            StartedInSlot {
                weight: 1e300,
                first_start: 1,
                first_end: 2,
                first_weight: f64::INFINITY,
                first_type: SampleType::Warmup,
                last_start: u64::MAX,
            },
        )]),
        failures: BTreeMap::from([(failure.clone(), 2)]),
        examples: BTreeMap::from([(failure, "no room".to_owned())]),
        failed_work: 3.0,
        unit: Unit::from("docs"),
        normal_span: Some((5, 6)),
        first_measured_start: Some(7),
        measured_intervals: 8,
        param_source_stalls: 9,
        ran_out: Some(RanOut { clients: 1, first: 0.25, last: 0.5, planned: 10.0 }),
        ..Recording::default()
    };
    recording.given_throughput.add(12.5);
    recording.request_meta.add(json!({"took": 3}).as_object().unwrap());
    recording
}
