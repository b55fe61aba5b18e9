//! Rally's running average, against what Rally makes of the same samples.

use std::collections::BTreeMap;

use crate::common::{Request, golden, recording};
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
    let (mut held, mut failures) = (0, Vec::new());
    for file in ["throughput.json", "throughput_small.json"] {
        for case in golden(file) {
            let id = case["id"].as_str().unwrap();
            if DIFFERENT.iter().any(|(different, _)| *different == id) {
                continue;
            }
            held += 1;
            let calls = case["input"]["calls"].as_array().unwrap();
            assert_eq!(calls.len(), 1, "{id}");
            let interval = case["input"]["bucket_interval_secs"].as_u64().unwrap() as u32;
            for (task, samples) in calls[0].as_object().unwrap() {
                let samples: Vec<Sample> = samples.as_array().unwrap().iter().map(Sample::current).collect();
                let expected = &case["expected"][0][task];
                failures.extend(differences(id, &samples, interval, RallyRelease::Current, expected));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(held + DIFFERENT.len(), 13 + 9);
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
    let differences: Vec<String> = cases
        .iter()
        .flat_map(|case| {
            let samples: Vec<Sample> =
                case["input"]["samples"].as_array().unwrap().iter().map(Sample::of_2017).collect();
            let id = case["id"].as_str().unwrap();
            differences(id, &samples, 1, RallyRelease::Of2017, &case["expected"])
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What is not as expected, in words.
fn differences(
    id: &str,
    samples: &[Sample],
    interval: u32,
    release: RallyRelease,
    expected: &Value,
) -> Vec<String> {
    let actual = average(samples, interval, release);
    let expected: Vec<RunningAverage> =
        expected.as_array().unwrap().iter().map(|row| value_of(row, samples)).collect();
    let same = |(actual, expected): (&RunningAverage, &RunningAverage)| {
        actual.at.abs_diff(expected.at) <= (CLOCK * 1e9) as u64
            && actual.sample_type == expected.sample_type
            && (actual.rate - expected.rate).abs() <= CLOCK * expected.rate
    };
    if actual.len() == expected.len() && actual.iter().zip(&expected).all(same) {
        return Vec::new();
    }
    vec![format!("{id}: {actual:?}\n  instead of {expected:?}")]
}

/// A row of Rally's: absolute time, relative time, sample type, throughput.
fn value_of(row: &Value, samples: &[Sample]) -> RunningAverage {
    let first = first_of(samples);
    let at = row[0].as_f64().unwrap() - first.absolute_time + first.time_period;
    RunningAverage {
        at: (at * 1e9).round() as u64,
        sample_type: if row[2] == "warmup" { SampleType::Warmup } else { SampleType::Normal },
        rate: row[3].as_f64().unwrap(),
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

fn first_of(samples: &[Sample]) -> &Sample {
    samples.iter().min_by(|one, other| one.absolute_time.total_cmp(&other.absolute_time)).unwrap()
}

/// Samples tell when a request started by the wall clock and when it ended by the task's. Only the first one's end matters: the
/// requests are put so that it starts with the task.
fn average(samples: &[Sample], interval: u32, release: RallyRelease) -> Vec<RunningAverage> {
    if samples.is_empty() {
        return running_average(&BTreeMap::new(), None, interval, release);
    }
    let start = first_of(samples).absolute_time;
    let requests: Vec<Request> = samples
        .iter()
        .map(|sample| {
            let at = sample.absolute_time - start;
            let request = Request::new(at, at.max(sample.time_period), sample.operations);
            if sample.normal { request } else { request.warmup() }
        })
        .collect();
    of_recording(&recording(&requests, "ops"), interval, release)
}

fn of_recording(recording: &Recording, interval: u32, release: RallyRelease) -> Vec<RunningAverage> {
    running_average(&recording.started, recording.first_measured_start, interval, release)
}

/// Rally's way, sample by sample in the order of their start: the independent reference for the slots that rally keeps.
fn sample_by_sample(requests: &[Request], release: RallyRelease) -> Vec<RunningAverage> {
    let mut requests = requests.to_vec();
    requests.sort_by_key(|request| request.start);
    let clock = |request: &Request| request.start - requests[0].start + requests[0].end;
    let mut values = Vec::new();
    let (mut count, mut interval) = (0.0, 0.0_f64);
    let mut bucket = if release == RallyRelease::Current { 1.0 } else { 0.0 };
    let mut sample_type = requests[0].sample_type;
    let mut has_value = false;
    let mut value = |request: &Request, sample_type, count: f64, interval: f64| {
        values.push(RunningAverage { at: clock(request), sample_type, rate: count / interval });
    };
    for request in &requests {
        if request.sample_type > sample_type {
            sample_type = request.sample_type;
            has_value = false;
        }
        count += request.weight;
        interval = interval.max(clock(request) as f64 / 1e9);
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

/// Starts in milliseconds, all different (of two at the same moment Rally takes the one it heard of first), with their type and work; the
/// first request takes `first_takes` milliseconds.
fn requests_of(starts: &BTreeMap<u64, (bool, u32)>, first_takes: u64) -> Vec<Request> {
    let requests = starts.iter().enumerate().map(|(number, (&start, &(normal, weight)))| {
        let takes = if number == 0 { first_takes } else { 250 };
        let request = Request::new(start as f64 / 1e3, (start + takes) as f64 / 1e3, f64::from(weight));
        if normal { request } else { request.warmup() }
    });
    requests.collect()
}

proptest! {
    #[test]
    fn slots_of_one_request_tell_what_all_samples_tell(
        slots in prop::collection::btree_map(0_u64..512, (0_u64..15, prop::bool::ANY, 0_u32..5_000), 1..200),
        first_takes in 1_u64..5_000,
        of_2017 in prop::bool::ANY,
    ) {
        // A 64th of a second is a little longer than 15 ms.
        let starts = slots.iter().map(|(slot, (offset, normal, weight))| {
            ((slot * 125).div_ceil(8) + offset, (*normal, *weight))
        });
        let requests = requests_of(&starts.collect(), first_takes);
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

    #[test]
    fn every_value_is_all_work_so_far_by_the_time_so_far(
        starts in prop::collection::btree_map(0_u64..40_000, (prop::bool::ANY, 1_u32..5_000), 1..300),
        first_takes in 1_u64..5_000,
    ) {
        let requests = requests_of(&starts, first_takes);
        let actual = of_recording(&recording(&requests, "docs"), 1, RallyRelease::Current);
        prop_assert!(!actual.is_empty());
        let first = &requests[0];
        for value in actual {
            let until = |request: &&Request| request.start - first.start + first.end <= value.at;
            let work: f64 = requests.iter().filter(until).map(|request| request.weight).sum();
            prop_assert!((value.rate * value.at as f64 / 1e9 - work).abs() <= 1e-6 * work);
        }
    }
}
