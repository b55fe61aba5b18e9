//! `cargo xtask dist`: what a release consists of, in one folder.
//!
//! A wheel for `pip install` and a tarball with completions and man pages carry the same program. A bill of materials and
//! the SHA-256 of each file lie beside them.

mod materials;
mod tarball;
mod wheel;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rally_component::Digest;

use crate::tool;

/// Options of the chore.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder of the artefacts.
    #[arg(long, value_name = "DIR", default_value = "target/dist-artefacts")]
    output: PathBuf,

    /// Cargo profile of the program.
    #[arg(long, value_name = "NAME", default_value = "dist")]
    profile: String,
}

/// Makes the artefacts.
///
/// # Errors
/// [`tool::MissingTool`] without Python or Cargo; what a tool printed where it failed.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = tool::workspace();
    let output = root.join(&arguments.output);
    if output.exists() {
        fs::remove_dir_all(&output).with_context(|| format!("{} cannot be emptied", output.display()))?;
    }
    fs::create_dir_all(&output).with_context(|| format!("{} cannot be created", output.display()))?;

    let wheel = wheel::build(&root, &arguments.profile, &output)?;
    let program = wheel::program(&wheel, &output)?;
    let mut files = vec![wheel];
    files.push(tarball::pack(&root, &program, &output)?);
    fs::remove_file(&program)?;
    files.push(materials::write(&root, &output)?);
    files.push(checksums(&files, &output)?);
    for file in &files {
        println!("{:>12}  {}", fs::metadata(file)?.len(), file.display());
    }
    Ok(())
}

/// Writes `SHA256SUMS`, as `sha256sum --check` reads it.
fn checksums(files: &[PathBuf], output: &Path) -> anyhow::Result<PathBuf> {
    let mut text = String::new();
    for file in files {
        let digest = Digest::of(&fs::read(file)?);
        let name = file.file_name().context("an artefact without a name")?.to_string_lossy();
        text.push_str(&format!("{digest}  {name}\n"));
    }
    let path = output.join("SHA256SUMS");
    fs::write(&path, text)?;
    Ok(path)
}
