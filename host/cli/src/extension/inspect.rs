//! `rally extension inspect`: what components register, ask for and may take.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rally_component::{Facts, InspectError};
use rally_extension::Extension;
use serde_json::json;

use crate::bundle::Format;
use crate::ending::CommandError;
use crate::extension::args::InspectArgs;
use crate::extension::report::{Report, limits_json, limits_text};
use crate::terminal;
use rally_session::chain;
use rally_session::components;

/// A component cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum ComponentFileError {
    #[error("cannot read '{path}'")]
    Read {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "'{folder}' has no component (*.wasm); `rally extension build` builds one from the folder's _source"
    )]
    None { folder: PathBuf },
    #[error("rally cannot run '{path}' as an extension")]
    Unsuitable {
        path: PathBuf,
        #[source]
        cause: Box<InspectError>,
    },
}

/// Shows components.
pub fn run(arguments: &InspectArgs) -> Result<(), CommandError> {
    let host = components::uncached_host(&arguments.limits.limits())?;
    let paths = component_files(&arguments.path).map_err(CommandError::user)?;
    let mut texts = Vec::new();
    let mut values = Vec::new();
    for path in &paths {
        let bytes = read(path, host.bounds.size).map_err(CommandError::user)?;
        let facts: Facts = rally_component::inspect(&bytes, &host.bounds).map_err(|cause| {
            CommandError::user(ComponentFileError::Unsuitable { path: path.clone(), cause: Box::new(cause) })
        })?;
        let surroundings = components::before_race(&folder_of(path), "")?;
        let asked = Extension::from_bytes(path, &bytes, &host, &surroundings).map_err(|error| chain(&error));
        let shown = path.display().to_string();
        let said = asked.as_ref().map(|extension| &extension.description).map_err(String::as_str);
        let report = Report { file: &shown, facts: &facts, said };
        texts.push(report.to_string());
        values.push(report.json());
    }
    let text = match arguments.format {
        Format::Text => format!("{}\nEach instance\n{}", texts.join("\n"), limits_text(&host.limits)),
        Format::Json => {
            let value = json!({ "components": values, "limits": limits_json(&host.limits) });
            format!("{value:#}\n")
        }
    };
    terminal::print(text).map_err(CommandError::failure)
}

/// The component that is meant, or those of a track's folder.
pub fn component_files(path: &Path) -> Result<Vec<PathBuf>, ComponentFileError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let found = rally_extension::components(path)
        .map_err(|cause| ComponentFileError::Read { path: path.to_owned(), cause })?;
    if found.is_empty() { Err(ComponentFileError::None { folder: path.to_owned() }) } else { Ok(found) }
}

/// The folder that a component lies in.
pub fn folder_of(path: &Path) -> PathBuf {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).to_owned()
}

/// The bytes of a component, but not many more than are allowed.
fn read(path: &Path, most: u64) -> Result<Vec<u8>, ComponentFileError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|cause| ComponentFileError::Read { path: path.to_owned(), cause })?;
    Ok(bytes)
}
