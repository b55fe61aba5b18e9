//! Node statistics: garbage collection and ingest pipelines.

use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use rally_race::{Metric, names};
use serde_json::Value;

use super::ask;
use super::counters::Growth;
use super::device::Device;
use crate::cluster::{CallError, Cluster};

/// Figures of nodes that only grow, and how they are called when they are summed over all nodes.
#[derive(Debug)]
struct NodeCounters<const N: usize> {
    /// Address of the statistics.
    path: &'static str,
    /// Within the statistics of a node, in words and as a way through the JSON: name, way, unit.
    counters: [(&'static str, &'static [&'static str], &'static str); N],
}

const GARBAGE_COLLECTION: NodeCounters<8> = NodeCounters {
    path: "/_nodes/stats/jvm",
    counters: [
        (names::YOUNG_GC_TIME, &["jvm", "gc", "collectors", "young", "collection_time_in_millis"], "ms"),
        (names::YOUNG_GC_COUNT, &["jvm", "gc", "collectors", "young", "collection_count"], ""),
        (names::OLD_GC_TIME, &["jvm", "gc", "collectors", "old", "collection_time_in_millis"], "ms"),
        (names::OLD_GC_COUNT, &["jvm", "gc", "collectors", "old", "collection_count"], ""),
        (
            names::ZGC_CYCLES_TIME,
            &["jvm", "gc", "collectors", "ZGC Cycles", "collection_time_in_millis"],
            "ms",
        ),
        (names::ZGC_CYCLES_COUNT, &["jvm", "gc", "collectors", "ZGC Cycles", "collection_count"], ""),
        (
            names::ZGC_PAUSES_TIME,
            &["jvm", "gc", "collectors", "ZGC Pauses", "collection_time_in_millis"],
            "ms",
        ),
        (names::ZGC_PAUSES_COUNT, &["jvm", "gc", "collectors", "ZGC Pauses", "collection_count"], ""),
    ],
};

const INGEST_PIPELINES: NodeCounters<3> = NodeCounters {
    path: "/_nodes/stats/ingest",
    counters: [
        (names::INGEST_COUNT, &["ingest", "total", "count"], ""),
        (names::INGEST_TIME, &["ingest", "total", "time_in_millis"], "ms"),
        (names::INGEST_FAILED, &["ingest", "total", "failed"], ""),
    ],
};

impl<const N: usize> NodeCounters<N> {
    /// By id of the node.
    fn read(&self, stats: &Value) -> BTreeMap<String, [Option<f64>; N]> {
        let nodes = stats["nodes"].as_object().into_iter().flatten();
        nodes
            .map(|(id, node)| {
                let counter =
                    |(_, way, _): (_, &[&str], _)| way.iter().fold(node, |value, key| &value[*key]).as_f64();
                (id.clone(), self.counters.map(counter))
            })
            .collect()
    }

    /// What all nodes counted together.
    fn metrics(&self, growth: &Growth<String, N>) -> Vec<Metric> {
        let counters = self.counters.iter().enumerate();
        counters
            .filter_map(|(number, (name, _, unit))| Some(Metric::new(*name, growth.total(number)?, unit)))
            .collect()
    }
}

/// A device that sums counters over all nodes.
#[derive(Debug)]
pub(super) struct NodeStats<const N: usize> {
    name: &'static str,
    contributes: &'static str,
    counters: NodeCounters<N>,
    growth: Option<Growth<String, N>>,
}

/// The device of garbage collection.
pub(super) fn garbage_collection() -> NodeStats<8> {
    NodeStats {
        name: "jvm-stats",
        contributes: "times and counts of garbage collection",
        counters: GARBAGE_COLLECTION,
        growth: None,
    }
}

/// The device of ingest pipelines.
pub(super) fn ingest_pipelines() -> NodeStats<3> {
    NodeStats {
        name: "ingest-pipeline-stats",
        contributes: "count, time and failures of ingest pipelines",
        counters: INGEST_PIPELINES,
        growth: None,
    }
}

impl<const N: usize> Device for NodeStats<N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn contributes(&self) -> &'static str {
        self.contributes
    }

    fn start<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<(), CallError>> {
        Box::pin(async {
            let stats = ask(cluster, self.counters.path).await?;
            self.growth = Some(Growth::from(self.counters.read(&stats)));
            Ok(())
        })
    }

    fn stop<'a>(&'a mut self, cluster: &'a Cluster) -> LocalBoxFuture<'a, Result<Vec<Metric>, CallError>> {
        Box::pin(async {
            // Without a start nobody knows what was added, and that has been said then.
            let Some(growth) = &mut self.growth else { return Ok(Vec::new()) };
            let stats = ask(cluster, self.counters.path).await?;
            growth.look(self.counters.read(&stats));
            Ok(self.counters.metrics(growth))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn metrics<const N: usize>(counters: &NodeCounters<N>, looks: &[Value]) -> Vec<(String, f64)> {
        let mut growth = Growth::from(counters.read(&looks[0]));
        looks[1..].iter().for_each(|stats| growth.look(counters.read(stats)));
        let metrics = counters.metrics(&growth);
        metrics.into_iter().map(|metric| (metric.name, metric.value)).collect()
    }

    #[test]
    fn collections_add_up_over_nodes() {
        let node = |(time, count): (u64, u64)| {
            json!({"jvm": {"gc": {"collectors": {
                "young": {"collection_time_in_millis": time, "collection_count": count}
            }}}})
        };
        let stats = |young: [(u64, u64); 2]| json!({"nodes": {"a": node(young[0]), "b": node(young[1])}});
        let added = metrics(&GARBAGE_COLLECTION, &[stats([(100, 3), (50, 2)]), stats([(160, 5), (55, 3)])]);
        let expected = [("node_total_young_gen_gc_time", 65.0), ("node_total_young_gen_gc_count", 3.0)];
        assert_eq!(added, expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn a_node_without_jvm_reports_nothing() {
        let none = json!({"nodes": {"a": {"process": {}}}});
        assert_eq!(metrics(&GARBAGE_COLLECTION, &[none.clone(), none]), []);
    }

    /// Node a ran 10 documents more through pipelines, node b restarted and ran 4 since.
    #[test]
    fn ingest_pipelines_add_up_over_nodes_and_restarts() {
        let node = |count: u64| json!({"ingest": {"total": {"count": count, "time_in_millis": 2 * count, "failed": 1}}});
        let stats = |counts: [u64; 2]| json!({"nodes": {"a": node(counts[0]), "b": node(counts[1])}});
        let added = metrics(&INGEST_PIPELINES, &[stats([100, 50]), stats([110, 4])]);
        let expected = [
            ("ingest_pipeline_cluster_count", 14.0),
            ("ingest_pipeline_cluster_time", 28.0),
            // Of node b, which began again.
            ("ingest_pipeline_cluster_failed", 1.0),
        ];
        assert_eq!(added, expected.map(|(name, value)| (name.to_owned(), value)));
    }
}
