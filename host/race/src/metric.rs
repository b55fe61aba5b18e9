//! What the target says of itself: figures that are not measured per request, and their names.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A figure that is not measured per request: what the cluster, or one of its nodes, says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Rally's name of the metric, e.g. `indexing_total_time`: one of [`names`], perhaps with [`names::PER_SHARD`].
    pub name: String,
    /// Its value in `unit`.
    pub value: f64,
    /// Unit: `ms`, `s`, `byte`; empty for a count.
    pub unit: String,
    /// The task that it belongs to; `None`: the whole lap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Name of the node that it is about; `None`: the whole cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// When it was taken, milliseconds since its lap began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

impl Metric {
    /// A figure of the whole cluster over a lap.
    pub fn new(name: impl Into<String>, value: f64, unit: &str) -> Metric {
        Metric { name: name.into(), value, unit: unit.to_owned(), task: None, node: None, time: None }
    }

    /// The same figure of one node.
    pub fn of_node(self, node: impl Into<String>) -> Metric {
        Metric { node: Some(node.into()), ..self }
    }

    /// The same figure, taken so long after its lap began.
    pub fn at(self, since_lap: Duration) -> Metric {
        Metric { time: Some(u64::try_from(since_lap.as_millis()).unwrap_or(u64::MAX)), ..self }
    }
}

/// Names of metrics, shared by the devices that take them and the report that shows them.
pub mod names {
    /// Suffix of the name of a metric that occurs once per primary shard.
    pub const PER_SHARD: &str = "_per_shard";

    macro_rules! names {
        ($(#[$meta:meta] $name:ident = $text:literal;)*) => {
            $(#[$meta] pub const $name: &str = $text;)*
            /// All of them.
            pub const ALL: &[&str] = &[$($name),*];
        };
    }

    names! {
        /// Time spent indexing, ms.
        INDEXING_TIME = "indexing_total_time";
        /// Time that indexing was throttled, ms.
        INDEXING_THROTTLE_TIME = "indexing_throttle_time";
        /// Time spent merging, ms.
        MERGE_TIME = "merges_total_time";
        /// Number of merges.
        MERGE_COUNT = "merges_total_count";
        /// Time that merges were throttled, ms.
        MERGE_THROTTLE_TIME = "merges_total_throttled_time";
        /// Time spent refreshing, ms.
        REFRESH_TIME = "refresh_total_time";
        /// Number of refreshes.
        REFRESH_COUNT = "refresh_total_count";
        /// Time spent flushing, ms.
        FLUSH_TIME = "flush_total_time";
        /// Number of flushes.
        FLUSH_COUNT = "flush_total_count";
        /// Time of young generation collections over all nodes, ms.
        YOUNG_GC_TIME = "node_total_young_gen_gc_time";
        /// Number of young generation collections over all nodes.
        YOUNG_GC_COUNT = "node_total_young_gen_gc_count";
        /// Time of old generation collections over all nodes, ms.
        OLD_GC_TIME = "node_total_old_gen_gc_time";
        /// Number of old generation collections over all nodes.
        OLD_GC_COUNT = "node_total_old_gen_gc_count";
        /// Time of ZGC cycles over all nodes, ms.
        ZGC_CYCLES_TIME = "node_total_zgc_cycles_gc_time";
        /// Number of ZGC cycles over all nodes.
        ZGC_CYCLES_COUNT = "node_total_zgc_cycles_gc_count";
        /// Time of ZGC pauses over all nodes, ms.
        ZGC_PAUSES_TIME = "node_total_zgc_pauses_gc_time";
        /// Number of ZGC pauses over all nodes.
        ZGC_PAUSES_COUNT = "node_total_zgc_pauses_gc_count";
        /// Size of the data of all shards, bytes.
        DATASET_SIZE = "dataset_size_in_bytes";
        /// Size of all shards on disk, bytes.
        STORE_SIZE = "store_size_in_bytes";
        /// Size of the translogs, bytes.
        TRANSLOG_SIZE = "translog_size_in_bytes";
        /// Heap of segments, bytes.
        SEGMENTS_MEMORY = "segments_memory_in_bytes";
        /// Heap of doc values, bytes.
        DOC_VALUES_MEMORY = "segments_doc_values_memory_in_bytes";
        /// Heap of terms, bytes.
        TERMS_MEMORY = "segments_terms_memory_in_bytes";
        /// Heap of norms, bytes.
        NORMS_MEMORY = "segments_norms_memory_in_bytes";
        /// Heap of points, bytes.
        POINTS_MEMORY = "segments_points_memory_in_bytes";
        /// Heap of stored fields, bytes.
        STORED_FIELDS_MEMORY = "segments_stored_fields_memory_in_bytes";
        /// Number of segments.
        SEGMENT_COUNT = "segments_count";
        /// Number of documents that went through an ingest pipeline, over all nodes.
        INGEST_COUNT = "ingest_pipeline_cluster_count";
        /// Time spent in ingest pipelines, over all nodes, ms.
        INGEST_TIME = "ingest_pipeline_cluster_time";
        /// Number of documents that failed in an ingest pipeline, over all nodes.
        INGEST_FAILED = "ingest_pipeline_cluster_failed";
    }
}
