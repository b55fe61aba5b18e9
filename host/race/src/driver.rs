//! What performs the steps of a race: this process, or another one.
//!
//! Commands go in, events come out. All of them are wire types: nothing in them is shared, and they mean the same in this
//! process, in a child process and on another machine. Within one process they are moved, never serialised.

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::binding::BoundRace;
use crate::event::DriverEvent;
use crate::seams::Cause;

/// Performs the steps of a race and streams back what it measures.
pub trait LoadDriver {
    /// Has the driver do something. What comes of it is an event.
    ///
    /// # Errors
    /// Where the driver is gone.
    fn send(&mut self, command: DriverCommand) -> Result<(), Cause>;

    /// What happens. Each step ends with [`DriverEvent::StepDone`], after all its recordings.
    fn events(&self) -> &Receiver<DriverEvent>;

    /// The driver's clock: starts are offsets on it.
    fn clock(&self) -> DriverClock;

    /// Offers the driver a race that this process has bound, instead of one that it would load by itself. Drivers that are
    /// elsewhere have no use for it.
    fn provide(&mut self, _race: BoundRace) {}
}

/// The clock of a load driver, as this process sees it.
#[derive(Debug, Clone, Copy)]
pub struct DriverClock {
    /// The moment that both have agreed on: where the driver's clock is 0.
    pub epoch: Instant,
    /// How long before a start the driver has to know of it, so that all its threads are awake by then.
    pub lead: Duration,
}

/// What a load driver is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverCommand {
    /// Take on a race. Answered with [`DriverEvent::Loaded`] or [`DriverEvent::Failed`].
    Load(LoadOrder),
    /// Prepare a step: open its param sources, make the first requests, connect its clients. Answered with
    /// [`DriverEvent::Ready`] or [`DriverEvent::Failed`].
    OpenStep {
        /// Index of the step over all laps, from 0.
        step: usize,
    },
    /// Start the step that was opened.
    StartStep {
        /// When: due times count from this time on the driver's clock ([`DriverClock`]).
        at: Duration,
    },
    /// End a task of the step early: its clients finish the request in flight and stop.
    StopTask {
        /// [`crate::PlannedTask::id`].
        task: usize,
    },
    /// End the step early.
    StopStep(StopMode),
    /// The figures with this number have been taken: the driver may send the next ones of the same thread and task.
    Acknowledge {
        /// As in [`DriverEvent::Recording`].
        number: u64,
    },
}

/// A race that a load driver is to take on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LoadOrder {
    /// What is raced, in the words of whoever loads it ([`RaceLoader`]). This crate does not look into it.
    pub race: Value,
    /// The plan that the driver has to come to by itself.
    pub plan: PlanDigest,
    /// Which clients of the race are this driver's.
    #[serde(default)]
    pub clients: ClientShare,
}

/// SHA-256 of a plan: who does what in which step, how long, and from which seed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlanDigest(pub(crate) String);

impl fmt::Display for PlanDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Which clients of a race are one driver's. Clients are the rows of [`crate::Step::clients`], counted from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientShare {
    /// All of them.
    #[default]
    All,
    /// These.
    Only(BTreeSet<u32>),
}

impl ClientShare {
    /// Whether this client is one of them.
    pub fn contains(&self, client: u32) -> bool {
        match self {
            ClientShare::All => true,
            ClientShare::Only(clients) => clients.contains(&client),
        }
    }
}

/// Makes a race of what a [`LoadOrder`] says: loads, plans and binds it.
pub trait RaceLoader: Send {
    /// Loads, plans and binds a race, without changing the target.
    ///
    /// # Errors
    /// Where the race cannot be performed here.
    fn load(&mut self, order: &LoadOrder) -> Result<BoundRace, Cause>;
}

impl<Load: FnMut(&LoadOrder) -> Result<BoundRace, Cause> + Send> RaceLoader for Load {
    fn load(&mut self, order: &LoadOrder) -> Result<BoundRace, Cause> {
        self(order)
    }
}

/// How a step ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopMode {
    /// Requests in flight are finished, however long they take.
    Finish,
    /// Requests in flight are given this long, then they are abandoned.
    Abandon(Duration),
}
