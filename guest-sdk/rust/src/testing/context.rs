//! The race as a test describes it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::handle::{self, Documents};
use crate::{Context, Partition};

/// Describes a race for a test. What is not said: one client of one, seed 0, not throttled, no parameters.
#[derive(Debug, Clone)]
pub struct ContextBuilder {
    context: handle::Context,
    assets: Vec<(String, Vec<u8>)>,
    track_folder: Option<PathBuf>,
}

impl Context {
    /// A context for a test.
    pub fn for_test() -> ContextBuilder {
        ContextBuilder {
            context: handle::Context {
                track_name: "test".to_owned(),
                track: json!({"indices": [], "challenges": []}).to_string(),
                challenge: "test".to_owned(),
                task: "test".to_owned(),
                params: "{}".to_owned(),
                task_params: "{}".to_owned(),
                target_throughput: None,
                partition: Partition { index: 0, total: 1 },
                seed: 0,
                clusters: vec!["default".to_owned()],
                documents: Vec::new(),
            },
            assets: Vec::new(),
            track_folder: None,
        }
    }
}

impl ContextBuilder {
    /// Properties of the operation, a JSON object.
    pub fn params(mut self, params: Value) -> Self {
        self.context.params = params.to_string();
        self
    }

    /// Properties of the task, a JSON object.
    pub fn task_params(mut self, params: Value) -> Self {
        self.context.task_params = params.to_string();
        self
    }

    /// The track, a JSON object.
    pub fn track(mut self, track: Value) -> Self {
        self.context.track = track.to_string();
        self
    }

    /// Name of the challenge.
    pub fn challenge(mut self, name: &str) -> Self {
        self.context.challenge = name.to_owned();
        self
    }

    /// Which client of the task this is, from 0, and how many there are.
    pub fn partition(mut self, index: u32, total: u32) -> Self {
        self.context.partition = Partition { index, total };
        self
    }

    /// Seed of the client.
    pub fn seed(mut self, seed: u64) -> Self {
        self.context.seed = seed;
        self
    }

    /// Requests per second of the client.
    pub fn target_throughput(mut self, per_second: f64) -> Self {
        self.context.target_throughput = Some(per_second);
        self
    }

    /// Names of the target clusters, the default one first.
    pub fn clusters(mut self, names: &[&str]) -> Self {
        self.context.clusters = names.iter().map(|&name| name.to_owned()).collect();
        self
    }

    /// Documents of an index, one JSON text each.
    pub fn documents(mut self, index: &str, mapping_type: &str, documents: &[&str]) -> Self {
        self.context.documents.push(Documents {
            index: index.to_owned(),
            mapping_type: Some(mapping_type.to_owned()),
            lines: documents.iter().map(|&line| line.to_owned()).collect(),
        });
        self
    }

    /// A file of the track folder.
    pub fn asset(mut self, name: &str, content: impl Into<Vec<u8>>) -> Self {
        self.assets.push((name.to_owned(), content.into()));
        self
    }

    /// A folder on disk as the track folder: what no [`asset`](Self::asset) has is read from it.
    pub fn track_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.track_folder = Some(folder.into());
        self
    }

    /// The context. Files belong to the thread: those of a context that was built before are gone.
    pub fn build(self) -> Context {
        handle::assets::FOLDER.with_borrow_mut(|folder| {
            folder.files = self.assets.into_iter().collect();
            folder.root = self.track_folder;
        });
        handle::data::FOLDER.take();
        Context::new(self.context)
    }
}
