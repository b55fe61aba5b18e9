//! Opens runners, connected.

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rally_operation_table::{OperationType, Work};
use rally_race::{Cause, Partition, Runner, RunnerFactory};

use super::bulk::Bulk;
use super::composite::Composite;
use super::general::General;
use super::procedure::{Procedure, procedure};
use super::search::Search;
use super::session::Environment;
use super::transform::WaitForTransform;
use crate::cluster::Cluster;
use crate::http::{Connection, WriteMode};

/// Opens the runner of a built-in operation, connected.
pub struct BuiltinRunnerFactory {
    operation: &'static OperationType,
    cluster: Arc<Cluster>,
    guarded: bool,
}

impl BuiltinRunnerFactory {
    /// Runners that perform an operation against `cluster`.
    pub fn new(operation: &'static OperationType, cluster: Arc<Cluster>) -> Self {
        BuiltinRunnerFactory { operation, cluster, guarded: false }
    }

    /// The same for a track's own code: see [`Connection::guarded`].
    pub fn guarded(self) -> Self {
        BuiltinRunnerFactory { guarded: true, ..self }
    }
}

impl RunnerFactory for BuiltinRunnerFactory {
    fn open<'a>(&'a self, partition: Partition) -> LocalBoxFuture<'a, Result<Box<dyn Runner>, Cause>> {
        Box::pin(async move {
            let procedure = procedure(self.operation.work());
            let mode = match procedure {
                Procedure::Bulk => WriteMode::Vectored,
                _ => WriteMode::Flatten,
            };
            let endpoint = Arc::clone(self.cluster.endpoint(partition.index));
            let mut connection = match self.guarded {
                true => Connection::guarded(endpoint, mode),
                false => Connection::new(endpoint, mode),
            };
            self.cluster.make_ready(&mut connection).await?;
            let environment = Environment {
                capabilities: Arc::clone(self.cluster.capabilities()),
                serverless: self.cluster.is_serverless(),
            };
            Ok(match procedure {
                Procedure::Bulk => Box::new(Bulk::new(connection, environment)) as Box<dyn Runner>,
                Procedure::Search(paging) => Box::new(Search::new(connection, environment, paging)),
                Procedure::WaitForTransform => Box::new(WaitForTransform::new(connection, environment)),
                Procedure::Composite => Box::new(Composite::new(connection, self.guarded, environment)),
                Procedure::One(..) | Procedure::Several(_) => {
                    Box::new(General::new(self.operation, connection, environment))
                }
            })
        })
    }

    fn completes_task(&self) -> bool {
        matches!(self.operation.work(), Work::WaitForTransform)
    }
}
