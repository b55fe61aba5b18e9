//! Percentiles and means as Rally computes them, of 2017 and of today.

use crate::common::{Request, assert_close, golden, recording, task};
use hdrhistogram::Histogram;
use rally_race::HIGHEST_NANOSECONDS;
use rally_results::{
    Collector, Compat, Distribution, RaceStatus, encode_float_key, interpolated_percentile,
    percentiles_for_sample_size,
};
use serde_json::Value;

/// Half a bucket of a histogram with three significant digits.
const RESOLUTION: f64 = 0.0005;
const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

#[test]
fn percentiles_are_those_that_a_sample_size_carries() {
    let mut seen = 0;
    for case in all_cases() {
        let size = case["input"].get("sample_size").or(case["input"].get("percentiles_for_sample_size"));
        let Some(size) = size.and_then(Value::as_u64) else { continue };
        let expected: Vec<f64> = numbers(&case["expected"]);
        assert_eq!(percentiles_for_sample_size(size), expected, "{}", case["id"]);
        seen += 1;
    }
    assert_eq!(seen, 10);
}

#[test]
fn keys_of_percentiles_are_those_of_rally() {
    let mut seen = 0;
    for case in all_cases() {
        let Some(key) = case["input"].get("key") else { continue };
        assert_eq!(
            encode_float_key(key.as_f64().unwrap()),
            case["expected"].as_str().unwrap(),
            "{}",
            case["id"]
        );
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn interpolation_between_samples_is_that_of_rally() {
    let mut seen = 0;
    for Point { id, values, percentile, expected } in points() {
        let actual =
            interpolated_percentile(values.len() as u64, percentile, |index| values[index as usize]).unwrap();
        // Rounding of the last digits depends on the order of operations.
        assert!(
            (actual - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{id}: {actual} is not {expected}"
        );
        seen += 1;
    }
    assert_eq!(seen, 48 + 4 * 10 + 4 * 3 + 4);
}

/// Deliberate difference: no sample is kept, so a figure is off by up to half a bucket of a histogram with three significant
/// digits, 0.05 %, and a time below a nanosecond is none.
#[test]
fn percentiles_of_histograms_are_within_their_resolution() {
    let mut not_times = Vec::new();
    for Point { id, values, percentile, expected } in points() {
        let highest = HIGHEST_NANOSECONDS as f64 / NANOSECONDS_PER_MILLISECOND;
        if values.iter().any(|value| *value < 0.0 || *value > highest) {
            not_times.push(id);
            continue;
        }
        let actual = distribution(&values).percentile(percentile).unwrap() / NANOSECONDS_PER_MILLISECOND;
        assert_close(actual, expected, RESOLUTION, &id);
    }
    // Requests take neither less than no time nor more than a day (11 days here): such values count as a day.
    assert_eq!(not_times, ["value-9-50", "value-9-99.99", "value-10-25", "value-10-50.0"]);
}

#[test]
fn means_of_histograms_are_within_their_resolution() {
    let mut seen = 0;
    for case in golden("percentiles.json") {
        let Some(mean) = case["expected"].get("mean").and_then(Value::as_f64) else { continue };
        let figures = distribution(&numbers(&case["input"]["values"])).figures().unwrap();
        assert_close(figures.mean, mean, RESOLUTION, &case["id"].to_string());
        assert_eq!(figures.count, case["expected"]["stats"]["count"].as_u64().unwrap());
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn the_report_of_2017_shows_these_percentiles_and_error_rates() {
    let mut seen = 0;
    for case in golden("2017/percentiles.json") {
        let Some(samples) = case["input"].get("samples").and_then(Value::as_array) else { continue };
        let requests: Vec<Request> = samples
            .iter()
            .map(|sample| {
                let request = Request::new(0.0, sample[1].as_f64().unwrap() / 1e3, 1.0);
                let request = if sample[0] == "warmup" { request.warmup() } else { request };
                if sample[2] == true { request } else { request.failed() }
            })
            .collect();
        let mut collector = Collector::new([task(0, 1, "op")]);
        collector.add(0, &recording(&requests, "ops")).unwrap();
        let results = collector.summary(RaceStatus::Complete).results(Some(Compat::Rally));
        let actual = &results["op_metrics"][0];

        let expected = &case["expected"];
        assert_eq!(actual["error_rate"], expected["error_rate"], "{}", case["id"]);
        assert_eq!(actual["service_time"]["count"], expected["count"], "{}", case["id"]);
        let percentiles = expected["service_time"].as_object().unwrap();
        for (percentile, value) in percentiles {
            // Rally wrote whole percentiles without decimals at that time.
            let key = encode_float_key(percentile.replace('_', ".").parse().unwrap());
            let actual = actual["service_time"][&key].as_f64().unwrap();
            assert_close(actual, value.as_f64().unwrap(), RESOLUTION, &key);
        }
        let mean_unit_and_count = 3;
        assert_eq!(
            actual["service_time"].as_object().unwrap().len(),
            percentiles.len() + mean_unit_and_count
        );
        seen += 1;
    }
    assert_eq!(seen, 4);
}

struct Point {
    id: String,
    values: Vec<f64>,
    percentile: f64,
    expected: f64,
}

/// Every percentile of a list of values (in ascending order) that the golden files know.
fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for case in all_cases() {
        let Some(values) = case["input"].get("values") else { continue };
        let mut values = numbers(values);
        values.sort_by(f64::total_cmp);
        let id = case["id"].as_str().unwrap().to_owned();
        let mut point = |percentile: f64, expected: &Value| {
            let expected = expected.as_f64().unwrap();
            points.push(Point { id: id.clone(), values: values.clone(), percentile, expected });
        };
        match case["input"].get("percentile") {
            Some(Value::String(percentile)) => point(percentile.parse().unwrap(), &case["expected"]),
            Some(percentile) => point(percentile.as_f64().unwrap(), &case["expected"]),
            None => {
                for set in ["percentiles", "default_percentiles"] {
                    for (percentile, expected) in case["expected"][set].as_object().unwrap() {
                        point(percentile.parse().unwrap(), expected);
                    }
                }
                point(50.0, &case["expected"]["median"]);
            }
        }
    }
    points
}

fn distribution(milliseconds: &[f64]) -> Distribution {
    let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NANOSECONDS, 3).unwrap();
    for value in milliseconds {
        histogram.saturating_record((value * NANOSECONDS_PER_MILLISECOND).round() as u64);
    }
    let mut distribution = Distribution::default();
    distribution.add_histogram(&histogram);
    distribution
}

fn all_cases() -> Vec<Value> {
    golden("percentiles.json").into_iter().chain(golden("2017/percentiles.json")).collect()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}
