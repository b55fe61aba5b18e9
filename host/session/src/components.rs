//! The components of a track: found, loaded, and given what the user allows them.

use std::path::Path;
use std::sync::Arc;

use rally_extension::{CompiledCache, Engine, Extensions, Folder, Host, HostEnvironment};

use crate::error::SessionError;
use crate::home::Home;
use crate::spec::ExtensionLimits;

/// A host for components that keeps what it has compiled.
///
/// # Errors
/// Where the engine cannot start.
pub fn host(limits: &ExtensionLimits, home: &Home) -> Result<Host, SessionError> {
    let cache = match CompiledCache::open(home.compiled_components()) {
        Ok(cache) => Some(cache),
        Err(error) => {
            tracing::warn!(%error, "rally compiles components at each start");
            None
        }
    };
    Ok(Host { cache, ..uncached_host(limits)? })
}

/// A host for components that are only looked at.
///
/// # Errors
/// Where the engine cannot start.
pub fn uncached_host(limits: &ExtensionLimits) -> Result<Host, SessionError> {
    Ok(Host {
        engine: Engine::start().map_err(SessionError::failure)?,
        limits: Arc::new(limits.limits()),
        bounds: limits.bounds(),
        cache: None,
    })
}

/// Loads the components beside a track. Where there are none, nothing is started.
///
/// # Errors
/// Where a component cannot be used.
pub fn load(
    folder: &Path,
    track: &str,
    limits: &ExtensionLimits,
    home: &Home,
) -> Result<Extensions, SessionError> {
    let found = rally_extension::components(folder);
    if found.is_ok_and(|found| found.is_empty()) {
        return Ok(Extensions::default());
    }
    let host = host(limits, home)?;
    Extensions::discover(folder, &host, &before_race(folder, track)?).map_err(SessionError::user)
}

/// What components see before there is a race: their folder.
///
/// # Errors
/// Where the folder cannot be opened.
pub fn before_race(folder: &Path, track: &str) -> Result<Arc<HostEnvironment>, SessionError> {
    let opened = Folder::open(folder).map_err(SessionError::failure)?;
    Ok(Arc::new(HostEnvironment::before_race(track, opened)))
}

/// The data folder of a track as its components see it: made only where they may write to it.
pub(crate) fn data_folder(path: &Path, limits: &ExtensionLimits) -> Result<Option<Folder>, SessionError> {
    if limits.data_bytes > 0 {
        std::fs::create_dir_all(path).map_err(SessionError::failure)?;
    } else if !path.is_dir() {
        return Ok(None);
    }
    Folder::open(path).map(Some).map_err(SessionError::failure)
}
