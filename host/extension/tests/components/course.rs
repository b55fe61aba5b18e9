//! A track with components and a recording target, ready to be driven task by task.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rally_cluster::{ClientOptions, Cluster, TargetBindings, parse_target_hosts};
use rally_component::Bounds;
use rally_extension::{
    Clock, CompiledCache, Engine, ExtensionBindings, Extensions, Folder, Host, HostEnvironment, Limits,
    RaceInfo, Target,
};
use rally_operations::DocumentSet;
use rally_race::{
    Binding, Bindings, InTurnSource, More, Outcome, ParamSource, Params, Partition, Runner, SourceBinding,
};
use rally_track::{LoadOptions, Task, Track, TrackSource};
use serde_json::{Value, json};

use crate::recorder::Recorder;

/// The folder of the project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The component of a guest in tests/guests.
pub fn guest(name: &str) -> PathBuf {
    project().join("tests/guests").join(name).join(format!("{name}.wasm"))
}

/// What compiles and runs components here. Compiled code is kept, so that each test need not compile it again.
pub fn host(limits: Limits) -> Host {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let engine = ENGINE.get_or_init(|| Engine::start().unwrap()).clone();
    let cache = CompiledCache::open(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled")).unwrap();
    Host { engine, limits: Arc::new(limits), bounds: Bounds::default(), cache: Some(cache) }
}

/// What a track is made of.
pub struct Builder {
    folder: tempfile::TempDir,
    track: Value,
    limits: Limits,
    clock: Option<Arc<dyn Clock>>,
    data: bool,
    documents: Vec<Arc<DocumentSet>>,
    recorder: Option<Arc<Recorder>>,
    /// Seed of the race.
    seed: u64,
}

/// A track, its components and its target.
pub struct Course {
    _folder: Option<tempfile::TempDir>,
    pub track: Arc<Track>,
    pub environment: Arc<HostEnvironment>,
    pub recorder: Arc<Recorder>,
    pub runtime: tokio::runtime::Runtime,
    seed: u64,
    bindings: ExtensionBindings,
    built_in: Arc<TargetBindings>,
}

impl Builder {
    /// A track whose operations and tasks are to come, with the component of a guest.
    pub fn with_guest(name: &str) -> Builder {
        Builder::with_component(&guest(name))
    }

    /// The same with the component in a file.
    pub fn with_component(path: &Path) -> Builder {
        let builder = Builder {
            folder: tempfile::tempdir().unwrap(),
            track: json!({
                "short-description": "places",
                "description": "places",
                "indices": [{"name": "places", "types": [{"name": "place", "mapping": "mapping.json"}]}],
                "operations": [],
                "challenges": [{"name": "conformance", "description": "all", "schedule": []}],
            }),
            limits: Limits::default(),
            clock: None,
            data: false,
            documents: Vec::new(),
            recorder: None,
            seed: 1,
        };
        fs::create_dir(builder.folder()).unwrap();
        fs::copy(path, builder.folder().join(path.file_name().unwrap())).unwrap();
        builder.file("mapping.json", b"{\"place\": {}}")
    }

    fn folder(&self) -> PathBuf {
        self.folder.path().join("places")
    }

    /// A file of the track.
    pub fn file(self, name: &str, content: &[u8]) -> Builder {
        let path = self.folder().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// A link in the track folder.
    pub fn link(self, name: &str, to: &Path) -> Builder {
        std::os::unix::fs::symlink(to, self.folder().join(name)).unwrap();
        self
    }

    /// An operation and a task of the same name; `task` says what the task has beside it.
    pub fn task(mut self, name: &str, mut operation: Value, mut task: Value) -> Builder {
        operation["name"] = name.into();
        task["operation"] = name.into();
        self.track["operations"].as_array_mut().unwrap().push(operation);
        self.track["challenges"][0]["schedule"].as_array_mut().unwrap().push(task);
        self
    }

    pub fn indices(mut self, indices: Value) -> Builder {
        self.track["indices"] = indices;
        self
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Builder {
        change(&mut self.limits);
        self
    }

    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Builder {
        self.clock = Some(clock);
        self
    }

    /// A data folder, in which extensions may write so many bytes.
    pub fn data(mut self, bytes: u64) -> Builder {
        (self.data, self.limits.data_bytes) = (true, bytes);
        self
    }

    pub fn documents(mut self, documents: Vec<Arc<DocumentSet>>) -> Builder {
        self.documents = documents;
        self
    }

    pub fn target(mut self, recorder: &Arc<Recorder>) -> Builder {
        self.recorder = Some(Arc::clone(recorder));
        self
    }

    pub fn seed(mut self, seed: u64) -> Builder {
        self.seed = seed;
        self
    }

    /// Loads the track and its components, in the way of `rally run`.
    pub fn build(self) -> Course {
        let folder = self.folder();
        if self.track["challenges"][0]["schedule"].as_array().unwrap().is_empty() {
            let filler = self.task("filler", json!({"operation-type": "index-stats"}), json!({}));
            return filler.build();
        }
        fs::write(folder.join("track.json"), self.track.to_string()).unwrap();
        let data = self.data.then(|| {
            let data = self.folder.path().join("data");
            fs::create_dir(&data).unwrap();
            Folder::open(data).unwrap()
        });
        let mut around = HostEnvironment::before_race("places", Folder::open(&folder).unwrap());
        (around.data, around.documents) = (data, self.documents.clone());
        if let Some(clock) = self.clock {
            around.clock = clock;
        }
        let recorder = self.recorder.unwrap_or_else(Recorder::start);
        let mut course = Course::at(&folder, around, &host(self.limits), self.seed, recorder);
        course._folder = Some(self.folder);
        course
    }
}

impl Course {
    /// The track in a folder, with the components beside it.
    pub fn at(
        folder: &Path,
        around: HostEnvironment,
        host: &Host,
        seed: u64,
        recorder: Arc<Recorder>,
    ) -> Course {
        let before = HostEnvironment::before_race(&around.track_name, Folder::open(folder).unwrap());
        let extensions = Extensions::discover(folder, host, &Arc::new(before)).unwrap();
        let options = LoadOptions { extension_names: extensions.names(), ..LoadOptions::default() };
        let source = TrackSource::from_path(folder).unwrap();
        let track = Arc::new(rally_track::load(&source, &options).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hosts = parse_target_hosts(&recorder.address.to_string()).unwrap();
        let cluster = runtime.block_on(Cluster::connect(&hosts, &ClientOptions::default())).unwrap();
        let cluster = Arc::new(cluster);
        recorder.take();
        let built_in =
            Arc::new(TargetBindings::new(Arc::clone(&track), around.documents.clone(), Arc::clone(&cluster)));
        let target = Some(Target { cluster, built_in: Arc::clone(&built_in) });
        let environment = Arc::new(HostEnvironment { target, ..around });
        let race = RaceInfo { track: Arc::clone(&track), challenge: track.challenges[0].name.clone(), seed };
        let bindings =
            ExtensionBindings::new(extensions, Arc::clone(&built_in), Arc::clone(&environment), race);
        Course { _folder: None, track, environment, recorder, runtime, seed, bindings, built_in }
    }

    /// A task by its name.
    #[track_caller]
    pub fn task(&self, name: &str) -> Arc<Task> {
        let mut tasks = self.track.challenges.iter().flat_map(|challenge| &challenge.schedule);
        let found = tasks.find_map(|element| element.tasks().iter().find(|task| task.name == name));
        Arc::clone(found.unwrap_or_else(|| panic!("no task {name}")))
    }

    /// Binds a task; the error is what a user would read.
    pub fn bind(&self, task: &str) -> Result<Binding, String> {
        self.bindings.bind(&self.task(task)).map_err(|error| chain(error.as_ref()))
    }

    /// Binds a task to what is built in.
    pub fn bind_built_in(&self, task: &str) -> Binding {
        self.built_in.bind(&self.task(task)).unwrap()
    }

    /// One client of a task, its source and runner open.
    pub fn client(&self, task: &str, index: u32) -> Client<'_> {
        let binding = self.bind(task).unwrap_or_else(|error| panic!("{error}"));
        self.client_of(&binding, task, index)
    }

    /// One client of a task that was bound before.
    pub fn client_of(&self, binding: &Binding, task: &str, index: u32) -> Client<'_> {
        let partition = Partition::of(self.seed, 1, &self.task(task), index);
        let source = self.runtime.block_on(Source::open(binding, partition));
        let runner = self.runtime.block_on(binding.runner.open(partition)).unwrap();
        Client { course: self, source, runner }
    }

    /// The first requests of one client of a task.
    pub fn requests(&self, task: &str, index: u32, count: usize) -> Vec<Params> {
        let binding = self.bind(task).unwrap_or_else(|error| panic!("{error}"));
        let partition = Partition::of(self.seed, 1, &self.task(task), index);
        self.runtime.block_on(async {
            let mut source = Source::open(&binding, partition).await;
            let mut all = Vec::new();
            while all.len() < count {
                match source.next().await.unwrap() {
                    Some(params) => all.push(params),
                    None => break,
                }
            }
            all
        })
    }
}

/// A source of either way.
pub enum Source {
    Ahead(Box<dyn ParamSource>, Vec<Params>, bool),
    InTurn(Box<dyn InTurnSource>),
}

impl Source {
    pub async fn open(binding: &Binding, partition: Partition) -> Source {
        match &binding.params {
            SourceBinding::Ahead(factory) => {
                Source::Ahead(factory.open(partition).unwrap(), Vec::new(), false)
            }
            SourceBinding::InTurn(factory) => Source::InTurn(factory.open(partition).await.unwrap()),
        }
    }

    /// The next request, or what a user would read.
    pub async fn next(&mut self) -> Result<Option<Params>, String> {
        match self {
            Source::InTurn(source) => source.next().await.map_err(|error| chain(error.as_ref())),
            Source::Ahead(source, made, ended) => {
                if made.is_empty() && !*ended {
                    if let Some(constant) = source.constant() {
                        return Ok(Some(constant));
                    }
                    let more = source.next(7, made).map_err(|error| chain(error.as_ref()))?;
                    made.reverse();
                    *ended = more == More::Exhausted;
                }
                Ok(made.pop())
            }
        }
    }

    pub fn size(&self) -> Option<u64> {
        match self {
            Source::Ahead(source, ..) => source.size(),
            Source::InTurn(source) => source.size(),
        }
    }
}

/// A client of a task.
pub struct Client<'a> {
    course: &'a Course,
    pub source: Source,
    pub runner: Box<dyn Runner>,
}

impl Client<'_> {
    /// The next request and what it came to, or what a user would read. `None`: there is none.
    pub async fn step(&mut self) -> Option<Result<Outcome, String>> {
        let params = match self.source.next().await {
            Ok(params) => params?,
            Err(error) => return Some(Err(error)),
        };
        Some(self.runner.run(&params).await.map_err(|error| chain(error.as_ref())))
    }

    /// The same, waited for.
    pub fn run(&mut self) -> Result<Outcome, String> {
        self.course.runtime.block_on(self.step()).expect("a request")
    }

    /// What the runner tells beside the weight.
    #[track_caller]
    pub fn meta(&mut self) -> Value {
        let outcome = self.run().unwrap_or_else(|error| panic!("{error}"));
        outcome.meta.map_or(Value::Null, |meta| Value::Object(*meta))
    }
}

/// An error and its causes, one a line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push('\n');
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
