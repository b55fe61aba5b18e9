//! A loop thread: a current-thread runtime that performs its clients, step after step.

use std::collections::HashMap;
use std::io;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Sender;
use hdrhistogram::Histogram;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{Id, JoinError, JoinSet, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};

use crate::error::{RaceError, panic_message};
use crate::event::DriverEvent;
use crate::local::client::client;
use crate::local::observe;
use crate::local::step::{Command, LocalStep, SharedStep};
use crate::local::timer::Timer;

/// Stack of the threads of a race, bytes: a track's own code runs on them with up to a megabyte of it,
/// beside what the host needs. Memory is taken as it is touched.
pub(crate) const STACK: usize = 4 << 20;

/// How often figures are sent.
const REPORT: Duration = Duration::from_secs(1);

/// A loop thread and its number; the driver's clients of a step are dealt out to the threads one by one.
pub(crate) struct LoopThread {
    pub(crate) part: usize,
    pub(crate) commands: UnboundedReceiver<Command>,
    pub(crate) events: Sender<DriverEvent>,
    pub(crate) template: Histogram<u64>,
}

impl LoopThread {
    /// Performs steps until the commands end.
    pub(crate) fn serve(mut self) {
        let events = self.events.clone();
        let served = catch_unwind(AssertUnwindSafe(|| {
            let runtime = self.runtime()?;
            runtime.block_on(self.steps())
        }));
        let cause = match served {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.into(),
            Err(payload) => format!("a loop thread panicked: {}", panic_message(payload)).into(),
        };
        let _ = events.send(DriverEvent::Failed(RaceError::Driver(cause)));
    }

    fn runtime(&self) -> io::Result<LocalRuntime> {
        // The kernel may delay wake-ups by 50 µs to save power; not these.
        if let Err(error) = rustix::thread::set_current_timer_slack(NonZeroU64::new(1)) {
            tracing::debug!(%error, "cannot set the timer slack");
        }
        Builder::new_current_thread()
            .enable_all()
            .on_thread_park(observe::parking)
            .on_thread_unpark(observe::unparked)
            .build_local(LocalOptions::default())
    }

    async fn steps(&mut self) -> io::Result<()> {
        let timer = Timer::new()?;
        let driving = spawn_local({
            let timer = Rc::clone(&timer);
            async move { timer.drive().await }
        });
        let template = Rc::new(self.template.clone());
        while let Some(command) = self.commands.recv().await {
            // Whatever else is left over from a step that is over.
            if let Command::Open(shared) = command {
                self.step(shared, &timer, &template).await;
            }
            if driving.is_finished() {
                return Err(io::Error::other("the timer of a loop thread failed"));
            }
        }
        Ok(())
    }

    async fn step(&mut self, shared: Arc<SharedStep>, timer: &Rc<Timer>, template: &Rc<Histogram<u64>>) {
        let step = shared.step();
        let rows = shared.rows_of(self.part);
        timer.reset(rows.len());
        let local = Rc::new(LocalStep::new(
            Arc::clone(&shared),
            Rc::clone(timer),
            Rc::clone(template),
            self.part,
            &rows,
        ));
        let mut clients = Clients::default();
        for (index, row) in rows.iter().enumerate() {
            let task =
                step.clients[*row].first().map_or("", |first| step.tasks[first.task].task.name.as_str());
            let id = clients.set.spawn_local(client(Rc::clone(&local), *row, timer.slot(index))).id();
            clients.tasks.insert(id, task.to_owned());
        }
        let mut report = interval_at(Instant::now() + REPORT, REPORT);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut deadline: Option<Instant> = None;
        while !clients.set.is_empty() {
            tokio::select! {
                Some(ended) = clients.set.join_next_with_id() => clients.ended(ended, &shared),
                command = self.commands.recv() => match command {
                    Some(Command::Start(at)) => {
                        report.reset_at(Instant::from_std(at) + REPORT);
                        local.begin(at);
                    }
                    Some(Command::Wake) => {
                        deadline = deadline.or_else(|| shared.abandoned().map(|grace| Instant::now() + grace));
                        timer.wake_all();
                    }
                    Some(Command::Open(_)) => {}
                    // The driver is gone, and with it whoever wants the figures.
                    None => clients.set.abort_all(),
                },
                _ = report.tick() => local.report(),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    deadline = None;
                    clients.set.abort_all();
                }
            }
        }
        local.close_all();
        shared.thread_done();
    }
}

/// The clients at work, and the name of the first task of each.
#[derive(Default)]
struct Clients {
    set: JoinSet<()>,
    tasks: HashMap<Id, String>,
}

impl Clients {
    fn ended(&mut self, ended: Result<(Id, ()), JoinError>, shared: &SharedStep) {
        let Err(error) = ended else { return };
        let task = self.tasks.remove(&error.id()).unwrap_or_default();
        if let Ok(payload) = error.try_into_panic() {
            shared.fail(RaceError::Panicked { task, message: panic_message(payload) });
        }
    }
}
