//! Index statistics: work of the primary shards, segments, sizes.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use rally_race::Metric;
use rally_race::names::{self, PER_SHARD};
use serde_json::Value;

use super::ask;
use super::counters::Growth;
use super::device::Device;
use crate::cluster::{CallError, Cluster};

const INDEX_STATS: &str = "/_stats/_all?level=shards";

/// Number of [`COUNTERS`].
const COUNTED: usize = 9;

/// Figures that only grow: name, path within the statistics of a shard or of all primaries, unit, whether reported per
/// shard too.
const COUNTERS: [(&str, [&str; 2], &str, bool); COUNTED] = [
    (names::INDEXING_TIME, ["indexing", "index_time_in_millis"], "ms", true),
    (names::INDEXING_THROTTLE_TIME, ["indexing", "throttle_time_in_millis"], "ms", true),
    (names::MERGE_TIME, ["merges", "total_time_in_millis"], "ms", true),
    (names::MERGE_COUNT, ["merges", "total"], "", false),
    (names::MERGE_THROTTLE_TIME, ["merges", "total_throttled_time_in_millis"], "ms", true),
    (names::REFRESH_TIME, ["refresh", "total_time_in_millis"], "ms", true),
    (names::REFRESH_COUNT, ["refresh", "total"], "", false),
    (names::FLUSH_TIME, ["flush", "total_time_in_millis"], "ms", true),
    (names::FLUSH_COUNT, ["flush", "total"], "", false),
];

/// Figures as they are at the end: name, group of shards, path, unit. Versions leave out what they do not have.
const LEVELS: [(&str, &str, [&str; 2], &str); 10] = [
    (names::SEGMENT_COUNT, "primaries", ["segments", "count"], ""),
    (names::SEGMENTS_MEMORY, "primaries", ["segments", "memory_in_bytes"], "byte"),
    (names::DOC_VALUES_MEMORY, "primaries", ["segments", "doc_values_memory_in_bytes"], "byte"),
    (names::TERMS_MEMORY, "primaries", ["segments", "terms_memory_in_bytes"], "byte"),
    (names::NORMS_MEMORY, "primaries", ["segments", "norms_memory_in_bytes"], "byte"),
    (names::POINTS_MEMORY, "primaries", ["segments", "points_memory_in_bytes"], "byte"),
    (names::STORED_FIELDS_MEMORY, "primaries", ["segments", "stored_fields_memory_in_bytes"], "byte"),
    (names::DATASET_SIZE, "total", ["store", "total_data_set_size_in_bytes"], "byte"),
    (names::STORE_SIZE, "total", ["store", "size_in_bytes"], "byte"),
    (names::TRANSLOG_SIZE, "total", ["translog", "size_in_bytes"], "byte"),
];

/// A primary shard: the UUID of its index, or the index's name where the target is too old to tell it, and its number. An index that is
/// deleted and created again has another UUID, so that its counters are not taken for the growth of the old one's.
type Shard = (String, String);

/// The device of index statistics.
#[derive(Debug, Default)]
pub(super) struct IndexStats {
    shards: Option<Growth<Shard, COUNTED>>,
    /// Targets that tell nothing of single shards have the sum over all of them.
    primaries: Option<Growth<(), COUNTED>>,
}

impl Device for IndexStats {
    fn name(&self) -> &'static str {
        "index-stats"
    }

    fn contributes(&self) -> &'static str {
        "indexing, merge, refresh and flush times and counts, sizes and segments"
    }

    fn start<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<(), CallError>> {
        Box::pin(async {
            let stats = ask(cluster, INDEX_STATS).await?;
            self.begin(&stats);
            Ok(())
        })
    }

    fn sample<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<(), CallError>> {
        Box::pin(async {
            let stats = ask(cluster, INDEX_STATS).await?;
            self.look(&stats);
            Ok(())
        })
    }

    fn stop<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<Vec<Metric>, CallError>> {
        Box::pin(async {
            let stats = ask(cluster, INDEX_STATS).await?;
            self.look(&stats);
            Ok(self.metrics(&stats))
        })
    }
}

impl IndexStats {
    fn begin(&mut self, stats: &Value) {
        self.shards = Some(Growth::from(shards(stats)));
        self.primaries = Some(Growth::from(primaries(stats)));
    }

    fn look(&mut self, stats: &Value) {
        if let (Some(by_shard), Some(sum)) = (&mut self.shards, &mut self.primaries) {
            by_shard.look(shards(stats));
            sum.look(primaries(stats));
        }
    }

    /// What was added since the start, and the levels of the last statistics. Without a start there are only levels.
    fn metrics(&self, stats: &Value) -> Vec<Metric> {
        let mut metrics = Vec::new();
        if let (Some(by_shard), Some(sum)) = (&self.shards, &self.primaries) {
            let mut shards: Vec<&[Option<f64>; COUNTED]> = by_shard.by_key().values().collect();
            // Shards of indices that have nothing to do with the race would make every least and median zero.
            let worked = |shard: &&[Option<f64>; COUNTED]| shard.iter().flatten().any(|value| *value > 0.0);
            if shards.iter().any(worked) {
                shards.retain(worked);
            }
            for (number, (name, _, unit, per_shard)) in COUNTERS.iter().enumerate() {
                let total = by_shard.total(number).or_else(|| sum.total(number));
                metrics.extend(total.map(|value| Metric::new(*name, value, unit)));
                if *per_shard {
                    let values = shards.iter().filter_map(|shard| shard[number]);
                    metrics
                        .extend(values.map(|value| Metric::new(format!("{name}{PER_SHARD}"), value, unit)));
                }
            }
        }
        for (name, group, path, unit) in LEVELS {
            if let Some(value) = stats["_all"][group][path[0]][path[1]].as_f64() {
                metrics.push(Metric::new(name, value, unit));
            }
        }
        metrics
    }
}

/// The primary shards in an answer to `_stats?level=shards`.
fn shards(stats: &Value) -> BTreeMap<Shard, [Option<f64>; COUNTED]> {
    let mut shards = BTreeMap::new();
    for (index, content) in entries(&stats["indices"]) {
        let identity = content["uuid"].as_str().unwrap_or(index);
        for (number, copies) in entries(&content["shards"]) {
            let primary = copies.as_array().and_then(|copies| {
                copies.iter().find(|copy| copy["routing"]["primary"] == Value::Bool(true))
            });
            if let Some(primary) = primary {
                shards.insert((identity.to_owned(), number.clone()), counters(primary));
            }
        }
    }
    shards
}

fn primaries(stats: &Value) -> BTreeMap<(), [Option<f64>; COUNTED]> {
    BTreeMap::from([((), counters(&stats["_all"]["primaries"]))])
}

fn counters(of: &Value) -> [Option<f64>; COUNTED] {
    COUNTERS.map(|(_, path, ..)| of[path[0]][path[1]].as_f64())
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shard(primary: bool, milliseconds: u64) -> Value {
        json!({"routing": {"primary": primary}, "indexing": {"index_time_in_millis": milliseconds}})
    }

    /// Statistics of the index with this UUID, of which the two primary shards have indexed for so many milliseconds.
    fn stats(uuid: Option<&str>, shards: [u64; 2]) -> Value {
        json!({
            "_all": {
                "primaries": {
                    "indexing": {"index_time_in_millis": shards[0] + shards[1]},
                    "segments": {"count": 7}
                },
                "total": {"store": {"size_in_bytes": 2048}}
            },
            "indices": {"idx": {"uuid": uuid, "shards": {
                "0": [shard(false, 999), shard(true, shards[0])],
                "1": [shard(true, shards[1])]
            }}}
        })
    }

    fn metrics(looks: &[Value]) -> Vec<Metric> {
        let mut device = IndexStats::default();
        device.begin(&looks[0]);
        looks[1..].iter().for_each(|stats| device.look(stats));
        device.metrics(looks.last().unwrap())
    }

    fn shown(metrics: &[Metric]) -> Vec<String> {
        metrics.iter().map(|metric| format!("{}={}{}", metric.name, metric.value, metric.unit)).collect()
    }

    /// Total and each shard.
    fn indexing(looks: &[Value]) -> (Option<f64>, Vec<f64>) {
        let metrics = metrics(looks);
        let named = |name: &str| -> Vec<f64> {
            metrics.iter().filter(|metric| metric.name == name).map(|metric| metric.value).collect()
        };
        (named("indexing_total_time").first().copied(), named("indexing_total_time_per_shard"))
    }

    #[test]
    fn growing_figures_are_reported_as_what_the_lap_added() {
        assert_eq!(
            shown(&metrics(&[stats(Some("u1"), [60, 40]), stats(Some("u1"), [200, 50])])),
            [
                "indexing_total_time=150ms",
                "indexing_total_time_per_shard=140ms",
                "indexing_total_time_per_shard=10ms",
                "segments_count=7",
                "store_size_in_bytes=2048byte",
            ]
        );
    }

    /// Before: 60 + 40 ms of an index that the race deletes. It creates one of the same name that works 70 + 35 ms: 105 ms, not the
    /// 10 ms by which one is more than the other, and not 10 + 35 either.
    #[test]
    fn what_a_recreated_index_counted_is_not_lost() {
        let before = stats(Some("old"), [60, 40]);
        assert_eq!(indexing(&[before, stats(Some("new"), [70, 35])]), (Some(105.0), vec![70.0, 35.0]));
    }

    /// The race deletes an index of its own that has worked 30 ms, looked at just before, and creates it again: 30 + 50 + 20.
    #[test]
    fn what_an_index_counted_before_it_was_deleted_is_not_lost() {
        let looks = [stats(None, [0, 0]), stats(Some("first"), [10, 20]), stats(Some("second"), [50, 20])];
        assert_eq!(indexing(&looks).0, Some(100.0));
    }

    /// Before 6.0 statistics have no UUIDs: a counter that is lower than before is a new one's.
    #[test]
    fn without_uuids_a_counter_that_is_lower_is_a_new_one() {
        assert_eq!(indexing(&[stats(None, [60, 40]), stats(None, [30, 70])]), (Some(60.0), vec![30.0, 30.0]));
    }

    #[test]
    fn shards_that_had_nothing_to_do_are_left_out_unless_none_had() {
        let stats = |shards| stats(Some("u"), shards);
        assert_eq!(indexing(&[stats([60, 40]), stats([60, 70])]).1, [30.0]);
        assert_eq!(indexing(&[stats([60, 40]), stats([60, 40])]).1, [0.0, 0.0]);
    }

    #[test]
    fn a_target_that_tells_nothing_of_shards_has_the_sum_of_all() {
        let sum = |milliseconds: u64| json!({"_all": {"primaries": {"indexing": {"index_time_in_millis": milliseconds}}}});
        assert_eq!(indexing(&[sum(100), sum(350)]), (Some(250.0), vec![]));
    }

    #[test]
    fn without_a_start_only_levels_are_reported() {
        let stats = stats(Some("u"), [60, 40]);
        let mut device = IndexStats::default();
        device.look(&stats);
        assert_eq!(shown(&device.metrics(&stats)), ["segments_count=7", "store_size_in_bytes=2048byte"]);
    }

    #[test]
    fn without_indices_nothing_is_reported() {
        let empty = json!({"_all": {"primaries": {}, "total": {}}, "indices": {}});
        assert_eq!(metrics(&[empty.clone(), empty]), []);
        assert_eq!(metrics(&[json!([]), json!([])]), []);
    }
}
