//! What the cluster says of itself: statistics around a lap, and who it is.

mod index_stats;
mod info;
mod node_stats;

use rally_race::Metric;
use serde_json::Value;

use crate::cluster::{Api, CallError, Cluster};

use index_stats::{IndexSnapshot, index_metrics};
use node_stats::{GarbageCollections, gc_metrics};

pub use info::{ClusterInfo, NodeInfo};

/// The cluster's statistics when a lap began. Figures that only grow are reported as what the lap added to them, so that a
/// cluster that has seen work before does not spoil them; Rally reports what has come together since the indices exist.
#[derive(Debug)]
pub struct LapTelemetry {
    indices: Option<IndexSnapshot>,
    collections: Option<GarbageCollections>,
    problems: Vec<CallError>,
}

impl LapTelemetry {
    /// Looks at the cluster at the start of a lap, after its indices were created.
    pub async fn start(cluster: &Cluster) -> LapTelemetry {
        let mut api = cluster.api();
        let mut problems = Vec::new();
        let mut taken = |answer: Result<Value, CallError>| answer.map_err(|error| problems.push(error)).ok();
        LapTelemetry {
            indices: taken(ask(&mut api, INDEX_STATS).await).map(|stats| IndexSnapshot::of(&stats)),
            collections: taken(ask(&mut api, NODE_STATS).await).map(|stats| GarbageCollections::of(&stats)),
            problems,
        }
    }

    /// What the cluster did not tell at the start of the lap. The rows that need it will be missing from the report.
    pub fn problems(&self) -> &[CallError] {
        &self.problems
    }

    /// Looks again at its end and says what happened in between. What the cluster does not tell is left out.
    pub async fn finish(self, cluster: &Cluster) -> Vec<Metric> {
        let mut api = cluster.api();
        let mut metrics = Vec::new();
        if let Ok(stats) = ask(&mut api, INDEX_STATS).await {
            metrics.extend(index_metrics(
                &self.indices.unwrap_or_default(),
                &IndexSnapshot::of(&stats),
                &stats,
            ));
        }
        if let Some(before) = self.collections
            && let Ok(stats) = ask(&mut api, NODE_STATS).await
        {
            metrics.extend(gc_metrics(&before, &GarbageCollections::of(&stats)));
        }
        metrics
    }
}

const INDEX_STATS: &str = "/_stats/_all?level=shards";
const NODE_STATS: &str = "/_nodes/stats/jvm";

/// Statistics are an extra: a race does not fail because the cluster has none.
async fn ask(api: &mut Api, path: &str) -> Result<Value, CallError> {
    let answer = api.get(path).await;
    if let Err(error) = &answer {
        tracing::warn!(%error, "the target gives no statistics; the rows that need them are missing from the report");
    }
    answer
}

fn metric(name: impl Into<String>, value: f64, unit: &str) -> Metric {
    Metric { name: name.into(), value, unit: unit.to_owned() }
}
