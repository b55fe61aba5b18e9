//! `rally extension build`: from sources to a component beside track.json.

use std::io;
use std::path::PathBuf;

use rally_component::{EncodeError, InspectError, encode, inspect};
use rally_support::numbers::grouped;
use rally_support::whole_file;

use crate::ending::CommandError;
use crate::extension::args::BuildArgs;
use crate::extension::source::Source;
use crate::terminal;

/// What was built is no extension.
#[derive(Debug, thiserror::Error)]
enum BuildError {
    #[error("cannot read '{module}', which cargo built")]
    Read {
        module: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("cannot make a component from '{module}'")]
    Encode {
        module: PathBuf,
        #[source]
        cause: EncodeError,
    },
    #[error("'{module}' does not build an extension that rally can run")]
    Inspect {
        module: PathBuf,
        #[source]
        cause: InspectError,
    },
}

/// Builds the extension of a track.
pub fn run(arguments: &BuildArgs) -> Result<(), CommandError> {
    let source = Source::required(&arguments.path).map_err(CommandError::user)?;
    let name = source.name().map_err(CommandError::user)?;
    let module = source.build().map_err(CommandError::user)?;
    let bytes = std::fs::read(&module)
        .map_err(|cause| CommandError::failure(BuildError::Read { module: module.clone(), cause }))?;
    let component = encode(&bytes)
        .map_err(|cause| CommandError::user(BuildError::Encode { module: module.clone(), cause }))?;
    let facts = inspect(&component, &arguments.limits.limits().bounds())
        .map_err(|cause| CommandError::user(BuildError::Inspect { module, cause }))?;
    let path = arguments.path.join(format!("{name}.wasm"));
    whole_file::write(&path, |file| file.write_all(&component)).map_err(CommandError::user)?;
    let roles: Vec<String> = facts.roles.iter().map(ToString::to_string).collect();
    let text = format!(
        "{}: {} bytes, with {}\nSHA-256 {}\n",
        path.display(),
        grouped(facts.size),
        roles.join(", "),
        facts.digest
    );
    terminal::print(text).map_err(CommandError::failure)
}
