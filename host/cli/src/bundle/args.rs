//! The command line of `rally bundle`, and the flags of `rally run` about bundles.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rally_component::Digest;

use crate::limits::LimitArgs;

/// Options of `rally bundle`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  rally bundle --track-path=./my-track --output=my-track.bundle --sign=my.key\n  \
                  rally bundle inspect my-track.bundle\n  rally run --bundle=my-track.bundle --trusted-key=my.key.pub"
)]
pub struct BundleArgs {
    #[command(subcommand)]
    pub what: Option<BundleCommand>,

    #[command(flatten)]
    pub create: CreateArgs,
}

/// What to do with bundles.
#[derive(Debug, Subcommand)]
pub enum BundleCommand {
    /// Pack a track into one file (the default when no subcommand is given).
    Create(CreateArgs),
    /// Show the contents of a bundle and what its components import.
    Inspect(InspectArgs),
    /// Create a key pair: FILE signs, FILE.pub verifies.
    Keygen {
        /// File of the secret key; neither it nor FILE.pub may exist.
        #[arg(value_name = "FILE", value_parser = crate::paths::path())]
        file: PathBuf,
    },
}

/// Options of `rally bundle create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Directory of the track.
    #[arg(long, value_name = "DIR", required = true, value_parser = crate::paths::path())]
    pub track_path: Option<PathBuf>,

    /// Bundle to write.
    #[arg(long, short, value_name = "FILE", required = true, value_parser = crate::paths::path())]
    pub output: Option<PathBuf>,

    /// Sign the bundle with this secret key (see `rally bundle keygen`); the signature goes to FILE.sig.
    #[arg(long, value_name = "KEY", value_parser = crate::paths::path())]
    pub sign: Option<PathBuf>,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally bundle inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Bundle to inspect.
    #[arg(value_name = "FILE", value_parser = crate::paths::path())]
    pub file: PathBuf,

    /// Public key to trust, instead of the keys in trusted-keys of rally's home directory.
    #[arg(long, value_name = "FILE", value_parser = crate::paths::path())]
    pub trusted_key: Vec<PathBuf>,

    /// Output format.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Format of what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Text.
    Text,
    /// JSON.
    Json,
}

/// How far a bundle is believed.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// What rally requires of the bundle before it reads it [default: signed].
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "Bundle")]
    pub trust: Option<TrustLevel>,

    /// Public key to trust, instead of the keys in trusted-keys of rally's home directory.
    #[arg(long, value_name = "FILE", help_heading = "Bundle", value_parser = crate::paths::path())]
    pub trusted_key: Vec<PathBuf>,

    /// SHA-256 digest that the bundle must have.
    #[arg(long, value_name = "SHA256", value_parser = digest, help_heading = "Bundle")]
    pub bundle_digest: Option<Digest>,
}

/// How far a bundle is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustLevel {
    /// FILE.sig holds the signature of a trusted key.
    Signed,
    /// The bundle is intact, from any author; with --bundle-digest, its digest matches.
    Digest,
    /// Nothing: the bundle is yours. Any tar archive of a track is accepted.
    Local,
}

fn digest(text: &str) -> Result<Digest, String> {
    text.to_ascii_lowercase().parse().map_err(|error: rally_component::DigestError| error.to_string())
}
