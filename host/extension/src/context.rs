//! The race as guests see it, whatever version of the interface they were built for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use rally_track::Track;

/// Name of the only cluster that races have today.
pub(crate) const DEFAULT_CLUSTER: &str = "default";

/// The race as one client of one task sees it: a `context` of the guest.
#[derive(Debug, Clone)]
pub struct RaceContext {
    /// What is the same for all clients of the task.
    pub(crate) task: Arc<TaskContext>,
    /// Index of the client in its task.
    pub(crate) index: u32,
    /// Number of clients of the task.
    pub(crate) total: u32,
    /// The client's seed.
    pub(crate) seed: u64,
}

/// What contexts of a task have in common.
#[derive(Debug, Clone)]
pub struct TaskContext {
    /// The whole track.
    pub(crate) track: Arc<GuestTrack>,
    /// Name of the challenge.
    pub(crate) challenge: String,
    /// Name of the task; empty for processors and validators.
    pub(crate) task: String,
    /// Properties of the operation, a JSON object.
    pub(crate) params: String,
    /// Properties of the task, a JSON object.
    pub(crate) task_params: String,
    /// Requests per second of one client.
    pub(crate) target_throughput: Option<f64>,
    /// Names of the target clusters.
    pub(crate) clusters: Vec<String>,
}

/// A track, and the text of it that each version of the interface promises, made when a guest first asks for it.
#[derive(Debug)]
pub struct GuestTrack {
    pub(crate) track: Arc<Track>,
    views: Mutex<BTreeMap<&'static str, Arc<str>>>,
}

impl GuestTrack {
    pub(crate) fn new(track: Arc<Track>) -> Arc<GuestTrack> {
        Arc::new(GuestTrack { track, views: Mutex::default() })
    }

    /// The track as guests of this version see it; `show` makes the text.
    pub(crate) fn view(&self, version: &'static str, show: impl FnOnce(&Track) -> String) -> Arc<str> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(views.entry(version).or_insert_with(|| show(&self.track).into()))
    }
}
