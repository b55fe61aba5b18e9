//! Several load drivers that race as one: each has a part of the clients.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::driver::{ClientShare, DriverClock, DriverCommand, LoadDriver, LoadOrder};
use crate::event::DriverEvent;
use crate::seams::Cause;

/// Loop threads of one driver have smaller numbers than this; those of the next one begin here.
const PARTS: usize = 1 << 16;

/// Load drivers that race as one. Clients are dealt out to them one by one; their recordings add up exactly.
pub struct DriverGroup {
    drivers: Vec<Box<dyn LoadDriver>>,
    clients: u32,
    epoch: Instant,
    events: Receiver<DriverEvent>,
    loaded: bool,
}

impl DriverGroup {
    /// A group for one race whose largest step has this many clients ([`crate::RacePlan::most_clients`]).
    pub fn new(drivers: Vec<Box<dyn LoadDriver>>, clients: u32) -> DriverGroup {
        let (_, events) = unbounded();
        DriverGroup { drivers, clients, epoch: Instant::now(), events, loaded: false }
    }

    fn load(&mut self, order: &LoadOrder) -> Result<(), Cause> {
        if std::mem::replace(&mut self.loaded, true) {
            return Err("a group of load drivers races once".into());
        }
        let (sender, events) = unbounded();
        self.events = events;
        let count = self.drivers.len();
        let merge = Arc::new(Mutex::new(Merge::new(count)));
        let clients: Vec<u32> = (0..self.clients).filter(|client| order.clients.contains(*client)).collect();
        for (index, driver) in self.drivers.iter_mut().enumerate() {
            let share = clients.iter().copied().skip(index).step_by(count).collect();
            driver.send(DriverCommand::Load(LoadOrder {
                clients: ClientShare::Only(share),
                ..order.clone()
            }))?;
            let (own, sender, merge) = (driver.events().clone(), sender.clone(), Arc::clone(&merge));
            thread::Builder::new()
                .name(format!("rally-driver-{index}"))
                .spawn(move || forward(index, &own, &merge, &sender))?;
        }
        Ok(())
    }

    /// Sends each driver its own form of a command; all get it, even if one is gone.
    fn all(&mut self, command: impl Fn(&dyn LoadDriver) -> DriverCommand) -> Result<(), Cause> {
        let mut result = Ok(());
        for driver in &mut self.drivers {
            let sent = driver.send(command(driver.as_ref()));
            result = result.and(sent);
        }
        result
    }
}

impl LoadDriver for DriverGroup {
    fn send(&mut self, command: DriverCommand) -> Result<(), Cause> {
        match command {
            DriverCommand::Load(order) => self.load(&order),
            DriverCommand::StartStep { at } => {
                let moment = self.epoch.checked_add(at).ok_or("a start that is too far ahead")?;
                self.all(|driver| DriverCommand::StartStep {
                    at: moment.saturating_duration_since(driver.clock().epoch),
                })
            }
            DriverCommand::Acknowledge { number } => {
                let count = self.drivers.len().max(1) as u64;
                match self.drivers.get_mut((number % count) as usize) {
                    Some(driver) => driver.send(DriverCommand::Acknowledge { number: number / count }),
                    None => Ok(()),
                }
            }
            command => self.all(|_| command.clone()),
        }
    }

    fn events(&self) -> &Receiver<DriverEvent> {
        &self.events
    }

    fn clock(&self) -> DriverClock {
        let leads = self.drivers.iter().map(|driver| driver.clock().lead);
        DriverClock { epoch: self.epoch, lead: leads.max().unwrap_or_default() }
    }
}

/// Passes on what one driver says, to its end.
fn forward(index: usize, from: &Receiver<DriverEvent>, merge: &Mutex<Merge>, to: &Sender<DriverEvent>) {
    for event in from {
        // Sent under the lock: what one driver completes follows what the others said before.
        let mut merge = merge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = merge.take(index, event) {
            let _ = to.send(event);
        }
    }
    let mut merge = merge.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(event) = merge.lost(index) {
        let _ = to.send(event);
    }
}

/// What the drivers have said so far.
struct Merge {
    count: usize,
    loaded: usize,
    ready: usize,
    /// Drivers that are done with the step.
    done: BTreeSet<usize>,
    /// Drivers that will not say anything any more.
    lost: BTreeSet<usize>,
    /// How many drivers are done with a task, and the longest time that one of them took.
    tasks: BTreeMap<usize, (usize, Duration)>,
    /// Time passes once: this driver says how much.
    timekeeper: Option<usize>,
}

impl Merge {
    fn new(count: usize) -> Merge {
        Merge {
            count,
            loaded: 0,
            ready: 0,
            done: BTreeSet::new(),
            lost: BTreeSet::new(),
            tasks: BTreeMap::new(),
            timekeeper: None,
        }
    }

    /// What follows for the group from an event of one driver.
    fn take(&mut self, index: usize, event: DriverEvent) -> Option<DriverEvent> {
        match event {
            DriverEvent::Loaded { plan } => {
                self.loaded += 1;
                (self.loaded == self.count).then_some(DriverEvent::Loaded { plan })
            }
            DriverEvent::Ready => {
                self.ready += 1;
                (self.ready == self.count).then_some(DriverEvent::Ready)
            }
            DriverEvent::Recording { task, recording, number } => {
                let number = number * self.count as u64 + index as u64;
                Some(DriverEvent::Recording { task, recording, number })
            }
            DriverEvent::Progress { task, part, clients, fraction } => {
                Some(DriverEvent::Progress { task, part: index * PARTS + part, clients, fraction })
            }
            DriverEvent::Load(mut load) => {
                if *self.timekeeper.get_or_insert(index) != index {
                    load.wall_time = 0;
                }
                Some(DriverEvent::Load(load))
            }
            DriverEvent::TaskDone { task, elapsed } => {
                let (done, longest) = self.tasks.entry(task).or_default();
                *done += 1;
                *longest = elapsed.max(*longest);
                (*done == self.count).then_some(DriverEvent::TaskDone { task, elapsed: *longest })
            }
            DriverEvent::StepDone => {
                self.done.insert(index);
                self.step_done()
            }
            DriverEvent::TaskFailed { .. } | DriverEvent::ElementCompleted | DriverEvent::Failed(_) => {
                Some(event)
            }
        }
    }

    /// A driver is gone: the step is over when the others are done.
    fn lost(&mut self, index: usize) -> Option<DriverEvent> {
        self.lost.insert(index);
        self.step_done()
    }

    fn step_done(&mut self) -> Option<DriverEvent> {
        if self.done.union(&self.lost).count() < self.count {
            return None;
        }
        self.ready = 0;
        self.done.clear();
        self.tasks.clear();
        self.timekeeper = None;
        Some(DriverEvent::StepDone)
    }
}
