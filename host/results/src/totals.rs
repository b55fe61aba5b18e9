//! The rows that come from the cluster's own statistics: their names, order and units are Rally's.

use rally_race::Metric;
use rally_race::names::{self, PER_SHARD};
use serde_json::{Map, Value, json};

use crate::percentiles::median;

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
    total(names::INDEXING_TIME, "total_time", "indexing time", Shape::CumulativeTime),
    total(
        names::INDEXING_THROTTLE_TIME,
        "indexing_throttle_time",
        "indexing throttle time",
        Shape::CumulativeTime,
    ),
    total(names::MERGE_TIME, "merge_time", "merge time", Shape::CumulativeTime),
    total(names::MERGE_COUNT, "merge_count", "Cumulative merge count of primary shards", Shape::Count),
    total(names::MERGE_THROTTLE_TIME, "merge_throttle_time", "merge throttle time", Shape::CumulativeTime),
    total(names::REFRESH_TIME, "refresh_time", "refresh time", Shape::CumulativeTime),
    total(names::REFRESH_COUNT, "refresh_count", "Cumulative refresh count of primary shards", Shape::Count),
    total(names::FLUSH_TIME, "flush_time", "flush time", Shape::CumulativeTime),
    total(names::FLUSH_COUNT, "flush_count", "Cumulative flush count of primary shards", Shape::Count),
    total(names::YOUNG_GC_TIME, "young_gc_time", "Total Young Gen GC time", Shape::Seconds),
    total(names::YOUNG_GC_COUNT, "young_gc_count", "Total Young Gen GC count", Shape::Count),
    total(names::OLD_GC_TIME, "old_gc_time", "Total Old Gen GC time", Shape::Seconds),
    total(names::OLD_GC_COUNT, "old_gc_count", "Total Old Gen GC count", Shape::Count),
    total(names::ZGC_CYCLES_TIME, "zgc_cycles_gc_time", "Total ZGC Cycles GC time", Shape::Seconds),
    total(names::ZGC_CYCLES_COUNT, "zgc_cycles_gc_count", "Total ZGC Cycles GC count", Shape::Count),
    total(names::ZGC_PAUSES_TIME, "zgc_pauses_gc_time", "Total ZGC Pauses GC time", Shape::Seconds),
    total(names::ZGC_PAUSES_COUNT, "zgc_pauses_gc_count", "Total ZGC Pauses GC count", Shape::Count),
    total(names::DATASET_SIZE, "dataset_size", "Dataset size", Shape::Gigabytes),
    total(names::STORE_SIZE, "store_size", "Store size", Shape::Gigabytes),
    total(names::TRANSLOG_SIZE, "translog_size", "Translog size", Shape::Gigabytes),
    total(names::SEGMENTS_MEMORY, "memory_segments", "Heap used for segments", Shape::MedianMegabytes),
    total(names::DOC_VALUES_MEMORY, "memory_doc_values", "Heap used for doc values", Shape::MedianMegabytes),
    total(names::TERMS_MEMORY, "memory_terms", "Heap used for terms", Shape::MedianMegabytes),
    total(names::NORMS_MEMORY, "memory_norms", "Heap used for norms", Shape::MedianMegabytes),
    total(names::POINTS_MEMORY, "memory_points", "Heap used for points", Shape::MedianMegabytes),
    total(
        names::STORED_FIELDS_MEMORY,
        "memory_stored_fields",
        "Heap used for stored fields",
        Shape::MedianMegabytes,
    ),
    total(names::SEGMENT_COUNT, "segment_count", "Segment count", Shape::MedianCount),
    total(names::INGEST_COUNT, "ingest_pipeline_cluster_count", "Total Ingest Pipeline count", Shape::Count),
    total(names::INGEST_TIME, "ingest_pipeline_cluster_time", "Total Ingest Pipeline time", Shape::Seconds),
    total(
        names::INGEST_FAILED,
        "ingest_pipeline_cluster_failed",
        "Total Ingest Pipeline failed",
        Shape::Count,
    ),
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

    /// The value over all laps; `None` if the cluster did not provide it.
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

    /// Least, median and greatest shard of all laps; `None` if the cluster did not provide it.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_devices_take_has_its_row() {
        let shown: Vec<&str> = TOTALS.iter().map(|total| total.metric).collect();
        let missing: Vec<_> = names::ALL.iter().filter(|name| !shown.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
        assert_eq!(shown.len(), names::ALL.len());
    }
}
