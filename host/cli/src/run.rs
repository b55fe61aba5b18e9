//! `rally run`: from a track to a report.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use rally_cluster::{Cluster, ClusterError, TargetBindings, TargetHost, parse_target_hosts};
use rally_extension::{
    ExtensionBindings, Extensions, Folder, HostEnvironment, ProcessingError, RaceInfo, Target,
};
use rally_race::{Cancel, EndReason, LocalDriver, PlanOptions, RacePlan, bind, run_bound};
use rally_results::{RaceStatus, RaceStore, ReportFormat, render, write_report};
use rally_track::{BuildFlavor, LoadOptions, Track};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

use crate::args::RunArgs;
use crate::bundle;
use crate::components;
use crate::documents::{self, DocumentOptions};
use crate::embedded::EmbeddedNode;
use crate::ending::{CommandError, TasksFailed};
use crate::home::Home;
use crate::observer::{LapContext, RaceObserver, cancelled};
use crate::progress::ProgressBoard;
use crate::record;
use crate::settings::{Settings, TargetChoice};
use crate::terminal;
use crate::track::{self, FoundTrack, Reading};
use crate::{interrupt, logging};

/// The user ended the command before there was anything to report.
#[derive(Debug, thiserror::Error)]
#[error("interrupted before the race began; nothing was measured")]
struct InterruptedEarly;

/// All tasks were run, and some of them got nothing done.
#[derive(Debug, thiserror::Error)]
#[error("no request of [{}] succeeded; the report says why", .0.join("], ["))]
struct NothingSucceeded(Vec<String>);

/// The user ended the race.
#[derive(Debug, thiserror::Error)]
#[error("the race was interrupted; the report has what was measured until then")]
struct Interrupted;

/// Races a track and prints the report.
pub fn run(arguments: &RunArgs) -> Result<(), CommandError> {
    let settings = Settings::read(arguments)?;
    let home = Home::from_environment().map_err(CommandError::user)?;
    logging::start(&home);
    let cancel = Cancel::new();
    interrupt::watch(&cancel).map_err(CommandError::failure)?;
    let board = ProgressBoard::new(arguments.quiet);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::failure)?;

    // What is wrong with what the user says of the track is said before anybody is asked.
    let reading = Reading::with(&arguments.params)?
        .filtered(&arguments.filters)?
        .challenge(arguments.challenge.as_deref())
        .test_mode(arguments.test_mode);
    let running = Running::find(&runtime, &settings, &cancel)?;
    let reading = reading.for_target(running.build_flavor, running.serverless_operator);
    let track_params = reading.track_params().clone();

    // Its folder is there as long as this is.
    let bundle =
        bundle::prepare(arguments.bundle.as_deref(), &arguments.trust, arguments.limits.bounds(), &home)?;
    let found = match &bundle {
        Some(bundle) => {
            board.say(&bundle.to_string());
            FoundTrack::at(bundle.folder())?
        }
        None => track::find(&arguments.track, &arguments.repository, running.version.as_deref(), &home)?,
    };
    let source = &found.source;
    let folder = source.folder();
    let name = source.name();
    let data = home.data(&bundle.as_ref().map_or(name.clone(), |bundle| bundle.data_name(&name)));
    let extensions = components::load(&folder, &name, &arguments.limits, &home)?;
    let options = LoadOptions {
        any_names: false,
        extension_names: extensions.names(),
        seed: settings.seed,
        ..reading.options()
    };
    let track = rally_track::load(source, &options).map_err(CommandError::user)?;
    let track = processed(track, &extensions, &folder, &data, &track_params, arguments, &settings)?;
    let track = Arc::new(track);
    // Whatever the race needs of the track repository has been read.
    let revision = found.checkout.map(|checkout| checkout.revision);
    for warning in &found.warnings {
        board.warn(warning);
    }
    for warning in &track.warnings {
        board.warn(warning);
    }
    let challenge = track
        .challenge(arguments.challenge.as_deref())
        .ok_or_else(|| CommandError::user("the track has no such challenge; name one with --challenge"))?;
    if let Some(info) = &challenge.user_info {
        board.say(info);
    }
    let options = PlanOptions {
        seed: settings.seed,
        laps: arguments.laps,
        on_error: settings.on_error,
        timing: settings.timing,
    };
    let plan = RacePlan::new(&track, challenge, options).map_err(CommandError::user)?;
    let document_options = DocumentOptions::new(arguments.repository.offline, arguments.test_mode, &home)?;
    let needed = documents::needed(&track, challenge, &extensions)?;
    let documents = if needed.contains(&true) {
        let cache = bundle.as_ref().map_or_else(|| home.corpora(), |_| data.clone());
        documents::all(&track, &needed, &cache, &document_options, &board, &cancel)?
    } else {
        Vec::new()
    };

    // The node, if there is one, lives until its figures are in the report.
    let (node, hosts) = target(&settings, &home)?;
    let cluster = match running.cluster {
        Some(cluster) => cluster,
        None => connect(&runtime, &hosts, &settings, &cancel)?,
    };
    let cluster = Arc::new(cluster);
    let mut record = record::begin(arguments, &settings, &track, challenge, &cluster, &hosts, &extensions);
    if let Some(bundle) = &bundle {
        record.options.insert("bundle".to_owned(), bundle.record());
    }
    if let Some(revision) = revision {
        record.options.insert("track-revision".to_owned(), Value::String(revision));
    }
    if !track_params.is_empty() {
        record.options.insert("track-params".to_owned(), Value::Object(track_params.clone()));
    }
    let built_in = Arc::new(TargetBindings::new(Arc::clone(&track), documents.clone(), Arc::clone(&cluster)));
    let race = if extensions.is_empty() {
        bind(&plan, built_in.as_ref())
    } else {
        let surroundings = HostEnvironment {
            data: components::data_folder(&data, &arguments.limits)?,
            documents,
            target: Some(Target { cluster: Arc::clone(&cluster), built_in: Arc::clone(&built_in) }),
            ..HostEnvironment::before_race(&track.name, Folder::open(&folder).map_err(CommandError::failure)?)
        };
        let info =
            RaceInfo { track: Arc::clone(&track), challenge: challenge.name.clone(), seed: settings.seed };
        bind(&plan, &ExtensionBindings::new(extensions, built_in, Arc::new(surroundings), info))
    };
    let race = race.map_err(CommandError::user)?;

    let race_folder = RaceStore::new(home.races()).create(&record).map_err(CommandError::failure)?;
    let log = race_folder.histogram_log(SystemTime::now()).map_err(CommandError::failure)?;
    board.say(&format!(
        "Racing track [{}], challenge [{}] against {}, seed {}\nRace {} is kept in {}\n",
        track.name,
        challenge.name,
        record::describe(node.is_some(), &cluster, &hosts),
        settings.seed,
        record.race_id,
        race_folder.path().display()
    ));

    let context = LapContext {
        runtime: &runtime,
        cluster: &cluster,
        track: &track,
        challenge,
        health: settings.health.clone(),
        cancel: &cancel,
    };
    let mut observer = RaceObserver::new(context, &plan, board, log);
    let end = run_bound(race, &mut LocalDriver::default(), &mut observer, &cancel);
    observer.board.clear();
    observer.end_lap();
    observer.close_log();

    let (status, ending) = match end.reason {
        EndReason::Completed => match TasksFailed::of(&end.failed_tasks) {
            None => (RaceStatus::Complete, Ok(())),
            Some(failed) => (RaceStatus::TasksFailed, Err(CommandError::failure(failed))),
        },
        EndReason::Cancelled => (RaceStatus::Interrupted, Err(CommandError::interrupted(Interrupted))),
        EndReason::Failed(error) => (RaceStatus::Failed, Err(CommandError::failure(error))),
    };
    let summary = observer.collector.summary(status);
    record.take_in(&summary, settings.report.compat);
    let unsuccessful = summary.tasks_without_success();
    let ending = match ending {
        Ok(()) if !unsuccessful.is_empty() => Err(CommandError::failure(NothingSucceeded(unsuccessful))),
        ending => ending,
    };
    record.failure = ending.as_ref().err().map(CommandError::message);
    // The report is printed first: a full disk must not keep it from the user.
    let printed = if arguments.quiet { Ok(()) } else { print(&summary, &settings) };
    // Its data may be what fills the disk.
    drop(node);
    let kept = race_folder.write(&record).map_err(CommandError::failure);
    let written = match &settings.report_file {
        Some(path) => write_report(path, &summary, &settings.report).map_err(CommandError::failure),
        None => Ok(()),
    };
    ending.and(printed).and(kept).and(written)
}

/// The track as its processors leave it, its parameters checked and its data prepared by them.
fn processed(
    track: Track,
    extensions: &Extensions,
    folder: &Path,
    data: &Path,
    track_params: &Map<String, Value>,
    arguments: &RunArgs,
    settings: &Settings,
) -> Result<Track, CommandError> {
    if extensions.is_empty() {
        return Ok(track);
    }
    let challenge = track.challenge(arguments.challenge.as_deref());
    let challenge = challenge.map(|challenge| challenge.name.clone()).unwrap_or_default();
    let surroundings = Arc::new(HostEnvironment {
        data: components::data_folder(data, &arguments.limits)?,
        ..HostEnvironment::before_race(&track.name, Folder::open(folder).map_err(CommandError::failure)?)
    });
    let process = || {
        let track_params = Value::Object(track_params.clone()).to_string();
        extensions.validate(&challenge, &track_params, &surroundings)?;
        let track = extensions.process(track, &challenge, settings.seed, &surroundings)?;
        extensions.prepare(&track, &challenge, settings.seed, &surroundings)?;
        Ok::<_, ProcessingError>(track)
    };
    process().map_err(CommandError::user)
}

/// What is known of the target before the track is read.
struct Running {
    /// Version by which a branch of a track repository is chosen; none where there is no such thing.
    version: Option<String>,
    build_flavor: BuildFlavor,
    serverless_operator: bool,
    /// Who answers at the hosts that the user names.
    cluster: Option<Cluster>,
}

impl Running {
    /// Asks the hosts that the user names.
    fn find(runtime: &Runtime, settings: &Settings, cancel: &Cancel) -> Result<Running, CommandError> {
        let TargetChoice::Hosts(hosts) = &settings.target else {
            return Ok(Running {
                version: Some(rally_node::ELASTICSEARCH_VERSION.to_owned()),
                build_flavor: BuildFlavor::Default,
                serverless_operator: false,
                cluster: None,
            });
        };
        let cluster = connect(runtime, hosts, settings, cancel)?;
        if cluster.is_serverless() {
            let operator = runtime.block_on(cluster.is_operator()).map_err(CommandError::failure)?;
            return Ok(Running {
                version: None,
                build_flavor: BuildFlavor::Serverless,
                serverless_operator: operator,
                cluster: Some(cluster),
            });
        }
        Ok(Running {
            version: Some(cluster.capabilities().version.to_string()),
            build_flavor: BuildFlavor::Default,
            serverless_operator: false,
            cluster: Some(cluster),
        })
    }
}

/// Starts a node, or takes the hosts that were named.
fn target(settings: &Settings, home: &Home) -> Result<(Option<EmbeddedNode>, Vec<TargetHost>), CommandError> {
    match &settings.target {
        TargetChoice::Hosts(hosts) => Ok((None, hosts.clone())),
        TargetChoice::Embedded => {
            let node = EmbeddedNode::start(&home.nodes()).map_err(CommandError::failure)?;
            let hosts = parse_target_hosts(&node.address().to_string()).map_err(CommandError::failure)?;
            Ok((Some(node), hosts))
        }
    }
}

fn connect(
    runtime: &Runtime,
    hosts: &[TargetHost],
    settings: &Settings,
    cancel: &Cancel,
) -> Result<Cluster, CommandError> {
    runtime.block_on(async {
        tokio::select! {
            connected = Cluster::connect(hosts, &settings.client_options) => connected.map_err(|error| match error {
                ClusterError::Endpoint(_) => CommandError::user(error),
                other => CommandError::failure(other),
            }),
            () = cancelled(cancel) => Err(CommandError::interrupted(InterruptedEarly)),
        }
    })
}

/// Prints the report to standard output; what belongs to it but is no table follows, where it does not spoil the format.
fn print(summary: &rally_results::Summary, settings: &Settings) -> Result<(), CommandError> {
    let mut text = render(summary, &settings.report);
    let warnings = summary.warnings(settings.report.compat);
    match settings.report.format {
        ReportFormat::Markdown => {
            for warning in &warnings {
                text.push_str(&format!("\nwarning: {warning}"));
            }
            if !warnings.is_empty() {
                text.push('\n');
            }
        }
        ReportFormat::Csv => {
            for warning in &warnings {
                terminal::warn(warning);
            }
        }
        ReportFormat::Json => {}
    }
    match settings.report.format {
        ReportFormat::Markdown => terminal::print(text),
        ReportFormat::Csv | ReportFormat::Json => terminal::print_data(text.as_bytes()),
    }
    .map_err(CommandError::failure)
}
