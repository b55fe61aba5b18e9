//! `rally validate-track`: whether a track can be raced with these parameters. No request is sent, and components are only
//! asked what they register.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use rally_extension::Extensions;
use rally_session::{ExtensionLimits, Home, chain, components};
use rally_track::{Challenge, LoadOptions};

use crate::ending::CommandError;
use crate::terminal;
use crate::track::args::{FlavorArgs, RepositoryArgs, StrictArgs, TrackArgs, TrackParamArgs};
use crate::track::{self, Reading};

/// Options of `rally validate-track`.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub track: TrackArgs,

    /// Challenge that the track must contain.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub challenge: Option<String>,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub strict: StrictArgs,

    #[command(flatten)]
    pub flavor: FlavorArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,
}

/// Reads a track as a race would, and says what is wrong with it.
pub fn run(arguments: &ValidateArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = Reading::with(&arguments.params)?
        .strict(arguments.strict)
        .flavor(&arguments.flavor)
        .challenge(arguments.challenge.as_deref());
    let found = track::find(&arguments.track, &arguments.repository, &home)?;
    let (folder, name) = (found.source.folder(), found.source.name());
    let (extensions, unread) = match components::load(&folder, &name, &ExtensionLimits::default(), &home) {
        Ok(extensions) => (extensions, None),
        Err(error) => (Extensions::default(), Some(chain(&error))),
    };
    if let Some(reason) = &unread {
        let warning = format!("a component cannot be loaded, so that names are not checked: {reason}");
        terminal::warn(&warning);
    }
    let options = LoadOptions {
        // Python code may register any name.
        any_names: unread.is_some() || folder.join("track.py").is_file(),
        every_challenge: arguments.challenge.is_none(),
        extension_names: extensions.names(),
        ..reading.options()
    };
    let (track, places) =
        rally_track::load_with_places(&found.source, &options).map_err(CommandError::user)?;
    for warning in found.warnings.iter().chain(&track.warnings) {
        terminal::warn(warning);
    }
    let challenges: Vec<&Challenge> = match arguments.challenge.as_deref() {
        Some(name) => track.challenge(Some(name)).into_iter().collect(),
        None => track.challenges.iter().collect(),
    };
    rally_session::check(&track, &challenges, &extensions, &places, &home.corpora())?;
    let tasks: usize = track
        .challenges
        .iter()
        .flat_map(|challenge| &challenge.schedule)
        .map(|element| element.tasks().len())
        .sum();
    terminal::print(format_args!(
        "Track '{}' is valid: {} with {} in total.\n",
        track.name,
        counted(track.challenges.len(), "challenge"),
        counted(tasks, "task")
    ))
    .map_err(CommandError::failure)
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
