//! Schedulers of their own instances.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use rally_race::{Cause, Finished, Partition, Scheduler, SchedulerFactory};
use rally_track::Task;
use serde_json::{Map, Value};

use crate::Feedback;
use crate::error::CallError;
use crate::extension::SchedulerInfo;
use crate::instance::{OpenScheduler, SyncInstance};
use crate::roles::pool::{InstancePool, PoolCapacity};
use crate::roles::task::TaskRole;

/// Due times that are asked for at once at most, where nothing depends on what became of the requests before.
const MOST_AHEAD: u32 = 64;

/// Asking takes about so long at most: it happens on the thread that sends, where others wait for their due times.
const LONGEST_ASKING: Duration = Duration::from_micros(200);

/// Opens the schedulers of a task: an instance per client.
pub(crate) struct GuestSchedulerFactory {
    role: TaskRole,
    info: SchedulerInfo,
    pool: InstancePool<GuestScheduler>,
}

/// A client's scheduler.
pub(crate) struct GuestScheduler {
    instance: SyncInstance,
    scheduler: OpenScheduler,
    feedback: bool,
    ahead: VecDeque<f64>,
    /// How many are asked for next time.
    limit: u32,
    finished: Vec<Feedback>,
}

impl GuestSchedulerFactory {
    /// Opens the schedulers of all clients, to see whether they can be.
    pub(crate) fn new(
        role: TaskRole,
        info: SchedulerInfo,
        clients: impl Iterator<Item = Partition>,
        capacity: &PoolCapacity,
    ) -> Result<Self, CallError> {
        let factory = GuestSchedulerFactory { role, info, pool: InstancePool::new(capacity.clone()) };
        for partition in clients {
            factory.pool.put(partition, factory.open_scheduler(partition)?);
        }
        Ok(factory)
    }

    fn open_scheduler(&self, partition: Partition) -> Result<GuestScheduler, CallError> {
        let mut instance = self.role.extension.sync_instance(&self.role.environment)?;
        let scheduler = instance.open_scheduler(&self.info.name, self.role.context(partition))?;
        Ok(GuestScheduler {
            instance,
            scheduler,
            feedback: self.info.feedback,
            ahead: VecDeque::new(),
            limit: 1,
            finished: Vec::new(),
        })
    }
}

impl SchedulerFactory for GuestSchedulerFactory {
    fn open(&self, _task: &Task, partition: Partition) -> Result<Box<dyn Scheduler>, Cause> {
        match self.pool.take(partition) {
            Some(scheduler) => Ok(Box::new(scheduler)),
            None => Ok(Box::new(self.open_scheduler(partition)?)),
        }
    }
}

impl Scheduler for GuestScheduler {
    fn next(&mut self, current: f64) -> Result<f64, Cause> {
        if self.feedback {
            let finished = std::mem::take(&mut self.finished);
            return Ok(self.instance.due_times(&mut self.scheduler, current, &finished, 1)?[0]);
        }
        if let Some(time) = self.ahead.pop_front() {
            return Ok(time);
        }
        let before = Instant::now();
        let times = self.instance.due_times(&mut self.scheduler, current, &[], self.limit)?;
        let quick = before.elapsed() < LONGEST_ASKING;
        self.limit = if quick { (self.limit * 2).min(MOST_AHEAD) } else { (self.limit / 2).max(1) };
        self.ahead.extend(&times[1..]);
        Ok(times[0])
    }

    fn after_request(&mut self, finished: &Finished<'_>) {
        if self.feedback {
            self.finished.push(feedback(finished));
        }
    }
}

pub(crate) fn feedback(finished: &Finished<'_>) -> Feedback {
    Feedback {
        started: finished.started,
        finished: finished.finished,
        weight: finished.weight,
        unit: finished.unit.to_owned(),
        success: finished.success,
        meta: finished.meta.map(text),
    }
}

fn text(meta: &Map<String, Value>) -> String {
    // A map of JSON values is always JSON.
    serde_json::to_string(meta).unwrap_or_default()
}
