//! What the instances of a task have in common.

use std::sync::Arc;

use rally_race::Partition;

use crate::context::{RaceContext, TaskContext};
use crate::environment::HostEnvironment;
use crate::extension::Extension;

/// A role of a component in a task.
#[derive(Clone)]
pub(crate) struct TaskRole {
    pub(crate) extension: Arc<Extension>,
    pub(crate) environment: Arc<HostEnvironment>,
    pub(crate) task: Arc<TaskContext>,
    /// Whether the task says itself how many requests it makes, or for how long.
    pub(crate) has_extent: bool,
}

impl TaskRole {
    pub(crate) fn context(&self, partition: Partition) -> RaceContext {
        RaceContext {
            task: Arc::clone(&self.task),
            index: partition.index,
            total: partition.total,
            seed: partition.seed,
        }
    }
}
