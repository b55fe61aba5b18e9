//! `rally list`: what there is.

use comfy_table::{ContentArrangement, Table, presets};
use rally_results::RaceStore;
use rally_track::{LoadOptions, human_size};

use crate::args::{ListArgs, Listing};
use crate::ending::{CommandError, chain};
use crate::home::Home;
use crate::terminal;
use crate::tracks;

/// Prints the listing.
pub fn run(arguments: &ListArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    match &arguments.what {
        Listing::Tracks { track_path } => {
            let folder = tracks::folder(track_path.clone(), &home)?;
            list_tracks(&folder)
        }
        Listing::Races { limit } => list_races(&home, *limit),
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

fn list_tracks(folder: &std::path::Path) -> Result<(), CommandError> {
    let options = LoadOptions { now: tracks::now(), ..LoadOptions::default() };
    let listed = rally_track::list(folder, &options).map_err(CommandError::user)?;
    if listed.is_empty() {
        let text = format!("There are no tracks in {}.\n", folder.display());
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
                crate::progress::grouped(summary.documents),
                human_size(summary.compressed_bytes),
                human_size(summary.uncompressed_bytes),
                summary.default_challenge.clone(),
                summary.challenges.join(","),
            ]),
            Err(error) => table.add_row([track.name.clone(), format!("cannot be loaded: {}", chain(error))]),
        };
    }
    terminal::print(format_args!("{table}\n")).map_err(CommandError::failure)
}

fn list_races(home: &Home, limit: usize) -> Result<(), CommandError> {
    let (races, problems) = RaceStore::new(home.races()).races().map_err(CommandError::failure)?;
    for problem in &problems {
        terminal::say(format_args!("[WARNING] {}", chain(problem)));
    }
    if races.is_empty() {
        return terminal::print("No race was run here yet.\n").map_err(CommandError::failure);
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
