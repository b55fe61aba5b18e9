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
    /// `corpora`, explicit index operations, operation type `bulk`; `iterations` are per client.
    Current,
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
    /// What the track is about; empty if it does not say.
    pub description: String,
    /// Directory that relative names in the track refer to.
    pub root: PathBuf,
    /// Root URL of the documents (2017); a file's address is this, a slash and its name.
    pub data_url: Option<String>,
    /// Properties of every record of the race.
    pub meta: Meta,
    /// Indices that the race works on.
    pub indices: Vec<Index>,
    /// Data streams that the race works on; never beside indices.
    #[serde(default)]
    pub data_streams: Vec<DataStream>,
    /// Index templates.
    pub templates: Vec<IndexTemplate>,
    /// Composable index templates.
    #[serde(default)]
    pub composable_templates: Vec<IndexTemplate>,
    /// Component templates.
    #[serde(default)]
    pub component_templates: Vec<ComponentTemplate>,
    /// The documents. A track of 2017 has at most one corpus, with the documents of all its types.
    #[serde(default)]
    pub corpora: Vec<Corpus>,
    /// What the track's Python code would need; components need nothing.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// What can be raced, at least one.
    pub challenges: Vec<Challenge>,
    /// What the user should know about the track although it can be raced, each a sentence or two.
    pub warnings: Vec<String>,
}

/// An index.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Index {
    /// Name of the index.
    pub name: String,
    /// Body of the request that creates it, as its file has it once rendered; an empty object if there is none. (2017: the
    /// mappings are in the types, the settings in the challenge.)
    #[serde(default)]
    pub body: Map<String, Value>,
    /// Whether it is deleted (if it exists) and created before each lap (2017). In the current dialect operations do that.
    pub auto_managed: bool,
    /// Mapping types. In 2017 at least one; merged into one mapping on targets without types. In the current dialect
    /// names without mappings, if there are any at all.
    pub types: Vec<MappingType>,
}

/// A mapping type.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MappingType {
    /// Name of the type.
    pub name: String,
    /// Content of the mapping file: an object with the type's name as key, as the file has it. Null in the current dialect.
    pub mapping: Value,
}

/// A data stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataStream {
    /// Name of the data stream.
    pub name: String,
}

/// Documents that belong together: one folder of the data cache.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Corpus {
    /// Name of the corpus, unique within the track; the track's own name in 2017.
    pub name: String,
    /// Properties of the corpus.
    pub meta: Meta,
    /// Data files in the order of the track, at least one.
    pub documents: Vec<Documents>,
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
    /// SHA-256 of the file `file_name`, 64 hexadecimal digits, if declared.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The index that they go into, if it is not the data that say so.
    #[serde(default)]
    pub target_index: Option<String>,
    /// Their mapping type, if any.
    #[serde(default)]
    pub target_type: Option<String>,
    /// The data stream that they go into; never beside an index.
    #[serde(default)]
    pub target_data_stream: Option<String>,
    /// Properties of the file.
    #[serde(default)]
    pub meta: Meta,
}

impl Documents {
    /// Lines of the plain file.
    pub fn line_count(&self) -> u64 {
        self.document_count.saturating_mul(if self.includes_action_and_meta_data { 2 } else { 1 })
    }
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

/// A component template.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComponentTemplate {
    /// Name of the template.
    pub name: String,
    /// Body of the template as the file has it once rendered.
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
    /// Whether the track has no challenge, only a schedule: then its name is `default`.
    #[serde(default)]
    pub auto_generated: bool,
    /// Parameters of the challenge over those of the track, for extensions.
    #[serde(default)]
    pub parameters: Map<String, Value>,
    /// What a serverless target does not offer of it, in Rally's words.
    #[serde(default)]
    pub serverless_info: Vec<String>,
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
    /// The tasks; none if filters left none.
    pub tasks: Vec<Arc<Task>>,
    /// At most this number of clients in total; without it the sum over the tasks.
    pub clients: Option<u32>,
    /// When the element ends; without it when all tasks are done.
    pub completed_by: Option<CompletedBy>,
}

impl Parallel {
    /// Clients of the whole element: what it says, or the sum over its tasks.
    pub fn effective_clients(&self) -> u32 {
        let sum = || self.tasks.iter().fold(0_u32, |sum, task| sum.saturating_add(task.clients));
        self.clients.unwrap_or_else(sum)
    }
}

/// Which task ends a parallel element.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CompletedBy {
    /// All clients of the task with this name are done.
    Task(String),
    /// The first client that is done, whatever its task.
    Any,
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
    /// Labels for `--include-tasks` and `--exclude-tasks`.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Number of clients, at least one.
    pub clients: u32,
    /// Warm-up iterations as declared (own or inherited from `parallel`).
    pub warmup_iterations: Option<u64>,
    /// Iterations as declared. In the 2017 dialect a total over all clients, in the current one for
    /// each client; warm-up excluded.
    pub iterations: Option<u64>,
    /// Warm-up time in seconds as declared.
    pub warmup_time_period: Option<f64>,
    /// Measured time in seconds as declared.
    pub time_period: Option<f64>,
    /// Seconds over which the clients start one after the other; at most the warm-up time.
    #[serde(default)]
    pub ramp_up_time_period: Option<f64>,
    /// Whether `ignore-response-error-level` is `non-fatal`: errors never abort the race at this task.
    #[serde(default)]
    pub ignores_non_fatal_errors: bool,
    /// Name of the scheduler: `deterministic`, `poisson`, or one that an extension registers.
    pub schedule: String,
    /// How fast, over all clients. `None`: as fast as possible.
    pub target: Option<Target>,
    /// All properties of the task as written, for schedulers of extensions.
    pub params: Map<String, Value>,
}

/// The rate that all clients of a task reach together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// `target-throughput`: requests per second, > 0.
    Throughput(f64),
    /// `target-interval`: seconds per request, > 0.
    Interval(f64),
    /// `target-throughput` with a unit other than `ops/s`: work per second.
    Work {
        /// Work per second, > 0.
        rate: f64,
        /// Unit, e.g. `docs/s`.
        unit: String,
    },
}

impl Target {
    /// How many per second over all clients: requests, or work where the target has a unit of its own.
    pub fn per_second(&self) -> f64 {
        match self {
            Target::Throughput(rate) | Target::Work { rate, .. } => *rate,
            Target::Interval(seconds) => 1.0 / seconds,
        }
    }

    /// What is counted: `ops/s`, or the unit that the target has of its own.
    pub fn unit(&self) -> &str {
        match self {
            Target::Throughput(_) | Target::Interval(_) => "ops/s",
            Target::Work { unit, .. } => unit,
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
            tags: Vec::new(),
            clients: 1,
            warmup_iterations: None,
            iterations: None,
            warmup_time_period: None,
            time_period: None,
            ramp_up_time_period: None,
            ignores_non_fatal_errors: false,
            schedule: "deterministic".to_owned(),
            target: None,
            params: Map::new(),
        }
    }
}

impl Index {
    /// An index that has nothing but a name, and that no lap creates or deletes.
    pub fn new(name: impl Into<String>) -> Index {
        Index { name: name.into(), body: Map::new(), auto_managed: false, types: Vec::new() }
    }
}

impl Documents {
    /// A plain or packed data file that says nothing but how much is in it.
    pub fn new(file_name: impl Into<String>, document_count: u64) -> Documents {
        Documents {
            file_name: file_name.into(),
            base_url: None,
            document_count,
            includes_action_and_meta_data: false,
            compressed_bytes: None,
            uncompressed_bytes: None,
            sha256: None,
            target_index: None,
            target_type: None,
            target_data_stream: None,
            meta: Meta::new(),
        }
    }
}

impl Challenge {
    /// A challenge that has nothing but a schedule; it is not the default one.
    pub fn new(name: impl Into<String>, schedule: Vec<Element>) -> Challenge {
        Challenge {
            name: name.into(),
            description: None,
            user_info: None,
            default: false,
            auto_generated: false,
            serverless_info: Vec::new(),
            parameters: Map::new(),
            meta: Meta::new(),
            index_settings: Map::new(),
            cluster_settings: Map::new(),
            schedule,
        }
    }
}

impl Track {
    /// A track with nothing in it yet.
    pub fn new(name: impl Into<String>, dialect: Dialect, root: impl Into<PathBuf>) -> Track {
        Track {
            name: name.into(),
            dialect,
            short_description: None,
            description: String::new(),
            root: root.into(),
            data_url: None,
            meta: Meta::new(),
            indices: Vec::new(),
            data_streams: Vec::new(),
            templates: Vec::new(),
            composable_templates: Vec::new(),
            component_templates: Vec::new(),
            corpora: Vec::new(),
            dependencies: Vec::new(),
            challenges: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// The challenge with this name, or the default one.
    pub fn challenge(&self, name: Option<&str>) -> Option<&Challenge> {
        match name {
            Some(name) => self.challenges.iter().find(|challenge| challenge.name == name),
            None => self.challenges.iter().find(|challenge| challenge.default),
        }
    }

    /// All data files with the corpus that they belong to, in the track's order.
    pub fn document_sets(&self) -> impl Iterator<Item = (&Corpus, &Documents)> {
        self.corpora
            .iter()
            .flat_map(|corpus| corpus.documents.iter().map(move |documents| (corpus, documents)))
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
