//! The load driver of this process.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::binding::BoundRace;
use crate::driver::{ClientShare, DriverClock, DriverCommand, LoadDriver, LoadOrder, RaceLoader, StopMode};
use crate::error::RaceError;
use crate::event::DriverEvent;
use crate::local::generator::Generators;
use crate::local::recorder::histogram_template;
use crate::local::step::{Command, Receipts, SharedStep};
use crate::local::thread::{LoopThread, STACK};
use crate::seams::Cause;

/// Memory that requests prepared ahead of their due times may take, bytes, unless a client would have less than two. Small
/// enough that bodies are still in a cache when they are sent: with 32 MiB one client's bulks of 300 KiB took a third more
/// CPU time. A few milliseconds of the fastest bulks, seconds of throttled ones.
pub const DEFAULT_BUFFERED_BYTES: usize = 8 * 1024 * 1024;

/// How much of the machine the load driver takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalDriverOptions {
    /// Number of loop threads; `None`: one per core, but no more than the largest step has clients.
    pub threads: Option<usize>,
    /// Number of threads that make requests; `None`: two, but one on machines with up to two cores.
    pub generators: Option<usize>,
    /// Memory for prepared requests, bytes.
    pub buffered_bytes: usize,
}

impl Default for LocalDriverOptions {
    fn default() -> Self {
        LocalDriverOptions { threads: None, generators: None, buffered_bytes: DEFAULT_BUFFERED_BYTES }
    }
}

/// How long before a start the threads have to know of it, so that all of them are awake by then. Each join costs this much.
const LEAD: Duration = Duration::from_millis(1);

/// Performs races in this process.
pub struct LocalDriver {
    options: LocalDriverOptions,
    /// Where its clock is 0.
    epoch: Instant,
    loader: Box<dyn RaceLoader>,
    sender: Sender<DriverEvent>,
    events: Receiver<DriverEvent>,
    receipts: Arc<Receipts>,
    race: Option<Arc<BoundRace>>,
    clients: ClientShare,
    generators: Option<Arc<Generators>>,
    /// The loop threads; they end when these are dropped.
    threads: Vec<UnboundedSender<Command>>,
    step: Option<Arc<SharedStep>>,
}

impl LocalDriver {
    /// A driver whose races are given to it ([`LoadDriver::provide`]). Nothing is started before there is one.
    pub fn new(options: LocalDriverOptions) -> LocalDriver {
        LocalDriver::with_loader(options, Box::new(Provided(None)))
    }

    /// A driver that loads its races by itself.
    pub fn with_loader(options: LocalDriverOptions, loader: Box<dyn RaceLoader>) -> LocalDriver {
        let (sender, events) = unbounded();
        LocalDriver {
            options,
            epoch: Instant::now(),
            loader,
            sender,
            events,
            receipts: Arc::default(),
            race: None,
            clients: ClientShare::All,
            generators: None,
            threads: Vec::new(),
            step: None,
        }
    }

    fn load(&mut self, order: &LoadOrder) -> Result<(), RaceError> {
        // Threads and events of a race before this one end here.
        (self.sender, self.events) = unbounded();
        self.receipts = Arc::default();
        self.end_step();
        self.threads.clear();
        let race = self.loader.load(order).map_err(RaceError::Load)?;
        let found = race.plan.digest();
        if found != order.plan {
            return Err(RaceError::OtherPlan { expected: order.plan.clone(), found });
        }
        self.start_threads(&race).map_err(RaceError::Driver)?;
        self.race = Some(Arc::new(race));
        self.clients = order.clients.clone();
        // The receiver is this driver's own.
        let _ = self.sender.send(DriverEvent::Loaded { plan: found });
        Ok(())
    }

    fn start_threads(&mut self, race: &BoundRace) -> Result<(), Cause> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = self.options.threads.unwrap_or(cores).min(race.plan.most_clients()).max(1);
        let generators = self.options.generators.unwrap_or(if cores > 2 { 2 } else { 1 }).max(1);
        let template = histogram_template()?;
        for part in 0..threads {
            let (sender, commands) = unbounded_channel();
            let thread =
                LoopThread { part, commands, events: self.sender.clone(), template: template.clone() };
            thread::Builder::new()
                .name(format!("rally-loop-{part}"))
                .stack_size(STACK)
                .spawn(move || thread.serve())?;
            self.threads.push(sender);
        }
        self.generators = Some(Arc::new(Generators::start(generators, self.options.buffered_bytes)?));
        Ok(())
    }

    fn open_step(&mut self, step: usize) -> Result<(), Cause> {
        let (Some(race), Some(generators)) = (&self.race, &self.generators) else {
            return Err("no race has been loaded".into());
        };
        if step >= race.plan.steps.len() {
            return Err(format!("the race has no step {step}, only {}", race.plan.steps.len()).into());
        }
        let shared = Arc::new(SharedStep::new(
            Arc::clone(race),
            step,
            &self.clients,
            Arc::clone(generators),
            self.sender.clone(),
            Arc::clone(&self.receipts),
            self.threads.clone(),
        ));
        shared.announce();
        self.step = Some(Arc::clone(&shared));
        self.command(|| Command::Open(Arc::clone(&shared)))
    }

    fn start_step(&self, at: Duration) -> Result<(), Cause> {
        let at = self.epoch.checked_add(at).ok_or_else(|| format!("{at:?} is not a time to start at"))?;
        self.command(|| Command::Start(at))
    }

    fn command(&self, command: impl Fn() -> Command) -> Result<(), Cause> {
        for thread in &self.threads {
            thread.send(command()).map_err(|_| "a loop thread is gone")?;
        }
        Ok(())
    }

    /// Gives up what is left of the step. Its threads hold the means to command themselves, and would go on without a driver.
    fn end_step(&mut self) {
        if let Some(step) = self.step.take() {
            step.stop(StopMode::Abandon(Duration::ZERO));
        }
    }
}

impl Default for LocalDriver {
    fn default() -> Self {
        LocalDriver::new(LocalDriverOptions::default())
    }
}

impl LoadDriver for LocalDriver {
    fn send(&mut self, command: DriverCommand) -> Result<(), Cause> {
        match command {
            DriverCommand::Load(order) => {
                if let Err(error) = self.load(&order) {
                    // The receiver is this driver's own.
                    let _ = self.sender.send(DriverEvent::Failed(error));
                }
                Ok(())
            }
            DriverCommand::OpenStep { step } => self.open_step(step),
            DriverCommand::StartStep { at } => self.start_step(at),
            DriverCommand::StopTask { task } => {
                if let Some(step) = &self.step {
                    step.stop_task(task);
                }
                Ok(())
            }
            DriverCommand::StopStep(mode) => {
                if let Some(step) = &self.step {
                    step.stop(mode);
                }
                Ok(())
            }
            DriverCommand::Acknowledge { number } => {
                self.receipts.acknowledge(number);
                Ok(())
            }
        }
    }

    fn events(&self) -> &Receiver<DriverEvent> {
        &self.events
    }

    fn clock(&self) -> DriverClock {
        DriverClock { epoch: self.epoch, lead: LEAD }
    }

    fn provide(&mut self, race: BoundRace) {
        self.loader = Box::new(Provided(Some(race)));
    }
}

impl Drop for LocalDriver {
    fn drop(&mut self) {
        self.end_step();
    }
}

/// A race that this process has bound.
struct Provided(Option<BoundRace>);

impl RaceLoader for Provided {
    fn load(&mut self, _: &LoadOrder) -> Result<BoundRace, Cause> {
        self.0.take().ok_or_else(|| "it has not been given a race".into())
    }
}
