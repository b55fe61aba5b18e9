//! `track.lock`: what is in a bundle.

use std::fmt::Write;

use rally_component::{Digest, DigestError, Facts, Version};
use rally_support::printable;
use serde::Deserialize;
use toml::Spanned;

use crate::path::{BundlePath, PathError, TrackName, TrackNameError, clash};

/// The version of the format that this module writes and the only one that it reads.
const VERSION: u64 = 1;
/// What the last table of a lock begins with; all before it is what its digest is of.
const SEAL: &str = "[digest]\nsha256 = \"";
const SEAL_END: &str = "\"\n";

/// What is in a bundle: every file with its size and digest, and what its components ask for. Written as TOML in exactly one
/// way; the last lines are a digest of all before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackLock {
    track: TrackName,
    files: Vec<LockedFile>,
}

/// A file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedFile {
    /// Where it lies in the track folder.
    pub path: BundlePath,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
    /// What it asks for, if it is a component.
    pub component: Option<LockedComponent>,
}

/// What a component asks for, as it can be read from its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedComponent {
    /// Version of `rally:track` that it was built for.
    pub wit_version: Version,
    /// Names of the interfaces that it imports, e.g. `client`, sorted.
    pub imports: Vec<String>,
}

impl From<&Facts> for LockedComponent {
    fn from(facts: &Facts) -> LockedComponent {
        LockedComponent {
            wit_version: facts.wit_version.clone(),
            imports: facts.imports.iter().map(|import| import.interface.clone()).collect(),
        }
    }
}

/// Why a text is not a lock, or why such a lock is impossible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is of a version that this rally does not know.
    #[error("track.lock, line 1: this rally reads version {VERSION}, not {version}; use a newer rally")]
    UnknownVersion {
        /// The version.
        version: u64,
    },
    /// It does not begin as a lock does.
    #[error("track.lock, line 1: expected 'version = {VERSION}'")]
    NoVersion,
    /// It is no UTF-8.
    #[error("track.lock, line {line}: this is not valid UTF-8")]
    NotText {
        /// Where, from 1.
        line: usize,
    },
    /// Its last lines are not the digest of the others.
    #[error(
        "track.lock was changed: it does not end with the digest of its content; run `rally bundle` again"
    )]
    Changed,
    /// It is no TOML, or has other keys or values than a lock.
    #[error("track.lock, line {line}: {message}")]
    Malformed {
        /// Where, from 1.
        line: usize,
        /// The problem there.
        message: String,
    },
    /// The same could be said in another way.
    #[error("track.lock, line {line}: `rally bundle` writes this in another form; run `rally bundle` again")]
    NotCanonical {
        /// Where, from 1.
        line: usize,
    },
    /// A name is not allowed.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The name of the track is not allowed.
    #[error(transparent)]
    TrackName(#[from] TrackNameError),
    /// Two files cannot both be there.
    #[error("the bundle lists '{path}' twice, or as both a file and a folder")]
    Clash {
        /// Their name.
        path: BundlePath,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    #[serde(rename = "version")]
    _version: u64,
    track: String,
    #[serde(default)]
    file: Vec<RawFile>,
    #[serde(rename = "digest")]
    _digest: RawDigest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDigest {
    #[serde(rename = "sha256")]
    _sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawFile {
    path: Spanned<String>,
    size: u64,
    sha256: Spanned<String>,
    wit_version: Option<Spanned<String>>,
    imports: Option<Spanned<Vec<String>>>,
}

impl TrackLock {
    /// A lock of these files, in any order.
    ///
    /// # Errors
    /// [`LockError::Clash`] where two of them cannot both be there.
    pub fn new(track: TrackName, mut files: Vec<LockedFile>) -> Result<TrackLock, LockError> {
        files.sort_by(|one, other| one.path.cmp(&other.path));
        if let Some(path) = clash(files.iter().map(|file| &file.path)) {
            return Err(LockError::Clash { path: path.clone() });
        }
        Ok(TrackLock { track, files })
    }

    /// Name of the track.
    pub fn track(&self) -> &TrackName {
        &self.track
    }

    /// The files, sorted by name.
    pub fn files(&self) -> &[LockedFile] {
        &self.files
    }

    /// The lock as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("version = {VERSION}\ntrack = \"{}\"\n", self.track);
        for file in &self.files {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n[[file]]\npath = \"{}\"\nsize = {}\nsha256 = \"{}\"\n",
                file.path.as_str().replace('"', "\\\""),
                file.size,
                file.sha256
            );
            if let Some(component) = &file.component {
                let imports: Vec<String> =
                    component.imports.iter().map(|import| format!("\"{import}\"")).collect();
                let _ = writeln!(
                    text,
                    "wit-version = \"{}\"\nimports = [{}]",
                    component.wit_version,
                    imports.join(", ")
                );
            }
        }
        text.push('\n');
        let digest = Digest::of(text.as_bytes());
        let _ = write!(text, "{SEAL}{digest}{SEAL_END}");
        text
    }

    /// Reads a lock. There is one way to write a lock; everything else is refused.
    ///
    /// # Errors
    /// The problem and its line.
    pub fn parse(bytes: &[u8]) -> Result<TrackLock, LockError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| LockError::NotText { line: line(bytes, error.valid_up_to()) })?;
        match version(text) {
            None => return Err(LockError::NoVersion),
            Some(VERSION) => {}
            Some(version) => return Err(LockError::UnknownVersion { version }),
        }
        if !is_sealed(text) {
            return Err(LockError::Changed);
        }
        let raw: RawLock = toml::from_str(text).map_err(|error| LockError::Malformed {
            line: line(bytes, error.span().map_or(0, |span| span.start)),
            message: printable::name(error.message()),
        })?;
        let files = raw.file.into_iter().map(|file| file.read(bytes)).collect::<Result<_, _>>()?;
        let lock = TrackLock::new(raw.track.parse()?, files)?;
        let canonical = lock.to_text();
        if canonical == text {
            return Ok(lock);
        }
        let same = canonical.bytes().zip(text.bytes()).take_while(|(one, other)| one == other).count();
        Err(LockError::NotCanonical { line: line(bytes, same) })
    }
}

impl RawFile {
    /// The file; `lock` is the whole text, from which lines are counted.
    fn read(self, lock: &[u8]) -> Result<LockedFile, LockError> {
        let malformed = |at: usize, message: String| LockError::Malformed { line: line(lock, at), message };
        let path: BundlePath = self.path.get_ref().parse()?;
        let sha256 = self
            .sha256
            .get_ref()
            .parse()
            .map_err(|error: DigestError| malformed(self.sha256.span().start, error.to_string()))?;
        let component = match (self.wit_version, self.imports) {
            (None, None) => None,
            (Some(version), Some(imports)) => {
                let wit_version = Version::parse(version.get_ref())
                    .map_err(|error| malformed(version.span().start, error.to_string()))?;
                if let Some(import) = imports.get_ref().iter().find(|import| !is_interface(import)) {
                    let message = format!("'{}' is not the name of an interface", printable::name(import));
                    return Err(malformed(imports.span().start, message));
                }
                Some(LockedComponent { wit_version, imports: imports.into_inner() })
            }
            _ => {
                let message =
                    "a component needs both wit-version and imports, any other file neither".to_owned();
                return Err(malformed(self.path.span().start, message));
            }
        };
        Ok(LockedFile { path, size: self.size, sha256, component })
    }
}

fn is_interface(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// Line, from 1, of a position.
fn line(bytes: &[u8], position: usize) -> usize {
    1 + bytes.iter().take(position).filter(|byte| **byte == b'\n').count()
}

fn version(text: &str) -> Option<u64> {
    text.lines().next()?.strip_prefix("version = ")?.parse().ok()
}

/// Whether the text ends with the digest of all before it.
fn is_sealed(text: &str) -> bool {
    let Some(begin) = text.rfind(SEAL) else { return false };
    let (content, seal) = text.split_at(begin);
    seal.strip_prefix(SEAL)
        .and_then(|seal| seal.strip_suffix(SEAL_END))
        .and_then(|digest| digest.parse::<Digest>().ok())
        .is_some_and(|digest| digest == Digest::of(content.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> TrackLock {
        let file = |path: &str, component| LockedFile {
            path: path.parse().expect("a name"),
            size: path.len() as u64,
            sha256: Digest::of(path.as_bytes()),
            component,
        };
        let component = LockedComponent {
            wit_version: Version::new(0, 1, 0),
            imports: vec!["client".into(), "log".into()],
        };
        let files = vec![
            file("track.json", None),
            file("my.wasm", Some(component)),
            file("parts/\"odd\" one.json", None),
        ];
        TrackLock::new("my-track".parse().expect("a name"), files).expect("a lock")
    }

    /// The text with another content and a digest that fits.
    fn sealed(content: &str) -> String {
        format!("{content}{SEAL}{}{SEAL_END}", Digest::of(content.as_bytes()))
    }

    fn content() -> String {
        let text = lock().to_text();
        text[..text.rfind(SEAL).expect("a seal")].to_owned()
    }

    #[test]
    fn a_lock_is_written_in_one_way() {
        let digest = |path: &str| Digest::of(path.as_bytes());
        let expected = format!(
            "version = 1\ntrack = \"my-track\"\n\n\
             [[file]]\npath = \"my.wasm\"\nsize = 7\nsha256 = \"{}\"\nwit-version = \"0.1.0\"\nimports = [\"client\", \"log\"]\n\n\
             [[file]]\npath = \"parts/\\\"odd\\\" one.json\"\nsize = 20\nsha256 = \"{}\"\n\n\
             [[file]]\npath = \"track.json\"\nsize = 10\nsha256 = \"{}\"\n\n",
            digest("my.wasm"),
            digest("parts/\"odd\" one.json"),
            digest("track.json")
        );
        assert_eq!(content(), expected);
        assert_eq!(TrackLock::parse(lock().to_text().as_bytes()), Ok(lock()));
    }

    #[test]
    fn a_changed_byte_anywhere_is_seen() {
        let text = lock().to_text().into_bytes();
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(TrackLock::parse(&changed).is_err(), "byte {at}");
        }
        assert_eq!(TrackLock::parse(&text[..text.len() - 1]), Err(LockError::Changed));
        assert_eq!(TrackLock::parse(&[&text[..], b"\n"].concat()), Err(LockError::Changed));
    }

    #[test]
    fn unknown_versions_and_keys_are_refused_with_their_line() {
        let parse = |content: String| TrackLock::parse(sealed(&content).as_bytes()).expect_err("refused");
        assert_eq!(
            parse(content().replace("version = 1", "version = 2")),
            LockError::UnknownVersion { version: 2 }
        );
        assert_eq!(parse(format!("# mine\n{}", content())), LockError::NoVersion);
        let error = parse(content().replace("size = 7", "size = 7\nmode = 7"));
        assert!(
            matches!(&error, LockError::Malformed { line: 7, message } if message.contains("mode")),
            "{error}"
        );
        let error = parse(content().replace("track =", "name = \"x\"\ntrack ="));
        assert!(
            matches!(&error, LockError::Malformed { line: 2, message } if message.contains("name")),
            "{error}"
        );
        let error = parse(content().replace("size = 7", "size = -7"));
        assert!(matches!(&error, LockError::Malformed { line: 6, .. }), "{error}");
    }

    #[test]
    fn another_way_to_say_the_same_is_refused_with_its_line() {
        for (from, to, expected) in [
            ("size = 7", "size = 0x7", 6),
            ("size = 7", "size =  7", 6),
            ("size = 7", "size = 7 # seven", 6),
            ("my-track", "my-trac\\u006b", 2),
            ("imports = [\"client\", \"log\"]", "imports = [\"client\",\"log\"]", 9),
        ] {
            let error = TrackLock::parse(sealed(&content().replace(from, to)).as_bytes());
            assert_eq!(error, Err(LockError::NotCanonical { line: expected }), "{to}");
        }
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in ["../track.json", "/track.json", "a//b", "track.lock"] {
            let error = TrackLock::parse(
                sealed(&content().replace("\"my.wasm\"", &format!("\"{name}\""))).as_bytes(),
            );
            assert!(matches!(error, Err(LockError::Path(_))), "{name}");
        }
        let error = TrackLock::parse(sealed(&content().replace("my-track", "..")).as_bytes());
        assert!(matches!(error, Err(LockError::TrackName(_))));
    }

    #[test]
    fn files_that_cannot_both_be_there_are_refused() {
        for name in ["track.json", "parts"] {
            let error = TrackLock::parse(
                sealed(&content().replace("\"my.wasm\"", &format!("\"{name}\""))).as_bytes(),
            );
            assert_eq!(error, Err(LockError::Clash { path: name.parse().expect("a name") }));
        }
    }
}
