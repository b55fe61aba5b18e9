//! Adding up recordings: exact, in any order and grouping.

use crate::common::{Request, assert_close, recording, task};
use proptest::prelude::*;
use rally_race::{DriverLoad, FailureKey, MOST_FAILURE_KEYS, Metric, Recording};
use rally_results::{CollectError, Collector, Lap, RaceStatus, UnknownTask, true_rates, windows};

fn request() -> impl Strategy<Value = Request> {
    (0_u64..20_000_000_000, 1_u64..3_000_000_000, 0_u32..100, any::<bool>(), any::<bool>(), any::<bool>())
        .prop_map(|(start, length, weight, warmup, failed, throttled)| {
            let request = Request::new(0.0, 0.0, f64::from(weight));
            let request = if warmup { request.warmup() } else { request };
            let request = if failed { request.failed() } else { request };
            Request {
                start,
                end: start + length,
                latency: length + start % 1_000_000,
                service_time: length,
                processing_time: length + 12_345,
                send_lateness: throttled.then_some(start % 5_000_000),
                ..request
            }
        })
}

proptest! {
    // Histograms are large: a tenth of the usual number of cases keeps the test within seconds.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_grouping_gives_the_same_summary(
        requests in prop::collection::vec((request(), 0_usize..6), 1..150),
        finish_after in 0_usize..6,
    ) {
        let everything: Vec<Request> = requests.iter().map(|(request, _)| request.clone()).collect();
        let mut at_once = Collector::new([task(0, 1, "op")]);
        at_once.add(0, &recording(&everything, "docs")).unwrap();

        let mut in_parts = Collector::new([task(0, 1, "op")]);
        // Last part first, and the task declared over in between.
        for part in (0..6).rev() {
            let part_of_them: Vec<Request> =
                requests.iter().filter(|(_, of)| *of == part).map(|(request, _)| request.clone()).collect();
            in_parts.add(0, &recording(&part_of_them, "docs")).unwrap();
            if part == finish_after {
                in_parts.finish(0, DriverLoad::default()).unwrap();
            }
        }
        at_once.finish(0, DriverLoad::default()).unwrap();
        prop_assert_eq!(at_once.summary(RaceStatus::Complete), in_parts.summary(RaceStatus::Complete));
    }
}

proptest! {
    #[test]
    fn windows_hold_all_work_and_all_time(
        requests in prop::collection::vec(request(), 1..100),
    ) {
        let recording = recording(&requests, "docs");
        let Some((start, end)) = recording.normal_span else { return Ok(()) };
        let normal: Vec<&Request> =
            requests.iter().filter(|request| request.sample_type == rally_race::SampleType::Normal).collect();
        let windows = windows(&recording.seconds, recording.normal_span, normal.len() as u64);
        let work: f64 = windows.iter().map(|window| window.work).sum();
        let seconds: f64 = windows.iter().map(|window| window.seconds).sum();
        let span = (end - start) as f64 / 1e9;
        let succeeded = normal.iter().filter(|request| request.success);
        prop_assert_eq!(work, succeeded.map(|request| request.weight).sum::<f64>());
        prop_assert!((seconds - span).abs() < 1e-6);
        if span >= 1.0 {
            prop_assert!(windows.iter().all(|window| window.seconds >= 0.999_999));
        }
        if let Some(rates) = true_rates(&windows) {
            prop_assert!((rates.mean - work / span).abs() <= 1e-9 * rates.mean);
            prop_assert!(rates.min <= rates.median && rates.median <= rates.max);
        }
    }
}

/// One request per 10 ms from `from` to `to` (seconds), each doing `weight`.
fn steady(from: f64, to: f64, weight: f64) -> Vec<Request> {
    let count = ((to - from) * 100.0).round() as u32;
    (0..count)
        .map(|index| {
            let start = from + f64::from(index) / 100.0;
            Request::new(start, start + 0.009, weight)
        })
        .collect()
}

fn collected(requests: &[Request]) -> Collector {
    let mut collector = Collector::new([task(0, 1, "op")]);
    collector.add(0, &recording(requests, "docs")).unwrap();
    collector
}

#[test]
fn the_warm_up_is_not_part_of_the_true_rate_but_of_rallys() {
    let mut requests: Vec<Request> = steady(0.0, 10.0, 1.0).into_iter().map(Request::warmup).collect();
    requests.extend(steady(10.0, 20.0, 10.0));
    let summary = collected(&requests).summary(RaceStatus::Complete);
    let task = &summary.laps[0].tasks[0];
    let truth = task.throughput.unwrap();
    for rate in [truth.min, truth.mean, truth.median, truth.max] {
        assert_close(rate, 1000.0, 0.01, "rate");
    }
    let rally = task.rally_throughput.unwrap();
    assert!(rally.min < 200.0 && rally.max < 560.0, "{rally:?}");
}

#[test]
fn a_change_of_pace_is_seen_in_the_true_rate() {
    let mut requests = steady(0.0, 4.0, 10.0);
    requests.extend(steady(4.0, 5.0, 1.0));
    requests.extend(steady(5.0, 10.0, 10.0));
    let rates = collected(&requests).summary(RaceStatus::Complete).laps[0].tasks[0].throughput.unwrap();
    assert_close(rates.min, 100.0, 0.01, "min");
    assert_close(rates.median, 1000.0, 0.01, "median");
    assert_close(rates.mean, 910.0, 0.01, "mean");
}

#[test]
fn a_task_within_a_second_has_its_overall_rate() {
    let rates =
        collected(&steady(0.1, 0.6, 1.0)).summary(RaceStatus::Complete).laps[0].tasks[0].throughput.unwrap();
    assert_close(rates.mean, 50.0 / 0.499, 1e-9, "mean");
    assert_eq!((rates.min, rates.median, rates.max), (rates.mean, rates.mean, rates.mean));
}

#[test]
fn one_long_request_has_one_rate() {
    let summary = collected(&[Request::new(0.0, 40.0, 1.0)]).summary(RaceStatus::Complete);
    let rates = summary.laps[0].tasks[0].throughput.unwrap();
    assert_eq!((rates.min, rates.mean, rates.max), (0.025, 0.025, 0.025));
}

#[test]
fn percentiles_of_a_known_distribution_are_within_a_thousandth() {
    // 1 µs to 100 ms in steps of 1 µs: the percentile p is p milliseconds.
    let requests: Vec<Request> = (1..=100_000)
        .map(|microseconds| Request { service_time: microseconds * 1_000, ..Request::new(0.0, 1.0, 1.0) })
        .collect();
    let summary = collected(&requests).summary(RaceStatus::Complete);
    let times = summary.laps[0].tasks[0].service_time.all.as_ref().unwrap();
    let percentiles: Vec<f64> = times.percentiles.iter().map(|(percentile, _)| *percentile).collect();
    assert_eq!(percentiles, [50.0, 90.0, 99.0, 99.9, 99.99, 100.0]);
    for (percentile, value) in &times.percentiles {
        assert_close(*value, *percentile, 0.001, "percentile");
    }
    assert_close(times.mean, 50.0005, 0.001, "mean");
}

#[test]
fn success_and_failure_have_their_own_percentiles() {
    let mut requests: Vec<Request> = (0..90).map(|_| Request::new(0.0, 0.010, 1.0)).collect();
    requests.extend((0..10).map(|_| Request::new(0.0, 2.0, 0.0).failed()));
    let summary = collected(&requests).summary(RaceStatus::Complete);
    let task = &summary.laps[0].tasks[0];
    assert_eq!((task.requests, task.error_rate), (100, 0.1));
    let (success, failure) =
        (task.service_time.success.as_ref().unwrap(), task.service_time.failure.as_ref().unwrap());
    assert_eq!((success.count, failure.count), (90, 10));
    assert_close(success.percentile(100.0).unwrap(), 10.0, 0.001, "success");
    assert_close(failure.percentile(50.0).unwrap(), 2000.0, 0.001, "failure");
    assert_close(task.service_time.all.as_ref().unwrap().percentile(99.0).unwrap(), 2000.0, 0.001, "all");
    assert_eq!((task.failures[0].status, task.failures[0].count), (Some(429), 10));
}

#[test]
fn all_laps_together_are_the_samples_of_all_laps() {
    let mut collector = Collector::new([task(0, 1, "op"), task(1, 2, "op")]);
    collector.add(0, &recording(&steady(0.0, 3.0, 1.0), "docs")).unwrap();
    collector.add(1, &recording(&steady(0.0, 6.0, 4.0), "docs")).unwrap();
    collector.add_metrics(1, [metric("merges_total_time", 60_000.0), metric("segments_count", 3.0)]);
    collector.add_metrics(2, [metric("merges_total_time", 120_000.0), metric("segments_count", 5.0)]);
    let summary = collector.summary(RaceStatus::Complete);
    let laps: Vec<Lap> = summary.laps.iter().map(|lap| lap.lap).collect();
    assert_eq!(laps, [Lap::Number(1), Lap::Number(2), Lap::All]);
    let all = &summary.whole_race().unwrap().tasks[0];
    assert_eq!(all.requests, 900);
    let rates = all.throughput.unwrap();
    assert_close(rates.min, 100.0, 0.01, "min");
    assert_close(rates.max, 400.0, 0.01, "max");
    assert_close(rates.mean, 300.0, 0.01, "mean");
    let results = summary.results(None);
    assert_eq!((&results["merge_time"], &results["segment_count"]), (&180_000.into(), &4.into()));
}

#[test]
fn tasks_of_one_name_in_one_lap_stay_apart() {
    let mut collector =
        Collector::new([task(0, 1, "op"), task(1, 1, "op"), task(2, 2, "op"), task(3, 2, "op")]);
    for id in 0..4 {
        let requests: Vec<Request> = (0..=id).map(|_| Request::new(0.0, 1.0, 1.0)).collect();
        collector.add(id, &recording(&requests, "ops")).unwrap();
    }
    let summary = collector.summary(RaceStatus::Complete);
    let requests: Vec<u64> = summary.whole_race().unwrap().tasks.iter().map(|task| task.requests).collect();
    assert_eq!(requests, [1 + 3, 2 + 4]);
}

#[test]
fn a_recording_of_an_unknown_task_is_an_error() {
    let error = Collector::new([task(0, 1, "op")]).add(7, &Recording::default()).unwrap_err();
    assert!(matches!(error, CollectError::UnknownTask(UnknownTask { id: 7 })), "{error:?}");
    assert!(error.to_string().contains("task number 7"), "{error}");
}

#[test]
fn endless_different_failures_do_not_fill_the_memory_and_none_is_lost() {
    let mut collector = Collector::new([task(0, 1, "op")]);
    for number in 0..10_000 {
        let cause = FailureKey { status: None, description: format!("failure {number}") };
        collector.add(0, &Recording { failures: [(cause, 2)].into(), ..Recording::default() }).unwrap();
    }
    let summary = collector.summary(RaceStatus::Complete);
    let failures = &summary.laps[0].tasks[0].failures;
    assert_eq!(failures.len(), MOST_FAILURE_KEYS);
    assert_eq!(failures.iter().map(|failure| failure.count).sum::<u64>(), 20_000);
    assert_eq!(failures[0].description, "other failures");
}

fn metric(name: &str, value: f64) -> Metric {
    Metric::new(name, value, "")
}
