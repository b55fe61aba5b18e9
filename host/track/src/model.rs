//! The one model that every dialect loads into.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Free-form properties that end up in every record of what they are attached to.
pub type Meta = Map<String, Value>;

/// The language that a track is written in. It is read from the track itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// `indices/types`, `data-url`, operation type `index`, laps; `iterations` are totals over all clients.
    Rally2017,
}

/// A whole track: what exists, what can be done with it, and in which order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Track {
    /// Name of the track: the name of its directory, or the stem of its file.
    pub name: String,
    /// The language that it was written in.
    pub dialect: Dialect,
    /// One line for listings; the 2017 dialect's `short-description`.
    pub short_description: Option<String>,
    /// What the track is about.
    pub description: String,
    /// Directory that relative names in the track refer to.
    pub root: PathBuf,
    /// Root URL of the documents; a file's address is this, a slash and its name.
    pub data_url: Option<String>,
    /// Properties of every record of the race.
    pub meta: Meta,
    /// Indices that the race works on.
    pub indices: Vec<Index>,
    /// Index templates.
    pub templates: Vec<IndexTemplate>,
    /// What can be raced, at least one.
    pub challenges: Vec<Challenge>,
    /// What the user should know about the track although it can be raced, each a sentence or two.
    pub warnings: Vec<String>,
}

/// An index and what goes into it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Index {
    /// Name of the index.
    pub name: String,
    /// Whether it is deleted (if it exists) and created before each lap.
    pub auto_managed: bool,
    /// Mapping types, at least one; merged into one mapping on targets without types.
    pub types: Vec<MappingType>,
}

/// A mapping type with the documents that belong to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MappingType {
    /// Name of the type.
    pub name: String,
    /// Content of the mapping file: an object with the type's name as key, as the file has it.
    pub mapping: Value,
    /// The documents, if it has any.
    pub documents: Option<Documents>,
}

/// A data file of a track, as declared.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Documents {
    /// File name as declared, compressed or plain, e.g. `documents.json.bz2`.
    pub file_name: String,
    /// Root URL to fetch it from.
    pub base_url: Option<String>,
    /// Number of documents (not lines).
    pub document_count: u64,
    /// Whether each document is preceded by a line with action and meta-data.
    pub includes_action_and_meta_data: bool,
    /// Size of the archive in bytes, if declared.
    pub compressed_bytes: Option<u64>,
    /// Size of the plain file in bytes, if declared.
    pub uncompressed_bytes: Option<u64>,
}

/// An index template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct IndexTemplate {
    /// Name of the template.
    pub name: String,
    /// Indices that it applies to, with wildcards.
    pub index_pattern: String,
    /// Whether indices that match the pattern are deleted before the template is created.
    pub delete_matching_indices: bool,
    /// Body of the template as the file has it.
    pub template: Value,
}

/// One way to race the track.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Challenge {
    /// Name for `--challenge`.
    pub name: String,
    /// What it measures.
    pub description: Option<String>,
    /// A message for the user, shown before the race.
    pub user_info: Option<String>,
    /// Whether it is taken when no challenge is named. Exactly one of a track is.
    pub default: bool,
    /// Properties of every record of this challenge.
    pub meta: Meta,
    /// Settings of every index and template that is created (2017).
    pub index_settings: Map<String, Value>,
    /// Settings of the cluster before the race (2017).
    pub cluster_settings: Map<String, Value>,
    /// What is done, one element after the other.
    pub schedule: Vec<Element>,
}

/// One entry of a schedule. All clients finish it before the next one starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Element {
    /// One task.
    Task(Arc<Task>),
    /// Several tasks at the same time.
    Parallel(Parallel),
}

impl Element {
    /// The tasks of this element in their order.
    pub fn tasks(&self) -> &[Arc<Task>] {
        match self {
            Element::Task(task) => std::slice::from_ref(task),
            Element::Parallel(parallel) => &parallel.tasks,
        }
    }
}

/// Tasks that run at the same time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parallel {
    /// The tasks, at least one.
    pub tasks: Vec<Arc<Task>>,
    /// At most so many clients in total; without it the sum over the tasks.
    pub clients: Option<u32>,
    /// When the element ends; without it when all tasks are done.
    pub completed_by: Option<CompletedBy>,
}

/// Which task ends a parallel element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompletedBy {
    /// All clients of the task with this name are done.
    Task(String),
}

/// What a schedule says of one operation: how often, how fast, by how many clients.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// Name of the task, unique within its challenge; the operation's name where nothing else is said.
    pub name: String,
    /// What it does.
    pub operation: Arc<Operation>,
    /// Properties of every record of this task.
    pub meta: Meta,
    /// Number of clients, at least one.
    pub clients: u32,
    /// Warm-up iterations as declared (own or inherited from `parallel`).
    pub warmup_iterations: Option<u64>,
    /// Iterations as declared. In the 2017 dialect a total over all clients, warm-up excluded.
    pub iterations: Option<u64>,
    /// Warm-up time in seconds as declared.
    pub warmup_time_period: Option<f64>,
    /// Measured time in seconds as declared.
    pub time_period: Option<f64>,
    /// Name of the scheduler: `deterministic`, `poisson`, or one that an extension registers.
    pub schedule: String,
    /// How fast, over all clients. `None`: as fast as possible.
    pub target: Option<Target>,
    /// All properties of the task as written, for schedulers of extensions.
    pub params: Map<String, Value>,
}

/// The rate that all clients of a task reach together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// `target-throughput`: requests per second, > 0.
    Throughput(f64),
    /// `target-interval`: seconds per request, > 0.
    Interval(f64),
}

impl Target {
    /// Requests per second over all clients.
    pub fn requests_per_second(self) -> f64 {
        match self {
            Target::Throughput(rate) => rate,
            Target::Interval(seconds) => 1.0 / seconds,
        }
    }
}

/// What is done, with its parameters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Operation {
    /// Name of the operation, unique within the track.
    pub name: String,
    /// Type as users write it today: `index`, `search`, `force-merge`, `index-stats`, `node-stats`, or a name that an
    /// extension registers.
    pub operation_type: String,
    /// Name of the parameter source of an extension, if one is asked for.
    pub param_source: Option<String>,
    /// Properties of every record of this operation.
    pub meta: Meta,
    /// All properties of the operation as written, `name`, `operation-type`, `param-source` and `meta` included.
    pub params: Map<String, Value>,
}

impl Task {
    /// A task that says nothing but its operation: one client, as fast as possible, for as long as the dialect has it.
    pub fn new(name: impl Into<String>, operation: Operation) -> Task {
        Task {
            name: name.into(),
            operation: Arc::new(operation),
            meta: Meta::new(),
            clients: 1,
            warmup_iterations: None,
            iterations: None,
            warmup_time_period: None,
            time_period: None,
            schedule: "deterministic".to_owned(),
            target: None,
            params: Map::new(),
        }
    }
}

impl Track {
    /// The challenge with this name, or the default one.
    pub fn challenge(&self, name: Option<&str>) -> Option<&Challenge> {
        match name {
            Some(name) => self.challenges.iter().find(|challenge| challenge.name == name),
            None => self.challenges.iter().find(|challenge| challenge.default),
        }
    }

    /// All document sets with the index and type that they belong to, in the track's order.
    pub fn document_sets(&self) -> impl Iterator<Item = (&Index, &MappingType, &Documents)> {
        self.indices.iter().flat_map(|index| {
            index
                .types
                .iter()
                .filter_map(move |kind| kind.documents.as_ref().map(|documents| (index, kind, documents)))
        })
    }
}

/// Meta-data of one task's records: track < challenge < operation < task.
pub fn merged_meta(track: &Track, challenge: &Challenge, task: &Task) -> Meta {
    let mut merged = track.meta.clone();
    for layer in [&challenge.meta, &task.operation.meta, &task.meta] {
        merged.extend(layer.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    merged
}
