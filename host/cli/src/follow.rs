//! Shows a session on the terminal.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rally_corpus::Phase;
use rally_repository::Step;
use rally_session::{Introduction, SessionEvent, SessionObserver};

use crate::progress::{DataLine, ProgressBoard};
use crate::track;

/// Shows what happens in a session, unless the user wants it quiet.
pub struct TerminalObserver {
    shown: Mutex<Shown>,
}

struct Shown {
    board: ProgressBoard,
    /// The data file that is made ready.
    data: Option<DataLine>,
}

impl TerminalObserver {
    /// On standard error.
    pub fn new(quiet: bool) -> TerminalObserver {
        TerminalObserver { shown: Mutex::new(Shown { board: ProgressBoard::new(quiet), data: None }) }
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionObserver for TerminalObserver {
    fn event(&self, event: SessionEvent<'_>) {
        self.shown().event(event);
    }

    fn repository_step(&self) -> fn(&Step) {
        track::announce
    }
}

impl Shown {
    fn event(&mut self, event: SessionEvent<'_>) {
        let Shown { board, data } = self;
        match event {
            SessionEvent::Warning(warning) => board.warn(warning),
            SessionEvent::Bundle(bundle) => board.say(&bundle.to_string()),
            SessionEvent::ChallengeInfo(info) => board.say(info),
            SessionEvent::Data { file, phase, done, total } => {
                data.get_or_insert_with(|| board.data_line()).show(what(phase), file, done, total);
            }
            SessionEvent::DataReady { .. } => {
                if let Some(line) = data.take() {
                    line.finish();
                }
            }
            SessionEvent::RaceStarts(race) => board.say(&introduction(race)),
            SessionEvent::Lap { lap, laps } => board.say(&format!("Lap {lap} of {laps}")),
            SessionEvent::PreparingTarget { health } => board.say(&format!(
                "The target is still being prepared: indices are created, then its health must be {health} ..."
            )),
            SessionEvent::TaskStarted { task, name } => board.started(task, name),
            SessionEvent::TaskAdvanced { task, fraction, remaining } => {
                board.advanced(task, fraction, remaining);
            }
            SessionEvent::Recorded { task, recording } => board.recorded(task, recording),
            SessionEvent::TaskFailed { task, reason } => board.failed(task, reason),
            SessionEvent::TaskFinished { task, stopped } => board.finished(task, stopped),
            SessionEvent::RaceOver => board.clear(),
        }
    }
}

fn what(phase: Phase) -> &'static str {
    match phase {
        Phase::Waiting => "waiting for another rally that prepares",
        Phase::Downloading => "downloading",
        Phase::Verifying => "verifying",
        Phase::Decompressing => "decompressing",
        Phase::IndexingLines => "counting lines of",
    }
}

fn introduction(race: &Introduction) -> String {
    format!(
        "Racing track '{}', challenge '{}' against {}, seed {}\nRace {} is stored in {}\n",
        race.track,
        race.challenge,
        race.target,
        race.seed,
        race.race_id,
        race.folder.display()
    )
}
