//! `rally validate-track`: whether a track can be read with these parameters. None of its code is run.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::TrackSelection;

/// Options of `rally validate-track`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub selection: TrackSelection,

    /// Challenge that the track must contain.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = None::<&'static str>)]
    pub challenge: Option<String>,
}

/// Reads a track as a race would, and says what is wrong with it.
pub fn run(arguments: &ValidateArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = arguments.selection.reading()?.challenge(arguments.challenge.as_deref());
    let track = arguments.selection.open(&home, reading)?.load()?;
    let tasks: usize = track
        .challenges
        .iter()
        .flat_map(|challenge| &challenge.schedule)
        .map(|element| element.tasks().len())
        .sum();
    terminal::print(format_args!(
        "Track [{}] is valid: {} with {} in total.\n",
        track.name,
        counted(track.challenges.len(), "challenge"),
        counted(tasks, "task")
    ))
    .map_err(CommandError::failure)
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
