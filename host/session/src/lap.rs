//! Follows a race: adds up what is measured, keeps it, reports it, and prepares each lap.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rally_cluster::{Cluster, HealthExpectation, LapTelemetry, prepare_lap};
use rally_race::{
    Cancel, Cause, DriverLoad, Observer, PlannedTask, RaceError, RaceEvent, RacePlan, Recording, Step,
    TaskProgress,
};
use rally_results::{Collector, HistogramLog, headline};
use rally_track::{Challenge, Track};

use crate::error::chain;
use crate::observer::SessionEvent;
use crate::session::{Session, cancelled};

/// The histogram log gets an interval this often.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Where preparing the target takes longer, the user is told what is waited for.
const LONG_PREPARATION: Duration = Duration::from_secs(3);

/// How long the target's own figures are waited for after Ctrl-C: a few times what a busy one takes.
const LAST_WORD: Duration = Duration::from_secs(3);

/// What an observer needs to prepare laps.
pub(crate) struct LapContext<'a> {
    /// The session that races.
    pub(crate) session: &'a Session<'a>,
    /// The target.
    pub(crate) cluster: &'a Cluster,
    /// What is raced.
    pub(crate) track: &'a Track,
    /// The way it is raced.
    pub(crate) challenge: &'a Challenge,
    /// How healthy the target must be.
    pub(crate) health: HealthExpectation,
}

/// Follows one race.
pub(crate) struct RaceFollower<'a> {
    context: LapContext<'a>,
    collector: Collector,
    log: Option<HistogramLog>,
    logged: Instant,
    began: Instant,
    tasks: BTreeMap<usize, TaskInRace>,
    steps: Vec<Vec<usize>>,
    lap: u32,
    telemetry: Option<LapTelemetry>,
    laps: u32,
}

/// What the observer has to remember of a task.
struct TaskInRace {
    name: String,
    lap: u32,
}

impl<'a> RaceFollower<'a> {
    /// For one race of this plan.
    pub(crate) fn new(context: LapContext<'a>, plan: &RacePlan, log: HistogramLog) -> RaceFollower<'a> {
        let tasks = plan
            .tasks()
            .map(|planned| (planned.id, TaskInRace { name: planned.task.name.clone(), lap: planned.lap }))
            .collect();
        RaceFollower {
            context,
            collector: Collector::for_plan(plan),
            log: Some(log),
            logged: Instant::now(),
            began: Instant::now(),
            tasks,
            steps: plan.steps.iter().map(|step| step.tasks.iter().map(|task| task.id).collect()).collect(),
            lap: 0,
            telemetry: None,
            laps: plan.steps.last().map_or(1, |step| step.lap()),
        }
    }

    /// Asks the target for its own figures of the lap that ends.
    pub(crate) fn end_lap(&mut self) {
        let Some(telemetry) = self.telemetry.take() else { return };
        let finish = telemetry.finish(self.context.cluster);
        let context = &self.context;
        let finished = context.session.runtime().block_on(async {
            tokio::select! {
                biased;
                metrics = finish => Some(metrics),
                // Who has given up does not wait for a target that has nothing to say any more.
                () = patience(context.session.cancel) => None,
            }
        });
        let Some(figures) = finished else {
            let missing =
                "the target returned no statistics in time; the report lacks the rows that need them";
            self.warn(missing);
            self.collector.miss(missing);
            return;
        };
        self.collector.add_metrics(self.lap, figures.metrics);
        for problem in &figures.problems {
            self.collector.miss(chain(problem));
        }
    }

    /// What was measured.
    pub(crate) fn into_collector(self) -> Collector {
        self.collector
    }

    fn say(&self, event: SessionEvent<'_>) {
        self.context.session.observer.event(event);
    }

    fn warn(&self, warning: &str) {
        self.say(SessionEvent::Warning(&warning));
    }

    /// Writes what is left of the histogram log.
    pub(crate) fn close_log(&mut self) {
        self.write_log();
        self.log = None;
    }

    fn write_log(&mut self) {
        self.logged = Instant::now();
        let Some(log) = &mut self.log else { return };
        if let Err(error) = log.write_interval(self.began.elapsed()) {
            self.warn(&chain(&error));
            self.log = None;
        }
    }

    fn recorded(&mut self, id: usize, recording: &Recording) {
        self.say(SessionEvent::Recorded { task: id, recording });
        if let Err(error) = self.collector.add(id, recording) {
            self.warn(&chain(&error));
        }
        let Some(task) = self.tasks.get(&id) else { return };
        if let Some(log) = &mut self.log {
            log.add(task.lap, &task.name, recording);
        }
        if self.logged.elapsed() >= LOG_INTERVAL {
            self.write_log();
        }
    }

    fn failed(&mut self, id: usize, error: &RaceError) {
        let reason = chain(error);
        self.say(SessionEvent::TaskFailed { task: id, reason: headline(&reason).as_str() });
        if let Err(error) = self.collector.fail(id, reason) {
            self.warn(&chain(&error));
        }
    }

    fn finished(&mut self, id: usize, load: DriverLoad) {
        let stopped = self.context.session.cancel.is_cancelled();
        self.say(SessionEvent::TaskFinished { task: id, stopped });
        // The collector comes to its verdict about the driver by itself: it has the lag and the stalls.
        if let Err(error) = self.collector.finish(id, load) {
            self.warn(&chain(&error));
        }
    }
}

impl Observer for RaceFollower<'_> {
    fn before_lap(&mut self, lap: u32) -> Result<(), Cause> {
        self.end_lap();
        self.lap = lap;
        if self.laps > 1 {
            self.say(SessionEvent::Lap { lap, laps: self.laps });
        }
        let context = &self.context;
        let prepared = async {
            prepare_lap(context.cluster, context.track, context.challenge, &context.health).await?;
            Ok::<_, Cause>(LapTelemetry::start(context.cluster).await)
        };
        let takes_long = async {
            tokio::time::sleep(LONG_PREPARATION).await;
            self.say(SessionEvent::PreparingTarget { health: context.health.health });
            std::future::pending::<()>().await;
        };
        self.telemetry = context.session.runtime().block_on(async {
            tokio::select! {
                prepared = prepared => prepared.map(Some),
                // The race sees by itself that it is cancelled.
                () = cancelled(context.session.cancel) => Ok(None),
                () = takes_long => Ok(None),
            }
        })?;
        for problem in self.telemetry.iter().flat_map(|telemetry| telemetry.problems()) {
            self.warn(&chain(problem));
        }
        Ok(())
    }

    fn before_step(&mut self, _index: usize, step: &Step) -> Result<(), Cause> {
        let forgotten =
            |task: &PlannedTask| LapTelemetry::is_forgotten_after(&task.task.operation.operation_type);
        if let Some(telemetry) = self.telemetry.as_mut().filter(|_| step.tasks.iter().any(forgotten)) {
            let context = &self.context;
            context.session.runtime().block_on(async {
                tokio::select! {
                    () = telemetry.sample(context.cluster) => {}
                    () = patience(context.session.cancel) => {}
                }
            });
        }
        Ok(())
    }

    fn event(&mut self, event: RaceEvent) {
        match event {
            RaceEvent::StepStarted { step, .. } => {
                for id in self.steps.get(step).cloned().unwrap_or_default() {
                    if let Some(task) = self.tasks.get(&id) {
                        self.say(SessionEvent::TaskStarted { task: id, name: &task.name });
                    }
                }
            }
            RaceEvent::TaskProgress(progress) => {
                let TaskProgress { task, fraction, remaining, .. } = progress;
                self.say(SessionEvent::TaskAdvanced { task, fraction, remaining });
            }
            RaceEvent::TaskFailed { task, error } => self.failed(task, &error),
            RaceEvent::Recording { task, recording } => self.recorded(task, &recording),
            RaceEvent::TaskFinished { task, load, .. } => self.finished(task, load),
            RaceEvent::StepFinished { .. } => {}
        }
    }
}

/// Completes a little after the race was cancelled.
async fn patience(cancel: &Cancel) {
    cancelled(cancel).await;
    tokio::time::sleep(LAST_WORD).await;
}
