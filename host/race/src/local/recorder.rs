//! What one loop thread measures of one task, until it is sent.

use std::rc::Rc;
use std::time::{Duration, Instant};

use hdrhistogram::{CreationError, Histogram};

use crate::figures::RanOut;
use crate::plan::Extent;
use crate::recording::{
    Ending, FailureKey, HIGHEST_NANOSECONDS, Kind, LONGEST_EXAMPLE, MOST_FAILURE_KEYS, Recording,
    SIGNIFICANT_DIGITS, SampleType, StartedInSlot, start_slot,
};
use crate::seams::{Failure, Outcome};

const KINDS: [Kind; 5] =
    [Kind::ServiceTime, Kind::Latency, Kind::ProcessingTime, Kind::SendLateness, Kind::DriverLag];
const SAMPLE_TYPES: [SampleType; 2] = [SampleType::Warmup, SampleType::Normal];
const ENDINGS: [Ending; 2] = [Ending::Success, Ending::Failure];

/// One request, measured.
pub(crate) struct Measured<'a> {
    pub(crate) sample_type: SampleType,
    /// When it was due; `None` where it is not throttled.
    pub(crate) due: Option<Instant>,
    /// When the client could have sent it as far as the former answer is concerned.
    pub(crate) free_since: Instant,
    /// Around the whole runner.
    pub(crate) processing: Duration,
    pub(crate) outcome: &'a Outcome,
}

/// The histograms that all others are made like: 1 ns to 24 hours, three significant digits.
pub(crate) fn histogram_template() -> Result<Histogram<u64>, CreationError> {
    Histogram::new_with_bounds(1, HIGHEST_NANOSECONDS, SIGNIFICANT_DIGITS)
}

/// Collects the figures of one task on one thread. Its size does not depend on the number of requests.
pub(crate) struct Recorder {
    template: Rc<Histogram<u64>>,
    /// By kind, sample type and ending; allocated when first needed.
    histograms: [Option<Box<Histogram<u64>>>; KINDS.len() * 4],
    /// Everything else.
    rest: Recording,
    task_start: Instant,
    /// When the measurement of an unthrottled task begins, nanoseconds since the task's start; `None`: with the first
    /// measured request.
    measured_from: Option<u64>,
}

impl Recorder {
    pub(crate) fn new(template: Rc<Histogram<u64>>, task_start: Instant, extent: Extent) -> Recorder {
        let measured_from = match extent {
            Extent::Time { warmup, .. } => Some((warmup * 1e9) as u64),
            Extent::Iterations { .. } => None,
        };
        Recorder {
            template,
            histograms: Default::default(),
            rest: Recording::default(),
            task_start,
            measured_from,
        }
    }

    /// Records a request.
    pub(crate) fn record(&mut self, measured: &Measured<'_>) {
        let Outcome {
            sent,
            received,
            weight,
            unit,
            failure,
            failed_work,
            example,
            throughput,
            meta,
            dropped_meta,
        } = measured.outcome;
        let ending = if failure.is_some() { Ending::Failure } else { Ending::Success };
        let service_time = received.saturating_duration_since(*sent);
        let ready = measured.due.map_or(measured.free_since, |due| due.max(measured.free_since));
        let mut time = |kind, duration| self.time(kind, measured.sample_type, ending, duration);
        time(Kind::ServiceTime, service_time);
        time(Kind::ProcessingTime, measured.processing);
        time(Kind::DriverLag, sent.saturating_duration_since(ready));
        match measured.due {
            Some(due) => {
                time(Kind::Latency, received.saturating_duration_since(due));
                time(Kind::SendLateness, sent.saturating_duration_since(due));
            }
            None => time(Kind::Latency, service_time),
        }
        let failed_work = failure.as_ref().map(|_| failed_work.unwrap_or(*weight));
        self.work(measured.sample_type, measured.due, *sent, *received, *weight, failed_work);
        // A request that failed may not have come to know what it counts.
        if self.rest.unit.is_empty() || failure.is_none() && self.rest.unit != *unit {
            self.rest.unit = unit.clone();
        }
        if measured.sample_type == SampleType::Normal {
            if let Some(rate) = throughput {
                self.rest.given_throughput.add(*rate);
            }
            if let (Some(meta), None) = (meta, failure) {
                self.rest.request_meta.add(meta);
                self.rest.request_meta.dropped += dropped_meta;
            }
        }
        if let Some(failure) = failure {
            self.failure(failure, example.as_deref());
        }
    }

    /// A measured request was throttled: this number of seconds after it the client's next one is due on average.
    pub(crate) fn fills(&mut self, interval: f64) {
        self.rest.measured_intervals += (interval * 1e9).round() as u64;
    }

    /// A request was due and its parameters were not made yet.
    pub(crate) fn stall(&mut self) {
        self.rest.param_source_stalls += 1;
    }

    /// A client's parameters have run out before its time was up.
    pub(crate) fn ran_out(&mut self, early: RanOut) {
        match &mut self.rest.ran_out {
            Some(known) => known.merge(&early),
            None => self.rest.ran_out = Some(early),
        }
    }

    /// What was recorded since the last time, if anything.
    pub(crate) fn take(&mut self) -> Option<Recording> {
        let mut recording = std::mem::take(&mut self.rest);
        let mut histograms = self.histograms.iter_mut();
        for kind in KINDS {
            for sample_type in SAMPLE_TYPES {
                for ending in ENDINGS {
                    if let Some(histogram) = histograms.next().and_then(Option::take) {
                        recording.histograms.insert((kind, sample_type, ending), *histogram);
                    }
                }
            }
        }
        let nothing =
            recording.seconds.is_empty() && recording.param_source_stalls == 0 && recording.ran_out.is_none();
        (!nothing).then_some(recording)
    }

    fn time(&mut self, kind: Kind, sample_type: SampleType, ending: Ending, duration: Duration) {
        let index = (kind as usize * 2 + sample_type as usize) * 2 + ending as usize;
        let template = self.template.as_ref();
        let histogram = self.histograms[index].get_or_insert_with(|| Box::new(Histogram::new_from(template)));
        histogram.saturating_record(duration.as_nanos() as u64);
    }

    fn work(
        &mut self,
        sample_type: SampleType,
        due: Option<Instant>,
        sent: Instant,
        received: Instant,
        weight: f64,
        failed_work: Option<f64>,
    ) {
        let since_start = |at: Instant| at.saturating_duration_since(self.task_start).as_nanos() as u64;
        let (start, end) = (since_start(sent), since_start(received));
        let second = self.rest.seconds.entry(second_of(end)).or_default();
        match sample_type {
            SampleType::Warmup => second.warmup_weight += weight,
            SampleType::Normal => {
                second.normal_weight += (weight - failed_work.unwrap_or(0.0)).max(0.0);
                self.rest.failed_work += failed_work.unwrap_or(0.0);
            }
        }
        second.requests += 1;
        second.failures += u64::from(failed_work.is_some());
        let started = self.rest.started.entry(start_slot(start)).or_insert(StartedInSlot {
            weight: 0.0,
            first_start: u64::MAX,
            first_end: 0,
            first_weight: 0.0,
            first_type: sample_type,
            last_start: 0,
        });
        started.weight += weight;
        if start < started.first_start {
            started.first_start = start;
            started.first_end = end;
            started.first_weight = weight;
            started.first_type = sample_type;
        }
        started.last_start = started.last_start.max(start);
        if sample_type == SampleType::Normal {
            // A target that stalls while the warm-up ends must not get that time for free: the clock of the measurement
            // runs although no client is free to send. Throttled clients say by their due times when it starts.
            let from = match due {
                Some(due) => since_start(due).min(start),
                None => self.measured_from.map_or(start, |from| from.min(start)),
            };
            let (first, last) = self.rest.normal_span.unwrap_or((from, end));
            self.rest.normal_span = Some((first.min(from), last.max(end)));
            let first = self.rest.first_measured_start.unwrap_or(start);
            self.rest.first_measured_start = Some(first.min(start));
        }
    }

    fn failure(&mut self, failure: &Failure, example: Option<&str>) {
        let key = FailureKey { status: failure.status, description: failure.description.clone() };
        let known = self.rest.failures.contains_key(&key);
        // The last key is kept for all that do not fit.
        let key =
            if known || self.rest.failures.len() + 1 < MOST_FAILURE_KEYS { key } else { other_failures() };
        if let Some(example) = example {
            let example = &example[..example.floor_char_boundary(LONGEST_EXAMPLE)];
            match self.rest.examples.get_mut(&key) {
                Some(known) if known.as_str() <= example => {}
                Some(known) => example.clone_into(known),
                None => drop(self.rest.examples.insert(key.clone(), example.to_owned())),
            }
        }
        *self.rest.failures.entry(key).or_default() += failure.count;
    }
}

/// The key of failures beyond [`MOST_FAILURE_KEYS`].
fn other_failures() -> FailureKey {
    FailureKey { status: None, description: "other failures".to_owned() }
}

fn second_of(nanoseconds: u64) -> u32 {
    (nanoseconds / 1_000_000_000).min(u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seams::FailureKind;

    fn recorder(start: Instant) -> Recorder {
        recorder_for(start, Extent::Iterations { warmup: 0, measured: None })
    }

    fn recorder_for(start: Instant, extent: Extent) -> Recorder {
        Recorder::new(Rc::new(histogram_template().unwrap()), start, extent)
    }

    /// Records a request that was sent and answered this number of milliseconds after the start.
    fn record(recorder: &mut Recorder, start: Instant, sent: u64, received: u64, failure: Option<Failure>) {
        let at = |millis| start + Duration::from_millis(millis);
        let weight = if failure.is_some() { 0.0 } else { 2.0 };
        let outcome = Outcome { failure, ..Outcome::new(at(sent), at(received), weight, "docs") };
        recorder.record(&Measured {
            sample_type: SampleType::Normal,
            due: None,
            free_since: start,
            processing: Duration::from_millis(received - sent),
            outcome: &outcome,
        });
    }

    fn failure(description: String) -> Failure {
        Failure { kind: FailureKind::Answered, status: Some(400), description, count: 1 }
    }

    #[test]
    fn a_stall_at_the_end_of_the_warm_up_time_is_part_of_the_measured_span() {
        let start = Instant::now();
        let mut recorder = recorder_for(start, Extent::Time { warmup: 1.0, measured: None });
        // All clients were stuck in warm-up requests until 1.6 s.
        record(&mut recorder, start, 1600, 1700, None);
        assert_eq!(recorder.take().unwrap().normal_span, Some((1_000_000_000, 1_700_000_000)));
    }

    #[test]
    fn the_measured_span_of_a_throttled_task_begins_when_its_first_measured_request_was_due() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut recorder = recorder_for(start, Extent::Time { warmup: 1.0, measured: None });
        let outcome = Outcome::new(at(1600), at(1700), 1.0, "ops");
        recorder.record(&Measured {
            sample_type: SampleType::Normal,
            due: Some(at(1200)),
            free_since: at(1600),
            processing: Duration::from_millis(100),
            outcome: &outcome,
        });
        assert_eq!(recorder.take().unwrap().normal_span, Some((1_200_000_000, 1_700_000_000)));
    }

    #[test]
    fn work_is_counted_by_the_second_of_its_completion_and_the_slot_of_its_start() {
        let start = Instant::now();
        let mut recorder = recorder(start);
        record(&mut recorder, start, 100, 900, None);
        record(&mut recorder, start, 950, 2100, None);
        record(&mut recorder, start, 2200, 2300, Some(failure("no".to_owned())));
        let recording = recorder.take().unwrap();
        let seconds: Vec<_> = recording
            .seconds
            .iter()
            .map(|(second, work)| (*second, work.normal_weight, work.requests, work.failures))
            .collect();
        assert_eq!(seconds, [(0, 2.0, 1, 0), (2, 2.0, 2, 1)]);
        let started: Vec<_> = recording.started.iter().map(|(second, work)| (*second, work.weight)).collect();
        assert_eq!(started, [(6, 2.0), (60, 2.0), (140, 0.0)]);
        assert_eq!(recording.started[&6].first_start, 100_000_000);
        assert_eq!(recording.started[&60].last_start, 950_000_000);
        assert_eq!(recording.normal_span, Some((100_000_000, 2_300_000_000)));
        assert_eq!(recording.unit, "docs");
    }

    #[test]
    fn failed_work_is_kept_apart_from_what_succeeded() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut recorder = recorder(start);
        let mut record = |weight, failed_work, example: Option<&str>| {
            let failure = Some(failure("items failed".to_owned()));
            let example = example.map(str::to_owned);
            let outcome =
                Outcome { failure, failed_work, example, ..Outcome::new(at(0), at(1), weight, "docs") };
            recorder.record(&Measured {
                sample_type: SampleType::Normal,
                due: None,
                free_since: start,
                processing: Duration::ZERO,
                outcome: &outcome,
            });
        };
        // A bulk of 10 with 3 rejected, one that failed as a whole, and a runner that says only that it failed.
        record(10.0, Some(3.0), Some("whole reason 2"));
        record(0.0, Some(10.0), Some("whole reason 1"));
        record(4.0, None, None);
        let recording = recorder.take().unwrap();
        assert_eq!((recording.seconds[&0].normal_weight, recording.failed_work), (7.0, 17.0));
        assert_eq!(recording.started[&0].weight, 14.0);
        assert_eq!(recording.examples.values().collect::<Vec<_>>(), ["whole reason 1"]);
    }

    #[test]
    fn the_unit_is_that_of_requests_that_succeeded() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut recorder = recorder(start);
        for (failed, unit) in [(true, "ops"), (false, "docs"), (true, "ops")] {
            let failure = failed.then(|| failure("no".to_owned()));
            let outcome = Outcome { failure, ..Outcome::new(at(0), at(1), 1.0, unit) };
            recorder.record(&Measured {
                sample_type: SampleType::Normal,
                due: None,
                free_since: start,
                processing: Duration::ZERO,
                outcome: &outcome,
            });
        }
        assert_eq!(recorder.take().unwrap().unit, "docs");
    }

    #[test]
    fn what_has_been_taken_is_not_taken_again() {
        let start = Instant::now();
        let mut recorder = recorder(start);
        record(&mut recorder, start, 0, 10, None);
        assert!(recorder.take().is_some());
        assert!(recorder.take().is_none());
        record(&mut recorder, start, 20, 30, None);
        let recording = recorder.take().unwrap();
        let histogram = &recording.histograms[&(Kind::ServiceTime, SampleType::Normal, Ending::Success)];
        assert_eq!(histogram.len(), 1);
    }

    #[test]
    fn times_beyond_a_day_count_as_a_day() {
        let start = Instant::now();
        let mut recorder = recorder(start);
        record(&mut recorder, start, 0, 30 * 3_600_000, None);
        let recording = recorder.take().unwrap();
        let histogram = &recording.histograms[&(Kind::ServiceTime, SampleType::Normal, Ending::Success)];
        assert!(histogram.max() >= HIGHEST_NANOSECONDS);
    }

    #[test]
    fn failures_of_too_many_kinds_are_counted_together() {
        let start = Instant::now();
        let mut recorder = recorder(start);
        for number in 0..1000 {
            record(&mut recorder, start, 0, 1, Some(failure(format!("failure {number}"))));
        }
        let failures = recorder.take().unwrap().failures;
        assert_eq!(failures.len(), MOST_FAILURE_KEYS);
        assert_eq!(failures.values().sum::<u64>(), 1000);
    }
}
