//! `rally extension test`: the extension's own tests, then each challenge of its track.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use rally_support::whole_file;
use rally_track::{LoadOptions, TrackSource};

use crate::args::{Cli, Command};
use crate::embedded::EmbeddedNode;
use crate::ending::CommandError;
use crate::extension::args::TestArgs;
use crate::extension::recording::{Player, Recorder, Recording};
use crate::extension::source::Source;
use crate::home::Home;
use crate::{components, run, terminal, track};

/// A trial did not go well.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    #[error("{path} has no component (*.wasm); run `rally extension build` first")]
    NotBuilt { path: PathBuf },
    #[error("the recording {file} has no challenge [{challenge}]; make it again with --record")]
    NotRecorded { file: PathBuf, challenge: String },
    #[error(
        "challenge [{challenge}] sent what the recording does not know:\n  {}\nThe extension sends something else than when it was \
         recorded: make the recording again with --record if that is meant", unknown.join("\n  ")
    )]
    Unknown { challenge: String, unknown: Vec<String> },
}

/// Tries an extension.
pub fn run(arguments: &TestArgs, home: &Home) -> Result<(), CommandError> {
    let track = &arguments.path;
    // What a recording says is read before anything takes time.
    let recording =
        arguments.recording.as_deref().map(Recording::read).transpose().map_err(CommandError::user)?;
    if let Some(source) = Source::of_track(track) {
        terminal::say("Running the extension's own tests");
        source.test().map_err(CommandError::user)?;
    }
    let challenges = challenges(arguments, home)?;
    if let Some(newer) = newer_source(track) {
        terminal::warn(format_args!(
            "{} is newer than the component; run `rally extension build` to rebuild it",
            newer.display()
        ));
    }
    match (&recording, &arguments.record) {
        (Some(recording), _) => play(arguments, recording, &challenges),
        (None, Some(file)) => record(arguments, file, &challenges, home),
        (None, None) => race(arguments, &challenges, None),
    }
}

/// Names of the track's challenges, once the track has loaded with its components.
fn challenges(arguments: &TestArgs, home: &Home) -> Result<Vec<String>, CommandError> {
    let source = TrackSource::from_path(&arguments.path).map_err(CommandError::user)?;
    let extensions = components::load(&source.folder(), &source.name(), &arguments.limits, home)?;
    if extensions.is_empty() {
        return Err(CommandError::user(TrialError::NotBuilt { path: arguments.path.clone() }));
    }
    let options =
        LoadOptions { now: track::now(), extension_names: extensions.names(), ..LoadOptions::default() };
    let track = rally_track::load(&source, &options).map_err(CommandError::user)?;
    Ok(track.challenges.into_iter().map(|challenge| challenge.name).collect())
}

/// Races all challenges against the embedded node, or against what listens at `target`.
fn race(arguments: &TestArgs, challenges: &[String], target: Option<SocketAddr>) -> Result<(), CommandError> {
    for challenge in challenges {
        one(arguments, challenge, arguments.seed, target)?;
    }
    Ok(())
}

/// Races all challenges against the answers of a recording.
fn play(arguments: &TestArgs, recording: &Recording, challenges: &[String]) -> Result<(), CommandError> {
    for challenge in challenges {
        let Some(exchanges) = recording.exchanges(challenge) else {
            let file = arguments.recording.clone().unwrap_or_default();
            return Err(CommandError::user(TrialError::NotRecorded { file, challenge: challenge.clone() }));
        };
        let player = Player::start(exchanges).map_err(CommandError::failure)?;
        let ended = one(arguments, challenge, recording.seed(), Some(player.address()));
        let unknown = player.unknown();
        if !unknown.is_empty() {
            let challenge = challenge.clone();
            return Err(CommandError::user(TrialError::Unknown { challenge, unknown }));
        }
        ended?;
    }
    Ok(())
}

/// Races all challenges against the embedded node and writes down its answers; only if all went well there is a recording.
fn record(arguments: &TestArgs, file: &Path, challenges: &[String], home: &Home) -> Result<(), CommandError> {
    let mut recording = Recording::new(arguments.seed);
    for challenge in challenges {
        // A fresh node each time: what one challenge leaves behind is not there when another one is played alone.
        let node = EmbeddedNode::start(&home.nodes()).map_err(CommandError::failure)?;
        let recorder = Recorder::start(node.address()).map_err(CommandError::failure)?;
        one(arguments, challenge, arguments.seed, Some(recorder.address()))?;
        let exchanges = recorder.finish().map_err(CommandError::failure)?;
        recording.add(challenge, exchanges);
    }
    whole_file::write(file, |out| recording.write_to(out)).map_err(CommandError::user)?;
    terminal::say(format_args!("Recorded in {}", file.display()));
    Ok(())
}

/// Races one challenge as `rally run` does.
fn one(
    arguments: &TestArgs,
    challenge: &str,
    seed: u64,
    target: Option<SocketAddr>,
) -> Result<(), CommandError> {
    let mut line: Vec<OsString> =
        ["rally", "run", "--test-mode", "--on-error=abort", "--quiet"].map(OsString::from).into();
    line.extend([OsString::from("--track-path"), arguments.path.clone().into()]);
    line.push(format!("--challenge={challenge}").into());
    line.push(format!("--seed={seed}").into());
    if let Some(address) = target {
        line.push(format!("--target-hosts={address}").into());
        // One node alone has no place for replicas.
        line.push("--cluster-health=yellow".into());
    }
    let cli = Cli::try_parse_from(line).map_err(CommandError::failure)?;
    let Command::Run(mut race) = cli.command else { return Ok(()) };
    race.limits = arguments.limits.clone();
    run::run(&race).inspect_err(|_| terminal::say(format_args!("Challenge [{challenge}]: failed")))?;
    terminal::say(format_args!("Challenge [{challenge}]: fine"));
    Ok(())
}

/// A file of the sources that is newer than every component, if there is one: somebody may have forgotten to build.
fn newer_source(track: &Path) -> Option<PathBuf> {
    let modified = |path: &Path| fs::metadata(path).and_then(|status| status.modified()).ok();
    let built = rally_extension::components(track).ok()?.iter().filter_map(|path| modified(path)).max()?;
    let mut folders = vec![track.join("_source")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).ok()?.flatten() {
            let path = entry.path();
            let name = entry.file_name();
            let is_source =
                !name.as_encoded_bytes().starts_with(b".") && name != "target" && name != "Cargo.lock";
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && is_source => folders.push(path),
                Ok(kind) if kind.is_file() && is_source && modified(&path)? > built => return Some(path),
                _ => {}
            }
        }
    }
    None
}
