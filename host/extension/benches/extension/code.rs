//! Whose code performs a task, and the task.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rally_cluster::{ClientOptions, Cluster, TargetBindings, parse_target_hosts};
use rally_component::Bounds;
use rally_extension::{
    CompiledCache, Engine, Extension, ExtensionBindings, Extensions, Folder, Host, HostEnvironment, Limits,
    RaceInfo, Target,
};
use rally_race::Bindings;
use rally_track::{Challenge, Dialect, Element, Operation, Task, Track};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::native::NativeBindings;

/// Whose code performs a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// Rust in this program.
    Native,
    /// The same once more: a control.
    NativeAgain,
    /// A component with an instance for each source, runner and scheduler of a client.
    Isolated,
    /// A component with one instance for the three of a client.
    PerClient,
}

impl Code {
    /// All, in the order of tables.
    pub const ALL: [Code; 4] = [Code::Native, Code::NativeAgain, Code::Isolated, Code::PerClient];

    /// The components.
    pub const COMPONENTS: [Code; 2] = [Code::Isolated, Code::PerClient];

    /// What tables and processes call it.
    pub fn name(self) -> &'static str {
        match self {
            Code::Native => "native",
            Code::NativeAgain => "native again",
            Code::Isolated => "isolated",
            Code::PerClient => "per-client",
        }
    }

    /// The code of that name.
    pub fn named(name: &str) -> Code {
        Code::ALL.into_iter().find(|code| code.name() == name).expect("a name from this list")
    }

    /// The component, if it is one.
    fn component(self) -> Option<PathBuf> {
        let file = match self {
            Code::Native | Code::NativeAgain => return None,
            Code::Isolated => "bench.wasm",
            Code::PerClient => "bench-per-client.wasm",
        };
        Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/bench").join(file))
    }

    /// Loads the component, if it is one. `cache`: the folder of compiled code.
    pub fn load(self, engine: Option<&Engine>, cache: &Path) -> Extensions {
        let mut extensions = Extensions::default();
        if let (Some(path), Some(engine)) = (self.component(), engine) {
            let host = Host {
                engine: engine.clone(),
                limits: Arc::new(Limits::default()),
                bounds: Bounds::default(),
                cache: Some(CompiledCache::open(cache).expect("a folder of our own")),
            };
            let environment = Arc::new(environment(None));
            let extension = Extension::load(&path, &host, &environment).expect("the component is fine");
            extensions.add(extension).expect("it is the only one");
        }
        extensions
    }

    /// The engine that it needs.
    pub fn engine(self) -> Option<Engine> {
        self.component().map(|_| Engine::start().expect("an engine"))
    }

    /// Who performs tasks. `connected`: whether runners get a way to the target.
    pub fn bindings(self, extensions: Extensions, target: &Connected, connected: bool) -> Box<dyn Bindings> {
        if self.component().is_none() {
            return Box::new(NativeBindings { cluster: Arc::clone(&target.cluster) });
        }
        let to = Target { cluster: Arc::clone(&target.cluster), built_in: Arc::clone(&target.built_in) };
        let environment = Arc::new(environment(connected.then_some(to)));
        let race = RaceInfo { track: Arc::clone(&target.track), challenge: "bench".into(), seed: 0 };
        Box::new(ExtensionBindings::new(extensions, Arc::clone(&target.built_in), environment, race))
    }
}

fn environment(target: Option<Target>) -> HostEnvironment {
    let folder = Folder::open(std::env::temp_dir()).expect("the folder for temporary files");
    HostEnvironment { target, ..HostEnvironment::before_race("bench", folder) }
}

/// The stub server, as a race knows its target.
pub struct Connected {
    pub cluster: Arc<Cluster>,
    pub built_in: Arc<TargetBindings>,
    pub track: Arc<Track>,
}

impl Connected {
    /// Looks at the server, for races of this task.
    pub fn to(server: SocketAddr, task: Task) -> Connected {
        let hosts = parse_target_hosts(&server.to_string()).expect("hosts");
        let options = ClientOptions::parse("timeout:60").expect("options");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
        let cluster = Arc::new(runtime.block_on(Cluster::connect(&hosts, &options)).expect("stub answers"));
        let track = Arc::new(track(task));
        let built_in = Arc::new(TargetBindings::new(Arc::clone(&track), Vec::new(), Arc::clone(&cluster)));
        Connected { cluster, built_in, track }
    }
}

/// What is raced.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub source: &'static str,
    pub runner: &'static str,
    pub schedule: Schedule,
    pub clients: u32,
    /// Requests per second over all clients; `None`: as fast as answers come.
    pub rate: Option<f64>,
    pub time: Duration,
}

/// Who gives the due times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The built-in deterministic schedule: clients are spread over the interval.
    BuiltIn,
    /// The scheduler of the code that is measured: all clients have the same due times.
    Own,
}

impl Load {
    /// A search that is another one each time.
    pub fn searches(clients: u32, time: Duration) -> Load {
        Load { source: "formatted", runner: "send", schedule: Schedule::BuiltIn, clients, rate: None, time }
    }

    /// The task that does it.
    pub fn task(&self) -> Task {
        let params = json!({
            "name": "work", "operation-type": self.runner, "param-source": self.source, "index": "bench",
        });
        let Value::Object(params) = params else { unreachable!("an object was written above") };
        Task {
            clients: self.clients,
            time_period: Some(self.time.as_secs_f64()),
            schedule: match self.schedule {
                Schedule::BuiltIn => "deterministic",
                Schedule::Own => "steady",
            }
            .to_owned(),
            target: self.rate.map(rally_track::Target::Throughput),
            ..Task::new(
                "work",
                Operation {
                    name: "work".to_owned(),
                    operation_type: self.runner.to_owned(),
                    param_source: Some(self.source.to_owned()),
                    meta: Map::new(),
                    params,
                },
            )
        }
    }
}

fn track(task: Task) -> Track {
    Track {
        description: "bench".to_owned(),
        challenges: vec![Challenge {
            default: true,
            ..Challenge::new("bench", vec![Element::Task(Arc::new(task))])
        }],
        ..Track::new("bench", Dialect::Rally2017, std::env::temp_dir())
    }
}
