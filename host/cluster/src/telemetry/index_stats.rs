//! Index statistics: work of the primary shards, segments, sizes.

use std::collections::BTreeMap;

use rally_race::Metric;
use serde_json::Value;

use super::metric;

/// Suffix of the name of a metric that occurs once per primary shard.
const PER_SHARD: &str = "_per_shard";

/// Figures that only grow: name, path within the statistics of a shard or of all primaries, unit, whether reported per
/// shard too.
const COUNTERS: [(&str, [&str; 2], &str, bool); 9] = [
    ("indexing_total_time", ["indexing", "index_time_in_millis"], "ms", true),
    ("indexing_throttle_time", ["indexing", "throttle_time_in_millis"], "ms", true),
    ("merges_total_time", ["merges", "total_time_in_millis"], "ms", true),
    ("merges_total_count", ["merges", "total"], "", false),
    ("merges_total_throttled_time", ["merges", "total_throttled_time_in_millis"], "ms", true),
    ("refresh_total_time", ["refresh", "total_time_in_millis"], "ms", true),
    ("refresh_total_count", ["refresh", "total"], "", false),
    ("flush_total_time", ["flush", "total_time_in_millis"], "ms", true),
    ("flush_total_count", ["flush", "total"], "", false),
];

/// Figures as they are at the end: name, group of shards, path, unit. Versions leave out what they do not have.
const LEVELS: [(&str, &str, [&str; 2], &str); 10] = [
    ("segments_count", "primaries", ["segments", "count"], ""),
    ("segments_memory_in_bytes", "primaries", ["segments", "memory_in_bytes"], "byte"),
    ("segments_doc_values_memory_in_bytes", "primaries", ["segments", "doc_values_memory_in_bytes"], "byte"),
    ("segments_terms_memory_in_bytes", "primaries", ["segments", "terms_memory_in_bytes"], "byte"),
    ("segments_norms_memory_in_bytes", "primaries", ["segments", "norms_memory_in_bytes"], "byte"),
    ("segments_points_memory_in_bytes", "primaries", ["segments", "points_memory_in_bytes"], "byte"),
    (
        "segments_stored_fields_memory_in_bytes",
        "primaries",
        ["segments", "stored_fields_memory_in_bytes"],
        "byte",
    ),
    ("dataset_size_in_bytes", "total", ["store", "total_data_set_size_in_bytes"], "byte"),
    ("store_size_in_bytes", "total", ["store", "size_in_bytes"], "byte"),
    ("translog_size_in_bytes", "total", ["translog", "size_in_bytes"], "byte"),
];

/// Growing figures of one moment: of all primaries, and of each by its index and number.
#[derive(Debug, Default)]
pub struct IndexSnapshot {
    primaries: Vec<Option<f64>>,
    shards: BTreeMap<(String, String), Vec<Option<f64>>>,
}

impl IndexSnapshot {
    /// Reads the answer to `_stats?level=shards`.
    pub fn of(stats: &Value) -> IndexSnapshot {
        let mut shards = BTreeMap::new();
        for (index, content) in entries(&stats["indices"]) {
            for (number, copies) in entries(&content["shards"]) {
                let primary = copies.as_array().and_then(|copies| {
                    copies.iter().find(|copy| copy["routing"]["primary"] == Value::Bool(true))
                });
                if let Some(primary) = primary {
                    shards.insert((index.clone(), number.clone()), counters(primary));
                }
            }
        }
        IndexSnapshot { primaries: counters(&stats["_all"]["primaries"]), shards }
    }
}

fn counters(of: &Value) -> Vec<Option<f64>> {
    COUNTERS.iter().map(|(_, path, ..)| of[path[0]][path[1]].as_f64()).collect()
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// What was added between two snapshots, and the levels of the later statistics.
pub fn index_metrics(before: &IndexSnapshot, after: &IndexSnapshot, stats: &Value) -> Vec<Metric> {
    let mut metrics = Vec::new();
    let added = |shard: &(String, String), figures: &[Option<f64>]| -> Vec<Option<f64>> {
        let old = before.shards.get(shard);
        figures
            .iter()
            .enumerate()
            .map(|(number, value)| value.map(|value| grown(old.and_then(|old| old[number]), value)))
            .collect()
    };
    let mut shards: Vec<Vec<Option<f64>>> =
        after.shards.iter().map(|(shard, figures)| added(shard, figures)).collect();
    // Shards of indices that have nothing to do with the race would make every least and median zero.
    let worked = |shard: &Vec<Option<f64>>| shard.iter().flatten().any(|value| *value > 0.0);
    if shards.iter().any(worked) {
        shards.retain(worked);
    }
    for (number, (name, _, unit, per_shard)) in COUNTERS.iter().enumerate() {
        if let Some(value) = after.primaries[number] {
            let old = before.primaries.get(number).copied().flatten();
            metrics.push(metric(*name, grown(old, value), unit));
        }
        if *per_shard {
            let values = shards.iter().filter_map(|shard| shard[number]);
            metrics.extend(values.map(|value| metric(format!("{name}{PER_SHARD}"), value, unit)));
        }
    }
    for (name, group, path, unit) in LEVELS {
        if let Some(value) = stats["_all"][group][path[0]][path[1]].as_f64() {
            metrics.push(metric(name, value, unit));
        }
    }
    metrics
}

/// How much a counter grew. One that is lower than before belongs to a shard that started anew: all of it is new.
fn grown(before: Option<f64>, after: f64) -> f64 {
    match before {
        Some(before) if before <= after => after - before,
        _ => after,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shard(primary: bool, milliseconds: u64) -> Value {
        json!({"routing": {"primary": primary}, "indexing": {"index_time_in_millis": milliseconds}})
    }

    fn stats(total: u64, shards: [u64; 2]) -> Value {
        json!({
            "_all": {
                "primaries": {"indexing": {"index_time_in_millis": total}, "merges": {"total": 3}, "segments": {"count": 7}},
                "total": {"store": {"size_in_bytes": 2048}}
            },
            "indices": {"idx": {"shards": {
                "0": [shard(false, 999), shard(true, shards[0])],
                "1": [shard(true, shards[1])]
            }}}
        })
    }

    fn shown(metrics: &[Metric]) -> Vec<String> {
        metrics.iter().map(|metric| format!("{}={}{}", metric.name, metric.value, metric.unit)).collect()
    }

    #[test]
    fn growing_figures_are_reported_as_what_the_lap_added() {
        let (before, after) = (stats(100, [60, 40]), stats(350, [200, 30]));
        let metrics = index_metrics(&IndexSnapshot::of(&before), &IndexSnapshot::of(&after), &after);
        assert_eq!(
            shown(&metrics),
            [
                "indexing_total_time=250ms",
                "indexing_total_time_per_shard=140ms",
                "indexing_total_time_per_shard=30ms",
                "merges_total_count=0",
                "segments_count=7",
                "store_size_in_bytes=2048byte",
            ]
        );
    }

    #[test]
    fn shards_that_had_nothing_to_do_are_left_out_unless_none_had() {
        let per_shard = |before: Value, after: Value| -> Vec<f64> {
            index_metrics(&IndexSnapshot::of(&before), &IndexSnapshot::of(&after), &after)
                .iter()
                .filter(|metric| metric.name == "indexing_total_time_per_shard")
                .map(|metric| metric.value)
                .collect()
        };
        assert_eq!(per_shard(stats(100, [60, 40]), stats(130, [60, 70])), [30.0]);
        assert_eq!(per_shard(stats(100, [60, 40]), stats(100, [60, 40])), [0.0, 0.0]);
    }

    #[test]
    fn without_indices_nothing_is_reported() {
        let empty = json!({"_all": {"primaries": {}, "total": {}}, "indices": {}});
        assert_eq!(index_metrics(&IndexSnapshot::default(), &IndexSnapshot::of(&empty), &empty), []);
        assert_eq!(index_metrics(&IndexSnapshot::default(), &IndexSnapshot::of(&json!([])), &json!([])), []);
    }
}
