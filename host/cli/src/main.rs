//! The `rally` command.

mod args;
mod bundle;
mod create_track;
mod driver;
mod ending;
mod extension;
mod follow;
mod generate;
mod info;
mod interrupt;
mod limits;
mod list;
mod logging;
mod node;
mod not_yet;
mod paths;
mod plan;
mod progress;
mod render_track;
mod run;
mod settings;
mod terminal;
mod track;
mod upgrade_track;
mod validate_track;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, Command};
use crate::ending::USER_ERROR;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let ended = match &cli.command {
        Command::Run(arguments) => run::run(arguments),
        Command::Bundle(arguments) => bundle::run(arguments),
        Command::Extension(arguments) => extension::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Info(arguments) => info::run(arguments),
        Command::RenderTrack(arguments) => render_track::run(arguments),
        Command::ValidateTrack(arguments) => validate_track::run(arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::CreateTrack(arguments) => create_track::run(arguments),
        Command::UpgradeTrack(arguments) => upgrade_track::run(arguments),
        Command::Node(arguments) => node::run(arguments),
        Command::Driver => driver::run(),
        Command::Completions(arguments) => generate::completions(arguments),
        Command::Man(arguments) => generate::man(arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::error(error.message());
            error.exit_code()
        }
    }
}

/// Help and versions are fine; anything else is a user error.
fn usage(error: &clap::Error) -> ExitCode {
    let fine = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    match not_yet::explain(error) {
        Some(text) => terminal::error(text),
        // Where standard output has gone away there is nobody to tell.
        None => drop(error.print()),
    }
    if fine { ExitCode::SUCCESS } else { ExitCode::from(USER_ERROR) }
}
