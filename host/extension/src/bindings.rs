//! Binds the tasks of a track to its components, and to what is built in where they have nothing of that name.

use std::sync::Arc;

use rally_cluster::{TargetBindings, unknown_param_source};
use rally_race::{Binding, Bindings, Cause, Partition, RunnerFactory, SchedulerBinding, SourceBinding};
use rally_track::{ExtensionNames, Task, Track};

use crate::context::{DEFAULT_CLUSTER, GuestTrack, TaskContext};
use crate::environment::HostEnvironment;
use crate::extension::{Extension, RunnerInfo, SchedulerInfo, Sharing, SourceInfo};
use crate::extensions::Extensions;
use crate::roles::pool::PoolCapacity;
use crate::roles::runner::GuestRunnerFactory;
use crate::roles::scheduler::GuestSchedulerFactory;
use crate::roles::shared::{SharedRunners, SharedSchedulers, SharedSources, SharedTask};
use crate::roles::source::SourceFactory;
use crate::roles::task::TaskRole;

/// What is known of the race that its tasks do not say.
#[derive(Debug, Clone)]
pub struct RaceInfo {
    /// The whole track.
    pub track: Arc<Track>,
    /// Name of the challenge.
    pub challenge: String,
    /// The race's seed.
    pub seed: u64,
}

/// Binds tasks to the components of a track. All that a task needs is opened once here, before anything is sent: what is
/// wrong with it ends the race before it begins.
pub struct ExtensionBindings {
    extensions: Extensions,
    built_in: Arc<TargetBindings>,
    environment: Arc<HostEnvironment>,
    race: RaceInfo,
    track: Arc<GuestTrack>,
    capacity: PoolCapacity,
}

impl ExtensionBindings {
    /// Binds to `extensions` first, then to `built_in`.
    pub fn new(
        extensions: Extensions,
        built_in: Arc<TargetBindings>,
        environment: Arc<HostEnvironment>,
        race: RaceInfo,
    ) -> Self {
        let track = GuestTrack::new(Arc::clone(&race.track));
        ExtensionBindings {
            extensions,
            built_in,
            environment,
            race,
            track,
            capacity: PoolCapacity::default(),
        }
    }

    fn role(&self, extension: &Arc<Extension>, task: &Task) -> TaskRole {
        let text = |map| serde_json::to_string(map).unwrap_or_default();
        let rate = |requests_per_second: f64| requests_per_second / f64::from(task.clients.max(1));
        TaskRole {
            extension: Arc::clone(extension),
            environment: Arc::clone(&self.environment),
            has_extent: has_extent(task),
            task: Arc::new(TaskContext {
                track: Arc::clone(&self.track),
                challenge: self.race.challenge.clone(),
                task: task.name.clone(),
                params: text(&task.operation.params),
                task_params: text(&task.params),
                target_throughput: task.target.as_ref().map(|target| rate(target.per_second())),
                clusters: vec![DEFAULT_CLUSTER.to_owned()],
            }),
        }
    }

    fn clients<'a>(&'a self, task: &'a Task) -> impl Iterator<Item = Partition> + 'a {
        (0..task.clients).map(|index| Partition::of(self.race.seed, 1, task, index))
    }
}

/// Whether a task says how many requests it makes, or for how long. One that does not makes as many as its source has.
fn has_extent(task: &Task) -> bool {
    let Task { warmup_iterations, iterations, warmup_time_period, time_period, .. } = task;
    warmup_iterations.or(*iterations).is_some() || warmup_time_period.or(*time_period).is_some()
}

fn shares(extension: &Extension) -> bool {
    extension.description.sharing != Sharing::Isolated
}

/// A task, with what its components register for it.
struct Found<'a> {
    task: &'a Task,
    names: ExtensionNames,
    source: Option<(&'a Arc<Extension>, &'a SourceInfo)>,
    runner: Option<(&'a Arc<Extension>, &'a RunnerInfo)>,
    scheduler: Option<(&'a Arc<Extension>, &'a SchedulerInfo)>,
}

/// What the roles of a task share, by component.
struct Shared<'a>(Vec<(&'a Arc<Extension>, Arc<SharedTask>)>);

impl Shared<'_> {
    fn by(&self, extension: &Arc<Extension>) -> Option<Arc<SharedTask>> {
        let found = self.0.iter().find(|(known, _)| Arc::ptr_eq(known, extension));
        found.map(|(_, task)| Arc::clone(task))
    }
}

impl ExtensionBindings {
    fn find<'a>(&'a self, task: &'a Task) -> Result<Found<'a>, Cause> {
        let operation = &task.operation;
        let names = self.extensions.names();
        let source = match &operation.param_source {
            Some(name) => match self.extensions.source(name) {
                None if self.built_in.reads_documents(operation) => None,
                found => Some(
                    found.ok_or_else(|| unknown_param_source(&operation.name, name, &names.param_sources))?,
                ),
            },
            None => None,
        };
        let runner = self.extensions.runner(&operation.operation_type);
        let scheduler = self.extensions.scheduler(&task.schedule);
        Ok(Found { task, names, source, runner, scheduler })
    }

    /// Opens what roles of one component share: they go together.
    fn share<'a>(&self, found: &Found<'a>) -> Result<Shared<'a>, Cause> {
        let Found { task, source, runner, scheduler, .. } = *found;
        let components = [source.map(|role| role.0), runner.map(|role| role.0), scheduler.map(|role| role.0)];
        let mut shared = Shared(Vec::new());
        for extension in components.into_iter().flatten().filter(|extension| shares(extension)) {
            if shared.by(extension).is_some() {
                continue;
            }
            let own = |component: &Arc<Extension>| Arc::ptr_eq(component, extension);
            let opened = SharedTask::new(
                self.role(extension, task),
                source.filter(|role| own(role.0)).map(|role| role.1.clone()),
                runner.filter(|role| own(role.0)).map(|role| role.1.clone()),
                scheduler.filter(|role| own(role.0)).map(|role| role.1.clone()),
                self.clients(task),
            )?;
            shared.0.push((extension, opened));
        }
        Ok(shared)
    }

    fn source(&self, found: &Found<'_>, shared: &Shared<'_>) -> Result<SourceBinding, Cause> {
        let task = found.task;
        let Some((extension, info)) = found.source else {
            return self.built_in.source(task, found.runner.is_some(), &found.names.operation_types);
        };
        if let Some(task) = shared.by(extension) {
            return Ok(SourceBinding::InTurn(Arc::new(SharedSources(task))));
        }
        let role = self.role(extension, task);
        let factory = SourceFactory::new(role, info.clone(), self.clients(task), &self.capacity)?;
        Ok(match info.prefetch {
            true => SourceBinding::Ahead(Arc::new(factory)),
            false => SourceBinding::InTurn(Arc::new(factory)),
        })
    }

    fn runner(&self, found: &Found<'_>, shared: &Shared<'_>) -> Result<Arc<dyn RunnerFactory>, Cause> {
        let task = found.task;
        let Some((extension, info)) = found.runner else {
            let operation = &task.operation;
            let (name, operation_type) = (&operation.name, &operation.operation_type);
            return Ok(self.built_in.runner(name, operation_type, &found.names.operation_types)?);
        };
        if let Some(task) = shared.by(extension) {
            return Ok(Arc::new(SharedRunners(task)));
        }
        let role = self.role(extension, task);
        Ok(Arc::new(GuestRunnerFactory::new(role, info.clone(), self.clients(task), &self.capacity)?))
    }

    fn scheduler(&self, found: &Found<'_>, shared: &Shared<'_>) -> Result<SchedulerBinding, Cause> {
        let task = found.task;
        let Some((extension, info)) = found.scheduler else { return Ok(SchedulerBinding::BuiltIn) };
        if let Some(task) = shared.by(extension) {
            return Ok(SchedulerBinding::InTurn(Arc::new(SharedSchedulers(task))));
        }
        let role = self.role(extension, task);
        let factory = GuestSchedulerFactory::new(role, info.clone(), self.clients(task), &self.capacity)?;
        Ok(SchedulerBinding::Own(Arc::new(factory)))
    }
}

impl Bindings for ExtensionBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
        let found = self.find(task)?;
        let shared = self.share(&found)?;
        Ok(Binding {
            params: self.source(&found, &shared)?,
            runner: self.runner(&found, &shared)?,
            scheduler: self.scheduler(&found, &shared)?,
        })
    }
}
