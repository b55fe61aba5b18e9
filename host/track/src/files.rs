//! The files of a track: nothing outside its directory can be read.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

/// Larger text files are refused: templates, mappings and index templates are small, data files are not read here.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// A track's directory.
#[derive(Debug, Clone)]
pub(crate) struct TrackFiles {
    root: PathBuf,
    canonical_root: PathBuf,
}

/// Why a file of a track cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("there is no file [{0}]")]
    NotFound(String),
    #[error("[{0}] is outside the track's directory; a track may only use files below it")]
    Outside(String),
    #[error("[{0}] is not a file")]
    NotAFile(String),
    #[error("[{0}] is not valid UTF-8 (byte {1}); save it as UTF-8")]
    NotUtf8(String, usize),
    #[error("[{0}] has {1} bytes; text files of a track may have at most {MAX_FILE_BYTES}")]
    TooLarge(String, u64),
    #[error("invalid pattern [{0}]: {1}")]
    Pattern(String, globset::Error),
    #[error("cannot read [{0}]: {1}")]
    Io(String, #[source] io::Error),
}

impl TrackFiles {
    /// # Errors
    ///
    /// If the directory does not exist or cannot be resolved.
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self { root: root.to_owned(), canonical_root: root.canonicalize()? })
    }

    /// Path of a file as shown to users.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Text of a file, without byte order mark and with `\n` as the only line end, as Jinja2 makes it.
    pub(crate) fn read(&self, name: &str) -> Result<String, FileError> {
        let path = self.resolve(name)?;
        let io_error = |error| FileError::Io(name.to_owned(), error);
        let metadata = fs::metadata(&path).map_err(io_error)?;
        if !metadata.is_file() {
            return Err(FileError::NotAFile(name.to_owned()));
        }
        if metadata.len() > MAX_FILE_BYTES {
            return Err(FileError::TooLarge(name.to_owned(), metadata.len()));
        }
        let mut bytes = Vec::new();
        fs::File::open(&path)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
            .map_err(io_error)?;
        let text = String::from_utf8(bytes)
            .map_err(|error| FileError::NotUtf8(name.to_owned(), error.utf8_error().valid_up_to()))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        Ok(if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text.to_owned() })
    }

    /// The real path of a file below the root; symbolic links may not lead out.
    fn resolve(&self, name: &str) -> Result<PathBuf, FileError> {
        let outside = || FileError::Outside(name.to_owned());
        if name.is_empty() {
            return Err(FileError::NotFound(name.to_owned()));
        }
        let relative = normalise(name).ok_or_else(outside)?;
        let path = match self.canonical_root.join(relative).canonicalize() {
            Ok(path) => path,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(FileError::NotFound(name.to_owned()));
            }
            Err(error) => return Err(FileError::Io(name.to_owned(), error)),
        };
        if path.starts_with(&self.canonical_root) { Ok(path) } else { Err(outside()) }
    }

    /// Names of the files that match a pattern of `*`, `?` and `[…]` below `base`, sorted. As with Python's `glob`, a
    /// wildcard matches neither a slash nor a leading dot.
    pub(crate) fn glob(&self, base: &str, pattern: &str) -> Result<Vec<String>, FileError> {
        let outside = || FileError::Outside(pattern.to_owned());
        let joined = if base.is_empty() { pattern.to_owned() } else { format!("{base}/{pattern}") };
        if Path::new(pattern).is_absolute() {
            return Err(outside());
        }
        let normalised = normalise(&joined).ok_or_else(outside)?;
        let mut names = vec![String::new()];
        for component in normalised.components() {
            let segment = component.as_os_str().to_string_lossy();
            let mut next = Vec::new();
            for name in names {
                let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
                if !segment.contains(['*', '?', '[']) {
                    next.push(format!("{prefix}{segment}"));
                    continue;
                }
                let matcher = GlobBuilder::new(&python_pattern(&segment))
                    .backslash_escape(false)
                    .literal_separator(true)
                    .build()
                    .map_err(|error| FileError::Pattern(pattern.to_owned(), error))?
                    .compile_matcher();
                let directory = if name.is_empty() {
                    self.canonical_root.clone()
                } else {
                    self.canonical_root.join(&name)
                };
                let Ok(entries) = fs::read_dir(directory) else { continue };
                for entry in entries {
                    let entry = entry.map_err(|error| FileError::Io(pattern.to_owned(), error))?;
                    let Ok(file) = entry.file_name().into_string() else { continue };
                    if (!file.starts_with('.') || segment.starts_with('.')) && matcher.is_match(&file) {
                        next.push(format!("{prefix}{file}"));
                    }
                }
            }
            names = next;
        }
        names.retain(|name| self.canonical_root.join(name).is_file());
        names.sort();
        Ok(names)
    }
}

/// A relative path without `.` and `..`, or nothing if it leaves its start or is absolute.
fn normalise(name: &str) -> Option<PathBuf> {
    let mut normalised = PathBuf::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => normalised.push(part),
            Component::CurDir => {}
            Component::ParentDir if normalised.pop() => {}
            _ => return None,
        }
    }
    Some(normalised)
}

/// Braces are no alternatives in Python, and `**` is the same as `*`.
fn python_pattern(segment: &str) -> String {
    let mut pattern = String::new();
    for character in segment.chars() {
        match character {
            '*' if pattern.ends_with('*') => {}
            '{' | '}' => pattern.extend(['[', character, ']']),
            other => pattern.push(other),
        }
    }
    pattern
}
