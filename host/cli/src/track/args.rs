//! Options about tracks that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use rally_session::{NamedTrack, RepositorySpec, TrackSpec};

/// Which track. The group's name lets commands add further kinds of tracks to it.
#[derive(Debug, Clone, Args)]
#[group(id = "which-track", required = true, multiple = false)]
pub struct TrackArgs {
    /// Name of a track that ships with rally or is in the track repository (see `rally list tracks`).
    #[arg(long, value_name = "NAME")]
    pub track: Option<String>,

    /// Directory of a track, or its JSON file.
    #[arg(long, value_name = "PATH", value_parser = crate::paths::path())]
    pub track_path: Option<PathBuf>,
}

/// Where tracks come from that are named and do not ship with rally.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track repository")]
pub struct RepositoryArgs {
    /// Track repository: a name from [tracks] of rally.ini, or a directory in ~/.rally/benchmarks/tracks [default: default].
    #[arg(long, value_name = "NAME", conflicts_with = "track_path")]
    pub track_repository: Option<String>,

    /// Commit, branch or tag of the track repository [default: the branch that fits the target's version].
    #[arg(long, value_name = "REVISION", conflicts_with = "track_path")]
    pub track_revision: Option<String>,

    /// Version of the target, which selects the branch of the track repository [default: the version that the target reports].
    #[arg(long, value_name = "VERSION")]
    pub distribution_version: Option<String>,

    /// Use the network only to reach the target; data and track repositories must already be on disk.
    #[arg(long)]
    pub offline: bool,
}

impl TrackArgs {
    /// As the specification of a race has it.
    pub fn spec(&self, repository: &RepositoryArgs) -> TrackSpec {
        match &self.track_path {
            Some(path) => TrackSpec::Folder(path.clone()),
            None => TrackSpec::Named(NamedTrack {
                name: self.track.clone().unwrap_or_default(),
                repository: repository.spec(),
            }),
        }
    }
}

impl RepositoryArgs {
    /// As the specification of a race has it.
    pub fn spec(&self) -> RepositorySpec {
        RepositorySpec {
            name: self.track_repository.clone(),
            revision: self.track_revision.clone(),
            distribution_version: self.distribution_version.clone(),
        }
    }
}

/// What the templates of a track are given.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct TrackParamArgs {
    /// Track parameters: "key:value,key:value", inline JSON or a *.json file.
    #[arg(long, value_name = "PARAMETERS")]
    pub track_params: Option<String>,

    /// Accept --track-params that the track does not use.
    #[arg(long)]
    pub ignore_unused_track_params: bool,
}

/// How strictly a track is read.
#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct StrictArgs {
    /// Refuse a track with keys that nothing reads instead of warning about them.
    #[arg(long)]
    pub strict: bool,
}

/// Which tasks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct TaskFilterArgs {
    /// Run only these tasks: names, type:OPERATION-TYPE or tag:TAG, separated by commas.
    #[arg(long, value_name = "FILTER,…", conflicts_with = "exclude_tasks")]
    pub include_tasks: Option<String>,

    /// Skip these tasks: names, type:OPERATION-TYPE or tag:TAG, separated by commas.
    #[arg(long, value_name = "FILTER,…")]
    pub exclude_tasks: Option<String>,
}

/// What kind of target a track is read for where there is none to ask.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct FlavorArgs {
    /// Kind of target to read the track for.
    #[arg(long, value_enum, value_name = "FLAVOR", default_value_t)]
    pub build_flavor: BuildFlavor,

    /// Keep operations that only an operator of a serverless target may run.
    #[arg(long)]
    pub serverless_operator: bool,
}

/// What a target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum BuildFlavor {
    /// A self-managed cluster.
    #[default]
    Default,
    /// A serverless project.
    Serverless,
}

impl From<BuildFlavor> for rally_track::BuildFlavor {
    fn from(flavor: BuildFlavor) -> Self {
        match flavor {
            BuildFlavor::Default => rally_track::BuildFlavor::Default,
            BuildFlavor::Serverless => rally_track::BuildFlavor::Serverless,
        }
    }
}

/// Format of what is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text.
    #[default]
    Text,
    /// JSON.
    Json,
}
