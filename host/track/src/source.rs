//! Where a track is, and how it is to be loaded.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::TrackError;

/// Name of a track's main file in its directory.
const TRACK_FILE: &str = "track.json";
/// Its name in OpenSearch Benchmark.
const WORKLOAD_FILE: &str = "workload.json";

/// The main file of a track's directory, if it is one.
pub(crate) fn main_file(directory: &Path) -> Option<&'static str> {
    [TRACK_FILE, WORKLOAD_FILE].into_iter().find(|file| directory.join(file).is_file())
}

/// Where a track is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackSource {
    /// A directory with a `track.json`, or a `workload.json` of OpenSearch Benchmark. Its name is the track's name.
    Directory(PathBuf),
    /// A directory of a track repository. The track's name is its path there, e.g. `elastic/logs`.
    Repository {
        /// Name of the track.
        name: String,
        /// Where it is.
        directory: PathBuf,
    },
    /// A single file. Its name without extension is the track's name.
    File(PathBuf),
}

impl TrackSource {
    /// The track at a path (`--track-path`).
    ///
    /// # Errors
    ///
    /// [`TrackError::NotFound`] if there is neither a directory with a `track.json` nor a `.json` file.
    pub fn from_path(path: &Path) -> Result<Self, TrackError> {
        if main_file(path).is_some() {
            Ok(Self::Directory(path.to_owned()))
        } else if path.is_file() && path.extension().is_some_and(|extension| extension == "json") {
            Ok(Self::File(path.to_owned()))
        } else {
            Err(TrackError::NotFound { path: path.to_owned() })
        }
    }

    /// Name of the track.
    pub fn name(&self) -> String {
        let (path, name) = match self {
            Self::Repository { name, .. } => return name.clone(),
            Self::Directory(path) => (path, path.canonicalize().unwrap_or_else(|_| path.clone())),
            Self::File(path) => (path, path.with_extension("")),
        };
        name.file_name()
            .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// The folder that the track lies in.
    pub fn folder(&self) -> PathBuf {
        self.parts().0
    }

    pub(crate) fn parts(&self) -> (PathBuf, String) {
        match self {
            Self::Directory(path) | Self::Repository { directory: path, .. } => {
                (path.clone(), main_file(path).unwrap_or(TRACK_FILE).to_owned())
            }
            Self::File(path) => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let file =
                    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                (directory.unwrap_or(Path::new(".")).to_owned(), file)
            }
        }
    }
}

/// How a track is to be loaded.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// What `now` is in templates: seconds since the epoch.
    pub now: f64,
    /// What templates draw from (`random`, `lipsum`): the seed of the race, so that it can be repeated.
    pub seed: u64,
    /// Whether the race only shows that everything works: the first 1,000 documents, one request per client, no
    /// warm-up, at most ten seconds (`--test-mode`).
    pub test_mode: bool,
    /// If not empty only these tasks are raced: names, `type:` and an operation type, or `tag:` and a tag.
    pub include_tasks: Vec<String>,
    /// Tasks that are left out, in the same form. Not together with `include_tasks`.
    pub exclude_tasks: Vec<String>,
    /// Overrides `auto-managed` of all indices.
    pub auto_manage_indices: Option<bool>,
    /// What extensions register. A track that names anything else is rejected, unless Python code lies beside it: in Rally that
    /// code may register any name.
    pub extension_names: ExtensionNames,
    /// Whether names that nothing registers are taken for an extension's: to look at a track without running anything.
    pub any_names: bool,
    /// Whether names are checked in all challenges, not only in the one that will be raced. Tracks of 2017 are always checked as a
    /// whole.
    pub every_challenge: bool,
    /// Whether keys that nothing reads are errors, not warnings (`--strict`). In tracks of 2017 they always are.
    pub strict: bool,
    /// What the templates of the track get (`--track-params`).
    pub track_params: Map<String, Value>,
    /// Whether parameters that no template reads are fine.
    pub ignore_unused_track_params: bool,
    /// What the target is: `default` or `serverless`.
    pub build_flavor: BuildFlavor,
    /// Whether the user operates the serverless target, and may do what its users may not.
    pub serverless_operator: bool,
    /// Whether tasks that a serverless target does not offer stay.
    pub keep_unavailable: bool,
    /// The challenge that will be raced; it must exist and, after filtering, have tasks. The default one if `None` or
    /// empty.
    pub challenge: Option<String>,
}

/// What kind of Elasticsearch the target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BuildFlavor {
    /// One that is installed.
    #[default]
    Default,
    /// One that is a service.
    Serverless,
}

impl BuildFlavor {
    /// As templates see it: `default` or `serverless`.
    pub fn name(self) -> &'static str {
        match self {
            BuildFlavor::Default => "default",
            BuildFlavor::Serverless => "serverless",
        }
    }
}

/// Names that the extensions of a track register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionNames {
    /// Parameter sources, for `param-source`.
    pub param_sources: BTreeSet<String>,
    /// Runners, for `operation-type`.
    pub operation_types: BTreeSet<String>,
    /// Schedulers, for `schedule`.
    pub schedulers: BTreeSet<String>,
}
