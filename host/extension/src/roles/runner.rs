//! Runners of their own instances.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use rally_cluster::http::{Connection, WriteMode};
use rally_race::{Cause, Outcome, Params, Partition, Progress, Runner, RunnerFactory};

use crate::error::CallError;
use crate::extension::RunnerInfo;
use crate::instance::{AsyncInstance, OpenRunner};
use crate::roles::outcome::RunHistory;
use crate::roles::pool::{InstancePool, PoolCapacity};
use crate::roles::task::TaskRole;

/// Opens the runners of a task: an instance per client.
pub(crate) struct GuestRunnerFactory {
    role: TaskRole,
    info: RunnerInfo,
    pool: InstancePool<(AsyncInstance, OpenRunner)>,
}

/// A client's runner.
struct GuestRunner {
    instance: AsyncInstance,
    runner: OpenRunner,
    history: RunHistory,
    /// Where the runner says how far it is.
    progress: Option<Progress>,
    completes_task: bool,
}

impl GuestRunnerFactory {
    /// Opens the runners of all clients, to see whether they can be. Nothing can be sent meanwhile.
    pub(crate) fn new(
        role: TaskRole,
        info: RunnerInfo,
        clients: impl Iterator<Item = Partition>,
        capacity: &PoolCapacity,
    ) -> Result<Self, CallError> {
        let factory = GuestRunnerFactory { role, info, pool: InstancePool::new(capacity.clone()) };
        for partition in clients {
            // Nothing of it waits but for its turn.
            let opened = futures_executor::block_on(factory.open_runner(partition))?;
            factory.pool.put(partition, opened);
        }
        Ok(factory)
    }

    async fn open_runner(&self, partition: Partition) -> Result<(AsyncInstance, OpenRunner), CallError> {
        let mut instance = self.role.extension.async_instance(&self.role.environment).await?;
        let runner = instance.open_runner(&self.info.name, self.role.context(partition)).await?;
        Ok((instance, runner))
    }
}

/// Makes an instance ready to send.
pub(crate) async fn connect(
    role: &TaskRole,
    instance: &mut AsyncInstance,
    partition: Partition,
) -> Result<(), Cause> {
    if let Some(target) = &role.environment.target {
        let endpoint = Arc::clone(target.cluster.endpoint(partition.index));
        let mut connection = Connection::guarded(endpoint, WriteMode::Flatten);
        target.cluster.make_ready(&mut connection).await?;
        instance.connect(Arc::clone(&target.cluster), partition, connection);
    }
    Ok(())
}

impl RunnerFactory for GuestRunnerFactory {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        async move {
            let (mut instance, runner) = match self.pool.take(partition) {
                Some(opened) => opened,
                None => self.open_runner(partition).await?,
            };
            connect(&self.role, &mut instance, partition).await?;
            let completes_task = self.info.completes_task;
            let history = RunHistory::default();
            let runner = GuestRunner { instance, runner, history, progress: None, completes_task };
            Ok(Box::new(runner) as Box<dyn Runner>)
        }
        .boxed_local()
    }

    fn completes_task(&self) -> bool {
        self.info.completes_task
    }
}

impl Runner for GuestRunner {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        async move {
            let outcome = self.history.run(&mut self.instance, &self.runner, params).await?;
            if self.completes_task {
                self.progress = Some(self.instance.progress(&self.runner).await?);
            }
            Ok(outcome)
        }
        .boxed_local()
    }

    fn progress(&self) -> Option<Progress> {
        self.progress
    }
}
