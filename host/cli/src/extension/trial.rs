//! `rally extension test`: the extension's own tests, then each challenge of its track.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rally_cluster::{ClusterHealth, parse_target_hosts};
use rally_race::{Cancel, OnError};
use rally_recording::{Player, Recorder, Recording};
use rally_session::embedded::EmbeddedNode;
use rally_session::{Credentials, Home, RaceSpec, TargetSpec, TrackSpec, components, record as keep};
use rally_support::whole_file;
use rally_track::{LoadOptions, TrackSource};

use crate::ending::CommandError;
use crate::extension::args::TestArgs;
use crate::extension::source::Source;
use crate::follow::TerminalObserver;
use crate::run::{finish, node_program};
use crate::{interrupt, logging, terminal, track};

/// A trial did not go well.
#[derive(Debug, thiserror::Error)]
enum TrialError {
    #[error("'{path}' has no component (*.wasm); run `rally extension build` first")]
    NotBuilt { path: PathBuf },
    #[error("the recording '{file}' has no challenge '{challenge}'; record it again with --record")]
    NotRecorded { file: PathBuf, challenge: String },
    #[error(
        "challenge '{challenge}' sent what the recording does not know:\n  {}\nThe extension sends something else than when it was \
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
            "'{}' is newer than the component; run `rally extension build` to rebuild it",
            newer.display()
        ));
    }
    logging::start(home);
    let trial = Trial { arguments, home, cancel: Cancel::new() };
    interrupt::watch(&trial.cancel).map_err(CommandError::failure)?;
    match (&recording, &arguments.record) {
        (Some(recording), _) => trial.play(recording, &challenges),
        (None, Some(file)) => trial.record(file, &challenges),
        (None, None) => challenges.iter().try_for_each(|name| trial.one(name, arguments.seed, None)),
    }
}

/// Names of the track's challenges, once the track has loaded with its components.
fn challenges(arguments: &TestArgs, home: &Home) -> Result<Vec<String>, CommandError> {
    let source = TrackSource::from_path(&arguments.path).map_err(CommandError::user)?;
    let extensions = components::load(&source.folder(), &source.name(), &arguments.limits.limits(), home)?;
    if extensions.is_empty() {
        return Err(CommandError::user(TrialError::NotBuilt { path: arguments.path.clone() }));
    }
    let options =
        LoadOptions { now: track::now(), extension_names: extensions.names(), ..LoadOptions::default() };
    let track = rally_track::load(&source, &options).map_err(CommandError::user)?;
    Ok(track.challenges.into_iter().map(|challenge| challenge.name).collect())
}

/// The races of one trial: files, and Ctrl-C.
struct Trial<'a> {
    arguments: &'a TestArgs,
    home: &'a Home,
    cancel: Cancel,
}

impl Trial<'_> {
    /// Races all challenges against the answers of a recording.
    fn play(&self, recording: &Recording, challenges: &[String]) -> Result<(), CommandError> {
        for challenge in challenges {
            let Some(exchanges) = recording.exchanges(challenge) else {
                let file = self.arguments.recording.clone().unwrap_or_default();
                return Err(CommandError::user(TrialError::NotRecorded {
                    file,
                    challenge: challenge.clone(),
                }));
            };
            let player = Player::start(exchanges).map_err(CommandError::failure)?;
            let ended = self.one(challenge, recording.seed(), Some(player.address()));
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
    fn record(&self, file: &Path, challenges: &[String]) -> Result<(), CommandError> {
        let seed = self.arguments.seed;
        let mut recording = Recording::new(seed);
        for challenge in challenges {
            // A fresh node each time: what one challenge leaves behind is not there when another one is played alone.
            let node = EmbeddedNode::start(&node_program()?.path, &self.home.nodes())
                .map_err(CommandError::failure)?;
            let recorder = Recorder::start(node.address()).map_err(CommandError::failure)?;
            self.one(challenge, seed, Some(recorder.address()))?;
            let exchanges = recorder.finish().map_err(CommandError::failure)?;
            recording.add(challenge, exchanges);
        }
        whole_file::write(file, |out| recording.write_to(out)).map_err(CommandError::user)?;
        terminal::say(format_args!("Recorded in {}", file.display()));
        Ok(())
    }

    /// Races one challenge as `rally run` does.
    fn one(&self, challenge: &str, seed: u64, target: Option<SocketAddr>) -> Result<(), CommandError> {
        self.race(challenge, seed, target)
            .inspect_err(|_| terminal::say(format_args!("Challenge '{challenge}': failed")))?;
        terminal::say(format_args!("Challenge '{challenge}': fine"));
        Ok(())
    }

    fn race(&self, challenge: &str, seed: u64, target: Option<SocketAddr>) -> Result<(), CommandError> {
        let mut spec = RaceSpec::new(TrackSpec::Folder(self.arguments.path.clone()), track::now(), seed);
        spec.challenge = Some(challenge.to_owned());
        spec.test_mode = true;
        spec.on_error = OnError::Abort;
        spec.extension_limits = self.arguments.limits.limits();
        if let Some(address) = target {
            let hosts = parse_target_hosts(&address.to_string()).map_err(CommandError::failure)?;
            spec.target = TargetSpec::Hosts(hosts);
            // One node alone has no place for replicas.
            spec.health = Some(ClusterHealth::Yellow);
        }
        let observer = TerminalObserver::new(true);
        let recorded = keep(finish(spec, Credentials::default(), self.home, &observer, &self.cancel)?);
        Ok(recorded.end.and(recorded.kept)?)
    }
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
