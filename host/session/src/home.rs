//! Where rally keeps its files.

use std::path::{Path, PathBuf};

use rally_repository::{ConfigError, RallyConfig};

/// The folder of all of rally's files: `RALLY_HOME`, or `.rally` in the user's home directory, laid out as Elastic Rally
/// does. `rally.ini` in it may say that some of them are elsewhere.
#[derive(Debug, Clone)]
pub struct Home {
    root: PathBuf,
    cache: PathBuf,
    config: RallyConfig,
    benchmarks: PathBuf,
    corpora: PathBuf,
}

/// There is no place for rally's files.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Nothing says where the user's files are.
    #[error("cannot find a folder for rally's files: neither RALLY_HOME nor HOME is set; set RALLY_HOME")]
    Nowhere,
    /// The configuration cannot be understood.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl Home {
    /// From the environment and `rally.ini`.
    ///
    /// # Errors
    /// Where neither names a folder, or `rally.ini` cannot be understood.
    pub fn from_environment() -> Result<Home, HomeError> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(root) = set("RALLY_HOME") {
            return Home::at(&root);
        }
        let home = set("HOME").ok_or(HomeError::Nowhere)?;
        // As the XDG base directory specification has it.
        let caches = set("XDG_CACHE_HOME").filter(|path| path.is_absolute());
        let (root, cache) =
            (home.join(".rally"), caches.unwrap_or_else(|| home.join(".cache")).join("rally"));
        Home::new(root, cache)
    }

    /// All files below one folder, as with `RALLY_HOME`.
    ///
    /// # Errors
    /// Where `rally.ini` in it cannot be understood.
    pub fn at(root: &Path) -> Result<Home, HomeError> {
        Home::new(root.to_owned(), root.join("cache"))
    }

    fn new(root: PathBuf, cache: PathBuf) -> Result<Home, HomeError> {
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let (root, cache) = (absolute(root), absolute(cache));
        let config = RallyConfig::load(&root, None)?;
        let (benchmarks, corpora) = (absolute(config.root_folder()?), absolute(config.dataset_cache()?));
        Ok(Home { root, cache, config, benchmarks, corpora })
    }

    /// What `rally.ini` says.
    pub fn config(&self) -> &RallyConfig {
        &self.config
    }

    /// Data files of all corpora, each in a folder of its own.
    pub fn corpora(&self) -> PathBuf {
        self.corpora.clone()
    }

    /// Files that say where else data can be downloaded: those of `[storage] storage.mirror_files`, otherwise
    /// `storage-mirrors.json` if it is there.
    ///
    /// # Errors
    /// Where the value cannot be read.
    pub fn mirror_files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let Some(value) = self.config.value("storage", "storage.mirror_files")? else {
            let usual = self.root.join("storage-mirrors.json");
            return Ok(if usual.is_file() { vec![usual] } else { Vec::new() });
        };
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(names
            .map(|name| match (name.strip_prefix("~/"), &home) {
                (Some(below), Some(home)) => home.join(below),
                _ => PathBuf::from(name),
            })
            .collect())
    }

    /// What a track's own code keeps.
    pub fn data(&self, track: &str) -> PathBuf {
        self.corpora.join(track)
    }

    /// The folder of all races.
    pub fn races(&self) -> PathBuf {
        self.benchmarks.join("races")
    }

    /// Where the tracks that ship with rally are unpacked.
    pub fn shipped_tracks(&self) -> PathBuf {
        self.benchmarks.join("shipped-tracks")
    }

    /// Where bundles are unpacked while they are used.
    pub fn bundles(&self) -> PathBuf {
        self.benchmarks.join("bundles")
    }

    /// Public keys of those whose bundles run.
    pub fn trusted_keys(&self) -> PathBuf {
        self.root.join("trusted-keys")
    }

    /// Where the embedded node keeps its data while a race runs.
    pub fn nodes(&self) -> PathBuf {
        self.benchmarks.join("nodes")
    }

    /// The log of this and former runs.
    pub fn log_file(&self) -> PathBuf {
        self.root.join("logs").join("rally.log")
    }

    /// Compiled code of components: in the user's cache directory, it can be thrown away.
    pub fn compiled_components(&self) -> PathBuf {
        self.cache.join("components")
    }
}
