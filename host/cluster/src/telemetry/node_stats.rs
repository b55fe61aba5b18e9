//! Node statistics: garbage collection.

use std::collections::BTreeMap;

use rally_race::Metric;
use serde_json::Value;

use super::metric;

/// Collectors as the JVM statistics call them, and as Rally's metrics do.
const COLLECTORS: [(&str, &str); 4] =
    [("young", "young_gen"), ("old", "old_gen"), ("ZGC Cycles", "zgc_cycles"), ("ZGC Pauses", "zgc_pauses")];

/// Time in milliseconds and number of collections, by node and collector.
#[derive(Debug, Default)]
pub struct GarbageCollections {
    by_node: BTreeMap<(String, &'static str), (f64, f64)>,
}

impl GarbageCollections {
    /// Reads the answer to `_nodes/stats`.
    pub fn of(stats: &Value) -> GarbageCollections {
        let mut by_node = BTreeMap::new();
        for (id, node) in stats["nodes"].as_object().into_iter().flatten() {
            for (name, metric_name) in COLLECTORS {
                let collector = &node["jvm"]["gc"]["collectors"][name];
                let time = collector["collection_time_in_millis"].as_f64();
                let count = collector["collection_count"].as_f64();
                if let (Some(time), Some(count)) = (time, count) {
                    by_node.insert((id.clone(), metric_name), (time, count));
                }
            }
        }
        GarbageCollections { by_node }
    }
}

/// What was collected between two moments, over all nodes. Nodes that came or restarted in between count from their start.
pub fn gc_metrics(before: &GarbageCollections, after: &GarbageCollections) -> Vec<Metric> {
    let mut metrics = Vec::new();
    for (_, name) in COLLECTORS {
        let mut total: Option<(f64, f64)> = None;
        for ((node, collector), (time, count)) in &after.by_node {
            if *collector != name {
                continue;
            }
            let old = before
                .by_node
                .get(&(node.clone(), *collector))
                .filter(|old| old.0 <= *time && old.1 <= *count);
            let (old_time, old_count) = old.copied().unwrap_or_default();
            let sum = total.get_or_insert((0.0, 0.0));
            sum.0 += time - old_time;
            sum.1 += count - old_count;
        }
        if let Some((time, count)) = total {
            metrics.push(metric(format!("node_total_{name}_gc_time"), time, "ms"));
            metrics.push(metric(format!("node_total_{name}_gc_count"), count, ""));
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stats(young: [(u64, u64); 2]) -> Value {
        let node = |(time, count)| json!({"jvm": {"gc": {"collectors": {"young": {"collection_time_in_millis": time, "collection_count": count}}}}});
        json!({"nodes": {"a": node(young[0]), "b": node(young[1])}})
    }

    #[test]
    fn collections_add_up_over_nodes() {
        let before = GarbageCollections::of(&stats([(100, 3), (50, 2)]));
        let after = GarbageCollections::of(&stats([(160, 5), (55, 3)]));
        let metrics = gc_metrics(&before, &after);
        let shown: Vec<_> = metrics.iter().map(|metric| (metric.name.as_str(), metric.value)).collect();
        assert_eq!(shown, [("node_total_young_gen_gc_time", 65.0), ("node_total_young_gen_gc_count", 3.0)]);
    }

    #[test]
    fn a_node_without_jvm_reports_nothing() {
        let none = GarbageCollections::of(&json!({"nodes": {"a": {"process": {}}}}));
        assert_eq!(gc_metrics(&none, &none), []);
    }
}
