//! Paths as users write them.

use clap::builder::{PathBufValueParser, TypedValueParser};

/// Reads a path; `~` at its beginning is the home folder, which shells leave alone in `--option=~/path`.
pub fn path() -> impl TypedValueParser<Value = std::path::PathBuf> {
    PathBufValueParser::new().map(|path| rally_support::home::expand(&path))
}
