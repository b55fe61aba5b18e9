//! The command line, as users of Elastic Rally know it.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bundle::{BundleArgs, TrustArgs};
use crate::create_track::CreateArgs;
use crate::extension::ExtensionArgs;
use crate::generate::{CompletionsArgs, ManArgs};
use crate::info::InfoArgs;
use crate::limits::LimitArgs;
use crate::list::ListArgs;
use crate::plan::PlanArgs;
use crate::render_track::RenderArgs;
use crate::track::args::{RepositoryArgs, StrictArgs, TaskFilterArgs, TrackArgs, TrackParamArgs};
use crate::upgrade_track::UpgradeArgs;
use crate::validate_track::ValidateArgs;

/// Benchmark Elasticsearch and OpenSearch: race a track against a cluster, measure every request, print a report.
#[derive(Debug, Parser)]
#[command(
    name = "rally",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "rally keeps its files in ~/.rally, or in RALLY_HOME if it is set.\n\
                  Exit codes: 0 success, 64 invalid usage or input, 1 failure, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Race a track and print a report.
    #[command(visible_alias = "race")]
    Run(Box<RunArgs>),
    /// List tracks, challenges, operations, races or pipelines.
    List(ListArgs),
    /// Show a track's corpora, challenges and tasks.
    Info(InfoArgs),
    /// Print a track's JSON after its templates are rendered.
    RenderTrack(RenderArgs),
    /// Check a track for errors without running its code.
    ValidateTrack(ValidateArgs),
    /// Show what a race would send, without sending it.
    Plan(Box<PlanArgs>),
    /// Create a track from the indices or data streams of a cluster.
    CreateTrack(CreateArgs),
    /// Convert a track of 2017 to today's format.
    UpgradeTrack(UpgradeArgs),
    /// Pack a track into one file, inspect bundles, create signing keys.
    Bundle(Box<BundleArgs>),
    /// Create, build, test and inspect a track's own code.
    Extension(Box<ExtensionArgs>),
    /// Run the embedded search node.
    Node(NodeArgs),
    /// Perform races for another process, which commands it through standard input.
    #[command(hide = true)]
    Driver,
    /// Print completions for a shell.
    Completions(CompletionsArgs),
    /// Write man pages to a directory.
    #[command(hide = true)]
    Man(ManArgs),
}

/// Options of `rally run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rally run --track=tutorial\n  rally run --track=tutorial --target-hosts=127.0.0.1:9200 --test-mode\n  \
                        rally run --track-path=./my-track --challenge=index-only --user-tag=\"branch:main\""
)]
pub struct RunArgs {
    #[command(flatten)]
    pub track: TrackArgs,

    /// Bundle of a track, made by `rally bundle`; rally verifies it before reading it (see --trust).
    #[arg(long, value_name = "FILE", group = "which-track", value_parser = crate::paths::path())]
    pub bundle: Option<PathBuf>,

    #[command(flatten)]
    pub trust: TrustArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub strict: StrictArgs,

    #[command(flatten)]
    pub filters: TaskFilterArgs,

    /// Challenge to race [default: the track's default challenge].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub challenge: Option<String>,

    /// Hosts of a running cluster, separated by commas, e.g. 127.0.0.1:9200.
    #[arg(long, value_name = "HOST:PORT,…", help_heading = "Target")]
    pub target_hosts: Option<String>,

    /// Where the target comes from [default: benchmark-only with --target-hosts, otherwise embedded].
    #[arg(long, value_enum, value_name = "NAME", help_heading = "Target")]
    pub pipeline: Option<Pipeline>,

    /// Options of the HTTP client, e.g. "timeout:60,use_ssl:true,basic_auth_user:'me',basic_auth_password:'secret'".
    #[arg(long, value_name = "KEY:VALUE,…", default_value = "timeout:60", help_heading = "Target")]
    pub client_options: String,

    /// Cluster health to wait for before each lap [default: green; yellow for the embedded node].
    #[arg(long, value_enum, value_name = "COLOUR", help_heading = "Target")]
    pub cluster_health: Option<Health>,

    /// Run each task briefly with 1,000 documents, to check that a track works.
    #[arg(long, help_heading = "Race")]
    pub test_mode: bool,

    /// Number of times to run the challenge.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Race")]
    pub laps: u32,

    /// Seed of all random choices; the same seed sends the same requests [default: random, recorded with the race].
    #[arg(long, value_name = "NUMBER", help_heading = "Race")]
    pub seed: Option<u64>,

    /// What to do when a request fails [default: continue, but end the race if an operation such as create-index fails].
    #[arg(long, value_enum, value_name = "WHAT", help_heading = "Race")]
    pub on_error: Option<OnError>,

    /// Use the request timing and the throughput formula of another tool, to compare with its results.
    #[arg(long, value_enum, value_name = "TOOL", help_heading = "Race")]
    pub compat: Option<Compat>,

    /// Tags to record with the race, e.g. "branch:main,heap:4g".
    #[arg(
        long,
        value_name = "KEY:VALUE,…",
        visible_alias = "user-tags",
        default_value = "",
        hide_default_value = true,
        help_heading = "Report"
    )]
    pub user_tag: String,

    /// Report format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Markdown, help_heading = "Report")]
    pub report_format: ReportFormat,

    /// Also write the report to this file.
    #[arg(long, value_name = "FILE", help_heading = "Report", value_parser = crate::paths::path())]
    pub report_file: Option<PathBuf>,

    /// Print only errors; the report is in --report-file and in the race's directory.
    #[arg(long, help_heading = "Report")]
    pub quiet: bool,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How the target of a race comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// Start an embedded search node on a free port and stop it after the race.
    Embedded,
    /// Race against the running cluster at --target-hosts.
    BenchmarkOnly,
    /// Not supported yet: provision a downloaded distribution.
    #[value(hide = true)]
    FromDistribution,
    /// Not supported yet: build from sources.
    #[value(hide = true, alias = "from-sources-complete", alias = "from-sources-skip-build")]
    FromSources,
}

/// Health of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Health {
    /// All shards are allocated.
    Green,
    /// All primary shards are allocated; a single node whose indices have replicas stays yellow.
    Yellow,
    /// Do not wait.
    Red,
}

/// What a failed request does to the race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// Record the failure and continue, unless the target refuses connections.
    Continue,
    /// Record the failure and continue, even while the target refuses connections.
    ContinueOnNetwork,
    /// End the race and report what was measured.
    Abort,
}

/// A tool whose quirks can be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compat {
    /// Elastic Rally.
    Rally,
}

/// Format of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// A table.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// JSON, with every figure.
    Json,
}

/// Options of `rally node`.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// Port to listen on; 0 picks a free port.
    #[arg(long, value_name = "PORT", default_value_t = 9200)]
    pub port: u16,

    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,

    /// Data directory [default: a temporary directory, removed on exit].
    #[arg(long, value_name = "DIR", value_parser = crate::paths::path())]
    pub data: Option<PathBuf>,

    /// Stop when standard input ends: whoever started the node has gone.
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
}
