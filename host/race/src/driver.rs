//! What performs the steps of a race: this process, or another one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use crate::binding::BoundRace;
use crate::event::DriverEvent;
use crate::seams::Cause;

/// Performs the steps of a race and streams back what it measures. The same for this process and for a remote one: commands
/// go in, events come out, nothing is shared.
pub trait LoadDriver {
    /// Takes on a race.
    ///
    /// # Errors
    /// Where the driver cannot work, e.g. threads cannot be started.
    fn load(&mut self, race: Arc<BoundRace>) -> Result<(), Cause>;

    /// Prepares a step: opens its param sources, makes the first requests, connects its clients. Answers with
    /// [`DriverEvent::Ready`] or [`DriverEvent::Failed`].
    ///
    /// # Errors
    /// Where the driver is gone.
    fn open_step(&mut self, step: usize) -> Result<(), Cause>;

    /// Starts the step that was opened: due times count from `at`.
    ///
    /// # Errors
    /// Where the driver is gone.
    fn start_step(&mut self, at: Instant) -> Result<(), Cause>;

    /// Ends the step early.
    fn stop_step(&mut self, stop: Stop);

    /// What happens. Each step ends with [`DriverEvent::StepDone`], after all its recordings.
    fn events(&self) -> &Receiver<DriverEvent>;
}

/// How a step ends early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Requests in flight are finished, however long they take.
    Finish,
    /// Requests in flight are given so much time, then they are abandoned.
    Abandon(Duration),
}
