//! Metrics as JSON, and as numbers to order buckets by.

use super::request::Metric;
use super::tree::Stats;
use super::write::{Format, number};
use serde_json::{Map, Value};

pub(super) fn statistic(name: &str, stats: &Stats, sigma: f64) -> f64 {
    let count = stats.count as f64;
    let sum = stats.total();
    let variance = || ((stats.squares.value() - sum * sum / count) / count).max(0.0);
    let sampling = || ((stats.squares.value() - sum * sum / count) / (count - 1.0)).max(0.0);
    match name {
        "count" | "value_count" => count,
        "sum" => sum,
        _ if stats.count == 0 => f64::NAN,
        "min" => stats.min,
        "max" => stats.max,
        "avg" => sum / count,
        "sum_of_squares" => stats.squares.value(),
        "variance" | "variance_population" => variance(),
        "variance_sampling" => sampling(),
        "std_deviation" | "std_deviation_population" => variance().sqrt(),
        "std_deviation_sampling" => sampling().sqrt(),
        "std_upper" => sum / count + sigma * variance().sqrt(),
        "std_lower" => sum / count - sigma * variance().sqrt(),
        _ => f64::NAN,
    }
}

pub(super) fn write_metric(metric: Metric, stats: &Stats, format: &Format, body: &mut Map<String, Value>) {
    let value = |name: &str| {
        let value = statistic(name, stats, 2.0);
        (!value.is_nan()).then_some(value)
    };
    match metric {
        Metric::ValueCount => {
            body.insert("value".to_string(), stats.count.into());
        }
        Metric::Average | Metric::Minimum | Metric::Maximum | Metric::Sum => {
            let value = value(metric.name());
            body.insert("value".to_string(), number(value));
            if let Some(text) = value.and_then(|value| format.text(value)) {
                body.insert("value_as_string".to_string(), text.into());
            }
        }
        Metric::Stats | Metric::ExtendedStats(_) => {
            const NAMES: [&str; 4] = ["min", "max", "avg", "sum"];
            body.insert("count".to_string(), stats.count.into());
            for name in NAMES {
                body.insert(name.to_string(), number(value(name)));
            }
            for name in NAMES {
                match (value(name).filter(|_| stats.count > 0), format) {
                    // Elasticsearch writes texts everywhere else.
                    (Some(value), Format::Boolean) => {
                        body.insert(format!("{name}_as_string"), (value != 0.0).into());
                    }
                    (Some(value), format) => {
                        if let Some(text) = format.text(value) {
                            body.insert(format!("{name}_as_string"), text.into());
                        }
                    }
                    (None, _) => {}
                }
            }
            if let Metric::ExtendedStats(sigma) = metric {
                write_extended(stats, f64::from(sigma) / 1000.0, body);
            }
        }
    }
}

fn write_extended(stats: &Stats, sigma: f64, body: &mut Map<String, Value>) {
    let value = |name: &str| {
        let value = statistic(name, stats, sigma);
        number(value.is_finite().then_some(value))
    };
    for name in [
        "sum_of_squares",
        "variance",
        "variance_population",
        "variance_sampling",
        "std_deviation",
        "std_deviation_population",
        "std_deviation_sampling",
    ] {
        body.insert(name.to_string(), if stats.count == 0 { Value::Null } else { value(name) });
    }
    let mean = statistic("avg", stats, sigma);
    let mut bounds = Map::new();
    for (suffix, deviation) in [
        ("", "std_deviation"),
        ("_population", "std_deviation_population"),
        ("_sampling", "std_deviation_sampling"),
    ] {
        let deviation = statistic(deviation, stats, sigma);
        for (end, bound) in [("upper", mean + sigma * deviation), ("lower", mean - sigma * deviation)] {
            bounds.insert(format!("{end}{suffix}"), number(bound.is_finite().then_some(bound)));
        }
    }
    body.insert("std_deviation_bounds".to_string(), Value::Object(bounds));
}
