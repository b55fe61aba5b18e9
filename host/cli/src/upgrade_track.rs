//! `rally upgrade-track`: a track of 2017, written as a current one.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use rally_authoring::upgrade;
use rally_corpus::DataSet;
use rally_support::whole_folder::WholeFolder;
use rally_track::{Track, TrackSource};

use crate::ending::CommandError;
use crate::terminal;
use crate::track::Reading;
use crate::track::args::TrackParamArgs;

/// Options of `rally upgrade-track`.
#[derive(Debug, Args)]
pub struct UpgradeArgs {
    /// Directory of the track, or its JSON file.
    #[arg(long, value_name = "PATH", value_parser = crate::paths::path())]
    pub track_path: PathBuf,

    /// Directory of the new track; it must be empty or not exist.
    #[arg(long, value_name = "DIR", value_parser = crate::paths::path())]
    pub output_path: PathBuf,

    #[command(flatten)]
    pub params: TrackParamArgs,
}

#[derive(Debug, thiserror::Error)]
enum UpgradeTrackError {
    #[error("'{path}' already exists and is not empty; name a new folder with --output-path")]
    NotEmpty { path: PathBuf },
    #[error("'{path}' is a link that leads out of '{folder}'; a track may use only files below its folder")]
    Outside { path: PathBuf, folder: PathBuf },
    #[error("cannot write '{path}'")]
    Write {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
}

/// Writes the new track beside what its folder is to be, and renames it when it is whole.
pub fn run(arguments: &UpgradeArgs) -> Result<(), CommandError> {
    let source = TrackSource::from_path(&arguments.track_path).map_err(CommandError::user)?;
    let reading = Reading::with(&arguments.params)?;
    let load = |test_mode| {
        let options = reading.clone().test_mode(test_mode).options();
        rally_track::load(&source, &options).map_err(CommandError::user)
    };
    let (track, tested) = (load(false)?, load(true)?);
    for warning in &track.warnings {
        terminal::warn(warning);
    }
    let upgraded = upgrade(&track).map_err(CommandError::user)?;
    let output = &arguments.output_path;
    if output.exists() && fs::read_dir(output).map_or(true, |mut entries| entries.next().is_some()) {
        return Err(CommandError::user(UpgradeTrackError::NotEmpty { path: output.clone() }));
    }
    let failed =
        |path: &Path, cause| CommandError::failure(UpgradeTrackError::Write { path: path.to_owned(), cause });
    let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = WholeFolder::create_in(parent).map_err(|cause| failed(parent, cause))?;
    let new = fresh.path();
    for (name, text) in &upgraded.files {
        let path = new.join(name);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, text))
            .map_err(|cause| failed(&path, cause))?;
    }
    let mut copied = Vec::new();
    for name in to_copy(&source, [&track, &tested])? {
        let (from, to) = (source.folder().join(&name), new.join(&name));
        to.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::copy(&from, &to).map(drop))
            .map_err(|cause| failed(&output.join(&name), cause))?;
        copied.push(name);
    }
    fresh.put_at(output).map_err(|cause| failed(output, cause))?;
    for warning in &upgraded.warnings {
        terminal::warn(warning);
    }
    let mut text = format!("Wrote track '{}' in the current dialect to {}:\n", track.name, output.display());
    for name in upgraded.files.keys().chain(&copied) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name}");
    }
    terminal::print(text).map_err(CommandError::failure)
}

/// The name of a file that is in the folder, and not linked from there.
fn inside(folder: &Path, name: &str) -> Result<String, CommandError> {
    let path = folder.join(name);
    let real = |path: &Path| fs::canonicalize(path).ok();
    match real(&path).zip(real(folder)) {
        Some((file, folder)) if file.starts_with(&folder) => Ok(name.to_owned()),
        _ => Err(CommandError::user(UpgradeTrackError::Outside { path, folder: folder.to_owned() })),
    }
}

/// Files of the old track that belong to the new one as they are: data that lie beside it, and components with their sources' lock.
/// `tracks`: as they are raced, and in test mode, which has files of its own.
fn to_copy(source: &TrackSource, tracks: [&Track; 2]) -> Result<Vec<String>, CommandError> {
    let folder = source.folder();
    let mut names = Vec::new();
    for (_, documents) in tracks.into_iter().flat_map(Track::document_sets) {
        let data_set = DataSet::from_documents(&documents.file_name).map_err(CommandError::user)?;
        for name in data_set.archive_name.iter().chain([&data_set.document_name]) {
            if names.contains(name) || !folder.join(name).is_file() {
                continue;
            }
            names.push(inside(&folder, name)?);
        }
    }
    if let Ok(components) = rally_extension::components(&folder) {
        for name in components.iter().filter_map(|path| path.strip_prefix(&folder).ok()) {
            names.push(inside(&folder, &name.to_string_lossy())?);
        }
    }
    Ok(names)
}
