//! Waiting until the cluster is as healthy as expected.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cluster::{Api, CallError};

/// Health of a cluster, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClusterHealth {
    /// A primary shard is missing.
    Red,
    /// A replica is missing.
    Yellow,
    /// All shards are there.
    Green,
}

impl fmt::Display for ClusterHealth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ClusterHealth::Red => "red",
            ClusterHealth::Yellow => "yellow",
            ClusterHealth::Green => "green",
        })
    }
}

impl FromStr for ClusterHealth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "red" => Ok(ClusterHealth::Red),
            "yellow" => Ok(ClusterHealth::Yellow),
            "green" => Ok(ClusterHealth::Green),
            _ => Err(format!("'{text}' is none of green, yellow, red")),
        }
    }
}

/// What is waited for, and how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthExpectation {
    /// At least so healthy.
    pub health: ClusterHealth,
    /// How often to ask.
    pub tries: u32,
    /// Pause between two questions.
    pub pause: Duration,
}

impl Default for HealthExpectation {
    /// As Rally does it: green, asked ten times with three seconds in between.
    fn default() -> Self {
        HealthExpectation { health: ClusterHealth::Green, tries: 10, pause: Duration::from_secs(3) }
    }
}

/// A cluster that does not become ready.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// It answers, but stays less healthy than expected.
    #[error(
        "the cluster is {status} with {relocating} relocating shards after {tries} tries, but {expected} without relocating shards is expected{hint}"
    )]
    NotReached {
        /// Its latest status.
        status: String,
        /// Shards that move.
        relocating: u64,
        /// How often it was asked.
        tries: u32,
        /// What was expected.
        expected: ClusterHealth,
        /// What may help.
        hint: &'static str,
    },
    /// It cannot be asked.
    #[error("cannot ask for the health of the cluster: {0}")]
    Call(#[source] CallError),
}

/// Waits until the cluster is at least as healthy as expected and no shard moves.
///
/// # Errors
/// Where it does not get there within the expected tries, or cannot be asked.
pub async fn wait_for_health(api: &mut Api, expected: &HealthExpectation) -> Result<(), HealthError> {
    let mut latest = (String::from("unknown"), 0);
    let mut failure = None;
    for attempt in 0..expected.tries.max(1) {
        if attempt > 0 {
            tokio::time::sleep(expected.pause).await;
        }
        match api.get("/_cluster/health").await {
            Ok(answer) => {
                failure = None;
                let status = answer.get("status").and_then(Value::as_str).unwrap_or("unknown").to_owned();
                let relocating = answer.get("relocating_shards").and_then(Value::as_u64).unwrap_or(0);
                let reached = status.parse::<ClusterHealth>().is_ok_and(|health| health >= expected.health);
                if reached && relocating == 0 {
                    return Ok(());
                }
                latest = (status, relocating);
            }
            Err(error) => failure = Some(error),
        }
    }
    if let Some(error) = failure {
        return Err(HealthError::Call(error));
    }
    let (status, relocating) = latest;
    let hint = if status == "yellow" {
        ". On a single node replicas find no place: set number_of_replicas to 0 in the challenge's index-settings, or accept it with --cluster-health=yellow"
    } else {
        ""
    };
    Err(HealthError::NotReached {
        status,
        relocating,
        tries: expected.tries.max(1),
        expected: expected.health,
        hint,
    })
}
