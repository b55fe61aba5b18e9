//! The track that a command is about, and how it is read.

use clap::Args;
use rally_session::{FoundTrack, Home};
use rally_track::{LoadOptions, Track};

use super::args::{FlavorArgs, RepositoryArgs, TrackArgs, TrackParamArgs};
use super::options::{Reading, find};
use crate::ending::CommandError;
use crate::terminal;

/// Which track a command reads without racing it: where it is, and what its templates are given.
#[derive(Debug, Args)]
pub struct TrackSelection {
    #[command(flatten)]
    pub track: TrackArgs,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub flavor: FlavorArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,
}

/// A track that has been found.
pub struct OpenedTrack {
    /// Where it is. A lock keeps its files unchanged while this value lives.
    pub found: FoundTrack,
    /// How it is read.
    pub options: LoadOptions,
}

impl TrackSelection {
    /// How the track is read.
    ///
    /// # Errors
    /// Where the parameters cannot be read.
    pub fn reading(&self) -> Result<Reading, CommandError> {
        Ok(Reading::with(&self.params)?.flavor(&self.flavor))
    }

    /// Finds the track, and says what the user should know of how it was found.
    ///
    /// # Errors
    /// Where there is no such track.
    pub fn open(&self, home: &Home, reading: Reading) -> Result<OpenedTrack, CommandError> {
        let found = find(&self.track, &self.repository, home)?;
        for warning in &found.warnings {
            terminal::warn(warning);
        }
        Ok(OpenedTrack { found, options: reading.options() })
    }
}

impl OpenedTrack {
    /// Reads the track, and says what is odd about it.
    ///
    /// # Errors
    /// Where it is not a valid track.
    pub fn load(&self) -> Result<Track, CommandError> {
        let track = rally_track::load(&self.found.source, &self.options).map_err(CommandError::user)?;
        for warning in &track.warnings {
            terminal::warn(warning);
        }
        Ok(track)
    }
}
