//! `cargo xtask bench extension`: builds the benchmark of extensions, and runs it.

use super::driver::{cargo, succeed};

/// Options of `cargo xtask bench extension`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Half a minute instead of five: shows that everything works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// One JSON document instead of tables
    #[arg(long)]
    json: bool,
    /// Only this part; may be given several times
    #[arg(long, value_name = "PART", value_parser = ["calls", "start", "memory", "throughput", "lateness"])]
    only: Vec<String>,
}

/// Measures and prints the tables.
///
/// # Errors
/// Where the build or the measurement fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut bench = cargo();
    // Of the whole workspace, so that what it shares with other builds is compiled once.
    bench.args(["bench", "--workspace", "--bench", "extension", "--"]);
    bench.args(arguments.quick.then_some("--quick"));
    bench.args(arguments.json.then_some("--json"));
    bench.args(arguments.only.iter().map(|part| format!("--only={part}")));
    succeed(&mut bench)
}
