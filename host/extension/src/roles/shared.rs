//! The shared way: source, runner and scheduler of a client, or of all clients on a thread, live in one instance, because they
//! share objects. Its calls come one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::ThreadId;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rally_race::{
    Cause, Finished, InTurnScheduler, InTurnSchedulerFactory, InTurnSource, InTurnSourceFactory, More,
    Outcome, Params, Partition, Progress, Runner, RunnerFactory,
};
use rally_track::Task;
use tokio::sync::Mutex as Turn;

use crate::Feedback;
use crate::error::CallError;
use crate::extension::{Extent, RunnerInfo, SchedulerInfo, Sharing, SourceInfo};
use crate::instance::{AsyncInstance, OpenRunner, OpenScheduler, OpenSource};
use crate::roles::outcome::RunHistory;
use crate::roles::runner::connect;
use crate::roles::scheduler::feedback;
use crate::roles::source::Left;
use crate::roles::task::TaskRole;

/// An instance that several use in turn.
type SharedInstance = Arc<Turn<AsyncInstance>>;

/// The roles of a component in a task that share instances.
pub(crate) struct SharedTask {
    role: TaskRole,
    sharing: Sharing,
    pub(crate) source: Option<SourceInfo>,
    pub(crate) runner: Option<RunnerInfo>,
    pub(crate) scheduler: Option<SchedulerInfo>,
    finite: bool,
    instances: Mutex<HashMap<Key, Held>>,
}

/// Who shares an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Client(u32, u64),
    Thread(ThreadId),
}

/// An instance, for as long as one of its users is there.
struct Held {
    instance: SharedInstance,
    users: usize,
}

/// A user's claim on an instance.
struct Claim {
    task: Arc<SharedTask>,
    key: Key,
    instance: SharedInstance,
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut instances = self.task.instances.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = instances.get_mut(&self.key) {
            held.users -= 1;
            if held.users == 0 {
                instances.remove(&self.key);
            }
        }
    }
}

impl SharedTask {
    /// Opens what the clients of the task need, to see whether it can be. Nothing can be sent meanwhile.
    pub(crate) fn new(
        role: TaskRole,
        source: Option<SourceInfo>,
        runner: Option<RunnerInfo>,
        scheduler: Option<SchedulerInfo>,
        clients: impl Iterator<Item = Partition>,
    ) -> Result<Arc<SharedTask>, CallError> {
        let sharing = role.extension.description.sharing;
        let mut task = SharedTask {
            role,
            sharing,
            source,
            runner,
            scheduler,
            finite: false,
            instances: Mutex::new(HashMap::new()),
        };
        task.finite = futures_executor::block_on(task.try_out(clients))?;
        Ok(Arc::new(task))
    }

    /// Whether a source of the task ends by itself.
    async fn try_out(&self, clients: impl Iterator<Item = Partition>) -> Result<bool, CallError> {
        let mut finite = false;
        let mut kept = None;
        for partition in clients {
            let mut instance = match kept.take() {
                Some(instance) => instance,
                None => self.instance(partition).await?,
            };
            if let Some(info) = &self.source {
                let source = instance.open_source(info, self.role.context(partition)).await?;
                finite |= matches!(source.extent, Extent::Finite(_));
            }
            if let Some(info) = &self.runner {
                instance.open_runner(&info.name, self.role.context(partition)).await?;
            }
            if let Some(info) = &self.scheduler {
                instance.open_scheduler(&info.name, self.role.context(partition)).await?;
            }
            if self.sharing == Sharing::PerWorker {
                kept = Some(instance);
            }
        }
        Ok(finite)
    }

    /// A new instance that has seen the track.
    async fn instance(&self, partition: Partition) -> Result<AsyncInstance, CallError> {
        let mut instance = self.role.extension.async_instance(&self.role.environment).await?;
        for processor in &self.role.extension.description.processors {
            instance.on_load(processor, self.role.context(partition)).await?;
        }
        Ok(instance)
    }

    /// The instance of a client, made by whoever comes first.
    async fn claim(self: &Arc<Self>, partition: Partition) -> Result<Claim, CallError> {
        let key = match self.sharing {
            Sharing::PerWorker => Key::Thread(std::thread::current().id()),
            _ => Key::Client(partition.index, partition.seed),
        };
        if let Some(claim) = self.known(key) {
            return Ok(claim);
        }
        let instance = self.instance(partition).await?;
        // Making it may have taken its time: another client may have been first.
        if let Some(claim) = self.known(key) {
            return Ok(claim);
        }
        let instance = Arc::new(Turn::new(instance));
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        instances.insert(key, Held { instance: Arc::clone(&instance), users: 1 });
        Ok(Claim { task: Arc::clone(self), key, instance })
    }

    fn known(self: &Arc<Self>, key: Key) -> Option<Claim> {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let held = instances.get_mut(&key)?;
        held.users += 1;
        Some(Claim { task: Arc::clone(self), key, instance: Arc::clone(&held.instance) })
    }
}

/// The sources of a shared task.
pub(crate) struct SharedSources(pub(crate) Arc<SharedTask>);

/// The runners of a shared task.
pub(crate) struct SharedRunners(pub(crate) Arc<SharedTask>);

/// The schedulers of a shared task.
pub(crate) struct SharedSchedulers(pub(crate) Arc<SharedTask>);

struct SharedSource {
    claim: Claim,
    source: OpenSource,
    made: Vec<Params>,
    exhausted: bool,
    left: Left,
}

impl InTurnSourceFactory for SharedSources {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn InTurnSource>, Cause>> {
        async move {
            let claim = self.0.claim(partition).await?;
            let info = self.0.source.as_ref().ok_or("the component has no param source in this task")?;
            let context = self.0.role.context(partition);
            let source = claim.instance.lock().await.open_source(info, context).await?;
            let left = Left::new(&self.0.role, source.extent);
            let source = SharedSource { claim, source, made: Vec::new(), exhausted: false, left };
            Ok(Box::new(source) as Box<dyn InTurnSource>)
        }
        .boxed_local()
    }

    fn finite(&self) -> bool {
        self.0.finite
    }
}

impl InTurnSource for SharedSource {
    fn next<'a>(&'a mut self) -> LocalBoxFuture<'a, Result<Option<Params>, Cause>> {
        async move {
            if self.made.is_empty() && !self.exhausted && self.left.limit(1) == 0 {
                self.exhausted = true;
            }
            if self.made.is_empty() && !self.exhausted {
                let mut instance = self.claim.instance.lock().await;
                let more = instance.next(&mut self.source, 1, &mut self.made).await?;
                self.exhausted = self.left.taken(self.made.len(), more) == More::Exhausted;
            }
            Ok(self.made.pop())
        }
        .boxed_local()
    }

    fn size(&self) -> Option<u64> {
        match self.source.extent {
            Extent::Finite(requests) => requests,
            Extent::Infinite => None,
        }
    }
}

struct SharedRunner {
    claim: Claim,
    runner: OpenRunner,
    history: RunHistory,
    progress: Option<Progress>,
    completes_task: bool,
}

impl RunnerFactory for SharedRunners {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        async move {
            let claim = self.0.claim(partition).await?;
            let info = self.0.runner.as_ref().ok_or("the component has no runner in this task")?;
            let runner = {
                let mut instance = claim.instance.lock().await;
                connect(&self.0.role, &mut instance, partition).await?;
                instance.open_runner(&info.name, self.0.role.context(partition)).await?
            };
            let completes_task = info.completes_task;
            let history = RunHistory::default();
            let runner = SharedRunner { claim, runner, history, progress: None, completes_task };
            Ok(Box::new(runner) as Box<dyn Runner>)
        }
        .boxed_local()
    }

    fn completes_task(&self) -> bool {
        self.0.runner.as_ref().is_some_and(|info| info.completes_task)
    }
}

impl Runner for SharedRunner {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async move {
            let mut instance = self.claim.instance.lock().await;
            let outcome = self.history.run(&mut instance, &self.runner, params).await?;
            if self.completes_task {
                self.progress = Some(instance.progress(&self.runner).await?);
            }
            Ok(outcome)
        }
        .boxed_local()
    }

    fn progress(&self) -> Option<Progress> {
        self.progress
    }
}

struct SharedScheduler {
    claim: Claim,
    scheduler: OpenScheduler,
    wants_feedback: bool,
    finished: Vec<Feedback>,
}

impl InTurnSchedulerFactory for SharedSchedulers {
    fn open<'a>(
        &'a self,
        _task: &'a Task,
        partition: Partition,
    ) -> LocalBoxFuture<'a, Result<Box<dyn InTurnScheduler>, Cause>> {
        async move {
            let claim = self.0.claim(partition).await?;
            let info = self.0.scheduler.as_ref().ok_or("the component has no scheduler in this task")?;
            let context = self.0.role.context(partition);
            let scheduler = claim.instance.lock().await.open_scheduler(&info.name, context).await?;
            let wants_feedback = info.feedback;
            let scheduler = SharedScheduler { claim, scheduler, wants_feedback, finished: Vec::new() };
            Ok(Box::new(scheduler) as Box<dyn InTurnScheduler>)
        }
        .boxed_local()
    }
}

impl InTurnScheduler for SharedScheduler {
    fn next<'a>(&'a mut self, current: f64) -> LocalBoxFuture<'a, Result<f64, Cause>> {
        async move {
            let finished = std::mem::take(&mut self.finished);
            let mut instance = self.claim.instance.lock().await;
            Ok(instance.due_time(&mut self.scheduler, current, &finished).await?)
        }
        .boxed_local()
    }

    fn after_request(&mut self, finished: &Finished<'_>) {
        if self.wants_feedback {
            self.finished.push(feedback(finished));
        }
    }
}
