//! What instances of a track's components see of the world outside.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rally_cluster::{Cluster, TargetBindings};
use rally_operations::DocumentSet;
use rally_operations::bulk::BodyPool;

/// What instances see: the track's folder, its data, the target, the time.
pub struct HostEnvironment {
    /// Name of the track, for logs.
    pub track_name: String,
    /// The track's folder.
    pub folder: Folder,
    /// The track's data folder, if there is one.
    pub data: Option<Folder>,
    /// All data files of the track, prepared.
    pub documents: Vec<Arc<DocumentSet>>,
    /// The target. None before there is a connection: then nothing can be sent.
    pub target: Option<Target>,
    /// Buffers for bodies, used again once they are sent.
    pub buffers: BodyPool,
    /// Whose time it is.
    pub clock: Arc<dyn Clock>,
}

/// The race's target.
pub struct Target {
    /// The cluster that requests go to.
    pub cluster: Arc<Cluster>,
    /// Who performs built-in operations.
    pub built_in: Arc<TargetBindings>,
}

/// A clock that guests with a `clock` import read.
pub trait Clock: Send + Sync {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    fn wall(&self) -> u64;

    /// Nanoseconds since some moment before the race. Never goes back.
    fn monotonic(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn wall(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
    }

    fn monotonic(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

/// A folder that nothing leads out of: names with `..` and links that point outside are not found.
pub struct Folder {
    /// Where it is, for errors.
    pub path: PathBuf,
    pub(crate) directory: cap_std::fs::Dir,
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn open(path: impl Into<PathBuf>) -> std::io::Result<Folder> {
        let path = path.into();
        let directory = cap_std::fs::Dir::open_ambient_dir(&path, cap_std::ambient_authority())?;
        Ok(Folder { path, directory })
    }
}

impl fmt::Debug for Folder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Folder({})", self.path.display())
    }
}

impl HostEnvironment {
    /// What a component sees before the race is known: its folder.
    pub fn before_race(track_name: impl Into<String>, folder: Folder) -> HostEnvironment {
        HostEnvironment {
            track_name: track_name.into(),
            folder,
            data: None,
            documents: Vec::new(),
            target: None,
            buffers: BodyPool::default(),
            clock: Arc::new(SystemClock::default()),
        }
    }
}
