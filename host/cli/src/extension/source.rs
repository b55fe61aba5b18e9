//! The sources of an extension, and the tools that build them.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use serde_json::Value;

/// What extensions are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The sources of an extension cannot be built or tested.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// There are none.
    #[error(
        "'{manifest}' does not exist: the sources of an extension are in the folder _source of its track"
    )]
    NoSource {
        /// What is missing.
        manifest: PathBuf,
    },
    /// A tool is not there.
    #[error("cannot run {tool}: install Rust (https://rustup.rs), which extensions are built with")]
    NoTool {
        /// Which.
        tool: &'static str,
        #[source]
        /// Why.
        cause: io::Error,
    },
    /// The target is not there.
    #[error("Rust cannot build for {TARGET} yet; run `rustup target add {TARGET}` and try again")]
    NoTarget,
    /// A tool has failed, and said why.
    #[error("{what} failed ({status}); see its output above")]
    Failed {
        /// What was run.
        what: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A tool says something that nobody expects.
    #[error("unexpected output of {what}: {said}")]
    Unexpected {
        /// What was run.
        what: &'static str,
        /// What it says.
        said: String,
    },
    /// It is no library that becomes a module.
    #[error(
        "'{manifest}' does not build a module: it needs `crate-type = [\"cdylib\", \"lib\"]` below `[lib]`"
    )]
    NoModule {
        /// The manifest.
        manifest: PathBuf,
    },
}

/// The sources of a track's extension: a Rust crate in `_source`.
pub struct Source {
    folder: PathBuf,
}

impl Source {
    /// Where the sources of a track are, if it has any.
    pub fn of_track(track: &Path) -> Option<Source> {
        let folder = track.join("_source");
        folder.join("Cargo.toml").is_file().then_some(Source { folder })
    }

    /// The same where there have to be some.
    pub fn required(track: &Path) -> Result<Source, SourceError> {
        Source::of_track(track)
            .ok_or_else(|| SourceError::NoSource { manifest: track.join("_source").join("Cargo.toml") })
    }

    /// Runs the tests of the crate on this machine; what they print is the user's to see.
    pub fn test(&self) -> Result<(), SourceError> {
        self.run("cargo test", Command::new("cargo").arg("test"))
    }

    /// Builds the core module and tells where it is. What cargo prints is the user's to see.
    pub fn build(&self) -> Result<PathBuf, SourceError> {
        self.check_target()?;
        let folder = std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone());
        let mut command = Command::new("cargo");
        command
            .args(["build", "--release", "--lib", "--target", TARGET])
            .arg("--message-format=json-render-diagnostics")
            .env("CARGO_ENCODED_RUSTFLAGS", flags(&folder))
            .env_remove("RUSTFLAGS")
            .stderr(Stdio::inherit());
        let told = self.output("cargo build", &mut command)?;
        let manifest = folder.join("Cargo.toml");
        // Messages of what it depends on come first.
        let mut built = told.lines().rev().filter_map(|line| module(line, &manifest));
        built.next().ok_or(SourceError::NoModule { manifest })
    }

    /// Name of the crate.
    pub fn name(&self) -> Result<String, SourceError> {
        let mut command = Command::new("cargo");
        command.args(["metadata", "--no-deps", "--format-version=1"]).stderr(Stdio::inherit());
        let told = self.output("cargo metadata", &mut command)?;
        let unexpected =
            |said: &str| SourceError::Unexpected { what: "cargo metadata", said: said.to_owned() };
        let told: Value = serde_json::from_str(&told).map_err(|error| unexpected(&error.to_string()))?;
        let manifest = std::fs::canonicalize(self.folder.join("Cargo.toml")).ok();
        let packages = told["packages"].as_array().into_iter().flatten();
        packages
            .into_iter()
            .find(|package| {
                let path = package["manifest_path"].as_str().map(Path::new);
                path.and_then(|path| std::fs::canonicalize(path).ok()) == manifest
            })
            .and_then(|package| package["name"].as_str())
            .map(str::to_owned)
            .ok_or_else(|| unexpected("no package of this folder"))
    }

    /// Whether Rust can build for the target, as it is chosen for this folder.
    fn check_target(&self) -> Result<(), SourceError> {
        let mut command = Command::new("rustc");
        command.args(["--print", "sysroot"]).stderr(Stdio::inherit());
        let sysroot = self.output("rustc --print sysroot", &mut command)?;
        let installed = Path::new(sysroot.trim()).join("lib").join("rustlib").join(TARGET);
        if installed.is_dir() { Ok(()) } else { Err(SourceError::NoTarget) }
    }

    /// Runs a command whose standard output is for us.
    fn output(&self, what: &'static str, command: &mut Command) -> Result<String, SourceError> {
        let output = command.current_dir(&self.folder).stdin(Stdio::null()).output();
        let output = output.map_err(|cause| no_tool(what, cause))?;
        if !output.status.success() {
            return Err(SourceError::Failed { what: what.to_owned(), status: output.status });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn run(&self, what: &'static str, command: &mut Command) -> Result<(), SourceError> {
        let status = command.current_dir(&self.folder).stdin(Stdio::null()).status();
        let status = status.map_err(|cause| no_tool(what, cause))?;
        if status.success() { Ok(()) } else { Err(SourceError::Failed { what: what.to_owned(), status }) }
    }
}

fn no_tool(what: &'static str, cause: io::Error) -> SourceError {
    SourceError::NoTool { tool: what.split(' ').next().unwrap_or(what), cause }
}

/// The module that a message of cargo tells of, if it is that of this manifest.
fn module(line: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_ours = message["reason"] == "compiler-artifact"
        && message["manifest_path"].as_str().map(Path::new).is_some_and(|path| same_file(path, manifest));
    let files = message["filenames"].as_array().filter(|_| is_ours)?;
    files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
}

fn same_file(one: &Path, other: &Path) -> bool {
    std::fs::canonicalize(one)
        .ok()
        .zip(std::fs::canonicalize(other).ok())
        .is_some_and(|(one, other)| one == other)
}

/// The user's own flags for rustc, and those that keep paths of this machine out of the module: it would be another one on each
/// machine, and tell about this one.
fn flags(folder: &Path) -> OsString {
    const SEPARATOR: &str = "\u{1f}";
    let mut flags: Vec<OsString> =
        match (std::env::var_os("CARGO_ENCODED_RUSTFLAGS"), std::env::var("RUSTFLAGS")) {
            (Some(encoded), _) if !encoded.is_empty() => vec![encoded],
            (_, Ok(plain)) => plain.split_whitespace().map(OsString::from).collect(),
            _ => Vec::new(),
        };
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let places = [cargo_home.map(|home| (home, "/cargo")), Some((folder.to_owned(), "/source"))];
    for (path, name) in places.into_iter().flatten() {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(path);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    flags.join(OsStr::new(SEPARATOR))
}
