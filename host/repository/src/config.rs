//! `rally.ini`, the configuration of Elastic Rally. rally reads the file and never writes it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};
use indexmap::IndexMap;

use crate::error::RepositoryError;
use crate::repository::RepositoryConfig;

/// The repository that is used where none is named.
pub const DEFAULT_REPOSITORY: &str = "default";

/// Where the default repository is where there is no `rally.ini`.
pub const DEFAULT_TRACKS_URL: &str = "https://github.com/elastic/rally-tracks";

/// The section whose values hold for all others.
const DEFAULTS: &str = "default";
const CONFIG_DIR: &str = "CONFIG_DIR";
/// Values may refer to values that refer to values.
const MAX_INTERPOLATIONS: usize = 10;

type Sections = IndexMap<String, IndexMap<String, Option<String>>>;

/// The content of `rally.ini`; unknown sections and keys are kept and ignored. Names of sections and keys know no
/// upper case.
#[derive(Debug, Clone)]
pub struct RallyConfig {
    path: PathBuf,
    text: String,
    /// `None`: there is no file.
    sections: Option<Sections>,
}

/// Something is wrong with `rally.ini`.
#[derive(Debug)]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The problem.
    pub kind: Box<ConfigErrorKind>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

/// The kind is part of the message; its cause is the cause.
impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

/// What can be wrong with `rally.ini`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[source] io::Error),
    /// The file is not a text.
    #[error("the file is not valid UTF-8")]
    NotUtf8(#[source] std::string::FromUtf8Error),
    /// A line that is neither a section, nor a key with a value, nor a comment.
    #[error("{0}; expected [section], key = value, or a comment that begins with # or ;")]
    Malformed(String),
    /// A value refers to something that there is not.
    #[error("the value of '{key}' in the section '{section}' refers to '{reference}'; {hint}")]
    UnknownReference {
        /// The section of the value.
        section: String,
        /// The key of the value.
        key: String,
        /// What it refers to.
        reference: String,
        /// What it could refer to.
        hint: &'static str,
    },
    /// A value is not what it has to be.
    #[error("the value of '{key}' in the section '{section}' {reason}")]
    InvalidValue {
        /// The section of the value.
        section: String,
        /// The key of the value.
        key: String,
        /// The problem with it.
        reason: &'static str,
    },
}

impl RallyConfig {
    /// Reads `rally.ini`, or `rally-<configuration name>.ini`, in a folder; no such file is fine.
    ///
    /// # Errors
    /// Where the file cannot be read, or a line cannot be understood.
    pub fn load(folder: &Path, configuration_name: Option<&str>) -> Result<RallyConfig, ConfigError> {
        let file_name = match configuration_name {
            Some(name) => format!("rally-{name}.ini"),
            None => "rally.ini".to_owned(),
        };
        let path = folder.join(file_name);
        let failed = |kind| ConfigError { path: path.clone(), line: None, kind: Box::new(kind) };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(RallyConfig { path, text: String::new(), sections: None });
            }
            Err(error) => return Err(failed(ConfigErrorKind::Unreadable(error))),
        };
        let text = String::from_utf8(bytes).map_err(|error| failed(ConfigErrorKind::NotUtf8(error)))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let mut config = RallyConfig { path, text, sections: None };
        config.sections = Some(config.parse()?);
        Ok(config)
    }

    /// The file, whether it is there or not.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of the sections, in their order in the file.
    pub fn sections(&self) -> Vec<&str> {
        let sections = self.sections.iter().flat_map(IndexMap::keys);
        sections.map(String::as_str).filter(|name| *name != DEFAULTS).collect()
    }

    /// A value, with what it refers to put in; `None`: it is not there or empty.
    ///
    /// # Errors
    /// Where it refers to something that there is not.
    pub fn value(&self, section: &str, key: &str) -> Result<Option<String>, ConfigError> {
        let (section, key) = (section.to_lowercase(), key.to_lowercase());
        let Some(raw) = self.raw(&section, &key) else { return Ok(None) };
        let value = self.expand(&section, &key, raw)?;
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// Where a repository of tracks is fetched from (`[tracks] <name>.url`); `None`: it is only here. Without `rally.ini`
    /// there is the default repository, as in the file that Rally would make.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn tracks_url(&self, repository: &str) -> Result<Option<String>, ConfigError> {
        if self.sections.is_none() && repository == DEFAULT_REPOSITORY {
            return Ok(Some(DEFAULT_TRACKS_URL.to_owned()));
        }
        let url = self.value("tracks", &format!("{repository}.url"))?;
        Ok(url.map(|url| match url.starts_with("~/") {
            true => rally_support::home::expand(Path::new(&url)).display().to_string(),
            false => url,
        }))
    }

    /// Names of the repositories of tracks that have an address, in their order in the file.
    pub fn track_repositories(&self) -> Vec<String> {
        let Some(sections) = &self.sections else { return vec![DEFAULT_REPOSITORY.to_owned()] };
        let keys = sections.get("tracks").into_iter().flat_map(IndexMap::keys);
        keys.filter_map(|key| key.strip_suffix(".url")).map(str::to_owned).collect()
    }

    /// A repository of tracks, to be opened: its address from `[tracks]`, its folder below `root.dir`.
    ///
    /// # Errors
    /// Where a value cannot be read, or the name is not the name of a folder.
    pub fn track_repository(&self, name: &str) -> Result<RepositoryConfig, RepositoryError> {
        let failed = |source| RepositoryError::Config { name: name.to_owned(), source };
        let tracks = self.tracks_folder().map_err(failed)?;
        RepositoryConfig::new(&tracks, name, self.tracks_url(name).map_err(failed)?)
    }

    /// The folder of all that belongs to races (`[node] root.dir`): `benchmarks` beside `rally.ini`, unless it is said.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn root_folder(&self) -> Result<PathBuf, ConfigError> {
        self.folder("node", "root.dir", "benchmarks")
    }

    /// The folder of the repositories of tracks.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn tracks_folder(&self) -> Result<PathBuf, ConfigError> {
        Ok(self.root_folder()?.join("tracks"))
    }

    /// The folder of data sets (`[benchmarks] local.dataset.cache`).
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn dataset_cache(&self) -> Result<PathBuf, ConfigError> {
        self.folder("benchmarks", "local.dataset.cache", "benchmarks/data")
    }

    /// What the user calls the place where races are run (`[system] env.name`), `local` unless it is said.
    ///
    /// # Errors
    /// As [`value`](Self::value).
    pub fn environment_name(&self) -> Result<String, ConfigError> {
        Ok(self.value("system", "env.name")?.unwrap_or_else(|| "local".to_owned()))
    }

    /// A folder; one that is not absolute counts from the current folder, as in Rally.
    fn folder(&self, section: &str, key: &str, default: &str) -> Result<PathBuf, ConfigError> {
        let Some(value) = self.value(section, key)? else { return Ok(self.config_folder().join(default)) };
        let invalid = |reason| {
            let kind =
                ConfigErrorKind::InvalidValue { section: section.to_owned(), key: key.to_owned(), reason };
            self.error_at(section, key, kind)
        };
        let folder = rally_support::home::expand(Path::new(&value));
        if folder.as_os_str().as_encoded_bytes().starts_with(b"~") {
            return Err(invalid(
                "begins with the home folder of another user, which is not expanded here; write its path",
            ));
        }
        std::path::absolute(folder).map_err(|_| invalid("is no folder"))
    }

    /// What `${CONFIG_DIR}` stands for.
    fn config_folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn raw(&self, section: &str, key: &str) -> Option<&str> {
        let sections = self.sections.as_ref()?;
        let find = |section: &str| sections.get(section)?.get(key)?.as_deref();
        find(section).or_else(|| find(DEFAULTS))
    }

    fn parse(&self) -> Result<Sections, ConfigError> {
        let malformed = |line, text: String| ConfigError {
            path: self.path.clone(),
            line,
            kind: Box::new(ConfigErrorKind::Malformed(text)),
        };
        let is_section = |line: &str| line.trim_start().starts_with('[');
        let is_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with(['#', ';']);
        let first = self.text.lines().enumerate().find(|(_, line)| !is_nothing(line));
        if let Some((number, line)) = first.filter(|(_, line)| !is_section(line)) {
            return Err(malformed(
                Some(number + 1),
                format!("[{}] stands before the first section", line.trim()),
            ));
        }
        // The rules of Python's configparser, which Rally reads the file with.
        let mut options = IniDefault::default();
        options.default_section = DEFAULTS.to_owned();
        options.comment_symbols = vec!['#', ';'];
        options.enable_inline_comments = false;
        options.multiline = true;
        let mut ini = Ini::new_from_defaults(options);
        let sections: Sections = ini
            .read(self.text.clone())
            .map_err(|message| {
                // `line 3: …`, or `line 3:7: …`.
                let number =
                    message.strip_prefix("line ").and_then(|rest| rest.split(':').next()?.parse().ok());
                let text = message.split_once(": ").map_or(message.as_str(), |(_, text)| text);
                malformed(number, text.to_owned())
            })?
            .into_iter()
            .map(|(name, values)| (name, values.into_iter().collect()))
            .collect();
        for (section, values) in &sections {
            if let Some((key, _)) = values.iter().find(|(_, value)| value.is_none()) {
                let line = self.line_of(section, key);
                return Err(malformed(line, format!("[{key}] has no value")));
            }
        }
        Ok(sections)
    }

    /// Puts in what a value refers to: `${CONFIG_DIR}`, and `%(key)s` of the same section. `$$` is `$`, and `%%` is `%`.
    fn expand(&self, section: &str, key: &str, raw: &str) -> Result<String, ConfigError> {
        let unknown = |reference: &str, hint| {
            let (section, key, reference) = (section.to_owned(), key.to_owned(), reference.to_owned());
            let kind = ConfigErrorKind::UnknownReference {
                section: section.clone(),
                key: key.clone(),
                reference,
                hint,
            };
            self.error_at(&section, &key, kind)
        };
        let folder = self.config_folder().to_string_lossy().into_owned();
        let mut value = replace(raw, '$', |rest| {
            let (name, used) = match rest.strip_prefix('{') {
                Some(braced) => {
                    braced.split_once('}').map_or((braced, rest.len()), |(name, _)| (name, name.len() + 2))
                }
                None => {
                    let end =
                        rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                    (&rest[..end], end)
                }
            };
            match name {
                CONFIG_DIR => Ok((folder.clone(), used)),
                // A dollar with nothing behind it is one.
                "" => Ok(("$".to_owned(), 0)),
                other => Err(unknown(other, "there is only ${CONFIG_DIR}; a dollar sign is written $$")),
            }
        })?;
        for _ in 0..MAX_INTERPOLATIONS {
            if !value.contains("%(") {
                return Ok(value.replace("%%", "%"));
            }
            value = replace(&value, '%', |rest| {
                match rest.strip_prefix('(').and_then(|rest| rest.split_once(")s")) {
                    Some((name, _)) => match self.raw(section, &name.to_lowercase()) {
                        Some(found) => Ok((found.replace("${CONFIG_DIR}", &folder), name.len() + 3)),
                        None => Err(unknown(
                            name,
                            "there is no such key in this section; a percent sign is written %%",
                        )),
                    },
                    None => Ok(("%".to_owned(), 0)),
                }
            })?;
        }
        Err(unknown(key, "it refers to itself"))
    }

    fn error_at(&self, section: &str, key: &str, kind: ConfigErrorKind) -> ConfigError {
        ConfigError { path: self.path.clone(), line: self.line_of(section, key), kind: Box::new(kind) }
    }

    /// Where a key is, for messages.
    fn line_of(&self, section: &str, key: &str) -> Option<usize> {
        let mut current = String::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            let line = line.trim().to_lowercase();
            if let Some(name) = line.strip_prefix('[') {
                current = name.split(']').next().unwrap_or_default().trim().to_owned();
            } else if (current == section || current == DEFAULTS)
                && line.strip_prefix(key).is_some_and(|rest| {
                    rest.trim_start().is_empty() || rest.trim_start().starts_with(['=', ':'])
                })
            {
                return Some(number);
            }
        }
        None
    }
}

/// Replaces each `sign` and as many bytes behind it as `with` says; doubled, it stays as it is.
fn replace<E>(
    text: &str,
    sign: char,
    with: impl Fn(&str) -> Result<(String, usize), E>,
) -> Result<String, E> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(sign) {
        out.push_str(&rest[..at]);
        rest = &rest[at + sign.len_utf8()..];
        if let Some(behind) = rest.strip_prefix(sign) {
            // `%%` is needed once more, when nothing is left to be put in.
            out.push_str(if sign == '%' { "%%" } else { "$" });
            rest = behind;
        } else {
            let (replacement, used) = with(rest)?;
            out.push_str(&replacement);
            rest = &rest[used..];
        }
    }
    out.push_str(rest);
    Ok(out)
}
