//! What the cluster says of itself: statistics around a lap, and who it is.
//!
//! A new device implements [`Device`] in a file of its own and joins the list in [`LapTelemetry::start`].

mod counters;
mod device;
mod index_stats;
mod info;
mod node_stats;

use std::time::Instant;

use rally_race::Metric;
use serde_json::Value;

use crate::cluster::{CallError, Cluster};

use index_stats::IndexStats;

pub use device::{Device, Vantage};
pub use info::{ClusterInfo, NodeInfo};

/// The devices of a lap. Figures that only grow are reported as what the lap added to them, so that a
/// cluster that has seen work before does not spoil them; Rally reports what has come together since the indices exist.
pub struct LapTelemetry {
    devices: Vec<Box<dyn Device>>,
    began: Instant,
    problems: Vec<Problem>,
}

/// A device that could not do its work.
#[derive(Debug, thiserror::Error)]
#[error("the target gives no statistics ({device}), so the report lacks {contributes}")]
pub struct Problem {
    /// Name of the device.
    pub device: &'static str,
    /// What it would have contributed.
    pub contributes: &'static str,
    /// Why.
    #[source]
    pub source: CallError,
}

/// What the devices of a lap found.
#[derive(Debug)]
pub struct LapFigures {
    /// The figures.
    pub metrics: Vec<Metric>,
    /// What is missing, and why.
    pub problems: Vec<Problem>,
}

impl LapTelemetry {
    /// Looks at the cluster at the start of a lap, after its indices were created.
    pub async fn start(cluster: &Cluster) -> LapTelemetry {
        let mut devices: Vec<Box<dyn Device>> = vec![
            Box::new(IndexStats::default()),
            Box::new(node_stats::garbage_collection()),
            Box::new(node_stats::ingest_pipelines()),
        ];
        let mut problems = Vec::new();
        for device in &mut devices {
            if let Err(source) = device.start(cluster).await {
                problems.push(Problem::of(device.as_ref(), source));
            }
        }
        LapTelemetry { devices, began: Instant::now(), problems }
    }

    /// Whether an operation of this type may make the target forget figures: [`sample`](LapTelemetry::sample) is to be called before
    /// it.
    pub fn is_forgotten_after(operation_type: &str) -> bool {
        matches!(operation_type, "delete-index" | "delete-data-stream" | "raw-request")
    }

    /// Looks at the cluster in between. What it does not tell now it may tell at the end.
    pub async fn sample(&mut self, cluster: &Cluster) {
        for device in &mut self.devices {
            if let Err(error) = device.sample(cluster).await {
                tracing::warn!(device = device.name(), %error, "no statistics before indices are deleted");
            }
        }
    }

    /// What the cluster did not tell at the start of the lap. The rows that need it will be missing from the report.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Looks again at its end and says what happened in between. What the cluster did not tell is among the problems, once.
    pub async fn finish(mut self, cluster: &Cluster) -> LapFigures {
        let mut figures = LapFigures { metrics: Vec::new(), problems: self.problems };
        for device in &mut self.devices {
            match device.stop(cluster).await {
                Ok(metrics) => {
                    let since_lap = self.began.elapsed();
                    figures.metrics.extend(metrics.into_iter().map(|metric| metric.at(since_lap)));
                }
                Err(_) if figures.problems.iter().any(|known| known.device == device.name()) => {}
                Err(source) => figures.problems.push(Problem::of(device.as_ref(), source)),
            }
        }
        figures
    }
}

impl Problem {
    fn of(device: &dyn Device, source: CallError) -> Problem {
        Problem { device: device.name(), contributes: device.contributes(), source }
    }
}

/// Statistics are an extra: a race does not fail because the cluster has none.
async fn ask(cluster: &Cluster, path: &str) -> Result<Value, CallError> {
    let answer = cluster.api().get(path).await;
    if let Err(error) = &answer {
        tracing::warn!(%error, "the target gives no statistics; the rows that need them are missing from the report");
    }
    answer
}
