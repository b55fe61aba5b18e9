//! Follows a race: adds up what is measured, keeps it, shows it, and prepares each lap.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rally_cluster::{Cluster, HealthExpectation, LapTelemetry, prepare_lap};
use rally_race::{
    Cancel, Cause, DriverLoad, Observer, PlannedTask, RaceError, RaceEvent, RacePlan, Recording, Step,
};
use rally_results::{Collector, HistogramLog, headline};
use rally_track::{Challenge, Track};
use tokio::runtime::Runtime;

use crate::ending::chain;
use crate::progress::ProgressBoard;

/// The histogram log gets an interval this often.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// Where preparing the target takes longer, the user is told what is waited for.
const LONG_PREPARATION: Duration = Duration::from_secs(3);

/// How long the target's own figures are waited for after Ctrl-C: a few times what a busy one takes.
const LAST_WORD: Duration = Duration::from_secs(3);

/// What an observer needs to prepare laps.
pub struct LapContext<'a> {
    /// Runs the calls to the target.
    pub runtime: &'a Runtime,
    /// The target.
    pub cluster: &'a Cluster,
    /// What is raced.
    pub track: &'a Track,
    /// The way it is raced.
    pub challenge: &'a Challenge,
    /// How healthy the target must be.
    pub health: HealthExpectation,
    /// Whether the user has given up.
    pub cancel: &'a Cancel,
}

/// The observer of a race from the command line.
pub struct RaceObserver<'a> {
    context: LapContext<'a>,
    pub board: ProgressBoard,
    pub collector: Collector,
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

impl<'a> RaceObserver<'a> {
    /// For one race of this plan.
    pub fn new(
        context: LapContext<'a>,
        plan: &RacePlan,
        board: ProgressBoard,
        log: HistogramLog,
    ) -> RaceObserver<'a> {
        let tasks = plan
            .tasks()
            .map(|planned| (planned.id, TaskInRace { name: planned.task.name.clone(), lap: planned.lap }))
            .collect();
        RaceObserver {
            context,
            board,
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
    pub fn end_lap(&mut self) {
        let Some(telemetry) = self.telemetry.take() else { return };
        let finish = telemetry.finish(self.context.cluster);
        let context = &self.context;
        let finished = context.runtime.block_on(async {
            tokio::select! {
                biased;
                metrics = finish => Some(metrics),
                // Who has given up does not wait for a target that has nothing to say any more.
                () = patience(context.cancel) => None,
            }
        });
        let Some(figures) = finished else {
            let missing = "the target gives no statistics in time; the report lacks the rows that need them";
            self.board.warn(missing);
            self.collector.miss(missing);
            return;
        };
        self.collector.add_metrics(self.lap, figures.metrics);
        for problem in &figures.problems {
            self.collector.miss(chain(problem));
        }
    }

    /// Writes what is left of the histogram log.
    pub fn close_log(&mut self) {
        self.write_log();
        self.log = None;
    }

    fn write_log(&mut self) {
        self.logged = Instant::now();
        let Some(log) = &mut self.log else { return };
        if let Err(error) = log.write_interval(self.began.elapsed()) {
            self.board.warn(chain(&error));
            self.log = None;
        }
    }

    fn recorded(&mut self, id: usize, recording: &Recording) {
        self.board.recorded(id, recording);
        if let Err(error) = self.collector.add(id, recording) {
            self.board.warn(chain(&error));
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
        self.board.failed(id, headline(&reason).as_str());
        if let Err(error) = self.collector.fail(id, reason) {
            self.board.warn(chain(&error));
        }
    }

    fn finished(&mut self, id: usize, load: DriverLoad) {
        self.board.finished(id, self.context.cancel.is_cancelled());
        // The collector comes to its verdict about the driver by itself: it has the lag and the stalls.
        if let Err(error) = self.collector.finish(id, load) {
            self.board.warn(chain(&error));
        }
    }
}

impl Observer for RaceObserver<'_> {
    fn before_lap(&mut self, lap: u32) -> Result<(), Cause> {
        self.end_lap();
        self.lap = lap;
        if self.laps > 1 {
            self.board.say(&format!("Lap {lap} of {}", self.laps));
        }
        let context = &self.context;
        let prepared = async {
            prepare_lap(context.cluster, context.track, context.challenge, &context.health).await?;
            Ok::<_, Cause>(LapTelemetry::start(context.cluster).await)
        };
        let board = &self.board;
        let takes_long = async {
            tokio::time::sleep(LONG_PREPARATION).await;
            board.say(&format!(
                "The target is still being prepared: indices are created, then its health must be {} ...",
                context.health.health
            ));
            std::future::pending::<()>().await;
        };
        self.telemetry = context.runtime.block_on(async {
            tokio::select! {
                prepared = prepared => prepared.map(Some),
                // The race sees by itself that it is cancelled.
                () = cancelled(context.cancel) => Ok(None),
                () = takes_long => Ok(None),
            }
        })?;
        for problem in self.telemetry.iter().flat_map(|telemetry| telemetry.problems()) {
            self.board.warn(chain(problem));
        }
        Ok(())
    }

    fn before_step(&mut self, _index: usize, step: &Step) -> Result<(), Cause> {
        let forgotten =
            |task: &PlannedTask| LapTelemetry::is_forgotten_after(&task.task.operation.operation_type);
        if let Some(telemetry) = self.telemetry.as_mut().filter(|_| step.tasks.iter().any(forgotten)) {
            let context = &self.context;
            context.runtime.block_on(async {
                tokio::select! {
                    () = telemetry.sample(context.cluster) => {}
                    () = patience(context.cancel) => {}
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
                        self.board.started(id, &task.name);
                    }
                }
            }
            RaceEvent::TaskProgress(progress) => {
                self.board.advanced(progress.task, progress.fraction, progress.remaining);
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

/// Completes when the race is cancelled.
pub async fn cancelled(cancel: &Cancel) {
    while !cancel.is_cancelled() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
