//! Holds the WIT package to what was released.
//!
//! `wit/<version>` is what hosts and SDKs are built from, `wit/frozen/<version>` the copy that was made when that version was
//! released. A released version never changes but in its comments; a later one of the same minor version only adds.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use wit_parser::{Resolve, SourceMap, WorldId};

/// What to do with the WIT package.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Compare each version with its frozen copy, with the version before it, and with what hosts and SDKs have
    Check,
    /// Make the frozen copy of a version that has none: it is released then, and never changes again
    Freeze {
        /// The version, e.g. 0.1.0
        version: String,
    },
}

/// Copies of the newest version that are shipped on their own.
const COPIES: [&str; 1] = ["guest-sdk/rust/wit"];

/// Version that stands for the older one while two are compared: one resolver takes a package version only once.
const STAND_IN: &str = "0.0.1";

pub fn run(arguments: &Arguments) -> Result<()> {
    let root = Path::new("wit");
    ensure!(root.is_dir(), "there is no folder wit here: run this in the repository's root");
    match &arguments.chore {
        Chore::Check => check(root),
        Chore::Freeze { version } => freeze(root, version),
    }
}

fn check(root: &Path) -> Result<()> {
    let versions = versions(root)?;
    ensure!(!versions.is_empty(), "{} has no version", root.display());
    let offered: Vec<String> = rally_component::offered_versions().iter().map(ToString::to_string).collect();
    let known: Vec<String> = versions.keys().map(ToString::to_string).collect();
    ensure!(offered == known, "hosts offer {offered:?}, but {} has {known:?}", root.display());

    let mut before: Option<(&rally_component::Version, &PathBuf)> = None;
    for (version, folder) in &versions {
        let source = read(folder)?;
        let package = format!("package rally:track@{version};");
        ensure!(
            source.values().any(|text| text.contains(&package)),
            "{}: no file says \"{package}\"",
            folder.display()
        );
        let frozen = root.join("frozen").join(version.to_string());
        if frozen.is_dir() {
            let released = read(&frozen)?;
            compatible(version, &released, &source)
                .and_then(|()| compatible(version, &source, &released))
                .with_context(|| {
                    format!(
                        "{version} is released and must stay as it is in {}: what is new goes into a version of its own",
                        frozen.display()
                    )
                })?;
            println!("{version}: as it was released");
        } else {
            println!("{version}: not released yet");
        }
        if let Some((older, older_folder)) = before
            && (older.major, older.minor) == (version.major, version.minor)
        {
            compatible(older, &read(older_folder)?, &source)
                .with_context(|| format!("{version} must offer all that {older} does"))?;
            println!("{version}: offers all that {older} does");
        }
        before = Some((version, folder));
    }
    let Some((newest, folder)) = before else { return Ok(()) };
    let source = read(folder)?;
    for copy in COPIES {
        let copied = read(Path::new(copy))?;
        ensure!(copied == source, "{copy} is not the same as {}: copy it again", folder.display());
        println!("{copy}: a copy of {newest}");
    }
    Ok(())
}

fn freeze(root: &Path, version: &str) -> Result<()> {
    let (from, to) = (root.join(version), root.join("frozen").join(version));
    ensure!(!to.exists(), "{version} is released already: {} is there", to.display());
    let source = read(&from)?;
    fs::create_dir_all(&to)?;
    for (name, text) in source {
        fs::write(to.join(name), text)?;
    }
    println!("{} is the frozen copy of {version}", to.display());
    Ok(())
}

/// The folders with versions, oldest first.
fn versions(root: &Path) -> Result<BTreeMap<rally_component::Version, PathBuf>> {
    let mut versions = BTreeMap::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "frozen" {
            let version = name.parse().with_context(|| format!("{} is no version", path.display()))?;
            versions.insert(version, path);
        }
    }
    Ok(versions)
}

/// The WIT files of a folder, by name.
fn read(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut source = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wit") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            ensure!(
                text.lines().all(|line| line == line.trim_end() && !line.contains('\t')),
                "{}: tabs, or spaces at the end of a line",
                path.display()
            );
            source.insert(name, text);
        }
    }
    ensure!(!source.is_empty(), "{} has no WIT files", folder.display());
    Ok(source)
}

/// Whether components that were built for `older` run on a host that offers `newer`.
fn compatible(
    version: &rally_component::Version,
    older: &BTreeMap<String, String>,
    newer: &BTreeMap<String, String>,
) -> Result<()> {
    let mut resolve = Resolve::default();
    let stand_in = |text: &str| {
        text.replace(&format!("package rally:track@{version};"), &format!("package rally:track@{STAND_IN};"))
    };
    let older: BTreeMap<_, _> = older.iter().map(|(name, text)| (name.clone(), stand_in(text))).collect();
    let older = push(&mut resolve, &older)?;
    let newer = push(&mut resolve, newer)?;
    wit_component::semver_check(resolve, older, newer)
}

fn push(resolve: &mut Resolve, source: &BTreeMap<String, String>) -> Result<WorldId> {
    let mut map = SourceMap::default();
    for (name, text) in source {
        map.push_str(name, text);
    }
    let group = match map.parse() {
        Ok(group) => group,
        Err((map, error)) => bail!("{}: {error}", map.render_location(error.kind().span())),
    };
    let package = resolve.push_group(group)?;
    resolve.select_world(&[package], Some("track"))
}
