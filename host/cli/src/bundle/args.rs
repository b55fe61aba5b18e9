//! The command line of `rally bundle`, and the flags of `rally run` about bundles.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use rally_component::Digest;

use crate::components::LimitArgs;

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
    /// Make one file of a track (this is what no sub-command does as well).
    Create(CreateArgs),
    /// Show what is in a bundle and what its components ask for, without racing it.
    Inspect(InspectArgs),
    /// Make a pair of keys: FILE to sign with, FILE.pub for those who are to trust it.
    Keygen {
        /// File of the secret key. Neither it nor FILE.pub may be there yet.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Options of `rally bundle create`.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Folder of the track.
    #[arg(long, value_name = "DIR", required = true)]
    pub track_path: Option<PathBuf>,

    /// File to write.
    #[arg(long, short, value_name = "FILE", required = true)]
    pub output: Option<PathBuf>,

    /// Secret key to sign the bundle with (`rally bundle keygen` makes one); the signature is written to FILE.sig.
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Options of `rally bundle inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// The bundle.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// File of a public key that is trusted, instead of those in trusted-keys of rally's home.
    #[arg(long, value_name = "FILE")]
    pub trusted_key: Vec<PathBuf>,

    /// Whom to tell.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Text)]
    pub format: Format,

    #[command(flatten)]
    pub limits: LimitArgs,
}

/// Format of what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// How far a bundle is believed.
#[derive(Debug, Clone, Args)]
pub struct TrustArgs {
    /// What has to be true of the bundle before it is read [default: signed].
    #[arg(long, value_enum, value_name = "LEVEL", help_heading = "Bundle")]
    pub trust: Option<TrustLevel>,

    /// File of a public key that is trusted, instead of those in trusted-keys of rally's home.
    #[arg(long, value_name = "FILE", help_heading = "Bundle")]
    pub trusted_key: Vec<PathBuf>,

    /// SHA-256 that the bundle has to have, as its author tells it.
    #[arg(long, value_name = "SHA256", value_parser = digest, help_heading = "Bundle")]
    pub bundle_digest: Option<Digest>,
}

/// How far a bundle is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TrustLevel {
    /// A trusted key has signed it, in FILE.sig.
    Signed,
    /// It is unchanged since `rally bundle` made it, whoever that was; with --bundle-digest it is that very bundle.
    Digest,
    /// It is your own: any tar archive of a track.
    Local,
}

fn digest(text: &str) -> Result<Digest, String> {
    text.to_ascii_lowercase().parse().map_err(|error: rally_component::DigestError| error.to_string())
}
