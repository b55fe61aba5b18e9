//! The wheel: the program in the form that `pip install` takes, made by maturin.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::tool;

/// The release of maturin that builds the wheel.
const MATURIN: &str = "1.16.0";

const REMEDY: &str = "install Python 3.8 or later with its venv and pip modules";

/// Builds the wheel into `output`. maturin goes into a virtual environment below the target folder.
pub fn build(root: &Path, profile: &str, output: &Path) -> anyhow::Result<PathBuf> {
    let environment = root.join("target").join(format!("maturin-{MATURIN}"));
    let maturin = environment.join("bin/maturin");
    if !maturin.is_file() {
        eprintln!("installing maturin {MATURIN} with pip …");
        tool::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment), REMEDY)?;
        let mut pip = Command::new(environment.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).arg(format!("maturin=={MATURIN}"));
        tool::run(&mut pip, REMEDY)?;
    }
    eprintln!("building the wheel with profile {profile} …");
    tool::run(
        Command::new(maturin)
            .current_dir(root)
            .args(["build", "--locked", "--profile", profile, "--out"])
            .arg(output),
        REMEDY,
    )?;
    let mut wheels = Vec::new();
    for entry in fs::read_dir(output)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    let [wheel] = wheels.as_slice() else {
        bail!("maturin left {} wheels where one was expected", wheels.len())
    };
    Ok(wheel.clone())
}

/// Takes the program out of the wheel, so that every artefact carries the same one.
pub fn program(wheel: &Path, output: &Path) -> anyhow::Result<PathBuf> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    let name = archive
        .file_names()
        .filter_map(Result::ok)
        .find(|name| name.ends_with(".data/scripts/rally"))
        .map(std::borrow::Cow::into_owned)
        .context("the wheel has no program")?;
    let path = output.join("rally");
    io::copy(&mut archive.by_name(&name)?, &mut File::create(&path)?)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
