//! Requests as a load driver would record them.

use std::fs;
use std::path::Path;

use hdrhistogram::Histogram;
use rally_race::{
    Ending, FailureKey, HIGHEST_NANOSECONDS, Kind, Recording, SampleType, StartedInSlot, start_slot,
};
use rally_results::TaskInfo;
use serde_json::{Map, Value};

/// One request; times in nanoseconds, `start` and `end` since the task's start.
#[derive(Debug, Clone)]
pub struct Request {
    pub sample_type: SampleType,
    pub start: u64,
    pub end: u64,
    pub latency: u64,
    pub service_time: u64,
    pub processing_time: u64,
    pub send_lateness: Option<u64>,
    pub weight: f64,
    pub success: bool,
}

impl Request {
    /// A measured request that took from `start` to `end` (seconds) and did `weight`.
    pub fn new(start: f64, end: f64, weight: f64) -> Self {
        let (start, end) = (nanoseconds(start), nanoseconds(end));
        Request {
            sample_type: SampleType::Normal,
            start,
            end,
            latency: end - start,
            service_time: end - start,
            processing_time: end - start,
            send_lateness: None,
            weight,
            success: true,
        }
    }

    pub fn warmup(self) -> Self {
        Request { sample_type: SampleType::Warmup, ..self }
    }

    pub fn failed(self) -> Self {
        Request { success: false, ..self }
    }
}

/// Rounds to whole nanoseconds.
pub fn nanoseconds(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

pub fn recording(requests: &[Request], unit: &'static str) -> Recording {
    let mut recording = Recording { unit: unit.into(), ..Recording::default() };
    for request in requests {
        let ending = if request.success { Ending::Success } else { Ending::Failure };
        let mut time = |kind, value: u64| {
            recording
                .histograms
                .entry((kind, request.sample_type, ending))
                .or_insert_with(|| Histogram::new_with_bounds(1, HIGHEST_NANOSECONDS, 3).unwrap())
                .saturating_record(value);
        };
        time(Kind::Latency, request.latency);
        time(Kind::ServiceTime, request.service_time);
        time(Kind::ProcessingTime, request.processing_time);
        if let Some(lateness) = request.send_lateness {
            time(Kind::SendLateness, lateness);
            time(Kind::DriverLag, lateness / 2);
        }
        let second = recording.seconds.entry(second_of(request.end)).or_default();
        second.requests += 1;
        second.failures += u64::from(!request.success);
        let started = recording.started.entry(start_slot(request.start)).or_insert(StartedInSlot {
            weight: 0.0,
            first_start: u64::MAX,
            first_end: 0,
            first_weight: 0.0,
            first_type: request.sample_type,
            last_start: 0,
        });
        started.weight += request.weight;
        if request.start < started.first_start {
            started.first_start = request.start;
            started.first_end = request.end;
            started.first_weight = request.weight;
            started.first_type = request.sample_type;
        }
        started.last_start = started.last_start.max(request.start);
        match request.sample_type {
            SampleType::Warmup => second.warmup_weight += request.weight,
            SampleType::Normal => {
                match request.success {
                    true => second.normal_weight += request.weight,
                    false => recording.failed_work += request.weight,
                }
                let first = recording.first_measured_start.unwrap_or(request.start);
                recording.first_measured_start = Some(first.min(request.start));
                let (first, last) = recording.normal_span.unwrap_or((request.start, request.end));
                recording.normal_span = Some((first.min(request.start), last.max(request.end)));
            }
        }
        if !request.success {
            let cause = FailureKey { status: Some(429), description: "too many requests".to_owned() };
            *recording.failures.entry(cause).or_default() += 1;
        }
    }
    recording
}

fn second_of(nanoseconds: u64) -> u32 {
    (nanoseconds / 1_000_000_000) as u32
}

pub fn task(id: usize, lap: u32, name: &str) -> TaskInfo {
    TaskInfo {
        id,
        lap,
        name: name.to_owned(),
        operation: name.to_owned(),
        operation_type: "search".to_owned(),
        clients: 1,
        target_throughput: None,
        meta: Map::new(),
        may_fail: false,
        reported: true,
    }
}

/// The cases of a golden file.
pub fn golden(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    file["cases"].as_array().unwrap().clone()
}

#[track_caller]
pub fn assert_close(actual: f64, expected: f64, relative: f64, what: &str) {
    let allowed = expected.abs() * relative;
    assert!((actual - expected).abs() <= allowed, "{what}: {actual} is not within {allowed} of {expected}");
}
