//! What the user asks for in `rally run`, checked before anything happens.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rally_cluster::{ClientOptions, ClusterHealth, HealthExpectation, TargetHost, parse_target_hosts};
use rally_race::{OnError, Timing};
use rally_results::{Compat, ReportFormat, ReportOptions, parse_user_tags};

use crate::args::{self, Pipeline, RunArgs};
use crate::ending::CommandError;

/// The options of a race, in the terms of those who carry them out.
pub struct Settings {
    pub user_tags: BTreeMap<String, String>,
    pub client_options: ClientOptions,
    pub target: TargetChoice,
    pub health: HealthExpectation,
    pub seed: u64,
    pub on_error: OnError,
    pub timing: Timing,
    pub report: ReportOptions,
    pub report_file: Option<PathBuf>,
}

/// What is raced against.
pub enum TargetChoice {
    /// A node that is started for the race.
    Embedded,
    /// What runs already.
    Hosts(Vec<TargetHost>),
}

impl TargetChoice {
    /// Name of the pipeline.
    pub fn pipeline(&self) -> &'static str {
        match self {
            TargetChoice::Embedded => "embedded",
            TargetChoice::Hosts(_) => "benchmark-only",
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum SettingsError {
    #[error(
        "--pipeline={0} is not supported yet: start the cluster yourself and name it with --target-hosts"
    )]
    PipelineNotYet(&'static str),
    #[error(
        "--pipeline=benchmark-only races against what runs already: name it with --target-hosts=HOST:PORT"
    )]
    NoHosts,
    #[error("--pipeline=embedded starts a node of its own: leave out --target-hosts, or the pipeline")]
    HostsAndEmbedded,
    #[error("--report-file={}: cannot be written there: {source}", path.display())]
    ReportFile { path: PathBuf, source: std::io::Error },
}

impl Settings {
    /// Checks and reads the options.
    pub fn read(arguments: &RunArgs) -> Result<Settings, CommandError> {
        if let Some(path) = &arguments.report_file {
            check_report_file(path).map_err(|source| {
                CommandError::user(SettingsError::ReportFile { path: path.clone(), source })
            })?;
        }
        let compat = arguments.compat.map(|args::Compat::Rally| Compat::Rally);
        let target = target(arguments)?;
        Ok(Settings {
            user_tags: parse_user_tags(&arguments.user_tag).map_err(CommandError::user)?,
            client_options: ClientOptions::parse(&arguments.client_options).map_err(CommandError::user)?,
            health: HealthExpectation { health: health(arguments, &target), ..HealthExpectation::default() },
            target,
            seed: arguments.seed.unwrap_or_else(rand::random),
            on_error: match arguments.on_error {
                None => OnError::AbortOnPreparation,
                Some(args::OnError::Continue) => OnError::Continue,
                Some(args::OnError::ContinueOnNetwork) => OnError::ContinueOnNetwork,
                Some(args::OnError::Abort) => OnError::Abort,
            },
            timing: if compat.is_some() { Timing::Rally } else { Timing::Spread },
            report: ReportOptions {
                format: match arguments.report_format {
                    args::ReportFormat::Markdown => ReportFormat::Markdown,
                    args::ReportFormat::Csv => ReportFormat::Csv,
                    args::ReportFormat::Json => ReportFormat::Json,
                },
                compat,
                width: terminal_width(),
            },
            report_file: arguments.report_file.clone(),
        })
    }
}

fn health(arguments: &RunArgs, target: &TargetChoice) -> ClusterHealth {
    match (arguments.cluster_health, target) {
        (Some(args::Health::Green), _) | (None, TargetChoice::Hosts(_)) => ClusterHealth::Green,
        // Replicas find no place on the embedded node, which is alone.
        (Some(args::Health::Yellow), _) | (None, TargetChoice::Embedded) => ClusterHealth::Yellow,
        (Some(args::Health::Red), _) => ClusterHealth::Red,
    }
}

fn target(arguments: &RunArgs) -> Result<TargetChoice, CommandError> {
    let hosts =
        arguments.target_hosts.as_deref().map(parse_target_hosts).transpose().map_err(CommandError::user)?;
    match (arguments.pipeline, hosts) {
        (Some(Pipeline::FromDistribution), _) => {
            Err(CommandError::user(SettingsError::PipelineNotYet("from-distribution")))
        }
        (Some(Pipeline::FromSources), _) => {
            Err(CommandError::user(SettingsError::PipelineNotYet("from-sources")))
        }
        (Some(Pipeline::Embedded), Some(_)) => Err(CommandError::user(SettingsError::HostsAndEmbedded)),
        (Some(Pipeline::BenchmarkOnly), None) => Err(CommandError::user(SettingsError::NoHosts)),
        (Some(Pipeline::Embedded) | None, None) => Ok(TargetChoice::Embedded),
        (Some(Pipeline::BenchmarkOnly) | None, Some(hosts)) => Ok(TargetChoice::Hosts(hosts)),
    }
}

/// Finds out before the race whether the report can be written after it. Makes its folder, and leaves no file.
fn check_report_file(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder).map(drop)
}

/// Columns of the terminal that the report goes to, if it goes to one.
fn terminal_width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(usize::from(columns))
}
