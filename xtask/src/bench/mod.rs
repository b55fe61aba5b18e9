//! `cargo xtask bench`: what the load driver costs.
//!
//! [`driver`] measures it on a stub server beside bare loops, [`peers`] beside esrally on a real server, [`extension`] what a
//! track's own code costs beside the same code native, [`data`] unpacking beside the tools that do only that. All print
//! tables in Markdown; docs/performance.md has those of one machine, and what they mean.

mod data;
mod driver;
mod extension;
mod peers;
mod python;
mod report;
mod usage;
mod workload;

use clap::Subcommand;

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Unpacking documents and counting their lines beside lbzip2, pzstd, pigz, wc and others
    Data(data::Arguments),
    /// Rate, CPU time, lateness and start on a stub server, beside bare loops (and wrk, where it is installed)
    Driver(driver::Arguments),
    /// Calls, start, memory and races of an extension beside the same code native
    Extension(extension::Arguments),
    /// The same workload raced by rally and by esrally on a real server
    Peers(peers::Arguments),
}

/// Does what the command line asks.
///
/// # Errors
/// See the actions; a missing Python or Java is a [`crate::tool::MissingTool`].
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.action {
        Action::Data(arguments) => data::run(arguments),
        Action::Driver(arguments) => driver::run(arguments),
        Action::Extension(arguments) => extension::run(arguments),
        Action::Peers(arguments) => peers::run(arguments),
    }
}
