//! Binds the tasks of a track to its components, and to what is built in where they have nothing of that name.

use std::sync::Arc;

use rally_cluster::{TargetBindings, unknown_param_source};
use rally_race::{Binding, Bindings, Cause, Partition, SchedulerBinding, SourceBinding};
use rally_track::{Task, Track};

use crate::context::{GuestTrack, TaskContext};
use crate::environment::HostEnvironment;
use crate::extension::{Extension, Sharing};
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
                clusters: vec![crate::since_0_1_0::client::DEFAULT_CLUSTER.to_owned()],
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

impl Bindings for ExtensionBindings {
    fn bind(&self, task: &Task) -> Result<Binding, Cause> {
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

        // Roles of one component that shares instances go together.
        let sharing =
            [source.map(|found| found.0), runner.map(|found| found.0), scheduler.map(|found| found.0)];
        let mut shared: Vec<(&Arc<Extension>, Arc<SharedTask>)> = Vec::new();
        for extension in sharing.into_iter().flatten().filter(|extension| shares(extension)) {
            if shared.iter().any(|(known, _)| Arc::ptr_eq(known, extension)) {
                continue;
            }
            let own = |found: &Arc<Extension>| Arc::ptr_eq(found, extension);
            let made = SharedTask::new(
                self.role(extension, task),
                source.filter(|found| own(found.0)).map(|found| found.1.clone()),
                runner.filter(|found| own(found.0)).map(|found| found.1.clone()),
                scheduler.filter(|found| own(found.0)).map(|found| found.1.clone()),
                self.clients(task),
            )?;
            shared.push((extension, made));
        }
        let shared_by = |extension: &Arc<Extension>| {
            shared.iter().find(|(known, _)| Arc::ptr_eq(known, extension)).map(|(_, task)| Arc::clone(task))
        };

        let params = match source {
            Some((extension, info)) => match shared_by(extension) {
                Some(task) => SourceBinding::InTurn(Arc::new(SharedSources(task))),
                None => {
                    let role = self.role(extension, task);
                    let made = SourceFactory::new(role, info.clone(), self.clients(task), &self.capacity)?;
                    if info.prefetch {
                        SourceBinding::Ahead(Arc::new(made))
                    } else {
                        SourceBinding::InTurn(Arc::new(made))
                    }
                }
            },
            None => self.built_in.source(task, runner.is_some(), &names.operation_types)?,
        };
        let runner: Arc<dyn rally_race::RunnerFactory> = match runner {
            Some((extension, info)) => match shared_by(extension) {
                Some(task) => Arc::new(SharedRunners(task)),
                None => {
                    let role = self.role(extension, task);
                    Arc::new(GuestRunnerFactory::new(role, info.clone(), self.clients(task), &self.capacity)?)
                }
            },
            None => {
                self.built_in.runner(&operation.name, &operation.operation_type, &names.operation_types)?
            }
        };
        let scheduler = match scheduler {
            Some((extension, info)) => match shared_by(extension) {
                Some(task) => SchedulerBinding::InTurn(Arc::new(SharedSchedulers(task))),
                None => {
                    let role = self.role(extension, task);
                    let made =
                        GuestSchedulerFactory::new(role, info.clone(), self.clients(task), &self.capacity)?;
                    SchedulerBinding::Own(Arc::new(made))
                }
            },
            None => SchedulerBinding::BuiltIn,
        };
        Ok(Binding { params, runner, scheduler })
    }
}
