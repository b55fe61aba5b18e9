//! The command line of `rally extension`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::bundle::Format;
use crate::components::LimitArgs;

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
    /// Write a track with an extension that works, to begin with.
    New(NewArgs),
    /// Build the extension of a track from its _source folder, and put the component beside track.json.
    Build(BuildArgs),
    /// Show what a component registers, what it asks for, and what it may take.
    Inspect(InspectArgs),
    /// Say whether rally would take a component or the extensions of a track, and if not, why.
    Check(CheckArgs),
    /// Run the tests of an extension, then each challenge of its track in test mode.
    Test(TestArgs),
}

/// Options of `rally extension new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// Name of the track, and of the folder that is made.
    #[arg(value_name = "NAME")]
    pub name: String,

    /// Language of the extension.
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value_t = Language::Rust)]
    pub lang: Language,

    /// Folder in which to make the track's folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub path: PathBuf,
}

/// A language to write extensions in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// With the SDK in guest-sdk/rust.
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
    /// Folder of the track.
    #[arg(value_name = "DIR", default_value = ".")]
    pub path: PathBuf,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A component, or the folder of a track.
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub path: PathBuf,

    /// Whom to tell.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// A component, or the folder of a track.
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub path: PathBuf,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally extension test`.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Folder of the track.
    #[arg(value_name = "DIR", default_value = ".")]
    pub path: PathBuf,

    /// Race against the answers in this file instead of the embedded node (--record makes such a file).
    #[arg(long, value_name = "FILE", conflicts_with = "record")]
    pub recording: Option<PathBuf>,

    /// Write down what the embedded node answers, to race against it later with --recording.
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,

    /// Seed of the races; a recording has its own.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, conflicts_with = "recording")]
    pub seed: u64,

    #[command(flatten)]
    pub limits: LimitArgs,
}
