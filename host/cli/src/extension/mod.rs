//! `rally extension`: a track's own code, from the author's side.

mod args;
mod build;
mod check;
mod inspect;
mod new;
pub mod report;
mod source;
mod trial;

pub use args::ExtensionArgs;

use rally_session::Home;

use crate::ending::CommandError;
use crate::extension::args::ExtensionCommand;

/// Does what `rally extension` is asked for.
pub fn run(arguments: &ExtensionArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    match &arguments.what {
        ExtensionCommand::New(new) => new::run(new),
        ExtensionCommand::Build(build) => build::run(build),
        ExtensionCommand::Inspect(inspect) => inspect::run(inspect),
        ExtensionCommand::Check(check) => check::run(check),
        ExtensionCommand::Test(test) => trial::run(test, &home),
    }
}
