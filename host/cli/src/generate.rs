//! `rally completions` and `rally man`: shell completions and man pages, made from the command line's own definition.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Cli;
use crate::ending::CommandError;
use crate::terminal;

/// Options of `rally completions`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rally completions bash > ~/.local/share/bash-completion/completions/rally\n  \
                  rally completions zsh > ~/.zfunc/_rally\n  \
                  rally completions fish > ~/.config/fish/completions/rally.fish"
)]
pub struct CompletionsArgs {
    /// Shell to generate completions for.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// Options of `rally man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Directory to write the man pages to; it is created if it does not exist.
    #[arg(value_name = "DIR", value_parser = crate::paths::path())]
    pub folder: PathBuf,
}

/// A man page cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write man pages to '{}'", .folder.display())]
struct ManError {
    folder: PathBuf,
    #[source]
    cause: std::io::Error,
}

/// Prints the completions of a shell.
pub fn completions(arguments: &CompletionsArgs) -> Result<(), CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "rally", &mut script);
    terminal::print_data(&script).map_err(CommandError::failure)
}

/// Writes a man page per command: `rally.1`, `rally-run.1` and so on.
pub fn man(arguments: &ManArgs) -> Result<(), CommandError> {
    write_pages(&arguments.folder)
        .map_err(|cause| CommandError::failure(ManError { folder: arguments.folder.clone(), cause }))
}

fn write_pages(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)
}
