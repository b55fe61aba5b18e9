//! Instances that were opened before the race, to see whether they can be, and wait for their clients.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rally_race::Partition;

/// So many instances of a race wait for their clients; further ones are opened again when their clients come. Arbitrary: a
/// compiled guest takes about a tenth of a megabyte, an interpreter ten.
const MOST: usize = 256;

/// How many instances of a race wait.
#[derive(Debug, Clone, Default)]
pub(crate) struct PoolCapacity(Arc<AtomicUsize>);

/// Instances of one role of a task, by client.
pub(crate) struct InstancePool<T> {
    waiting: Mutex<HashMap<(u32, u64), T>>,
    capacity: PoolCapacity,
}

impl<T> InstancePool<T> {
    pub(crate) fn new(capacity: PoolCapacity) -> Self {
        InstancePool { waiting: Mutex::new(HashMap::new()), capacity }
    }

    /// Keeps an instance for its client, if there is room.
    pub(crate) fn put(&self, partition: Partition, instance: T) {
        let room = self
            .capacity
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |kept| (kept < MOST).then_some(kept + 1));
        if room.is_ok() {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.insert((partition.index, partition.seed), instance);
        }
    }

    /// The instance of this client, if it was kept. Clients of later laps have other seeds.
    pub(crate) fn take(&self, partition: Partition) -> Option<T> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = waiting.remove(&(partition.index, partition.seed));
        if instance.is_some() {
            self.capacity.0.fetch_sub(1, Ordering::Relaxed);
        }
        instance
    }
}
