//! `rally bundle`: tracks as single files, and the way of such a file into a race.

mod args;
mod create;
mod inspect;
mod keygen;

pub use args::{BundleArgs, Format, TrustArgs, TrustLevel};

use rally_session::Home;

use crate::bundle::args::BundleCommand;
use crate::ending::CommandError;

/// Does what `rally bundle` is asked for.
pub fn run(arguments: &BundleArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    match &arguments.what {
        None => create::run(&arguments.create, &home),
        Some(BundleCommand::Create(create)) => create::run(create, &home),
        Some(BundleCommand::Inspect(inspect)) => inspect::run(inspect, &home),
        Some(BundleCommand::Keygen { file }) => keygen::run(file),
    }
}
