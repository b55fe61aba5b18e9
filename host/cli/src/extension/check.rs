//! `rally extension check`: whether rally would take components, and if not, why.

use std::fmt::Write;
use std::path::Path;

use rally_extension::{Extension, Extensions};
use rally_track::{LoadOptions, TrackSource};

use crate::ending::CommandError;
use crate::extension::args::CheckArgs;
use crate::extension::inspect::{component_files, folder_of};
use crate::{terminal, track};
use rally_session::chain;
use rally_session::components;

/// Something is wrong; it was said before.
#[derive(Debug, thiserror::Error)]
#[error("rally cannot use '{path}': {problems} {}", if *problems == 1 { "problem" } else { "problems" })]
struct Refused {
    path: String,
    problems: usize,
}

/// Checks components, and in a track's folder the track with them. All problems are told, not only the first.
pub fn run(arguments: &CheckArgs) -> Result<(), CommandError> {
    let host = components::uncached_host(&arguments.limits.limits())?;
    let paths = component_files(&arguments.path).map_err(CommandError::user)?;
    let mut problems: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut extensions = Extensions::default();
    for path in &paths {
        let folder = if arguments.path.is_dir() { arguments.path.clone() } else { folder_of(path) };
        let surroundings = components::before_race(&folder, "")?;
        match Extension::load(path, &host, &surroundings) {
            Ok(extension) => {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{}: fine, {} {}",
                    path.display(),
                    extension.description.name,
                    extension.description.version
                );
                if let Err(error) = extensions.add(extension) {
                    problems.push(chain(&error));
                }
            }
            Err(error) => problems.push(chain(&error)),
        }
    }
    // What a track lacks follows from what its components lack.
    if problems.is_empty() && arguments.path.join("track.json").is_file() {
        match check_track(&arguments.path, &extensions) {
            Ok(name) => {
                let _ = writeln!(text, "track {name}: fine");
            }
            Err(problem) => problems.push(problem),
        }
    }
    terminal::print(text).map_err(CommandError::failure)?;
    if problems.is_empty() {
        return Ok(());
    }
    for problem in &problems {
        terminal::error(problem);
    }
    Err(CommandError::user(Refused { path: arguments.path.display().to_string(), problems: problems.len() }))
}

/// Whether the track loads with the names that its components register.
fn check_track(folder: &Path, extensions: &Extensions) -> Result<String, String> {
    let source = TrackSource::from_path(folder).map_err(|error| chain(&error))?;
    let options =
        LoadOptions { now: track::now(), extension_names: extensions.names(), ..LoadOptions::default() };
    rally_track::load(&source, &options).map(|track| track.name).map_err(|error| chain(&error))
}
