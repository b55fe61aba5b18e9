//! `guests.lock`: which sources each committed component was built from.

use std::fmt;
use std::path::Path;

use anyhow::{Context, bail};
use rally_support::hex::Hex;
use sha2::{Digest, Sha256};

/// Its place in the repository.
pub const NAME: &str = "guests.lock";

const HEAD: &str = "# Written by `cargo xtask guests`, checked by `cargo xtask guests --check`.";

/// What is written down.
#[derive(Debug, PartialEq, Eq)]
pub struct Lock {
    /// What `rustc --version` says: another one gives other bytes.
    pub rustc: String,
    /// Digest of the SDK's sources.
    pub sdk: String,
    pub components: Vec<Component>,
}

/// A component with the digests of its bytes and of its sources.
#[derive(Debug, PartialEq, Eq)]
pub struct Component {
    /// Relative to the repository.
    pub path: String,
    pub digest: String,
    pub source: String,
}

impl Lock {
    /// Reads the lock of the repository.
    ///
    /// # Errors
    /// Where it is missing or has a line that makes no sense.
    pub fn read(root: &Path) -> anyhow::Result<Lock> {
        let text = std::fs::read_to_string(root.join(NAME))
            .with_context(|| format!("cannot read {NAME}: run `cargo xtask guests`"))?;
        Lock::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Lock> {
        let mut lock = Lock { rustc: String::new(), sdk: String::new(), components: Vec::new() };
        for (number, line) in text.lines().enumerate() {
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["#", ..] => {}
                ["rustc", version @ ..] => lock.rustc = version.join(" "),
                ["sdk", digest] => lock.sdk = (*digest).to_owned(),
                ["component", path, digest, source] => lock.components.push(Component {
                    path: (*path).to_owned(),
                    digest: (*digest).to_owned(),
                    source: (*source).to_owned(),
                }),
                _ => bail!("{NAME}:{}: this line makes no sense: {line}", number + 1),
            }
        }
        Ok(lock)
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEAD}")?;
        writeln!(formatter, "# component <file> <sha256 of the file> <sha256 of its sources>")?;
        writeln!(formatter, "rustc {}", self.rustc)?;
        writeln!(formatter, "sdk {}", self.sdk)?;
        for Component { path, digest, source } in &self.components {
            writeln!(formatter, "component {path} {digest} {source}")?;
        }
        Ok(())
    }
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    Hex(Sha256::digest(bytes)).to_string()
}

/// Digest of the names and contents of all files that a component of the crate is built from.
///
/// # Errors
/// Where one cannot be read.
pub fn digest_of_folder(folder: &Path) -> anyhow::Result<String> {
    let mut all = Vec::new();
    for name in super::stage::source_files(folder)?.into_iter().filter(|name| !name.starts_with("tests/")) {
        let bytes = std::fs::read(folder.join(&name))
            .with_context(|| format!("cannot read {}", folder.join(&name).display()))?;
        writeln_to(&mut all, &format!("{name} {} {}", bytes.len(), digest(&bytes)));
    }
    Ok(digest(&all))
}

fn writeln_to(all: &mut Vec<u8>, line: &str) {
    all.extend_from_slice(line.as_bytes());
    all.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_what_it_wrote() {
        let component = |path: &str| Component {
            path: path.to_owned(),
            digest: digest(path.as_bytes()),
            source: digest(b"source"),
        };
        let components = vec![component("tracks/a/a.wasm"), component("tests/guests/b/b.wasm")];
        let lock = Lock { rustc: "1.95.0 (x 2026)".to_owned(), sdk: digest(b"sdk"), components };
        assert_eq!(Lock::parse(&lock.to_string()).unwrap(), lock);
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let error = Lock::parse("# head\ncomponent only-a-path\n").unwrap_err();
        assert_eq!(error.to_string(), "guests.lock:2: this line makes no sense: component only-a-path");
    }

    #[test]
    fn a_digest_changes_with_names_and_contents_but_not_with_what_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("Cargo.toml", "a");
        let first = digest_of_folder(folder.path()).unwrap();
        write("guest.wasm", "built");
        write("Cargo.lock", "made by cargo");
        std::fs::create_dir(folder.path().join("target")).unwrap();
        write("target/x", "built");
        assert_eq!(digest_of_folder(folder.path()).unwrap(), first);
        write("build.rs", "");
        let second = digest_of_folder(folder.path()).unwrap();
        assert_ne!(second, first);
        write("Cargo.toml", "b");
        assert_ne!(digest_of_folder(folder.path()).unwrap(), second);
    }
}
