//! Options about tracks that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which track. The group's name lets commands add further kinds of tracks to it.
#[derive(Debug, Clone, Args)]
#[group(id = "which-track", required = true, multiple = false)]
pub struct TrackArgs {
    /// Name of a track: one that ships with rally (`rally list tracks --shipped`), or one of the track repository.
    #[arg(long, value_name = "NAME")]
    pub track: Option<String>,

    /// Folder of a track, or its JSON file.
    #[arg(long, value_name = "PATH")]
    pub track_path: Option<PathBuf>,
}

/// Where tracks come from that are named and do not ship with rally.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track repository")]
pub struct RepositoryArgs {
    /// Name of a track repository: of those in [tracks] of rally.ini, or a folder below ~/.rally/benchmarks/tracks
    /// [default: default].
    #[arg(long, value_name = "NAME", conflicts_with = "track_path")]
    pub track_repository: Option<String>,

    /// Commit, branch or tag of the track repository, instead of what fits the target's version.
    #[arg(long, value_name = "REVISION", conflicts_with = "track_path")]
    pub track_revision: Option<String>,

    /// Version of the target, for which the best-matching branch of the track repository is taken [default: read from
    /// the target, if there is one].
    #[arg(long, value_name = "VERSION")]
    pub distribution_version: Option<String>,

    /// Never use the network but for the target: data and track repositories must be there already.
    #[arg(long)]
    pub offline: bool,
}

/// What the templates of a track are given.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct TrackParamArgs {
    /// Parameters of the track: "key:value,key:value", inline JSON, or a *.json file.
    #[arg(long, value_name = "PARAMETERS")]
    pub track_params: Option<String>,

    /// Do not mind parameters that the track does not know.
    #[arg(long)]
    pub ignore_unused_track_params: bool,
}

/// Which tasks.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct TaskFilterArgs {
    /// Only tasks that match: comma-separated task names, type:OPERATION-TYPE or tag:TAG.
    #[arg(long, value_name = "FILTER,…", conflicts_with = "exclude_tasks")]
    pub include_tasks: Option<String>,

    /// All but the tasks that match: comma-separated task names, type:OPERATION-TYPE or tag:TAG.
    #[arg(long, value_name = "FILTER,…")]
    pub exclude_tasks: Option<String>,
}

/// What kind of target a track is read for where there is none to ask.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Track")]
pub struct FlavorArgs {
    /// What the target is.
    #[arg(long, value_enum, value_name = "FLAVOR", default_value_t)]
    pub build_flavor: BuildFlavor,

    /// You operate the serverless target, and may do what its users may not.
    #[arg(long)]
    pub serverless_operator: bool,
}

/// What a target is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum BuildFlavor {
    /// Installed somewhere.
    #[default]
    Default,
    /// A service.
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
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}
