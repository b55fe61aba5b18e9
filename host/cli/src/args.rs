//! The command line, as users of Elastic Rally know it.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bundle::{BundleArgs, TrustArgs};
use crate::components::LimitArgs;
use crate::create_track::CreateArgs;
use crate::extension::ExtensionArgs;
use crate::info::InfoArgs;
use crate::list::ListArgs;
use crate::plan::PlanArgs;
use crate::render_track::RenderArgs;
use crate::track::args::{RepositoryArgs, TaskFilterArgs, TrackArgs, TrackParamArgs};
use crate::upgrade_track::UpgradeArgs;
use crate::validate_track::ValidateArgs;

/// rally benchmarks search clusters: it races a track against Elasticsearch, OpenSearch or its own embedded node,
/// measures every request honestly and prints a report.
#[derive(Debug, Parser)]
#[command(
    name = "rally",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Files are kept below ~/.rally, or below RALLY_HOME where it is set.\n\
                  Exit codes: 0 fine, 64 wrong usage or input, 1 failure, 130 interrupted."
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
    /// List what there is.
    List(ListArgs),
    /// Tell what a track is about and what its challenges do.
    Info(InfoArgs),
    /// Print the JSON that a track's templates come out as.
    RenderTrack(RenderArgs),
    /// Tell whether a track can be read with given parameters; none of its code is run.
    ValidateTrack(ValidateArgs),
    /// Plan a race: what would be sent, without sending anything.
    Plan(Box<PlanArgs>),
    /// Make a track of what a cluster holds.
    CreateTrack(CreateArgs),
    /// Write a track of 2017 as a current one.
    UpgradeTrack(UpgradeArgs),
    /// Make one file of a track, look into one, and make keys to sign with.
    Bundle(Box<BundleArgs>),
    /// Write, build, try and look into a track's own code.
    Extension(Box<ExtensionArgs>),
    /// Run the embedded search node on its own.
    Node(NodeArgs),
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

    /// File that `rally bundle` has made of a track; it is verified before anything in it is read (see --trust).
    #[arg(long, value_name = "FILE", group = "which-track")]
    pub bundle: Option<PathBuf>,

    #[command(flatten)]
    pub trust: TrustArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub filters: TaskFilterArgs,

    /// Challenge of the track; its default challenge where none is named.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub challenge: Option<String>,

    /// Comma-separated hosts to race against, e.g. 127.0.0.1:9200. Nothing is started or stopped then.
    #[arg(long, value_name = "HOST:PORT,…", help_heading = "Target")]
    pub target_hosts: Option<String>,

    /// How the target comes to be [default: benchmark-only with --target-hosts, else embedded].
    #[arg(long, value_enum, value_name = "NAME", help_heading = "Target")]
    pub pipeline: Option<Pipeline>,

    /// Options of the HTTP client, e.g. "timeout:60,use_ssl:true,basic_auth_user:'me',basic_auth_password:'secret'".
    #[arg(long, value_name = "KEY:VALUE,…", default_value = "timeout:60", help_heading = "Target")]
    pub client_options: String,

    /// How healthy the target must be before a lap starts [default: green; yellow for the embedded node].
    #[arg(long, value_enum, value_name = "COLOUR", help_heading = "Target")]
    pub cluster_health: Option<Health>,

    /// Run every task only briefly, with 1,000 documents: to see whether a track works.
    #[arg(long, help_heading = "Race")]
    pub test_mode: bool,

    /// How often to repeat the whole challenge.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000), help_heading = "Race")]
    pub laps: u32,

    /// Seed of every random choice; the same seed sends the same requests [default: drawn and recorded].
    #[arg(long, value_name = "NUMBER", help_heading = "Race")]
    pub seed: Option<u64>,

    /// What a failed request does: it is recorded and the race goes on, or the race ends.
    #[arg(long, value_enum, value_name = "WHAT", default_value_t = OnError::Continue, help_heading = "Race")]
    pub on_error: OnError,

    /// Take over a quirk of another tool, to compare with old results: Rally's request timing and throughput.
    #[arg(long, value_enum, value_name = "TOOL", help_heading = "Race")]
    pub compat: Option<Compat>,

    /// Tags that are kept with the race, e.g. "branch:main,heap:4g".
    #[arg(
        long,
        value_name = "KEY:VALUE,…",
        visible_alias = "user-tags",
        default_value = "",
        hide_default_value = true,
        help_heading = "Report"
    )]
    pub user_tag: String,

    /// Format of the report.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = ReportFormat::Markdown, help_heading = "Report")]
    pub report_format: ReportFormat,

    /// Write the report to this file as well.
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    pub report_file: Option<PathBuf>,

    /// Print nothing but errors, and no report: it is in --report-file and in the race's folder.
    #[arg(long, help_heading = "Report")]
    pub quiet: bool,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How the target of a race comes to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// Start an embedded search node on a free port and stop it afterwards.
    Embedded,
    /// Race against what runs at --target-hosts already.
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
    /// All shards are there.
    Green,
    /// All primary shards are there: a single node with replicas stays at that.
    Yellow,
    /// Anything.
    Red,
}

/// What a failed request does to the race.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnError {
    /// It is recorded and the race goes on, unless nobody listens any more.
    Continue,
    /// It is recorded and the race goes on, even if nobody listens any more: targets that restart are waited for.
    ContinueOnNetwork,
    /// The race ends; what was measured is reported.
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
    /// A table for people.
    Markdown,
    /// Comma-separated values.
    Csv,
    /// Everything, for programs.
    Json,
}

/// Options of `rally node`.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// Port to listen on; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 9200)]
    pub port: u16,

    /// Address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: std::net::IpAddr,

    /// Folder of the data; without it a temporary one that goes with the node.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,

    /// Stop when standard input ends: whoever started the node has gone.
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
}
