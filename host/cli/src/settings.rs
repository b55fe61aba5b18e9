//! What the user asks for in `rally run`, checked before anything happens.

use std::path::{Path, PathBuf};

use rally_cluster::{ClientOptions, ClusterHealth, parse_target_hosts};
use rally_race::OnError;
use rally_results::{Compat, ReportFormat, ReportOptions, parse_user_tags};
use rally_session::{BundleSpec, Credentials, RaceSpec, TargetSpec, TrackSpec, TrustLevel};

use crate::args::{self, Pipeline, RunArgs};
use crate::bundle::{self, TrustArgs};
use crate::ending::CommandError;
use crate::track::{listed, now, track_params};

/// The options of a race: what is raced, and what becomes of the report.
pub struct Settings {
    pub spec: RaceSpec,
    pub credentials: Credentials,
    pub report: ReportSettings,
}

/// What becomes of the report.
pub struct ReportSettings {
    pub options: ReportOptions,
    /// A further place for it.
    pub file: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum SettingsError {
    #[error(
        "--pipeline={0} is not supported yet: start the cluster yourself and name it with --target-hosts"
    )]
    PipelineNotYet(&'static str),
    #[error("--pipeline=benchmark-only needs a running cluster: name it with --target-hosts=HOST:PORT")]
    NoHosts,
    #[error("--pipeline=embedded starts its own node: remove --target-hosts or the pipeline")]
    HostsAndEmbedded,
    #[error("--trust, --trusted-key and --bundle-digest need --bundle FILE")]
    NoBundle,
    #[error("--report-file={}: cannot write there: {source}", path.display())]
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
        let (spec, credentials) = spec(arguments)?;
        let report = ReportSettings {
            options: ReportOptions {
                format: match arguments.report_format {
                    args::ReportFormat::Markdown => ReportFormat::Markdown,
                    args::ReportFormat::Csv => ReportFormat::Csv,
                    args::ReportFormat::Json => ReportFormat::Json,
                },
                compat: spec.compat,
                width: terminal_width(),
            },
            file: arguments.report_file.clone(),
        };
        Ok(Settings { spec, credentials, report })
    }
}

fn spec(arguments: &RunArgs) -> Result<(RaceSpec, Credentials), CommandError> {
    let seed = arguments.seed.unwrap_or_else(rand::random);
    let mut spec = RaceSpec::new(track(arguments)?, now(), seed);
    spec.target = target(arguments)?;
    spec.user_tags = parse_user_tags(&arguments.user_tag).map_err(CommandError::user)?;
    let client_options = ClientOptions::read(&arguments.client_options).map_err(CommandError::user)?;
    let credentials = spec.set_client_options(client_options).map_err(CommandError::user)?;
    spec.track_params = track_params(&arguments.params)?;
    spec.strict = arguments.strict.strict;
    spec.ignore_unused_track_params = arguments.params.ignore_unused_track_params;
    spec.include_tasks =
        listed("include-tasks", arguments.filters.include_tasks.as_deref()).map_err(CommandError::user)?;
    spec.exclude_tasks =
        listed("exclude-tasks", arguments.filters.exclude_tasks.as_deref()).map_err(CommandError::user)?;
    spec.challenge.clone_from(&arguments.challenge);
    spec.laps = arguments.laps;
    spec.test_mode = arguments.test_mode;
    spec.offline = arguments.repository.offline;
    spec.extension_limits = arguments.limits.limits();
    spec.compat = arguments.compat.map(|args::Compat::Rally| Compat::Rally);
    spec.on_error = match arguments.on_error {
        None => OnError::AbortOnPreparation,
        Some(args::OnError::Continue) => OnError::Continue,
        Some(args::OnError::ContinueOnNetwork) => OnError::ContinueOnNetwork,
        Some(args::OnError::Abort) => OnError::Abort,
    };
    spec.health = arguments.cluster_health.map(|health| match health {
        args::Health::Green => ClusterHealth::Green,
        args::Health::Yellow => ClusterHealth::Yellow,
        args::Health::Red => ClusterHealth::Red,
    });
    Ok((spec, credentials))
}

fn track(arguments: &RunArgs) -> Result<TrackSpec, CommandError> {
    let TrustArgs { trust, trusted_key, bundle_digest } = &arguments.trust;
    let Some(file) = &arguments.bundle else {
        // clap does not require an argument whose group another one has taken.
        return match trust.is_some() || !trusted_key.is_empty() || bundle_digest.is_some() {
            true => Err(CommandError::user(SettingsError::NoBundle)),
            false => Ok(arguments.track.spec(&arguments.repository)),
        };
    };
    Ok(TrackSpec::Bundle(BundleSpec {
        file: file.clone(),
        trust: match trust {
            Some(bundle::TrustLevel::Signed) | None => TrustLevel::Signed,
            Some(bundle::TrustLevel::Digest) => TrustLevel::Digest,
            Some(bundle::TrustLevel::Local) => TrustLevel::Local,
        },
        trusted_keys: trusted_key.clone(),
        digest: *bundle_digest,
    }))
}

fn target(arguments: &RunArgs) -> Result<TargetSpec, CommandError> {
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
        (Some(Pipeline::Embedded) | None, None) => Ok(TargetSpec::Embedded),
        (Some(Pipeline::BenchmarkOnly) | None, Some(hosts)) => Ok(TargetSpec::Hosts(hosts)),
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
