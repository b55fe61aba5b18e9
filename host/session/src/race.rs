//! The third phase, the race itself, and the fourth, its record.

use std::time::SystemTime;

use rally_cluster::HealthExpectation;
use rally_race::{EndReason, LoadDriver, RaceEnd, run_on};
use rally_results::{Compat, RaceFolder, RaceRecord, RaceStatus, RaceStore, Summary};

use crate::bind::ReadyRace;
use crate::driver::driver_race;
use crate::error::{SessionError, TasksFailed};
use crate::lap::{LapContext, RaceFollower};
use crate::observer::{Introduction, SessionEvent};
use crate::prepare::RaceSource;
use crate::record::begin;
use crate::session::Session;
use crate::target::RunningTarget;

/// The user ended the race.
#[derive(Debug, thiserror::Error)]
#[error("the race was interrupted; the report has the figures until then")]
struct Interrupted;

/// All tasks were run, and some of them got nothing done.
#[derive(Debug, thiserror::Error)]
#[error("no request of '{}' succeeded; see the report for the causes", .0.join("', '"))]
struct NothingSucceeded(Vec<String>);

impl NothingSucceeded {
    fn of(tasks: Vec<String>) -> Result<(), SessionError> {
        match tasks.is_empty() {
            true => Ok(()),
            false => Err(SessionError::failure(NothingSucceeded(tasks))),
        }
    }
}

/// A race that is over, not yet recorded. The report comes first: a full disk must not keep it from the user.
///
/// Fields are dropped in this order: the target stops, then the files of the track go.
pub struct FinishedRace {
    summary: Summary,
    compat: Option<Compat>,
    end: Result<(), SessionError>,
    record: RaceRecord,
    folder: RaceFolder,
    target: RunningTarget,
    source: RaceSource,
}

impl FinishedRace {
    /// What was measured.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What is kept of it.
    pub fn race_record(&self) -> &RaceRecord {
        &self.record
    }

    /// Whose definitions the specification asks for.
    pub fn compat(&self) -> Option<Compat> {
        self.compat
    }
}

/// How a race and its record ended.
pub struct RecordedRace {
    /// What was measured.
    pub summary: Summary,
    /// What was kept of it.
    pub record: RaceRecord,
    /// How the race ended.
    pub end: Result<(), SessionError>,
    /// Whether its record could be written.
    pub kept: Result<(), SessionError>,
}

/// Races: begins the record, runs all steps on `driver`, and asks the target for its own figures.
///
/// # Errors
/// Where the race did not begin: its record cannot be written. How a race that began has ended is in the result.
pub fn race(
    session: &Session<'_>,
    ready: ReadyRace,
    driver: &mut dyn LoadDriver,
) -> Result<FinishedRace, SessionError> {
    let for_driver = driver_race(&ready, &session.credentials)?;
    let record = begin(&ready);
    let store = RaceStore::new(session.home.races());
    let folder = store.create(&record).map_err(SessionError::failure)?;
    let log = folder.histogram_log(SystemTime::now()).map_err(SessionError::failure)?;
    session.observer.event(SessionEvent::RaceStarts(&introduction(&ready, &record, &folder)));
    let ReadyRace { race, spec, track, challenge, health, target, source, .. } = ready;
    let context = LapContext {
        session,
        cluster: &target.cluster,
        track: &track,
        challenge: &challenge,
        health: HealthExpectation { health, ..HealthExpectation::default() },
    };
    let plan = race.plan.clone();
    let mut follower = RaceFollower::new(context, &plan, log);
    driver.provide(race);
    let end = run_on(&plan, for_driver, driver, &mut follower, session.cancel);
    session.observer.event(SessionEvent::RaceOver);
    follower.end_lap();
    follower.close_log();
    let (status, end) = ended(end);
    let summary = follower.into_collector().summary(status);
    let end = end.and_then(|()| NothingSucceeded::of(summary.tasks_without_success()));
    Ok(FinishedRace { summary, compat: spec.compat, end, record, folder, target, source }.taken_in())
}

fn introduction(ready: &ReadyRace, record: &RaceRecord, folder: &RaceFolder) -> Introduction {
    Introduction {
        track: ready.track.name.clone(),
        challenge: ready.challenge.name.clone(),
        target: ready.target.description.clone(),
        seed: ready.spec.seed,
        race_id: record.race_id.clone(),
        folder: folder.path().to_owned(),
    }
}

fn ended(end: RaceEnd) -> (RaceStatus, Result<(), SessionError>) {
    match end.reason {
        EndReason::Completed => match TasksFailed::of(&end.failed_tasks) {
            None => (RaceStatus::Complete, Ok(())),
            Some(failed) => (RaceStatus::TasksFailed, Err(SessionError::failure(failed))),
        },
        EndReason::Cancelled => (RaceStatus::Interrupted, Err(SessionError::interrupted(Interrupted))),
        EndReason::Failed(error) => (RaceStatus::Failed, Err(SessionError::failure(error))),
    }
}

impl FinishedRace {
    fn taken_in(mut self) -> FinishedRace {
        self.record.take_in(&self.summary, self.compat);
        self.record.failure = self.end.as_ref().err().map(SessionError::message);
        self
    }
}

/// Stops the target and writes the record of a race.
pub fn record(finished: FinishedRace) -> RecordedRace {
    let FinishedRace { summary, end, record, folder, target, source, .. } = finished;
    // The data of an embedded target may be what fills the disk.
    drop(target);
    drop(source);
    let kept = folder.write(&record).map_err(SessionError::failure);
    RecordedRace { summary, record, end, kept }
}
