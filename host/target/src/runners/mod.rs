//! Built-in runners: each performs one operation and says what came of it.

mod bulk;
mod bulk_answer;
mod common;
mod search;
mod simple;

use std::sync::Arc;

use futures_util::future::LocalBoxFuture;
use rally_race::{Cause, Partition, Runner, RunnerFactory};

use crate::cluster::Cluster;
use crate::http::{Connection, WriteMode};

/// Which operation a runner performs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `index`: one bulk request.
    Bulk,
    /// `search`: one search request, or the pages of a scroll.
    Search,
    /// `force-merge`.
    ForceMerge,
    /// `index-stats`.
    IndexStats,
    /// `node-stats`.
    NodeStats,
}

/// Every built-in operation with the name that tracks call it by.
pub const OPERATIONS: [(&str, Operation); 5] = [
    ("index", Operation::Bulk),
    ("search", Operation::Search),
    ("force-merge", Operation::ForceMerge),
    ("index-stats", Operation::IndexStats),
    ("node-stats", Operation::NodeStats),
];

/// Opens the runner of a built-in operation, connected.
pub struct BuiltinRunnerFactory {
    operation: Operation,
    cluster: Arc<Cluster>,
    guarded: bool,
}

impl BuiltinRunnerFactory {
    /// Runners that perform `operation` against `cluster`.
    pub fn new(operation: Operation, cluster: Arc<Cluster>) -> Self {
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
            let mode = match self.operation {
                Operation::Bulk => WriteMode::Vectored,
                _ => WriteMode::Flatten,
            };
            let endpoint = Arc::clone(self.cluster.endpoint(partition.index));
            let mut connection = match self.guarded {
                true => Connection::guarded(endpoint, mode),
                false => Connection::new(endpoint, mode),
            };
            connection.connect().await?;
            let capabilities = Arc::clone(self.cluster.capabilities());
            Ok(match self.operation {
                Operation::Bulk => Box::new(bulk::Bulk::new(connection, capabilities)) as Box<dyn Runner>,
                Operation::Search => Box::new(search::Search::new(connection, capabilities)),
                Operation::ForceMerge => Box::new(simple::Simple::force_merge(connection, capabilities)),
                Operation::IndexStats => Box::new(simple::Simple::index_stats(connection, capabilities)),
                Operation::NodeStats => Box::new(simple::Simple::node_stats(connection, capabilities)),
            })
        })
    }
}
