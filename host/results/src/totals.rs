//! The rows that come from the cluster's own statistics: their names, order and units are Rally's.

use rally_race::Metric;
use serde_json::{Map, Value, json};

use crate::percentiles::median;

/// Suffix of the name of a metric that occurs once per primary shard.
pub const PER_SHARD: &str = "_per_shard";

/// A total, or a figure per shard, with its place in the report.
pub(crate) struct Total {
    /// Name of the metric.
    metric: &'static str,
    /// Name in Rally's records.
    key: &'static str,
    /// What the report calls it.
    label: &'static str,
    shape: Shape,
}

enum Shape {
    /// Milliseconds, reported in minutes, with least, median and greatest shard where they are known.
    CumulativeTime,
    /// Milliseconds, reported in seconds.
    Seconds,
    /// A count that adds up.
    Count,
    /// Bytes that add up over nodes, reported in gigabytes; over laps the median.
    Gigabytes,
    /// Bytes, of which the median is reported in megabytes.
    MedianMegabytes,
    /// A count of which the median is reported.
    MedianCount,
}

/// A row before it has a lap.
pub(crate) struct TotalRow {
    pub(crate) label: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
}

const fn total(metric: &'static str, key: &'static str, label: &'static str, shape: Shape) -> Total {
    Total { metric, key, label, shape }
}

/// In the order of the report.
pub(crate) const TOTALS: &[Total] = &[
    total("indexing_total_time", "total_time", "indexing time", Shape::CumulativeTime),
    total(
        "indexing_throttle_time",
        "indexing_throttle_time",
        "indexing throttle time",
        Shape::CumulativeTime,
    ),
    total("merges_total_time", "merge_time", "merge time", Shape::CumulativeTime),
    total("merges_total_count", "merge_count", "Cumulative merge count of primary shards", Shape::Count),
    total("merges_total_throttled_time", "merge_throttle_time", "merge throttle time", Shape::CumulativeTime),
    total("refresh_total_time", "refresh_time", "refresh time", Shape::CumulativeTime),
    total("refresh_total_count", "refresh_count", "Cumulative refresh count of primary shards", Shape::Count),
    total("flush_total_time", "flush_time", "flush time", Shape::CumulativeTime),
    total("flush_total_count", "flush_count", "Cumulative flush count of primary shards", Shape::Count),
    total("node_total_young_gen_gc_time", "young_gc_time", "Total Young Gen GC time", Shape::Seconds),
    total("node_total_young_gen_gc_count", "young_gc_count", "Total Young Gen GC count", Shape::Count),
    total("node_total_old_gen_gc_time", "old_gc_time", "Total Old Gen GC time", Shape::Seconds),
    total("node_total_old_gen_gc_count", "old_gc_count", "Total Old Gen GC count", Shape::Count),
    total("node_total_zgc_cycles_gc_time", "zgc_cycles_gc_time", "Total ZGC Cycles GC time", Shape::Seconds),
    total("node_total_zgc_cycles_gc_count", "zgc_cycles_gc_count", "Total ZGC Cycles GC count", Shape::Count),
    total("node_total_zgc_pauses_gc_time", "zgc_pauses_gc_time", "Total ZGC Pauses GC time", Shape::Seconds),
    total("node_total_zgc_pauses_gc_count", "zgc_pauses_gc_count", "Total ZGC Pauses GC count", Shape::Count),
    total("dataset_size_in_bytes", "dataset_size", "Dataset size", Shape::Gigabytes),
    total("store_size_in_bytes", "store_size", "Store size", Shape::Gigabytes),
    total("translog_size_in_bytes", "translog_size", "Translog size", Shape::Gigabytes),
    total("segments_memory_in_bytes", "memory_segments", "Heap used for segments", Shape::MedianMegabytes),
    total(
        "segments_doc_values_memory_in_bytes",
        "memory_doc_values",
        "Heap used for doc values",
        Shape::MedianMegabytes,
    ),
    total("segments_terms_memory_in_bytes", "memory_terms", "Heap used for terms", Shape::MedianMegabytes),
    total("segments_norms_memory_in_bytes", "memory_norms", "Heap used for norms", Shape::MedianMegabytes),
    total("segments_points_memory_in_bytes", "memory_points", "Heap used for points", Shape::MedianMegabytes),
    total(
        "segments_stored_fields_memory_in_bytes",
        "memory_stored_fields",
        "Heap used for stored fields",
        Shape::MedianMegabytes,
    ),
    total("segments_count", "segment_count", "Segment count", Shape::MedianCount),
];

impl Total {
    /// The rows of this total, given the metrics of each lap.
    pub(crate) fn rows(&self, laps: &[Vec<Metric>]) -> Vec<TotalRow> {
        let row = |label: String, value: f64, unit| TotalRow { label, value, unit };
        let own = |unit, divisor: f64| {
            self.value(laps)
                .map(|value| row(self.label.to_owned(), value / divisor, unit))
                .into_iter()
                .collect()
        };
        match self.shape {
            Shape::CumulativeTime => {
                let minutes = |milliseconds: f64| milliseconds / 60_000.0;
                let name = self.label;
                let mut rows = Vec::new();
                if let Some(value) = self.value(laps) {
                    rows.push(row(format!("Cumulative {name} of primary shards"), minutes(value), "min"));
                }
                if let Some((least, middle, greatest)) = self.shards(laps) {
                    for (which, value) in [("Min", least), ("Median", middle), ("Max", greatest)] {
                        let label = format!("{which} cumulative {name} across primary shards");
                        rows.push(row(label, minutes(value), "min"));
                    }
                }
                rows
            }
            Shape::Seconds => own("s", 1_000.0),
            Shape::Gigabytes => own("GB", 1024.0 * 1024.0 * 1024.0),
            Shape::MedianMegabytes => own("MB", 1024.0 * 1024.0),
            Shape::Count | Shape::MedianCount => own("", 1.0),
        }
    }

    /// Adds the total to a record, as Rally's race.json has it: times in milliseconds, sizes in bytes.
    pub(crate) fn record(&self, laps: &[Vec<Metric>], record: &mut Map<String, Value>) {
        if let Some(value) = self.value(laps) {
            record.insert(self.key.to_owned(), number(value));
        }
        if let (Shape::CumulativeTime, Some((min, median, max))) = (&self.shape, self.shards(laps)) {
            let figures =
                json!({"min": number(min), "median": number(median), "max": number(max), "unit": "ms"});
            record.insert(format!("{}{PER_SHARD}", self.key), figures);
        }
    }

    /// The value over all laps; `None` where the cluster did not tell.
    fn value(&self, laps: &[Vec<Metric>]) -> Option<f64> {
        let of_each_lap: Vec<Vec<f64>> =
            laps.iter().map(|lap| values(lap, self.metric)).filter(|values| !values.is_empty()).collect();
        if of_each_lap.is_empty() {
            return None;
        }
        let sums = || of_each_lap.iter().map(|values| values.iter().sum::<f64>());
        match self.shape {
            Shape::CumulativeTime | Shape::Seconds | Shape::Count => Some(sums().sum()),
            Shape::Gigabytes => median(&sums().collect::<Vec<_>>()),
            Shape::MedianMegabytes => median(&of_each_lap.concat()),
            Shape::MedianCount => median(&of_each_lap.concat()).map(f64::trunc),
        }
    }

    /// Least, median and greatest shard of all laps; `None` where the cluster did not tell.
    fn shards(&self, laps: &[Vec<Metric>]) -> Option<(f64, f64, f64)> {
        let name = format!("{}{PER_SHARD}", self.metric);
        let mut shards: Vec<f64> = laps.iter().flat_map(|lap| values(lap, &name)).collect();
        shards.sort_by(f64::total_cmp);
        Some((*shards.first()?, median(&shards)?, *shards.last()?))
    }
}

fn values(metrics: &[Metric], name: &str) -> Vec<f64> {
    metrics.iter().filter(|metric| metric.name == name).map(|metric| metric.value).collect()
}

/// A whole number as such, so that counts and bytes do not get a decimal point.
pub(crate) fn number(value: f64) -> Value {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < LARGEST_EXACT { json!(value as i64) } else { json!(value) }
}
