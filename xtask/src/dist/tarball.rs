//! The tarball: the program with its licence, completions and man pages.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::tool;

/// Shells that completions are made for, with the file that each looks for.
const SHELLS: [(&str, &str); 3] = [("bash", "rally.bash"), ("zsh", "_rally"), ("fish", "rally.fish")];

/// Texts of the repository that go along.
const TEXTS: [&str; 3] = ["LICENSE", "README.md", "CHANGELOG.md"];

/// Packs `rally-<version>-<machine>.tar.gz` into `output`.
pub fn pack(root: &Path, program: &Path, output: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("rally-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let stage = tempfile::tempdir().context("no temporary folder for the tarball")?;
    let folder = stage.path().join(&name);
    let completions = folder.join("completions");
    fs::create_dir_all(&completions)?;
    fs::copy(program, folder.join("rally"))?;
    for text in TEXTS {
        fs::copy(root.join(text), folder.join(text)).with_context(|| format!("{text} cannot be copied"))?;
    }
    for (shell, file) in SHELLS {
        let script = tool::run(Command::new(program).args(["completions", shell]), "")?.stdout;
        fs::write(completions.join(file), script)?;
    }
    tool::run(Command::new(program).arg("man").arg(folder.join("man")), "")?;

    let path = output.join(format!("{name}.tar.gz"));
    let mut archive = tar::Builder::new(GzEncoder::new(File::create(&path)?, Compression::best()));
    archive.append_dir_all(&name, &folder)?;
    archive.into_inner()?.finish()?;
    Ok(path)
}
