//! Where races are kept: a folder for each, with `race.json` and the histogram log.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use rally_support::whole_file;
use serde::Serialize;
use thiserror::Error;

use crate::histogram_log::{HistogramLog, HistogramLogError};
use crate::race_record::{RaceRecord, iso_basic};
use crate::summary::RaceStatus;

const RACE_FILE: &str = "race.json";
/// Locked by the process that races.
const LOCK_FILE: &str = "lock";
const HISTOGRAM_LOG: &str = "histograms.hlog";

/// A race could not be kept or found.
#[derive(Debug, Error)]
pub enum RaceStoreError {
    /// The id cannot be the name of a folder.
    #[error(
        "'{id}' cannot be a race id: ids name folders, so they must not be empty, contain '/', or be '.' or '..'"
    )]
    Id {
        /// The id.
        id: String,
    },
    /// There is a race with this id.
    #[error("a race with the id '{id}' already exists in '{}'; remove that folder or race again", folder.display())]
    Exists {
        /// The id.
        id: String,
        /// Its folder.
        folder: PathBuf,
    },
    /// No race has this id.
    #[error("unknown race '{id}' in '{}'; `rally list races` lists all races", races.display())]
    NotFound {
        /// The id.
        id: String,
        /// The folder of all races.
        races: PathBuf,
    },
    /// A file or folder cannot be written.
    #[error("cannot store the race in '{}': {source}; free some space, or set RALLY_HOME to a writable folder", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file or folder cannot be read.
    #[error("cannot read '{}': {source}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is not a record of a race.
    #[error("'{}' is not the record of a race: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
}

/// The folder of all races, `benchmarks/races` in rally's home.
#[derive(Debug, Clone)]
pub struct RaceStore {
    races: PathBuf,
}

/// The folder of one race.
#[derive(Debug, Clone)]
pub struct RaceFolder {
    path: PathBuf,
    /// Held as long as the race's process lives; `None` where the file system has no locks.
    _lock: Option<Arc<File>>,
}

/// A race as a list shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RaceHeader {
    /// Its id.
    pub race_id: String,
    /// When it started, `20170101T120000Z`.
    pub race_timestamp: String,
    /// How it ended.
    pub status: RaceStatus,
    /// Name of the track.
    pub track: String,
    /// Name of the challenge.
    pub challenge: Option<String>,
    /// Its cars, joined with `+`.
    pub car: String,
    /// Version of what was raced.
    pub distribution_version: Option<String>,
    /// Revision of what was raced.
    pub revision: Option<String>,
    /// Version of rally.
    pub rally_version: String,
    /// What the user says about it.
    pub user_tags: BTreeMap<String, String>,
}

impl RaceStore {
    /// The store in this folder, which need not exist yet.
    pub fn new(races: impl Into<PathBuf>) -> Self {
        RaceStore { races: races.into() }
    }

    /// Makes a folder for a new race and writes what is known of it.
    ///
    /// # Errors
    /// Where the id cannot name a folder, there is such a race already, or the folder cannot be written.
    pub fn create(&self, record: &RaceRecord) -> Result<RaceFolder, RaceStoreError> {
        let path = self.folder(&record.race_id)?;
        let failed = |source| RaceStoreError::Write { path: path.clone(), source };
        fs::create_dir_all(&self.races).map_err(failed)?;
        fs::create_dir(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => {
                RaceStoreError::Exists { id: record.race_id.clone(), folder: path.clone() }
            }
            _ => failed(source),
        })?;
        let lock = File::create(path.join(LOCK_FILE)).map_err(failed)?;
        // Without locks the race is shown as killed while it runs, which is better than no race.
        let lock = lock.lock().ok().map(|()| Arc::new(lock));
        let folder = RaceFolder { path, _lock: lock };
        folder.write(record)?;
        Ok(folder)
    }

    /// The record of a race.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn read(&self, id: &str) -> Result<RaceRecord, RaceStoreError> {
        let path = self.folder(id)?;
        read(&path).map_err(|error| match error {
            RaceStoreError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                RaceStoreError::NotFound { id: id.to_owned(), races: self.races.clone() }
            }
            other => other,
        })
    }

    /// All races, the latest first, and beside them what stands in the way of reading some.
    ///
    /// # Errors
    /// Where the folder of all races cannot be read. One that does not exist holds no races.
    pub fn races(&self) -> Result<(Vec<RaceHeader>, Vec<RaceStoreError>), RaceStoreError> {
        let failed = |source| RaceStoreError::Read { path: self.races.clone(), source };
        let folders = match fs::read_dir(&self.races) {
            Ok(folders) => folders,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(error) => return Err(failed(error)),
        };
        let mut records: Vec<RaceRecord> = Vec::new();
        let mut problems = Vec::new();
        for folder in folders {
            let path = folder.map_err(failed)?.path();
            if path.is_dir() {
                match read(&path) {
                    Ok(record) => records.push(record),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        records.sort_by_key(|record| Reverse((record.race_timestamp, record.race_id.clone())));
        Ok((records.into_iter().map(RaceHeader::from).collect(), problems))
    }

    fn folder(&self, id: &str) -> Result<PathBuf, RaceStoreError> {
        let mut components = Path::new(id).components();
        match (components.next(), components.next()) {
            // A trailing slash is not a component of its own.
            (Some(Component::Normal(name)), None) if name == id => Ok(self.races.join(name)),
            _ => Err(RaceStoreError::Id { id: id.to_owned() }),
        }
    }
}

impl RaceFolder {
    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `race.json`, as a whole or not at all.
    ///
    /// # Errors
    /// Where it cannot be written; what was there before still is.
    pub fn write(&self, record: &RaceRecord) -> Result<(), RaceStoreError> {
        let path = self.path.join(RACE_FILE);
        let written = whole_file::write(&path, |file| {
            serde_json::to_writer_pretty(&mut *file, record)?;
            file.write_all(b"\n")
        });
        written.map_err(|error| RaceStoreError::Write { path: error.path, source: error.cause })
    }

    /// Begins the histogram log, `histograms.hlog`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn histogram_log(&self, race_start: SystemTime) -> Result<HistogramLog, HistogramLogError> {
        HistogramLog::create(&self.path.join(HISTOGRAM_LOG), race_start)
    }
}

impl From<RaceRecord> for RaceHeader {
    fn from(record: RaceRecord) -> Self {
        RaceHeader {
            race_id: record.race_id,
            race_timestamp: iso_basic(record.race_timestamp),
            status: record.status,
            track: record.track,
            challenge: record.challenge,
            car: record.car.join("+"),
            distribution_version: record.cluster.distribution_version,
            revision: record.cluster.revision,
            rally_version: record.rally_version,
            user_tags: record.user_tags,
        }
    }
}

fn read(folder: &Path) -> Result<RaceRecord, RaceStoreError> {
    // Before the record: a race that ends in between is not taken for a killed one.
    let runs = is_held(&folder.join(LOCK_FILE));
    let path = folder.join(RACE_FILE);
    let text =
        fs::read_to_string(&path).map_err(|source| RaceStoreError::Read { path: path.clone(), source })?;
    let mut record: RaceRecord =
        serde_json::from_str(&text).map_err(|source| RaceStoreError::Malformed { path, source })?;
    if record.status == RaceStatus::Running && !runs {
        record.status = RaceStatus::Killed;
    }
    Ok(record)
}

/// Whether the process of a race still lives.
fn is_held(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Now, to the second: the precision of a race's timestamp.
pub fn race_timestamp_now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}
