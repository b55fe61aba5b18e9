//! One client: waits for its due times, performs the requests, measures them.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::coop::consume_budget;

use crate::error::RaceError;
use crate::local::generator::{Opening, Stock};
use crate::local::recorder::Measured;
use crate::local::step::LocalStep;
use crate::local::supply::{Supply, Taken};
use crate::local::timer::Slot;
use crate::plan::{Assignment, Extent, OnError, PlannedTask, Timing};
use crate::schedule::ClientSchedule;
use crate::schedulers::built_in_scheduler;
use crate::seams::{
    Binding, Cause, FailureKind, Finished, Outcome, Partition, Runner, SchedulerBinding, SourceBinding,
};

/// All requests per second that a machine may be expected to prepare for, over all unthrottled clients.
const FASTEST_DRIVER: f64 = 200_000.0;

/// A ring holds requests for so many seconds when it is full; half of that when it asks for more. Half-empty rings of 50 ms
/// were never found empty at the due time in measurements, shorter ones were.
const STOCK_SECONDS: f64 = 0.1;

/// Bounds of a ring's capacity, in requests: the lower one for slow clients, the upper one for memory.
const CAPACITY: (f64, f64) = (8.0, 4096.0);

/// A client of the step: what it does, one after the other.
pub(crate) async fn client(local: Rc<LocalStep>, row: usize, slot: Slot) {
    if let Err(error) = (Client { local: &local, row, slot }).run().await {
        local.shared.fail(error);
    }
}

struct Client<'a> {
    local: &'a LocalStep,
    row: usize,
    slot: Slot,
}

/// What a client needs for its part in a task.
struct Part<'a> {
    planned: &'a PlannedTask,
    binding: &'a Binding,
    assignment: Assignment,
    partition: Partition,
    extent: Extent,
}

impl<'a> Client<'a> {
    async fn run(&self) -> Result<(), RaceError> {
        let parts: Vec<Part<'a>> = self.local.shared.step().clients[self.row]
            .iter()
            .map(|assignment| self.part(*assignment))
            .collect();
        let mut supplies = self.open_supplies(&parts).await?;
        // The first connection is made before the common start. Later ones wait for their turn: idle ones would be closed.
        let mut first_runner = match parts.first() {
            Some(part) if !part.extent.is_empty() => Some(self.open_runner(part).await?),
            _ => None,
        };
        self.local.shared.client_ready();
        let Some(step_start) = self.local.started(self.slot).await else { return Ok(()) };
        let mut start = step_start;
        for (part, supply) in parts.iter().zip(&mut supplies) {
            if let (Some(supply), false) = (supply.take(), self.stopped()) {
                let runner = match first_runner.take() {
                    Some(runner) => runner,
                    None => {
                        supply.stock_up();
                        let runner = self.open_runner(part).await?;
                        start = Instant::now();
                        runner
                    }
                };
                self.perform(part, supply, runner, start).await?;
            }
            first_runner = None;
            self.local.client_done(part.assignment.task);
        }
        Ok(())
    }

    fn part(&self, assignment: Assignment) -> Part<'a> {
        let shared = &self.local.shared;
        let planned = &shared.step().tasks[assignment.task];
        let partition =
            Partition::of(shared.race.plan.seed, planned.lap, &planned.task, assignment.client_index);
        Part {
            planned,
            binding: &shared.race.bindings[planned.id],
            assignment,
            partition,
            extent: planned.extent.share(assignment.client_index, planned.task.clients),
        }
    }

    /// Opens all sources of this client, also of the tasks that come later: what is wrong with them is found now.
    async fn open_supplies(&self, parts: &[Part<'a>]) -> Result<Vec<Option<Supply>>, RaceError> {
        let open = |(index, part): (usize, &Part<'a>)| {
            if part.extent.is_empty() {
                return None;
            }
            let SourceBinding::Ahead(source) = &part.binding.params else { return None };
            let (reply, answer) = oneshot::channel();
            let opening = Opening {
                source: Arc::clone(source),
                partition: part.partition,
                capacity: part.capacity(),
                stock: if index == 0 { Stock::Ample } else { Stock::Scant },
                reply,
            };
            self.local.shared.generators.open(self.row, opening);
            Some(answer)
        };
        let answers: Vec<_> = parts.iter().enumerate().map(open).collect();
        let mut supplies = Vec::with_capacity(parts.len());
        for (part, answer) in parts.iter().zip(answers) {
            let Some(answer) = answer else {
                supplies.push(None);
                continue;
            };
            let opened = answer.await.unwrap_or_else(|_| Err("the generator thread is gone".into()));
            let supply = opened.map_err(|source| RaceError::OpenParamSource {
                task: part.planned.task.name.clone(),
                client: part.partition.index,
                source,
            })?;
            supplies.push(Some(supply));
        }
        Ok(supplies)
    }

    async fn open_runner(&self, part: &Part<'a>) -> Result<Box<dyn Runner>, RaceError> {
        part.binding.runner.open(part.partition).await.map_err(|source| RaceError::OpenRunner {
            task: part.planned.task.name.clone(),
            client: part.partition.index,
            source,
        })
    }

    fn stopped(&self) -> bool {
        self.local.shared.stopped()
    }

    /// Performs the client's part in a task; due times count from `start`.
    async fn perform(
        &self,
        part: &Part<'a>,
        mut supply: Supply,
        mut runner: Box<dyn Runner>,
        start: Instant,
    ) -> Result<(), RaceError> {
        let task = part.assignment.task;
        let place = self.local.client_starts(task, start);
        let mut schedule = part.schedule(self.local.shared.race.plan.timing, supply.size)?;
        let timer = &self.local.timer;
        let stopped = || self.stopped();
        timer.sleep_until(self.slot, start, stopped).await;
        let mut elapsed = 0.0;
        let mut free_since = start;
        while !stopped() {
            let Some(scheduled) = schedule.next(elapsed).map_err(|cause| part.scheduler_failed(cause))?
            else {
                break;
            };
            self.local.progress(task, place, scheduled.fraction);
            let due = match scheduled.due {
                Some(seconds) => {
                    Some(due_time(start, seconds).map_err(|cause| part.scheduler_failed(cause))?)
                }
                None => None,
            };
            let mut taken = supply.take().map_err(|cause| part.source_failed(cause))?;
            if matches!(taken, Taken::Ended) {
                break;
            }
            if let Some(due) = due {
                timer.sleep_until(self.slot, due, stopped).await;
                if stopped() {
                    break;
                }
            }
            if matches!(taken, Taken::NotYet) {
                taken = supply.take().map_err(|cause| part.source_failed(cause))?;
            }
            if matches!(taken, Taken::NotYet) {
                taken = supply
                    .wait(timer, self.slot, stopped)
                    .await
                    .map_err(|cause| part.source_failed(cause))?;
                if matches!(taken, Taken::Next(_)) {
                    self.local.with_recorder(task, |recorder| recorder.stall());
                }
            }
            let made = if let Taken::Next(params) = taken { Some(params) } else { None };
            let Some(params) = made.as_ref().or(supply.same()) else { break };
            let before = Instant::now();
            let outcome = runner.run(params).await.map_err(|cause| part.runner_failed(cause))?;
            let after = Instant::now();
            let processing = after - before;
            let measured = Measured {
                sample_type: scheduled.sample_type,
                due,
                free_since,
                processing,
                outcome: &outcome,
            };
            self.local.with_recorder(task, |recorder| recorder.record(&measured));
            free_since = outcome.received;
            elapsed = (after - start).as_secs_f64();
            schedule.after_request(&Finished {
                started: (before - start).as_secs_f64(),
                finished: elapsed,
                weight: outcome.weight,
                unit: outcome.unit,
                success: outcome.failure.is_none(),
                meta: outcome.meta.as_deref(),
            });
            self.judge(part, outcome)?;
            timer.wake_due(after);
            // A runner that never waits must not keep the thread for itself.
            consume_budget().await;
        }
        self.local.progress(task, place, Some(1.0));
        Ok(())
    }

    /// Whether the race can go on after this request.
    fn judge(&self, part: &Part<'a>, outcome: Outcome) -> Result<(), RaceError> {
        let Some(failure) = outcome.failure else { return Ok(()) };
        let task = || part.planned.task.name.clone();
        match (failure.kind, self.local.shared.race.plan.on_error) {
            (FailureKind::Refused, _) => Err(RaceError::TargetGone { task: task(), failure }),
            (_, OnError::Abort) => Err(RaceError::RequestFailed { task: task(), failure }),
            (_, OnError::Continue) => Ok(()),
        }
    }
}

impl Part<'_> {
    fn schedule(&self, timing: Timing, size: Option<u64>) -> Result<ClientSchedule, RaceError> {
        let task = &self.planned.task;
        let scheduler = match &self.binding.scheduler {
            SchedulerBinding::Own(factory) => factory.open(task, self.partition).map(Some),
            SchedulerBinding::BuiltIn => built_in_scheduler(task, timing, self.partition),
            SchedulerBinding::InTurn(_) => Err("schedulers in turn are not known yet".into()),
        };
        let scheduler = scheduler.map_err(|cause| self.scheduler_failed(cause))?;
        Ok(ClientSchedule::new(self.extent, timing, scheduler, size))
    }

    /// How many requests to keep ready: enough for [`STOCK_SECONDS`].
    fn capacity(&self) -> usize {
        let task = &self.planned.task;
        let rate = task.target.map_or(FASTEST_DRIVER, |target| target.requests_per_second());
        let requests = STOCK_SECONDS * rate / f64::from(task.clients.max(1));
        requests.clamp(CAPACITY.0, CAPACITY.1).ceil() as usize
    }

    fn scheduler_failed(&self, source: Cause) -> RaceError {
        RaceError::Scheduler { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }

    fn runner_failed(&self, source: Cause) -> RaceError {
        RaceError::Runner { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }

    fn source_failed(&self, source: Cause) -> RaceError {
        RaceError::ParamSource { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }
}

fn due_time(start: Instant, seconds: f64) -> Result<Instant, Cause> {
    let after = Duration::try_from_secs_f64(seconds)?;
    start.checked_add(after).ok_or_else(|| format!("{seconds} seconds is no due time").into())
}
