//! The load driver of this process.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, unbounded};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::binding::BoundRace;
use crate::driver::{LoadDriver, Stop};
use crate::event::DriverEvent;
use crate::local::generator::Generators;
use crate::local::recorder::histogram_template;
use crate::local::step::{Command, SharedStep};
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

/// Performs races in this process.
pub struct LocalDriver {
    options: LocalDriverOptions,
    sender: Sender<DriverEvent>,
    events: Receiver<DriverEvent>,
    race: Option<Arc<BoundRace>>,
    generators: Option<Arc<Generators>>,
    /// The loop threads; they end when these are dropped.
    threads: Vec<UnboundedSender<Command>>,
    step: Option<Arc<SharedStep>>,
}

impl LocalDriver {
    /// Nothing is started before there is a race.
    pub fn new(options: LocalDriverOptions) -> LocalDriver {
        let (sender, events) = unbounded();
        LocalDriver { options, sender, events, race: None, generators: None, threads: Vec::new(), step: None }
    }

    fn command(&self, command: impl Fn() -> Command) -> Result<(), Cause> {
        for thread in &self.threads {
            thread.send(command()).map_err(|_| "a loop thread is gone")?;
        }
        Ok(())
    }
}

impl Default for LocalDriver {
    fn default() -> Self {
        LocalDriver::new(LocalDriverOptions::default())
    }
}

impl LoadDriver for LocalDriver {
    fn load(&mut self, race: Arc<BoundRace>) -> Result<(), Cause> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = self.options.threads.unwrap_or(cores).min(race.plan.most_clients()).max(1);
        let generators = self.options.generators.unwrap_or(if cores > 2 { 2 } else { 1 }).max(1);
        let template = histogram_template()?;
        // Threads and events of a race before this one end here.
        (self.sender, self.events) = unbounded();
        self.step = None;
        self.threads.clear();
        for part in 0..threads {
            let (sender, commands) = unbounded_channel();
            let thread = LoopThread {
                part,
                threads,
                commands,
                events: self.sender.clone(),
                template: template.clone(),
            };
            thread::Builder::new()
                .name(format!("rally-loop-{part}"))
                .stack_size(STACK)
                .spawn(move || thread.serve())?;
            self.threads.push(sender);
        }
        self.generators = Some(Arc::new(Generators::start(generators, self.options.buffered_bytes)?));
        self.race = Some(race);
        Ok(())
    }

    fn open_step(&mut self, step: usize) -> Result<(), Cause> {
        let (Some(race), Some(generators)) = (&self.race, &self.generators) else {
            return Err("no race has been loaded".into());
        };
        let shared = Arc::new(SharedStep::new(
            Arc::clone(race),
            step,
            Arc::clone(generators),
            self.sender.clone(),
            self.threads.clone(),
        ));
        self.step = Some(Arc::clone(&shared));
        self.command(|| Command::Open(Arc::clone(&shared)))
    }

    fn start_step(&mut self, at: Instant) -> Result<(), Cause> {
        self.command(|| Command::Start(at))
    }

    fn stop_step(&mut self, stop: Stop) {
        if let Some(step) = &self.step {
            step.stop(stop);
        }
    }

    fn events(&self) -> &Receiver<DriverEvent> {
        &self.events
    }
}
