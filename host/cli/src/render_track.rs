//! `rally render-track`: the JSON that a track's templates come out as.

use std::path::PathBuf;

use clap::Args;
use rally_support::whole_file;

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::TrackSelection;

/// Options of `rally render-track`.
#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub selection: TrackSelection,

    /// Output file [default: standard output].
    #[arg(long, value_name = "FILE", value_parser = crate::paths::path(), help_heading = None::<&'static str>)]
    pub output_path: Option<PathBuf>,
}

/// Renders a track. Whether the JSON makes a track is for `rally validate-track` to say.
pub fn run(arguments: &RenderArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let opened = arguments.selection.open(&home, arguments.selection.reading()?)?;
    let source = &opened.found.source;
    let rendered = rally_track::render(source, &opened.options).map_err(CommandError::user)?;
    let text = format!("{rendered:#}\n");
    match &arguments.output_path {
        None => terminal::print_data(text.as_bytes()).map_err(CommandError::failure),
        Some(path) => {
            whole_file::write(path, |file| file.write_all(text.as_bytes())).map_err(CommandError::failure)?;
            let name = source.name();
            terminal::print(format_args!(
                "Rendered track [{name}] has been written to [{}].\n",
                path.display()
            ))
            .map_err(CommandError::failure)
        }
    }
}
