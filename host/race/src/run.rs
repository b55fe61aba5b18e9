//! Drives a race: one step after the other, until the end or until something ends it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::select;
use serde_json::Value;

use crate::binding::{BoundRace, bind};
use crate::cancel::Cancel;
use crate::driver::{ClientShare, DriverCommand, LoadDriver, LoadOrder, StopMode};
use crate::error::RaceError;
use crate::event::{DriverEvent, EndReason, FailedTask, Observer, RaceEnd, RaceEvent, TaskProgress};
use crate::plan::{Completing, Extent, RacePlan, Step};
use crate::recording::DriverLoad;
use crate::seams::Bindings;

/// How long requests in flight are waited for when a race is cancelled or cannot go on.
pub const GRACE: Duration = Duration::from_secs(1);

/// How long beyond the grace a driver may take to deliver what it has; one that does not is given up.
const DELIVERY: Duration = Duration::from_secs(5);

/// Races a plan on a driver of this process: binds it, then runs its steps one after the other.
///
/// Recordings reach `observer` until the very end, also when the race is cancelled or fails.
pub fn run(
    plan: &RacePlan,
    bindings: &dyn Bindings,
    driver: &mut dyn LoadDriver,
    observer: &mut dyn Observer,
    cancel: &Cancel,
) -> RaceEnd {
    match bind(plan, bindings) {
        Ok(race) => run_bound(race, driver, observer, cancel),
        Err(error) => not_started(error.into()),
    }
}

/// Races a plan that has been bound before on a driver of this process.
pub fn run_bound(
    race: BoundRace,
    driver: &mut dyn LoadDriver,
    observer: &mut dyn Observer,
    cancel: &Cancel,
) -> RaceEnd {
    let plan = race.plan.clone();
    driver.provide(race);
    run_on(&plan, Value::Null, driver, observer, cancel)
}

/// Races a plan on a driver that loads `race` by itself, wherever it is. `plan` is the plan as it was bound here: the driver has
/// to come to the same one.
///
/// Recordings reach `observer` until the very end, also when the race is cancelled or fails.
pub fn run_on(
    plan: &RacePlan,
    race: Value,
    driver: &mut dyn LoadDriver,
    observer: &mut dyn Observer,
    cancel: &Cancel,
) -> RaceEnd {
    let order = LoadOrder { race, plan: plan.digest(), clients: ClientShare::All };
    if let Err(reason) = load(order, driver, cancel) {
        return RaceEnd { reason, steps_finished: 0, failed_tasks: Vec::new() };
    }
    let mut lap = 0;
    let mut failed_tasks = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let reason = prepare(index, step, &mut lap, observer, cancel)
            .and_then(|()| StepRun::new(index, step, driver, observer, cancel, &mut failed_tasks).run());
        if let Err(reason) = reason {
            return RaceEnd { reason, steps_finished: index, failed_tasks };
        }
    }
    RaceEnd { reason: EndReason::Completed, steps_finished: plan.steps.len(), failed_tasks }
}

/// Has the driver take on the race, and waits until it has.
fn load(order: LoadOrder, driver: &mut dyn LoadDriver, cancel: &Cancel) -> Result<(), EndReason> {
    let expected = order.plan.clone();
    driver.send(DriverCommand::Load(order)).map_err(driver_failed)?;
    loop {
        let events = driver.events();
        let event = select! {
            recv(events) -> event => event.map_err(|_| driver_failed("it ended".into()))?,
            recv(cancel.signal()) -> _ => return Err(EndReason::Cancelled),
        };
        match event {
            DriverEvent::Loaded { plan } if plan == expected => return Ok(()),
            DriverEvent::Loaded { plan } => {
                return Err(EndReason::Failed(RaceError::OtherPlan { expected, found: plan }));
            }
            DriverEvent::Failed(error) => return Err(EndReason::Failed(error)),
            // What is left of a race before this one.
            _ => {}
        }
    }
}

fn not_started(error: RaceError) -> RaceEnd {
    RaceEnd { reason: EndReason::Failed(error), steps_finished: 0, failed_tasks: Vec::new() }
}

/// What comes before a step: the preparation of a lap, and of the step.
fn prepare(
    index: usize,
    step: &Step,
    lap: &mut u32,
    observer: &mut dyn Observer,
    cancel: &Cancel,
) -> Result<(), EndReason> {
    if cancel.is_cancelled() {
        return Err(EndReason::Cancelled);
    }
    let failed = |source| EndReason::Failed(RaceError::Preparation { lap: step.lap(), source });
    if step.lap() != *lap {
        *lap = step.lap();
        observer.before_lap(*lap).map_err(failed)?;
        if cancel.is_cancelled() {
            return Err(EndReason::Cancelled);
        }
    }
    observer.before_step(index, step).map_err(failed)
}

/// One step from the opening to the join.
struct StepRun<'a> {
    index: usize,
    step: &'a Step,
    driver: &'a mut dyn LoadDriver,
    observer: &'a mut dyn Observer,
    cancel: &'a Cancel,
    started: Option<Instant>,
    /// Why the step ends early, and until when the driver may deliver what it has.
    ending: Option<(EndReason, Instant)>,
    tasks: BTreeMap<usize, TaskState>,
    failed_tasks: &'a mut Vec<FailedTask>,
}

/// What is known of a task that has not finished.
struct TaskState {
    extent: Extent,
    load: DriverLoad,
    /// Number of clients and their progress, by part of the driver.
    parts: BTreeMap<usize, (u32, Option<f64>)>,
}

impl<'a> StepRun<'a> {
    fn new(
        index: usize,
        step: &'a Step,
        driver: &'a mut dyn LoadDriver,
        observer: &'a mut dyn Observer,
        cancel: &'a Cancel,
        failed_tasks: &'a mut Vec<FailedTask>,
    ) -> Self {
        let state = |extent| TaskState { extent, load: DriverLoad::default(), parts: BTreeMap::new() };
        let tasks = step.tasks.iter().map(|task| (task.id, state(task.extent))).collect();
        StepRun { index, step, driver, observer, cancel, started: None, ending: None, tasks, failed_tasks }
    }

    fn run(mut self) -> Result<(), EndReason> {
        self.driver.send(DriverCommand::OpenStep { step: self.index }).map_err(driver_failed)?;
        while let Some(event) = self.next_event() {
            if matches!(event, DriverEvent::StepDone) {
                break;
            }
            self.handle(event);
        }
        match self.ending {
            Some((reason, _)) => Err(reason),
            None => {
                self.observer.event(RaceEvent::StepFinished { step: self.index });
                Ok(())
            }
        }
    }

    /// Waits for what happens next; `None` when there is nothing more to wait for.
    fn next_event(&mut self) -> Option<DriverEvent> {
        loop {
            let events = self.driver.events();
            if let Some((_, deadline)) = &self.ending {
                // An event, or the end of the driver's time.
                return events.recv_deadline(*deadline).ok();
            }
            let received = select! {
                recv(events) -> event => Some(event),
                recv(self.cancel.signal()) -> _ => None,
            };
            match received {
                Some(Ok(event)) => return Some(event),
                Some(Err(_)) => {
                    let reason = EndReason::Failed(RaceError::Driver("its threads ended".into()));
                    self.ending = Some((reason, Instant::now()));
                    return None;
                }
                None => self.end_early(EndReason::Cancelled),
            }
        }
    }

    /// Lets the step end, for the first reason that there is.
    fn end_early(&mut self, reason: EndReason) {
        if self.ending.is_none() {
            self.tell(DriverCommand::StopStep(StopMode::Abandon(GRACE)));
            self.ending = Some((reason, Instant::now() + GRACE + DELIVERY));
        }
    }

    fn handle(&mut self, event: DriverEvent) {
        match event {
            DriverEvent::Ready => self.start(),
            DriverEvent::Recording { task, recording, number } => {
                self.observer.event(RaceEvent::Recording { task, recording });
                self.tell(DriverCommand::Acknowledge { number });
            }
            DriverEvent::Progress { task, part, clients, fraction } => {
                self.progress(task, part, clients, fraction)
            }
            DriverEvent::Load(load) => {
                for state in self.tasks.values_mut() {
                    state.load.merge(&load);
                }
            }
            DriverEvent::TaskDone { task, elapsed } => {
                if let Some(state) = self.tasks.remove(&task) {
                    self.observer.event(RaceEvent::TaskFinished { task, load: state.load, elapsed });
                }
                self.task_over(task);
            }
            DriverEvent::TaskFailed { task, error } => self.task_failed(task, error),
            DriverEvent::Failed(error) => self.end_early(EndReason::Failed(error)),
            DriverEvent::ElementCompleted => self.tell(DriverCommand::StopStep(StopMode::Finish)),
            DriverEvent::StepDone | DriverEvent::Loaded { .. } => {}
        }
    }

    /// Has the driver do what it has to do in any case. If it is gone, its events say so.
    fn tell(&mut self, command: DriverCommand) {
        let _ = self.driver.send(command);
    }

    /// All clients of a task are done, wherever they are: that may complete the element.
    fn task_over(&mut self, id: usize) {
        let completing = match self.step.completed_by {
            Some(Completing::Task(index)) => self.step.tasks.get(index),
            Some(Completing::FirstClient) | None => None,
        };
        if completing.is_some_and(|task| task.id == id) {
            self.tell(DriverCommand::StopStep(StopMode::Finish));
        }
    }

    /// A task is over for good. Several drivers may come to that by themselves: the first one is heard.
    fn task_failed(&mut self, task: usize, error: RaceError) {
        if self.failed_tasks.iter().any(|failed| failed.task == task) {
            return;
        }
        let error = Arc::new(error);
        self.failed_tasks.push(FailedTask { task, error: Arc::clone(&error) });
        self.observer.event(RaceEvent::TaskFailed { task, error });
        self.tell(DriverCommand::StopTask { task });
    }

    /// Everything is ready: one common start for all clients.
    fn start(&mut self) {
        let clock = self.driver.clock();
        let at = Instant::now() + clock.lead;
        let since_epoch = at.saturating_duration_since(clock.epoch);
        if let Err(source) = self.driver.send(DriverCommand::StartStep { at: since_epoch }) {
            return self.end_early(driver_failed(source));
        }
        self.started = Some(at);
        self.observer.event(RaceEvent::StepStarted { step: self.index, lap: self.step.lap() });
    }

    fn progress(&mut self, task: usize, part: usize, clients: u32, fraction: Option<f64>) {
        let Some(state) = self.tasks.get_mut(&task) else { return };
        let Some(started) = self.started else { return };
        state.parts.insert(part, (clients, fraction));
        let elapsed = started.elapsed();
        let fraction = state.fraction();
        let remaining = match (state.extent, fraction) {
            (Extent::Time { warmup, measured: Some(measured) }, _) => {
                Duration::try_from_secs_f64(warmup + measured).ok().map(|total| total.saturating_sub(elapsed))
            }
            (_, Some(fraction)) if fraction > 0.0 => {
                Duration::try_from_secs_f64(elapsed.as_secs_f64() * (1.0 - fraction) / fraction).ok()
            }
            _ => None,
        };
        self.observer.event(RaceEvent::TaskProgress(TaskProgress { task, fraction, elapsed, remaining }));
    }
}

impl TaskState {
    /// The mean over all clients, if it is known for all of them.
    fn fraction(&self) -> Option<f64> {
        let clients: u32 = self.parts.values().map(|(clients, _)| clients).sum();
        let mut done = 0.0;
        for (clients, fraction) in self.parts.values() {
            done += (*fraction)? * f64::from(*clients);
        }
        (clients > 0).then(|| done / f64::from(clients))
    }
}

impl DriverLoad {
    /// Takes in what another part of the driver, or the same one at another time, saw: the highest shares and the longest
    /// burst of both, the sum of the rest.
    pub fn merge(&mut self, other: &DriverLoad) {
        self.busiest_thread = self.busiest_thread.max(other.busiest_thread);
        self.longest_burst = self.longest_burst.max(other.longest_burst);
        self.cpu_time += other.cpu_time;
        self.wall_time += other.wall_time;
        self.run_queue_delay += other.run_queue_delay;
        self.steal = self.steal.max(other.steal);
        self.load_average = self.load_average.max(other.load_average);
    }
}

fn driver_failed(source: crate::seams::Cause) -> EndReason {
    EndReason::Failed(RaceError::Driver(source))
}
