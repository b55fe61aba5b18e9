//! What a session reports while it goes on. The session itself prints nothing.

use std::fmt::Display;
use std::time::Duration;

use rally_cluster::ClusterHealth;
use rally_corpus::Phase;
use rally_race::Recording;
use rally_repository::Step;

use crate::bundle::UnpackedBundle;

/// Follows a session: a terminal, a log, a daemon's client.
///
/// Calls come from any thread, also while others are under way, and the session waits for them: they have to return soon.
pub trait SessionObserver: Sync {
    /// Something happened.
    fn event(&self, event: SessionEvent<'_>);

    /// What to call at the steps of a track repository that may take long.
    fn repository_step(&self) -> fn(&Step) {
        |_| {}
    }
}

/// What happens in a session, in order.
pub enum SessionEvent<'a> {
    /// The user should know of something that the session goes on without.
    Warning(&'a dyn Display),
    /// The track comes from this bundle, which has been verified.
    Bundle(&'a UnpackedBundle),
    /// What the challenge tells those who race it.
    ChallengeInfo(&'a str),
    /// A data file is made ready.
    Data {
        /// Its name in the track.
        file: &'a str,
        /// What is done with it.
        phase: Phase,
        /// Bytes that are through.
        done: u64,
        /// Bytes in total, where that is known.
        total: Option<u64>,
    },
    /// A data file is ready.
    DataReady {
        /// Its name in the track.
        file: &'a str,
    },
    /// A race begins.
    RaceStarts(&'a Introduction),
    /// A lap begins; only where there are several.
    Lap {
        /// Its number, from 1.
        lap: u32,
        /// Number of laps.
        laps: u32,
    },
    /// Preparing the target for a lap takes longer than usual.
    PreparingTarget {
        /// The health that the target must reach.
        health: ClusterHealth,
    },
    /// A task starts.
    TaskStarted {
        /// [`rally_race::PlannedTask::id`].
        task: usize,
        /// Its name.
        name: &'a str,
    },
    /// How far a task is.
    TaskAdvanced {
        /// [`rally_race::PlannedTask::id`].
        task: usize,
        /// Part that is done, 0 to 1, where that is known.
        fraction: Option<f64>,
        /// Estimated time until its end.
        remaining: Option<Duration>,
    },
    /// What a task measured since the last such event.
    Recorded {
        /// [`rally_race::PlannedTask::id`].
        task: usize,
        /// The figures.
        recording: &'a Recording,
    },
    /// A task cannot go on.
    TaskFailed {
        /// [`rally_race::PlannedTask::id`].
        task: usize,
        /// The first line of why.
        reason: &'a str,
    },
    /// A task has ended.
    TaskFinished {
        /// [`rally_race::PlannedTask::id`].
        task: usize,
        /// Whether the race was cancelled, not the task completed.
        stopped: bool,
    },
    /// No task runs any more; the target is asked for its own figures next.
    RaceOver,
}

/// A race in a few words, as it begins.
#[derive(Debug, Clone)]
pub struct Introduction {
    /// Name of the track.
    pub track: String,
    /// Name of the challenge.
    pub challenge: String,
    /// The target in a few words: product, version, addresses.
    pub target: String,
    /// The seed of all random choices.
    pub seed: u64,
    /// Name of the race.
    pub race_id: String,
    /// Folder of the race's record.
    pub folder: std::path::PathBuf,
}

/// Ignores everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl SessionObserver for NoObserver {
    fn event(&self, _event: SessionEvent<'_>) {}
}
