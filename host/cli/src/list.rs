//! `rally list`: what there is.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::{ContentArrangement, Table, presets};
use rally_results::RaceStore;
use rally_support::numbers::{grouped, human_size};
use rally_track::{Challenge, ListedTrack, Track};
use serde_json::{Value, json};

use rally_session::{Home, SHIPPED, TrackFolders};

use crate::ending::CommandError;
use crate::terminal;
use crate::track::args::{Format, RepositoryArgs, TrackParamArgs};
use crate::track::{self, Reading, TrackSelection};
use rally_session::chain;

/// Options of `rally list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(subcommand)]
    pub what: Listing,
}

/// What can be listed.
#[derive(Debug, Subcommand)]
pub enum Listing {
    /// List the tracks that ship with rally and those of the local track repository.
    Tracks(ListTracksArgs),
    /// List the challenges of a track.
    Challenges(ListPartsArgs),
    /// List the operations that the challenges of a track use.
    Operations(ListPartsArgs),
    /// List the races run on this machine, latest first.
    Races {
        /// Maximum number of races to list.
        #[arg(long, value_name = "N", default_value_t = 10)]
        limit: usize,

        /// Output format.
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        format: Format,
    },
    /// List pipelines.
    Pipelines,
}

/// Options of `rally list tracks`.
#[derive(Debug, Args)]
pub struct ListTracksArgs {
    /// Directory of a track, or a directory with tracks at any depth.
    #[arg(long, value_name = "PATH", value_parser = crate::paths::path())]
    pub track_path: Option<PathBuf>,

    /// List only the tracks that ship with rally.
    #[arg(long, conflicts_with_all = ["track_path", "track_repository", "track_revision"])]
    pub shipped: bool,

    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: Format,

    #[command(flatten)]
    pub repository: RepositoryArgs,
}

/// Options of listings of what is in a track.
#[derive(Debug, Args)]
pub struct ListPartsArgs {
    #[command(flatten)]
    pub selection: TrackSelection,

    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = None::<&'static str>)]
    pub format: Format,
}

/// Prints the listing.
pub fn run(arguments: &ListArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    match &arguments.what {
        Listing::Tracks(arguments) => list_tracks(arguments, &home),
        Listing::Challenges(arguments) => {
            let track = read(arguments, &home)?;
            list_challenges(&track, arguments.format)
        }
        Listing::Operations(arguments) => {
            let track = read(arguments, &home)?;
            list_operations(&track, arguments.format)
        }
        Listing::Races { limit, format } => list_races(&home, *limit, *format),
        Listing::Pipelines => {
            let mut table = table(["Name", "Description"]);
            table.add_row([
                "embedded",
                "Starts an embedded search node, races against it and stops it (the default)",
            ]);
            table.add_row(["benchmark-only", "Races against the cluster at --target-hosts"]);
            terminal::print(format_args!("{table}\n")).map_err(CommandError::failure)
        }
    }
}

fn list_tracks(arguments: &ListTracksArgs, home: &Home) -> Result<(), CommandError> {
    let options = Reading::with(&TrackParamArgs::default())?.options();
    let places = match &arguments.track_path {
        Some(path) => TrackFolders::at(path),
        None => {
            let finder = track::finder(&arguments.repository, home);
            finder.folders(&arguments.repository.spec(), arguments.shipped)?
        }
    };
    for warning in &places.warnings {
        terminal::warn(warning);
    }
    let mut listed: Vec<ListedTrack> = Vec::new();
    for folder in &places.folders {
        for found in rally_track::list(folder, &options).map_err(CommandError::user)? {
            // `--track` takes the first of two that are called the same.
            if !listed.iter().any(|known| known.name == found.name) {
                listed.push(found);
            }
        }
    }
    if let Some(folder) = &places.shipped {
        for mut found in rally_track::list(folder, &options).map_err(CommandError::user)? {
            if listed.iter().any(|known| known.name == found.name) {
                found.name = format!("{SHIPPED}{}", found.name);
            }
            listed.push(found);
        }
    }
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    if arguments.format == Format::Json {
        return print_json(listed.iter().map(track_as_json).collect());
    }
    if listed.is_empty() {
        let folders: Vec<String> =
            places.folders.iter().chain(&places.shipped).map(|folder| folder.display().to_string()).collect();
        let text = format!("No tracks in {}.\n", folders.join(", "));
        return terminal::print(text).map_err(CommandError::failure);
    }
    let mut table = table([
        "Name",
        "Description",
        "Documents",
        "Compressed",
        "Uncompressed",
        "Default challenge",
        "All challenges",
    ]);
    for track in &listed {
        match &track.content {
            Ok(summary) => table.add_row([
                track.name.clone(),
                summary.description.clone(),
                grouped(summary.documents),
                human_size(summary.compressed_bytes),
                human_size(summary.uncompressed_bytes),
                summary.default_challenge.clone(),
                summary.challenges.join(","),
            ]),
            Err(error) => table.add_row([track.name.clone(), format!("cannot be loaded: {}", chain(error))]),
        };
    }
    let hint = places.hint.as_deref().map(|hint| format!("\n{hint}\n")).unwrap_or_default();
    terminal::print(format_args!("{table}\n{hint}")).map_err(CommandError::failure)
}

fn track_as_json(track: &ListedTrack) -> Value {
    match &track.content {
        Ok(summary) => json!({
            "name": track.name,
            "description": summary.description,
            "documents": summary.documents,
            "compressed-bytes": summary.compressed_bytes,
            "uncompressed-bytes": summary.uncompressed_bytes,
            "default-challenge": summary.default_challenge,
            "challenges": summary.challenges,
        }),
        Err(error) => json!({ "name": track.name, "error": chain(error) }),
    }
}

fn read(arguments: &ListPartsArgs, home: &Home) -> Result<Track, CommandError> {
    let opened = arguments.selection.open(home, arguments.selection.reading()?)?;
    rally_track::load(&opened.found.source, &opened.options).map_err(CommandError::user)
}

fn list_challenges(track: &Track, format: Format) -> Result<(), CommandError> {
    let tasks = |challenge: &Challenge| -> usize {
        challenge.schedule.iter().map(|element| element.tasks().len()).sum()
    };
    if format == Format::Json {
        let challenges = track.challenges.iter().map(|challenge| {
            json!({
                "name": challenge.name,
                "default": challenge.default,
                "description": challenge.description,
                "tasks": tasks(challenge),
            })
        });
        return print_json(challenges.collect());
    }
    let mut table = table(["Name", "Default", "Tasks", "Description"]);
    for challenge in &track.challenges {
        table.add_row([
            challenge.name.clone(),
            if challenge.default { "yes".to_owned() } else { String::new() },
            tasks(challenge).to_string(),
            challenge.description.clone().unwrap_or_default(),
        ]);
    }
    terminal::print(format_args!("{table}\n")).map_err(CommandError::failure)
}

/// An operation with the challenges whose tasks use it.
struct UsedOperation<'a> {
    name: &'a str,
    operation_type: &'a str,
    tasks: usize,
    challenges: Vec<&'a str>,
}

fn used_operations(track: &Track) -> Vec<UsedOperation<'_>> {
    let mut operations: Vec<UsedOperation<'_>> = Vec::new();
    for challenge in &track.challenges {
        for task in challenge.schedule.iter().flat_map(|element| element.tasks()) {
            let operation = &task.operation;
            let at = operations.iter().position(|known| {
                known.name == operation.name && known.operation_type == operation.operation_type
            });
            let at = at.unwrap_or_else(|| {
                operations.push(UsedOperation {
                    name: &operation.name,
                    operation_type: &operation.operation_type,
                    tasks: 0,
                    challenges: Vec::new(),
                });
                operations.len() - 1
            });
            operations[at].tasks += 1;
            if operations[at].challenges.last() != Some(&challenge.name.as_str()) {
                operations[at].challenges.push(&challenge.name);
            }
        }
    }
    operations
}

fn list_operations(track: &Track, format: Format) -> Result<(), CommandError> {
    let operations = used_operations(track);
    if format == Format::Json {
        let operations = operations.iter().map(|operation| {
            json!({
                "name": operation.name,
                "operation-type": operation.operation_type,
                "tasks": operation.tasks,
                "challenges": operation.challenges,
            })
        });
        return print_json(operations.collect());
    }
    let mut table = table(["Name", "Operation type", "Tasks", "Challenges"]);
    for operation in &operations {
        table.add_row([
            operation.name.to_owned(),
            operation.operation_type.to_owned(),
            operation.tasks.to_string(),
            operation.challenges.join(","),
        ]);
    }
    terminal::print(format_args!("{table}\n")).map_err(CommandError::failure)
}

fn print_json(values: Vec<Value>) -> Result<(), CommandError> {
    terminal::print_data(format!("{:#}\n", Value::Array(values)).as_bytes()).map_err(CommandError::failure)
}

fn list_races(home: &Home, limit: usize, format: Format) -> Result<(), CommandError> {
    let (races, problems) = RaceStore::new(home.races()).races().map_err(CommandError::failure)?;
    for problem in &problems {
        terminal::warn(chain(problem));
    }
    if format == Format::Json {
        let races = races.into_iter().take(limit).map(|race| {
            json!({
                "race-id": race.race_id,
                "race-timestamp": race.race_timestamp,
                "track": race.track,
                "challenge": race.challenge,
                "distribution-version": race.distribution_version,
                "status": race.status,
                "user-tags": race.user_tags,
            })
        });
        return print_json(races.collect());
    }
    if races.is_empty() {
        return terminal::print("No races yet.\n").map_err(CommandError::failure);
    }
    let mut table = table(["Race ID", "Timestamp", "Track", "Challenge", "Version", "Status", "User tags"]);
    for race in races.into_iter().take(limit) {
        let tags: Vec<String> = race.user_tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        table.add_row([
            race.race_id,
            race.race_timestamp,
            race.track,
            race.challenge.unwrap_or_default(),
            race.distribution_version.unwrap_or_default(),
            serde_json::to_value(race.status)
                .ok()
                .and_then(|status| status.as_str().map(str::to_owned))
                .unwrap_or_default(),
            tags.join(", "),
        ]);
    }
    terminal::print(format_args!("{table}\n")).map_err(CommandError::failure)
}

/// A table without frames that fits the terminal; elsewhere its lines are as long as they need to be.
fn table<const COLUMNS: usize>(header: [&str; COLUMNS]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    if let Some((_, columns)) = console::Term::stdout().size_checked() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
    }
    table
}
