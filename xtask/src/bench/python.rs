//! esrally in a virtual environment of its own, outside the repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::tool;

/// The release of esrally that is compared with.
pub const ESRALLY: &str = "2.13.0";

const REMEDY: &str = "install Python 3.10 or later with its venv and pip modules";

/// Where things are kept that are worth keeping between two measurements: `RALLY_BENCH_CACHE`, else below the user's cache
/// folder.
pub fn cache() -> PathBuf {
    let given = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given("RALLY_BENCH_CACHE")
        .or_else(|| given("XDG_CACHE_HOME").map(|folder| folder.join("rally-bench")))
        .or_else(|| given("HOME").map(|folder| folder.join(".cache/rally-bench")))
        .unwrap_or_else(|| env::temp_dir().join("rally-bench"))
}

/// The `esrally` command; installed first if need be.
///
/// # Errors
/// [`tool::MissingTool`] without Python; what pip said otherwise.
pub fn esrally(cache: &Path) -> anyhow::Result<PathBuf> {
    let environment = cache.join(format!("esrally-{ESRALLY}"));
    let command = environment.join("bin/esrally");
    // Written last: an installation that was interrupted is begun anew.
    let complete = environment.join("complete");
    if complete.is_file() {
        return Ok(command);
    }
    eprintln!("installing esrally {ESRALLY} with pip …");
    fs::create_dir_all(cache).with_context(|| format!("{} could not be created", cache.display()))?;
    tool::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment), REMEDY)?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]).arg(format!("esrally=={ESRALLY}"));
    tool::run(&mut pip, REMEDY)?;
    fs::write(&complete, b"")?;
    Ok(command)
}
