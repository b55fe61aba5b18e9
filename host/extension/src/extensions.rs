//! The components beside a track.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rally_track::ExtensionNames;

use crate::environment::HostEnvironment;
use crate::error::ComponentName;
use crate::extension::{Extension, Host, LoadError, RunnerInfo, SchedulerInfo, SourceInfo};

/// All components of a track, with the names that they register.
#[derive(Default)]
pub struct Extensions {
    all: Vec<Arc<Extension>>,
}

/// The components of a track cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionsError {
    /// The folder cannot be read.
    #[error("cannot look for components in {}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// One of them cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Two of them register the same name.
    #[error(transparent)]
    Ambiguous(#[from] Box<AmbiguousName>),
}

/// A name that two components register.
#[derive(Debug, thiserror::Error)]
#[error(
    "two components register the {role} '{name}': '{first}' in '{}' and '{second}' in '{}'; remove one of them",
    first_path.display(),
    second_path.display()
)]
pub struct AmbiguousName {
    /// Which role.
    pub role: &'static str,
    /// The name.
    pub name: String,
    /// Who registers it.
    pub first: ComponentName,
    /// Its file.
    pub first_path: PathBuf,
    /// Who registers it as well.
    pub second: ComponentName,
    /// Its file.
    pub second_path: PathBuf,
}

impl Extensions {
    /// Loads all components (`*.wasm`) of a track's folder and of the folders in it, but for those whose names begin with an
    /// underscore or a dot. In the order of their paths.
    ///
    /// # Errors
    /// Where one cannot be used, or two register the same name.
    pub fn discover(
        folder: &Path,
        host: &Host,
        environment: &Arc<HostEnvironment>,
    ) -> Result<Extensions, ExtensionsError> {
        let paths = components(folder)
            .map_err(|source| ExtensionsError::Folder { folder: folder.to_owned(), source })?;
        let mut extensions = Extensions::default();
        for path in paths {
            extensions.add(Extension::load(&path, host, environment)?)?;
        }
        Ok(extensions)
    }

    /// Takes in one more component.
    ///
    /// # Errors
    /// Where one of its names is taken.
    pub fn add(&mut self, extension: Extension) -> Result<(), ExtensionsError> {
        for known in &self.all {
            for (role, names) in roles(&extension) {
                let taken =
                    roles(known).into_iter().filter(|(known, _)| *known == role).flat_map(|(_, names)| names);
                let taken: Vec<String> = taken.collect();
                if let Some(name) = names.into_iter().find(|name| taken.contains(name)) {
                    return Err(Box::new(AmbiguousName {
                        role,
                        name,
                        first: known.name.clone(),
                        first_path: known.path.clone(),
                        second: extension.name.clone(),
                        second_path: extension.path.clone(),
                    })
                    .into());
                }
            }
        }
        self.all.push(Arc::new(extension));
        Ok(())
    }

    /// The components, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Extension>> {
        self.all.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one of these param sources reads the documents of the track.
    pub fn read_documents<'a>(&self, mut param_sources: impl Iterator<Item = &'a str>) -> bool {
        param_sources.any(|name| {
            self.source(name).is_some_and(|(extension, _)| {
                extension.facts.imports.iter().any(|import| import.interface == "corpora")
            })
        })
    }

    /// All names that a track may use.
    pub fn names(&self) -> ExtensionNames {
        let mut names: HashMap<&str, Vec<String>> = HashMap::new();
        for (role, more) in self.all.iter().flat_map(|extension| roles(extension)) {
            names.entry(role).or_default().extend(more);
        }
        let mut take = |role: &str| names.remove(role).unwrap_or_default().into_iter().collect();
        ExtensionNames {
            param_sources: take(PARAM_SOURCE),
            operation_types: take(RUNNER),
            schedulers: take(SCHEDULER),
        }
    }

    pub(crate) fn source(&self, name: &str) -> Option<(&Arc<Extension>, &SourceInfo)> {
        self.all.iter().find_map(|extension| {
            let info = extension.description.sources.iter().find(|info| info.name == name)?;
            Some((extension, info))
        })
    }

    pub(crate) fn runner(&self, name: &str) -> Option<(&Arc<Extension>, &RunnerInfo)> {
        self.all.iter().find_map(|extension| {
            let info = extension.description.runners.iter().find(|info| info.name == name)?;
            Some((extension, info))
        })
    }

    pub(crate) fn scheduler(&self, name: &str) -> Option<(&Arc<Extension>, &SchedulerInfo)> {
        self.all.iter().find_map(|extension| {
            let info = extension.description.schedulers.iter().find(|info| info.name == name)?;
            Some((extension, info))
        })
    }
}

const PARAM_SOURCE: &str = "param source";
const RUNNER: &str = "runner";
const SCHEDULER: &str = "scheduler";

/// Names that must be registered only once, by role.
fn roles(extension: &Extension) -> [(&'static str, Vec<String>); 4] {
    let said = &extension.description;
    [
        (PARAM_SOURCE, said.sources.iter().map(|info| info.name.clone()).collect()),
        (RUNNER, said.runners.iter().map(|info| info.name.clone()).collect()),
        (SCHEDULER, said.schedulers.iter().map(|info| info.name.clone()).collect()),
        ("processor", said.processors.clone()),
    ]
}

/// Depth of folders that is looked into. Arbitrary; bounds a walk through a folder that is no track.
const DEEPEST: usize = 4;

/// The components (`*.wasm`) of a track's folder and of the folders in it, sorted by path.
///
/// # Errors
/// Where a folder cannot be read, or a component is a link to something outside the folder: a track brings its code along.
pub fn components(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let root = folder.canonicalize()?;
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let hidden = name.as_encoded_bytes().first().is_some_and(|first| matches!(first, b'_' | b'.'));
            let kind = entry.file_type()?;
            if hidden {
                continue;
            }
            let path = entry.path();
            if kind.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
            } else if path.extension().is_some_and(|extension| extension == "wasm") && path.is_file() {
                if kind.is_symlink() && !path.canonicalize()?.starts_with(&root) {
                    return Err(io::Error::other(format!(
                        "{} is a link that leads out of the track's folder",
                        path.display()
                    )));
                }
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
