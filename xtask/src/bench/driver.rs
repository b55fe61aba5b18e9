//! `cargo xtask bench driver`: builds rally and its benchmark program, and runs the latter.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::tool;

/// Options of `cargo xtask bench driver`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A minute instead of ten: shows that everything works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Only this part; may be given several times
    #[arg(long, value_name = "PART", value_parser = ["throughput", "lateness", "startup"])]
    only: Vec<String>,
    /// This built command instead of building it
    #[arg(long, value_name = "PATH")]
    rally: Option<PathBuf>,
}

/// Measures and prints the tables.
///
/// # Errors
/// Where the build or the measurement fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let rally = rally(arguments.rally.as_deref())?;
    let mut bench = cargo();
    bench.args(["bench", "--package", "rally-cluster", "--bench", "driver", "--"]);
    bench.arg(format!("--rally={}", rally.display()));
    if arguments.quick {
        bench.arg("--quick");
    }
    bench.args(arguments.only.iter().map(|part| format!("--only={part}")));
    succeed(&mut bench)
}

/// The command that is measured: the one given, or built as users have it.
///
/// # Errors
/// Where there is none, or the build fails.
pub fn rally(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    match given {
        None => build_rally(),
        Some(path) => {
            path.canonicalize().with_context(|| format!("--rally: {} cannot be read", path.display()))
        }
    }
}

fn build_rally() -> anyhow::Result<PathBuf> {
    let mut build = cargo();
    build.args([
        "build",
        "--release",
        "--package",
        "rally",
        "--bin",
        "rally",
        "--message-format=json-render-diagnostics",
    ]);
    let output =
        build.stderr(std::process::Stdio::inherit()).output().context("cargo could not be started")?;
    if !output.status.success() {
        bail!("rally could not be built ({})", output.status);
    }
    // Cargo tells where it puts things; the target folder may be anywhere.
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "rally")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo built rally but does not say where it is")
}

/// Cargo, in this workspace.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tool::workspace());
    command
}

/// Runs a measurement.
///
/// # Errors
/// Where it fails.
pub fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().context("cargo could not be started")?;
    if status.success() { Ok(()) } else { bail!("the measurement failed ({status})") }
}
