//! A component that can be used: read, checked, compiled, linked and asked what it is.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rally_component::{Bounds, Facts, InspectError};
use rally_support::printable::quoted;
use wasmtime::component::Component;

use crate::cache::CompiledCache;
use crate::engine::Engine;
use crate::environment::HostEnvironment;
use crate::error::{CallError, ComponentName};
use crate::instance::{AsyncInstance, Linked, SyncInstance};
use crate::limits::Limits;

/// What a component says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How its instances are made.
    pub sharing: Sharing,
    /// Parameter sources.
    pub sources: Vec<SourceInfo>,
    /// Runners.
    pub runners: Vec<RunnerInfo>,
    /// Schedulers.
    pub schedulers: Vec<SchedulerInfo>,
    /// Track processors, in the order in which they run.
    pub processors: Vec<String>,
    /// Challenges whose track parameters it checks.
    pub validators: Vec<String>,
}

/// How instances are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Each source, runner and scheduler of each client lives in an instance of its own.
    Isolated,
    /// Source, runner and scheduler of one client share an instance.
    PerClient,
    /// All clients of a task on one loop thread share an instance; its calls come one after the other.
    PerWorker,
}

/// How a source gives its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Shapes, items, and bodies in one piece.
    Arena,
    /// Lines of JSON.
    Lines,
}

/// A parameter source of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// The name that tracks use.
    pub name: String,
    /// How it gives its requests.
    pub form: Form,
    /// Whether requests may be made ahead of their time.
    pub prefetch: bool,
}

/// A runner of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunnerInfo {
    /// The operation type that tracks use.
    pub name: String,
    /// Whether it talks to other clusters than the default one.
    pub multi_cluster: bool,
    /// Whether it says itself when the task is complete.
    pub completes_task: bool,
}

/// A scheduler of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulerInfo {
    /// The name that tracks use.
    pub name: String,
    /// Whether it wants to know what became of each request.
    pub feedback: bool,
}

/// Whether, and when, a source ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Never.
    Infinite,
    /// By itself, after so many requests if that is known.
    Finite(Option<u64>),
}

/// Longest name that a component may have or register, bytes. Arbitrary: it has to fit into a line.
const LONGEST_NAME: usize = 200;

/// Names that one component may register at most. Arbitrary; the largest known track has 40.
const MOST_NAMES: usize = 1000;

impl Description {
    /// Whether names can be shown and told apart.
    pub(crate) fn checked(self) -> Result<Description, String> {
        let fits = |name: &str, most: usize| {
            !name.trim().is_empty() && name.len() <= most && !name.chars().any(char::is_control)
        };
        if !fits(&self.name, LONGEST_NAME) || !fits(&self.version, LONGEST_NAME) {
            return Err(format!(
                "a name or version of the component that is empty, has control characters or more than {LONGEST_NAME} bytes"
            ));
        }
        let roles: [(&str, Vec<&str>); 5] = [
            ("param source", self.sources.iter().map(|info| info.name.as_str()).collect()),
            ("runner", self.runners.iter().map(|info| info.name.as_str()).collect()),
            ("scheduler", self.schedulers.iter().map(|info| info.name.as_str()).collect()),
            ("processor", self.processors.iter().map(String::as_str).collect()),
            ("validator", self.validators.iter().map(String::as_str).collect()),
        ];
        for (role, names) in &roles {
            if names.len() > MOST_NAMES {
                return Err(format!("{} names of {role}s, the limit is {MOST_NAMES}", names.len()));
            }
            let mut seen = HashSet::new();
            for name in names {
                if !fits(name, LONGEST_NAME) {
                    let shown: String = name.chars().take(60).collect();
                    return Err(format!(
                        "{} as the name of a {role}: a name has 1 to {LONGEST_NAME} bytes and no control characters",
                        quoted(&shown)
                    ));
                }
                if !seen.insert(name) {
                    return Err(format!("the name {} for two {role}s", quoted(name)));
                }
            }
        }
        Ok(self)
    }
}

/// A component that can be used.
pub struct Extension {
    /// Its file.
    pub path: PathBuf,
    /// What can be known without running it.
    pub facts: Facts,
    /// What it says of itself.
    pub description: Description,
    pub(crate) name: ComponentName,
    pub(crate) limits: Arc<Limits>,
    pub(crate) linked: Linked,
}

/// Where components are compiled and what they may take.
#[derive(Clone)]
pub struct Host {
    /// Compiles and runs them.
    pub engine: Engine,
    /// What each instance may take.
    pub limits: Arc<Limits>,
    /// What a file may be.
    pub bounds: Bounds,
    /// Where compiled code is kept; `None`: nowhere.
    pub cache: Option<CompiledCache>,
}

/// A component that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its file cannot be read.
    #[error("cannot read the component {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what this rally can run.
    #[error("{} cannot be used as an extension", path.display())]
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<InspectError>,
    },
    /// It cannot be compiled.
    #[error("{} cannot be compiled: {reason}", path.display())]
    Compile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Its interfaces have the right names, but not the right types.
    #[error(
        "{} says that it was built for rally:track {version}, but its interfaces are not those of that version: {reason}",
        path.display()
    )]
    Link {
        /// The file.
        path: PathBuf,
        /// The version that it names.
        version: rally_component::Version,
        /// What differs.
        reason: String,
    },
    /// It cannot say what it is.
    #[error("{} cannot be used as an extension", path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CallError,
    },
}

impl Extension {
    /// Reads, checks, compiles and links a component, and asks it what it is. `environment`: what it sees meanwhile.
    ///
    /// # Errors
    /// Where the file is not a component that this host can run, or fails when it is asked.
    pub fn load(
        path: &Path,
        host: &Host,
        environment: &Arc<HostEnvironment>,
    ) -> Result<Extension, LoadError> {
        let bytes = read(path, host.bounds.size)
            .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Extension::from_bytes(path, &bytes, host, environment)
    }

    /// The same of bytes that were read before; `path` is for errors.
    ///
    /// # Errors
    /// As [`Extension::load`].
    pub fn from_bytes(
        path: &Path,
        bytes: &[u8],
        host: &Host,
        environment: &Arc<HostEnvironment>,
    ) -> Result<Extension, LoadError> {
        let path = path.to_owned();
        let facts = rally_component::inspect(bytes, &host.bounds)
            .map_err(|source| LoadError::Unsuitable { path: path.clone(), source: Box::new(source) })?;
        let component = compiled(host, &facts, bytes)
            .map_err(|reason| LoadError::Compile { path: path.clone(), reason })?;
        let linked = Linked::new(&host.engine, &component, &facts).map_err(|error| LoadError::Link {
            path: path.clone(),
            version: facts.wit_version.clone(),
            reason: format!("{error:#}"),
        })?;
        let file =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into());
        let unnamed = ComponentName { name: file, version: String::new() };
        let mut asked = linked
            .sync_instance(unnamed, &host.limits, environment)
            .map_err(|source| LoadError::Describe { path: path.clone(), source })?;
        let description =
            asked.describe().map_err(|source| LoadError::Describe { path: path.clone(), source })?;
        let name = ComponentName { name: description.name.clone(), version: description.version.clone() };
        Ok(Extension { path, facts, description, name, limits: Arc::clone(&host.limits), linked })
    }

    pub(crate) fn sync_instance(
        &self,
        environment: &Arc<HostEnvironment>,
    ) -> Result<SyncInstance, CallError> {
        self.linked.sync_instance(self.name.clone(), &self.limits, environment)
    }

    pub(crate) async fn async_instance(
        &self,
        environment: &Arc<HostEnvironment>,
    ) -> Result<AsyncInstance, CallError> {
        self.linked.async_instance(self.name.clone(), &self.limits, environment).await
    }

    /// Name and version, for errors and logs.
    pub fn name(&self) -> &ComponentName {
        &self.name
    }
}

/// Reads a file, but not more than one byte beyond what is allowed: its size is complained about with the rest.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A pipe would keep the reader waiting for a writer.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("this is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The compiled component, from the cache if it is there.
fn compiled(host: &Host, facts: &Facts, bytes: &[u8]) -> Result<Component, String> {
    if let Some(component) = host.cache.as_ref().and_then(|cache| cache.get(&host.engine, &facts.digest)) {
        return Ok(component);
    }
    let started = std::time::Instant::now();
    // A compiler's bug must not end the process: the file may be made for it.
    let compile = || Component::new(&host.engine.wasmtime, bytes);
    let component = std::panic::catch_unwind(std::panic::AssertUnwindSafe(compile))
        .map_err(|_| "the compiler failed on it; please report this with the file".to_owned())?
        .map_err(|error| format!("{error:#}"))?;
    tracing::debug!(digest = %facts.digest, time = ?started.elapsed(), "compiled a component");
    if let Some(cache) = &host.cache {
        cache.put(&host.engine, &facts.digest, &component);
    }
    Ok(component)
}
