//! The command line of `rally extension`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::bundle::Format;
use crate::limits::LimitArgs;

/// Options of `rally extension`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rally extension new --lang rust my-track\n  rally extension build my-track\n  rally extension test my-track\n  \
                  rally extension inspect my-track"
)]
pub struct ExtensionArgs {
    #[command(subcommand)]
    pub what: ExtensionCommand,
}

/// What to do with extensions.
#[derive(Debug, Subcommand)]
pub enum ExtensionCommand {
    /// Create a track with a working extension.
    New(NewArgs),
    /// Build a track's extension from its _source directory and put the component beside track.json.
    Build(BuildArgs),
    /// Show what a component registers and imports, and its limits.
    Inspect(InspectArgs),
    /// Check whether rally accepts a component or the extensions of a track.
    Check(CheckArgs),
    /// Run an extension's tests, then race each challenge of its track in test mode.
    Test(TestArgs),
}

/// Options of `rally extension new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Name of the track and of its new directory.
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Language of the extension.
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = Language::Rust)]
    pub lang: Language,

    /// Parent directory of the new track.
    #[arg(long, value_name = "DIR", default_value = ".", value_parser = crate::paths::path())]
    pub path: PathBuf,
}

/// A language to write extensions in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Rust, with the SDK in guest-sdk/rust.
    Rust,
    /// Not supported yet.
    #[value(hide = true)]
    Python,
    /// Not supported yet.
    #[value(hide = true, alias = "js")]
    Javascript,
    /// Not supported yet.
    #[value(hide = true)]
    C,
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::Python => "Python",
            Language::Javascript => "JavaScript",
            Language::C => "C",
        })
    }
}

/// Options of `rally extension build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// Directory of the track.
    #[arg(value_name = "DIR", default_value = ".", value_parser = crate::paths::path())]
    pub path: PathBuf,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Component file, or directory of a track.
    #[arg(value_name = "FILE|DIR", default_value = ".", value_parser = crate::paths::path())]
    pub path: PathBuf,

    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Component file, or directory of a track.
    #[arg(value_name = "FILE|DIR", default_value = ".", value_parser = crate::paths::path())]
    pub path: PathBuf,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Directory of the track.
    #[arg(value_name = "DIR", default_value = ".", value_parser = crate::paths::path())]
    pub path: PathBuf,

    /// Race against the responses recorded in FILE instead of the embedded node.
    #[arg(long, value_name = "FILE", conflicts_with = "record", value_parser = crate::paths::path())]
    pub recording: Option<PathBuf>,

    /// Record the embedded node's responses to FILE, for use with --recording.
    #[arg(long, value_name = "FILE", value_parser = crate::paths::path())]
    pub record: Option<PathBuf>,

    /// Seed of the races; with --recording, the recorded seed is used.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, conflicts_with = "recording")]
    pub seed: u64,

    #[command(flatten)]
    pub limits: LimitArgs,
}
