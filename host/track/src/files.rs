//! The files of a track: nothing outside its directory can be read, but for what a collection of workloads shares.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use globset::GlobBuilder;

/// Larger text files are refused: templates, mappings and index templates are small, data files are not read here.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Entries of folders that one pattern may look at.
const MAX_ENTRIES: usize = 100_000;

/// A name that matches the start of a pattern.
struct Found {
    name: String,
    /// The real folders that were listed on the way to it.
    folders: Vec<PathBuf>,
}

/// The directory beside its workloads that a collection of OpenSearch Benchmark shares among them.
const SHARED: &str = "common_operations";

/// A track's directory.
#[derive(Debug, Clone)]
pub(crate) struct TrackFiles {
    root: PathBuf,
    canonical_root: PathBuf,
}

/// Why a file of a track cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("no such file: '{0}'")]
    NotFound(String),
    #[error("'{0}' is outside the track's directory; a track may use only files below it")]
    Outside(String),
    #[error("'{0}' is not a file")]
    NotAFile(String),
    #[error("'{0}' is not valid UTF-8 (byte {1}); save it as UTF-8")]
    NotUtf8(String, usize),
    #[error("'{0}' is too large: {1} bytes, the limit for text files of a track is {MAX_FILE_BYTES}")]
    TooLarge(String, u64),
    #[error("the pattern '{0}' looks at more than {MAX_ENTRIES} files and folders; name a folder in it")]
    TooManyEntries(String),
    #[error("invalid pattern '{0}': {1}")]
    Pattern(String, globset::Error),
    #[error("cannot read '{0}': {1}")]
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
        if self.is_allowed(&path) { Ok(path) } else { Err(outside()) }
    }

    /// Whether a real path is one of the track, or of what a collection shares.
    fn is_allowed(&self, path: &Path) -> bool {
        let shared = self.canonical_root.parent().map(|parent| parent.join(SHARED));
        path.starts_with(&self.canonical_root) || shared.is_some_and(|shared| path.starts_with(shared))
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
        let mut found = vec![Found { name: String::new(), folders: Vec::new() }];
        let mut entries = 0;
        for component in normalised.components() {
            let segment = component.as_os_str().to_string_lossy();
            let is_pattern = segment.contains(['*', '?', '[']);
            let mut next = Vec::new();
            for Found { name, mut folders } in found {
                let prefix = if name.is_empty() { String::new() } else { format!("{name}/") };
                if !is_pattern {
                    next.push(Found { name: format!("{prefix}{segment}"), folders });
                    continue;
                }
                let matcher = GlobBuilder::new(&python_pattern(&segment))
                    .backslash_escape(false)
                    .literal_separator(true)
                    .build()
                    .map_err(|error| FileError::Pattern(pattern.to_owned(), error))?
                    .compile_matcher();
                let Ok(folder) = self.canonical_root.join(&name).canonicalize() else { continue };
                // Links must lead neither out of the track, nor round in a circle.
                if !self.is_allowed(&folder) || folders.contains(&folder) {
                    continue;
                }
                let Ok(listing) = fs::read_dir(&folder) else { continue };
                folders.push(folder);
                for entry in listing {
                    entries += 1;
                    if entries > MAX_ENTRIES {
                        return Err(FileError::TooManyEntries(pattern.to_owned()));
                    }
                    let entry = entry.map_err(|error| FileError::Io(pattern.to_owned(), error))?;
                    let Ok(file) = entry.file_name().into_string() else { continue };
                    if (!file.starts_with('.') || segment.starts_with('.')) && matcher.is_match(&file) {
                        next.push(Found { name: format!("{prefix}{file}"), folders: folders.clone() });
                    }
                }
            }
            found = next;
        }
        let mut names: Vec<String> = found.into_iter().map(|found| found.name).collect();
        // A name behind a link is none of the track where the link leads out of it.
        names.retain(|name| match name.rsplit_once('/') {
            Some((folder, _)) => {
                self.canonical_root.join(folder).canonicalize().is_ok_and(|folder| self.is_allowed(&folder))
            }
            None => true,
        });
        // A file that cannot be read is an error when it is read, not passed over.
        names.retain(|name| self.canonical_root.join(name).symlink_metadata().is_ok());
        if pattern.ends_with('/') {
            names.retain(|name| self.canonical_root.join(name).is_dir());
        }
        names.sort();
        Ok(names)
    }
}

/// A path relative to the track without `.` and `..`, or nothing if it leaves the track or is absolute. It may lead to
/// what is shared.
fn normalise(name: &str) -> Option<PathBuf> {
    let mut normalised = PathBuf::new();
    let mut left = false;
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) if left && normalised.as_os_str().is_empty() => {
                if part != SHARED {
                    return None;
                }
                normalised.push("..");
                normalised.push(part);
            }
            Component::Normal(part) => normalised.push(part),
            Component::CurDir => {}
            Component::ParentDir if left => return None,
            Component::ParentDir if normalised.as_os_str().is_empty() => left = true,
            Component::ParentDir => {
                normalised.pop();
            }
            _ => return None,
        }
    }
    (!left || !normalised.as_os_str().is_empty()).then_some(normalised)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `track/` with a part, and files around it.
    fn directory() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("track/track.json", "\u{FEFF}a\r\nb\rc"),
            ("track/parts/one.json", "1"),
            ("secret.json", "secret"),
            ("other/part.json", "other"),
            ("common_operations/part.json", "shared"),
        ] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    fn files(directory: &tempfile::TempDir) -> TrackFiles {
        TrackFiles::new(&directory.path().join("track")).unwrap()
    }

    #[test]
    fn line_ends_and_the_mark_at_the_start_are_those_of_python() {
        assert_eq!(files(&directory()).read("track.json").unwrap(), "a\nb\nc");
    }

    #[test]
    fn text_that_is_no_utf_8_is_refused_with_its_place() {
        let directory = directory();
        fs::write(directory.path().join("track/latin.json"), b"abc\xe9").unwrap();
        let error = files(&directory).read("latin.json").unwrap_err();
        assert!(matches!(error, FileError::NotUtf8(_, 3)), "{error}");
    }

    #[test]
    fn nothing_outside_the_track_is_read_but_what_is_shared() {
        let directory = directory();
        let files = files(&directory);
        for name in [
            "../secret.json",
            "parts/../../other/part.json",
            "/etc/passwd",
            "..",
            "../../x",
            "../track/track.json",
        ] {
            assert!(matches!(files.read(name), Err(FileError::Outside(_))), "{name}");
            assert!(matches!(files.glob("", name), Err(FileError::Outside(_))), "{name}");
        }
        assert_eq!(files.read("parts/../../common_operations/part.json").unwrap(), "shared");
        assert_eq!(
            files.glob("parts", "../../common_operations/*").unwrap(),
            ["../common_operations/part.json"]
        );
        assert!(files.read("../common_operations/../secret.json").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_may_lead_within_the_track_only() {
        let directory = directory();
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(target, directory.path().join(name)).unwrap();
        };
        link("track/parts/inner.json", "one.json");
        link("track/parts/outer.json", "../../secret.json");
        link("track/up", "..");
        link("common_operations/outer.json", "../secret.json");
        let files = files(&directory);
        assert_eq!(files.read("parts/inner.json").unwrap(), "1");
        for name in ["parts/outer.json", "up/secret.json", "../common_operations/outer.json"] {
            assert!(matches!(files.read(name), Err(FileError::Outside(_))), "{name}");
        }
        // A pattern finds the link, and reading it says what is wrong.
        assert_eq!(files.glob("", "parts/o*").unwrap(), ["parts/one.json", "parts/outer.json"]);
    }

    #[cfg(unix)]
    #[test]
    fn patterns_follow_no_link_that_leaves_the_track_or_repeats_a_folder() {
        let directory = directory();
        let link = |name: &str, target: &str| {
            std::os::unix::fs::symlink(target, directory.path().join(name)).unwrap();
        };
        for name in ["a", "b", "c"] {
            link(&format!("track/{name}"), ".");
        }
        link("track/parts/up", "..");
        link("track/out", "../other");
        link("track/etc", "/etc");
        let files = files(&directory);
        let none: [&str; 0] = [];
        assert_eq!(files.glob("", &["*"; 40].join("/")).unwrap(), none);
        assert_eq!(files.glob("", "*/*/*/one.json").unwrap(), none);
        assert_eq!(files.glob("", "parts/up/parts/*.json").unwrap(), ["parts/up/parts/one.json"]);
        for pattern in ["out/*", "etc/*", "*/hostname", "etc/host*", "e*/*", "out/part.json"] {
            assert_eq!(files.glob("", pattern).unwrap(), none, "{pattern}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pattern_looks_at_a_bounded_number_of_entries() {
        let directory = directory();
        fs::create_dir(directory.path().join("track/many")).unwrap();
        for number in 0..400 {
            fs::write(directory.path().join(format!("track/many/{number}")), "").unwrap();
            std::os::unix::fs::symlink("many", directory.path().join(format!("track/l{number}"))).unwrap();
        }
        let files = files(&directory);
        assert_eq!(files.glob("", "l1/*").unwrap().len(), 400);
        assert_eq!(files.glob("", "l1*/7").unwrap().len(), 111);
        assert!(matches!(files.glob("", "l*/*"), Err(FileError::TooManyEntries(_))));
    }

    #[test]
    fn patterns_are_those_of_pythons_glob() {
        let directory = directory();
        for name in [".hidden.json", "b.json", "a.json", "{x}.json"] {
            fs::write(directory.path().join("track").join(name), "").unwrap();
        }
        let files = files(&directory);
        assert_eq!(files.glob("", "*.json").unwrap(), ["a.json", "b.json", "track.json", "{x}.json"]);
        assert_eq!(files.glob("", ".h*").unwrap(), [".hidden.json"]);
        assert_eq!(files.glob("", "[!a]?json").unwrap(), ["b.json"]);
        assert_eq!(files.glob("", "{x}.json").unwrap(), ["{x}.json"]);
        assert_eq!(files.glob("", "**/one.json").unwrap(), ["parts/one.json"]);
    }
}
