//! `rally render-track`: the JSON that a track's templates come out as.

use std::path::PathBuf;

use clap::Args;
use rally_support::whole_file;

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::args::{FlavorArgs, RepositoryArgs, TrackArgs, TrackParamArgs};
use crate::track::{self, Reading};

/// Options of `rally render-track`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub track: TrackArgs,

    /// Output file [default: standard output].
    #[arg(long, value_name = "FILE")]
    pub output_path: Option<PathBuf>,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub flavor: FlavorArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,
}

/// Renders a track. Whether the JSON makes a track is for `rally validate-track` to say.
pub fn run(arguments: &RenderArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = Reading::with(&arguments.params)?.flavor(&arguments.flavor);
    let found = track::find(&arguments.track, &arguments.repository, &home)?;
    for warning in &found.warnings {
        terminal::warn(warning);
    }
    let rendered = rally_track::render(&found.source, &reading.options()).map_err(CommandError::user)?;
    let text = format!("{rendered:#}\n");
    match &arguments.output_path {
        None => terminal::print_data(text.as_bytes()).map_err(CommandError::failure),
        Some(path) => {
            whole_file::write(path, |file| file.write_all(text.as_bytes())).map_err(CommandError::failure)?;
            let name = found.source.name();
            terminal::print(format_args!("Rendered track '{name}' to '{}'.\n", path.display()))
                .map_err(CommandError::failure)
        }
    }
}
