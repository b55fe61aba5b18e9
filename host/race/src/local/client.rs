//! One client: waits for its due times, performs the requests, measures them.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::coop::consume_budget;

use crate::error::RaceError;
use crate::figures::RanOut;
use crate::local::generator::{self, Stock};
use crate::local::recorder::Measured;
use crate::local::step::LocalStep;
use crate::local::supply::{Requests, Supply, Taken};
use crate::local::timer::Slot;
use crate::plan::{Assignment, Extent, OnError, PlannedTask, RacePlan};
use crate::recording::SampleType;
use crate::schedule::{ClientSchedule, DueTimes};
use crate::schedulers::built_in_due_times;
use crate::seams::{
    Binding, Cause, FailureKind, Finished, InTurnSource, Outcome, ParamSourceFactory, Partition, Runner,
    SchedulerBinding, SourceBinding,
};

/// All requests per second that a machine may be expected to prepare for, over all unthrottled clients.
const FASTEST_DRIVER: f64 = 200_000.0;

/// A full ring holds requests for this number of seconds; half of that when it asks for more. Half-empty rings of 50 ms
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

/// A part that is ready to be performed, but for its runner.
struct Opened {
    requests: Requests,
    schedule: ClientSchedule,
}

/// The source of a part while it is opened.
enum Opening {
    /// The client has nothing to do in this part.
    Idle,
    /// A generator thread is at it.
    Awaited(oneshot::Receiver<Result<Supply, Cause>>),
    Done(Box<dyn InTurnSource>),
}

impl<'a> Client<'a> {
    async fn run(&self) -> Result<(), RaceError> {
        let parts: Vec<Part<'a>> = self.local.shared.step().clients[self.row]
            .iter()
            .map(|assignment| self.part(*assignment))
            .collect();
        let mut opened = self.open_parts(&parts).await?;
        // The first connection is made before the common start. Later ones wait for their turn: idle ones would be closed.
        let mut first_runner = match parts.first() {
            Some(part) if !part.extent.is_empty() => Some(self.open_runner(part).await?),
            _ => None,
        };
        self.local.shared.client_ready();
        let Some(step_start) = self.local.started(self.slot).await else { return Ok(()) };
        let mut start = step_start;
        for (number, (part, opened)) in parts.iter().zip(&mut opened).enumerate() {
            let task = part.assignment.task;
            let ramp_up = if number == 0 { self.ramp_up(part) } else { Duration::ZERO };
            if let (Some(mut opened), false) = (opened.take(), self.local.shared.task_stopped(task)) {
                let runner = match first_runner.take() {
                    Some(runner) => runner,
                    None => {
                        if let Some(supply) = opened.requests.ahead() {
                            supply.stock_up();
                        }
                        let runner = self.open_runner(part).await?;
                        start = Instant::now();
                        runner
                    }
                };
                match self.perform(part, opened, runner, start, ramp_up).await {
                    Err(error) if error.concerns_one_task() => self.local.shared.fail_task(task, error),
                    performed => performed?,
                }
            }
            first_runner = None;
            self.local.client_done(task);
        }
        Ok(())
    }

    /// How long after the step's start this client starts: the clients of the element do one after the other. Those that have
    /// a second task to do are all at work by then.
    fn ramp_up(&self, part: &Part<'a>) -> Duration {
        let clients = self.local.shared.step().clients.len().max(1);
        let period = part.planned.task.ramp_up_time_period.unwrap_or(0.0);
        // `RacePlan::new` has rejected invalid times.
        Duration::try_from_secs_f64(period * self.row as f64 / clients as f64).unwrap_or_default()
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

    /// Opens the sources and schedulers of this client, also of the tasks that come later: what is wrong with them is found
    /// now.
    async fn open_parts(&self, parts: &[Part<'a>]) -> Result<Vec<Option<Opened>>, RaceError> {
        let mut supplies = Vec::with_capacity(parts.len());
        for (index, part) in parts.iter().enumerate() {
            supplies.push(match &part.binding.params {
                _ if part.extent.is_empty() => Opening::Idle,
                SourceBinding::Ahead(source) => Opening::Awaited(self.ask_for_ring(index, part, source)),
                SourceBinding::InTurn(source) => {
                    let opened = source.open(part.partition).await;
                    Opening::Done(opened.map_err(|cause| part.source_not_opened(cause))?)
                }
            });
        }
        let mut all = Vec::with_capacity(parts.len());
        for (part, opening) in parts.iter().zip(supplies) {
            let requests = match opening {
                Opening::Idle => {
                    all.push(None);
                    continue;
                }
                Opening::Done(source) => Requests::InTurn(source),
                Opening::Awaited(answer) => {
                    let opened = answer.await.unwrap_or_else(|_| Err("the generator thread is gone".into()));
                    Requests::Ahead(opened.map_err(|cause| part.source_not_opened(cause))?)
                }
            };
            let schedule = part.schedule(&self.local.shared.race.plan, &requests).await?;
            all.push(Some(Opened { requests, schedule }));
        }
        Ok(all)
    }

    /// Has a generator thread open the source of the part that is this client's number `index`.
    fn ask_for_ring(
        &self,
        index: usize,
        part: &Part<'a>,
        source: &Arc<dyn ParamSourceFactory>,
    ) -> oneshot::Receiver<Result<Supply, Cause>> {
        let (reply, answer) = oneshot::channel();
        let opening = generator::Opening {
            source: Arc::clone(source),
            partition: part.partition,
            capacity: part.capacity(),
            stock: if index == 0 { Stock::Ample } else { Stock::Scant },
            reply,
        };
        self.local.shared.generators.open(self.row, opening);
        answer
    }

    async fn open_runner(&self, part: &Part<'a>) -> Result<Box<dyn Runner>, RaceError> {
        part.binding.runner.open(part.partition).await.map_err(|source| RaceError::OpenRunner {
            task: part.planned.task.name.clone(),
            client: part.partition.index,
            source,
        })
    }

    /// Performs the client's part in a task. The time of the task counts from `start`, as for all its clients; due times count
    /// from when the client itself starts, `ramp_up` later.
    async fn perform(
        &self,
        part: &Part<'a>,
        opened: Opened,
        mut runner: Box<dyn Runner>,
        start: Instant,
        ramp_up: Duration,
    ) -> Result<(), RaceError> {
        let Opened { mut requests, mut schedule } = opened;
        let task = part.assignment.task;
        let place = self.local.client_starts(task, start);
        let completes_task = part.binding.runner.completes_task();
        let in_turn = matches!(requests, Requests::InTurn(_));
        let timer = &self.local.timer;
        let stopped = || self.local.shared.task_stopped(task);
        let own_start = start + ramp_up;
        timer.sleep_until(self.slot, own_start, stopped).await;
        let mut elapsed = ramp_up.as_secs_f64();
        let mut free_since = own_start;
        // How far the runner says that it is.
        let mut said = None;
        while !stopped() {
            let next = schedule.next(elapsed).await.map_err(|cause| part.scheduler_failed(cause))?;
            let Some(scheduled) = next else { break };
            self.local.progress(task, place, said.or(scheduled.fraction));
            let due = match scheduled.due {
                Some(seconds) => {
                    Some(due_time(own_start, seconds).map_err(|cause| part.scheduler_failed(cause))?)
                }
                None => None,
            };
            let mut taken = requests.next().await.map_err(|cause| part.source_failed(cause))?;
            if let (Some(due), false) = (due, matches!(taken, Taken::Ended)) {
                timer.sleep_until(self.slot, due, stopped).await;
            }
            if (due.is_some() || in_turn) && stopped() {
                break;
            }
            if let (Taken::NotYet, Some(supply)) = (&taken, requests.ahead()) {
                taken = self.overdue(task, supply).await.map_err(|cause| part.source_failed(cause))?;
            }
            let made = match taken {
                Taken::Next(params) => Some(params),
                Taken::Same => None,
                Taken::NotYet => break,
                Taken::Ended => {
                    self.ran_out(part, elapsed);
                    break;
                }
            };
            let Some(params) = made.as_ref().or(requests.same()) else { break };
            let before = Instant::now();
            let outcome = runner.run(params).await;
            let after = Instant::now();
            let outcome = outcome.map_err(|cause| part.runner_failed(cause))?;
            plausible(&outcome).map_err(|cause| part.runner_failed(cause))?;
            let measured = Measured {
                sample_type: scheduled.sample_type,
                due,
                free_since,
                processing: after - before,
                outcome: &outcome,
            };
            self.local.with_recorder(task, |recorder| recorder.record(&measured));
            free_since = outcome.received;
            elapsed = (after - start).as_secs_f64();
            let finished = || Finished {
                started: (before - own_start).as_secs_f64(),
                finished: (after - own_start).as_secs_f64(),
                weight: outcome.weight,
                unit: &outcome.unit,
                success: outcome.failure.is_none(),
                meta: outcome.meta.as_deref(),
            };
            schedule
                .after_request(finished)
                .map_err(|source| RaceError::Unit { task: part.planned.task.name.clone(), source })?;
            if let (SampleType::Normal, Some(interval)) = (scheduled.sample_type, schedule.mean_interval()) {
                self.local.with_recorder(task, |recorder| recorder.fills(interval));
            }
            self.judge(part, outcome)?;
            if completes_task && let Some(progress) = runner.progress() {
                if progress.completed {
                    break;
                }
                said = progress.fraction.filter(|fraction| (0.0..=1.0).contains(fraction));
            }
            timer.wake_due(after);
            // A runner that never waits must not keep the thread for itself.
            consume_budget().await;
        }
        self.local.progress(task, place, Some(1.0));
        Ok(())
    }

    /// The request that is due now and was not made before the wait for that; waits for it if need be.
    async fn overdue(&self, task: usize, supply: &mut Supply) -> Result<Taken, Cause> {
        let taken = supply.take()?;
        if !matches!(taken, Taken::NotYet) {
            return Ok(taken);
        }
        let stopped = || self.local.shared.task_stopped(task);
        let taken = supply.wait(&self.local.timer, self.slot, stopped).await?;
        if matches!(taken, Taken::Next(_)) {
            self.local.with_recorder(task, |recorder| recorder.stall());
        }
        Ok(taken)
    }

    /// The parameters of a client have run out. Where time decides how long its task runs, that is worth a word.
    fn ran_out(&self, part: &Part<'a>, elapsed: f64) {
        if let Extent::Time { warmup, measured: Some(measured) } = part.extent {
            let early = RanOut { clients: 1, first: elapsed, last: elapsed, planned: warmup + measured };
            self.local.with_recorder(part.assignment.task, |recorder| recorder.ran_out(early));
        }
    }

    /// Whether the race can go on after this request.
    fn judge(&self, part: &Part<'a>, outcome: Outcome) -> Result<(), RaceError> {
        let Some(failure) = outcome.failure else { return Ok(()) };
        let task = || part.planned.task.name.clone();
        match (failure.kind, self.local.shared.race.plan.on_error.for_task(&part.planned.task)) {
            (_, OnError::ContinueOnNetwork) => Ok(()),
            (FailureKind::Refused, _) => Err(RaceError::TargetGone { task: task(), failure }),
            (_, OnError::Abort) if self.local.shared.race.plan.on_error == OnError::AbortOnPreparation => {
                Err(RaceError::PreparationFailed { task: task(), failure })
            }
            (_, OnError::Abort) => Err(RaceError::RequestFailed { task: task(), failure }),
            (_, OnError::Continue | OnError::AbortOnPreparation) => Ok(()),
        }
    }
}

impl Part<'_> {
    async fn schedule(&self, plan: &RacePlan, requests: &Requests) -> Result<ClientSchedule, RaceError> {
        let task = &self.planned.task;
        let due_times = match &self.binding.scheduler {
            SchedulerBinding::BuiltIn => {
                let documents = requests.documents();
                built_in_due_times(plan.dialect, task, plan.timing, self.partition, documents)
            }
            SchedulerBinding::Own(factory) => factory.open(task, self.partition).map(DueTimes::AtOnce),
            SchedulerBinding::InTurn(factory) => {
                factory.open(task, self.partition).await.map(DueTimes::InTurn)
            }
        };
        let due_times = due_times.map_err(|cause| self.scheduler_failed(cause))?;
        Ok(ClientSchedule::new(self.extent, plan.timing, due_times, requests.size()))
    }

    /// How many requests to keep ready: enough for [`STOCK_SECONDS`].
    fn capacity(&self) -> usize {
        let task = &self.planned.task;
        let rate = task.target.as_ref().map_or(FASTEST_DRIVER, rally_track::Target::per_second);
        let requests = STOCK_SECONDS * rate / f64::from(task.clients.max(1));
        requests.clamp(CAPACITY.0, CAPACITY.1).ceil() as usize
    }

    fn scheduler_failed(&self, source: Cause) -> RaceError {
        RaceError::Scheduler { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }

    fn source_not_opened(&self, source: Cause) -> RaceError {
        RaceError::OpenParamSource {
            task: self.planned.task.name.clone(),
            client: self.partition.index,
            source,
        }
    }

    fn runner_failed(&self, source: Cause) -> RaceError {
        RaceError::Runner { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }

    fn source_failed(&self, source: Cause) -> RaceError {
        RaceError::ParamSource { task: self.planned.task.name.clone(), client: self.partition.index, source }
    }
}

/// Refuses what would spoil the sums of a whole task, whatever the runner says.
fn plausible(outcome: &Outcome) -> Result<(), Cause> {
    let amount = |value: f64| value.is_finite() && value >= 0.0;
    let Outcome { weight, throughput, unit, .. } = outcome;
    if !amount(*weight) {
        let problem = format!("it says that a request did {weight} {unit} of work");
        return Err(format!("{problem}; that must be a finite number, 0 or more").into());
    }
    match throughput {
        Some(throughput) if !amount(*throughput) => {
            let problem = format!("it says that the throughput is {throughput} {unit}/s");
            Err(format!("{problem}; that must be a finite number, 0 or more").into())
        }
        _ => Ok(()),
    }
}

fn due_time(start: Instant, seconds: f64) -> Result<Instant, Cause> {
    let after = Duration::try_from_secs_f64(seconds)?;
    start.checked_add(after).ok_or_else(|| format!("{seconds} seconds is no due time").into())
}
