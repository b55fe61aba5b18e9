//! Rally's running average, against what Rally makes of the same samples.

use std::collections::BTreeMap;

use crate::common::{Request, assert_close, golden, recording};
use proptest::prelude::*;
use rally_race::{Recording, SampleType};
use rally_results::{RallyRelease, RunningAverage, running_average};
use serde_json::Value;

/// Times of the cases are seconds since 1970 as floating point numbers: exact to a quarter of a microsecond.
const CLOCK: f64 = 1e-6;

/// Deliberate differences, with their reasons.
const DIFFERENT: [(&str, &str); 5] = [
    (
        "provided-throughput",
        "no running average: what the runner gives is the throughput, which tests/telling.rs holds against this case",
    ),
    (
        "provided-then-missing",
        "a sample without a throughput has none in Rally either; here it does not count as one",
    ),
    (
        "multiple-calls-unprocessed-carry-over",
        "a value for each time that Rally happens to look at its samples",
    ),
    ("out-of-order-clients-second-call", "the same, and samples that come after a later one was counted"),
    ("sample-type-switch-second-call", "the same"),
];

#[test]
fn values_are_those_of_todays_rally() {
    let mut seen = Vec::new();
    for case in golden("throughput.json") {
        let id = case["id"].as_str().unwrap();
        if DIFFERENT.iter().any(|(different, _)| *different == id) {
            continue;
        }
        let calls = case["input"]["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 1, "{id}");
        let interval = case["input"]["bucket_interval_secs"].as_u64().unwrap() as u32;
        for (task, samples) in calls[0].as_object().unwrap() {
            let samples: Vec<Sample> = samples.as_array().unwrap().iter().map(Sample::current).collect();
            check(id, &samples, interval, RallyRelease::Current, &case["expected"][0][task]);
        }
        seen.push(id.to_owned());
    }
    assert_eq!(seen.len() + DIFFERENT.len(), 13);
}

#[test]
fn samples_over_several_looks_give_what_one_look_at_all_of_them_gives() {
    let case = |wanted| golden("throughput.json").into_iter().find(|case| case["id"] == wanted).unwrap();
    let rates = |id| {
        let samples: Vec<Sample> = case(id)["input"]["calls"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|call| call["a"].as_array().unwrap().iter().map(Sample::current))
            .collect();
        let values = average(&samples, 1, RallyRelease::Current);
        values.iter().map(|value| (value.rate * 100.0).round() / 100.0).collect::<Vec<_>>()
    };
    // Rally: 16.67 at 0.6 s, because it looked then; 25 and 20.83 as here.
    assert_eq!(rates("multiple-calls-unprocessed-carry-over"), [25.0, 20.83]);
    // Rally: 3.33, 4.76 and 6.67, as the second client's requests came to its knowledge later.
    assert_eq!(rates("out-of-order-clients-second-call"), [3.33, 7.14, 6.67]);
    // Rally: 10 and 16.67, at 1.8 s because it looked then; here at the last request, 1.9 s.
    assert_eq!(rates("sample-type-switch-second-call"), [10.0, 21.05]);
}

#[test]
fn values_are_those_of_rally_in_2017() {
    let cases = golden("2017/throughput.json");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let samples: Vec<Sample> =
            case["input"]["samples"].as_array().unwrap().iter().map(Sample::of_2017).collect();
        check(case["id"].as_str().unwrap(), &samples, 1, RallyRelease::Of2017, &case["expected"]);
    }
}

fn check(id: &str, samples: &[Sample], interval: u32, release: RallyRelease, expected: &Value) {
    let actual = average(samples, interval, release);
    let expected = expected.as_array().unwrap();
    assert_eq!(actual.len(), expected.len(), "{id}: {actual:?}");
    for (actual, expected) in actual.iter().zip(expected) {
        let at = expected[0].as_f64().unwrap() - rallys_start(samples);
        assert!((actual.at as f64 / 1e9 - at).abs() < CLOCK, "{id}: {actual:?} is not at {at}");
        let sample_type = if expected[2] == "warmup" { SampleType::Warmup } else { SampleType::Normal };
        assert_eq!(actual.sample_type, sample_type, "{id} at {at}");
        assert_close(actual.rate, expected[3].as_f64().unwrap(), CLOCK, id);
    }
}

#[derive(Debug, Clone)]
struct Sample {
    absolute_time: f64,
    normal: bool,
    operations: f64,
    time_period: f64,
}

impl Sample {
    /// Columns: client, absolute time, relative time, sample type, throughput, operations, unit, time period.
    fn current(row: &Value) -> Self {
        Sample {
            absolute_time: row[1].as_f64().unwrap(),
            normal: row[3] == "normal",
            operations: row[5].as_f64().unwrap(),
            time_period: row[7].as_f64().unwrap(),
        }
    }

    /// Columns: client, absolute time, relative time, sample type, operations, unit, time period.
    fn of_2017(row: &Value) -> Self {
        Sample {
            absolute_time: row[1].as_f64().unwrap(),
            normal: row[3] == "normal",
            operations: row[4].as_f64().unwrap(),
            time_period: row[6].as_f64().unwrap(),
        }
    }
}

/// Deliberate difference: Rally counts from the first request's start less its end's distance from the task's start, rally
/// from the task's start. Here the samples are moved accordingly.
fn rallys_start(samples: &[Sample]) -> f64 {
    let first =
        samples.iter().min_by(|one, other| one.absolute_time.total_cmp(&other.absolute_time)).unwrap();
    first.absolute_time - first.time_period
}

fn average(samples: &[Sample], interval: u32, release: RallyRelease) -> Vec<RunningAverage> {
    if samples.is_empty() {
        return running_average(&BTreeMap::new(), None, interval, release);
    }
    let start = rallys_start(samples);
    let requests: Vec<Request> = samples
        .iter()
        .map(|sample| {
            let at = sample.absolute_time - start;
            let request = Request::new(at, at, sample.operations);
            if sample.normal { request } else { request.warmup() }
        })
        .collect();
    of_recording(&recording(&requests, "ops"), interval, release)
}

fn of_recording(recording: &Recording, interval: u32, release: RallyRelease) -> Vec<RunningAverage> {
    running_average(&recording.started, recording.normal_span.map(|(start, _)| start), interval, release)
}

/// Rally's way, sample by sample in the order of their start: the independent reference for the seconds that rally keeps.
fn sample_by_sample(requests: &[Request], release: RallyRelease) -> Vec<RunningAverage> {
    let mut requests = requests.to_vec();
    requests.sort_by_key(|request| request.start);
    let mut values = Vec::new();
    let (mut count, mut interval) = (0.0, 0.0_f64);
    let mut bucket = if release == RallyRelease::Current { 1.0 } else { 0.0 };
    let mut sample_type = requests[0].sample_type;
    let mut has_value = false;
    let mut value = |request: &Request, sample_type, count: f64, interval: f64| {
        values.push(RunningAverage { at: request.start, sample_type, rate: count / interval });
    };
    for request in &requests {
        if request.sample_type > sample_type {
            sample_type = request.sample_type;
            has_value = false;
        }
        count += request.weight;
        interval = interval.max(request.start as f64 / 1e9);
        if interval > 0.0 && interval >= bucket {
            bucket = interval.floor() + 1.0;
            has_value = true;
            value(request, sample_type, count, interval);
        }
    }
    if !has_value && interval > 0.0 {
        value(requests.last().unwrap(), sample_type, count, interval);
    }
    values
}

proptest! {
    #[test]
    fn seconds_tell_what_all_samples_tell(
        starts in prop::collection::btree_map(1_u64..8_000, (prop::bool::ANY, 0_u32..5_000), 1..200),
        of_2017 in prop::bool::ANY,
    ) {
        // Starts are milliseconds, all different: of two at the same moment Rally takes the one it heard of first.
        let requests: Vec<Request> = starts
            .iter()
            .map(|(&start, &(normal, weight))| {
                let start = start as f64 / 1e3;
                let request = Request::new(start, start + 0.25, f64::from(weight));
                if normal { request } else { request.warmup() }
            })
            .collect();
        let release = if of_2017 { RallyRelease::Of2017 } else { RallyRelease::Current };
        let actual = of_recording(&recording(&requests, "docs"), 1, release);
        let expected = sample_by_sample(&requests, release);
        prop_assert_eq!(actual.len(), expected.len());
        for (actual, expected) in actual.iter().zip(&expected) {
            prop_assert_eq!(actual.at, expected.at);
            prop_assert_eq!(actual.sample_type, expected.sample_type);
            prop_assert!((actual.rate - expected.rate).abs() <= 1e-9 * expected.rate);
        }
    }
}
