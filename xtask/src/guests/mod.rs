//! Builds the components that are committed beside their sources: the example extensions of `tracks/` and the guests of our
//! tests.
//!
//! A build gives the same bytes on every machine with the same rustc: all guests are built as one workspace in a folder of
//! their own (cargo mixes the path of a dependency outside of the workspace into its symbols), and no path of the machine
//! gets into them. `guests.lock` says which sources each component was built from, so that `--check` needs no compiler.

mod lock;
mod stage;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Args;
use rally_support::whole_file;

use crate::tool::{self, MissingTool};
use lock::{Component, Lock};
use stage::{Guest, Stage};

const TARGET: &str = "wasm32-unknown-unknown";

/// Where the interface and its copy in the SDK are.
const WIT: &str = "wit/0.1.0";
const WIT_OF_SDK: &str = "guest-sdk/rust/wit";

#[derive(Args)]
pub struct Arguments {
    /// Only say whether each committed component is the one that its committed source gave; builds nothing
    #[arg(long, conflicts_with = "test")]
    check: bool,
    /// Only run the tests of the SDK and of the guests on this machine; builds no component and needs no WASM target
    #[arg(long)]
    test: bool,
}

/// Builds all guests, or checks them.
///
/// # Errors
/// [`MissingTool`] where the target is not installed; else where a build fails, a path of this machine got into a component,
/// or, with `--check`, what is committed does not belong together.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let root = tool::workspace();
    let guests = stage::find(&root)?;
    if arguments.check {
        return check(&root, &guests);
    }
    check_wit(&root)?;
    let rustc = rustc_version()?;
    let stage = Stage::make(&root, &guests)?;
    if arguments.test {
        return stage.cargo(&["test", "--workspace", "--all-features"]);
    }
    let mut components = Vec::new();
    for guest in &guests {
        let source = lock::digest_of_folder(&root.join(&guest.source))?;
        for built in stage.build(guest, TARGET)? {
            let bytes = encode(&built.module).with_context(|| format!("{}: no component", guest.source))?;
            check_paths(&bytes, &root, &stage).with_context(|| format!("{} as built", built.component))?;
            let path = root.join(&built.component);
            let size = bytes.len();
            write(&path, &bytes)?;
            println!("{} ({size} bytes)", built.component);
            let (path, digest) = (built.component, lock::digest(&bytes));
            components.push(Component { path, digest, source: source.clone() });
        }
    }
    stage.check_dependencies(&root)?;
    let sdk = lock::digest_of_folder(&root.join(stage::SDK))?;
    let lock = Lock { rustc, sdk, components };
    write(&root.join(lock::NAME), lock.to_string().as_bytes())?;
    println!("{}", lock::NAME);
    Ok(())
}

fn check(root: &Path, guests: &[Guest]) -> anyhow::Result<()> {
    let lock = Lock::read(root)?;
    let mut problems = Vec::new();
    if let Err(error) = check_wit(root) {
        problems.push(format!("{error:#}"));
    }
    if lock::digest_of_folder(&root.join(stage::SDK))? != lock.sdk {
        problems.push(format!("{} has changed since the guests were built", stage::SDK));
    }
    let mut locked: BTreeSet<&str> =
        lock.components.iter().map(|component| component.path.as_str()).collect();
    for guest in guests {
        let source = lock::digest_of_folder(&root.join(&guest.source))?;
        let components: Vec<_> =
            lock.components.iter().filter(|component| guest.owns(&component.path)).collect();
        if components.is_empty() {
            problems.push(format!("{} has no component", guest.source));
        }
        for component in components {
            locked.remove(component.path.as_str());
            if component.source != source {
                problems.push(format!("{} has changed since {} was built", guest.source, component.path));
            }
            match std::fs::read(root.join(&component.path)) {
                Ok(bytes) if lock::digest(&bytes) == component.digest => {}
                Ok(_) => problems.push(format!("{} is not the component that was built", component.path)),
                Err(error) => problems.push(format!("{} cannot be read: {error}", component.path)),
            }
        }
    }
    problems.extend(locked.into_iter().map(|path| format!("{path} has no source any more")));
    ensure!(
        problems.is_empty(),
        "{}\nrun `cargo xtask guests` and commit what it writes",
        problems.join("\n")
    );
    println!("{} components belong to their sources", lock.components.len());
    Ok(())
}

/// The SDK carries a copy of the interface, because it is copied into the projects of authors.
fn check_wit(root: &Path) -> anyhow::Result<()> {
    let names = |folder: &str| -> anyhow::Result<BTreeSet<std::ffi::OsString>> {
        let entries =
            std::fs::read_dir(root.join(folder)).with_context(|| format!("cannot read {folder}"))?;
        Ok(entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?)
    };
    let (ours, theirs) = (names(WIT)?, names(WIT_OF_SDK)?);
    let read = |folder: &str, name: &std::ffi::OsStr| std::fs::read(root.join(folder).join(name)).ok();
    let different: Vec<String> = ours
        .union(&theirs)
        .filter(|name| read(WIT, name).is_none() || read(WIT, name) != read(WIT_OF_SDK, name))
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    ensure!(
        different.is_empty(),
        "{WIT_OF_SDK} is not the interface of {WIT}: {} differ; copy {WIT}/* to {WIT_OF_SDK}",
        different.join(", ")
    );
    Ok(())
}

fn rustc_version() -> anyhow::Result<String> {
    let print = |argument: &str| -> anyhow::Result<String> {
        let output = tool::run(Command::new("rustc").args(argument.split(' ')), "install Rust")?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let installed = Path::new(&print("--print sysroot")?).join("lib/rustlib").join(TARGET);
    if !installed.is_dir() {
        return Err(MissingTool {
            what: format!("the target {TARGET} is not installed"),
            remedy: format!("run `rustup target add {TARGET}`"),
        }
        .into());
    }
    Ok(print("--version")?.trim_start_matches("rustc ").to_owned())
}

fn encode(module: &Path) -> anyhow::Result<Vec<u8>> {
    let module = std::fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    Ok(rally_component::encode(&module)?)
}

/// A path of this machine in a component would make it another one on each machine, and tell about this one.
fn check_paths(bytes: &[u8], root: &Path, stage: &Stage) -> anyhow::Result<()> {
    let mut paths: Vec<PathBuf> = vec![root.to_owned(), stage.folder().to_owned(), stage::cargo_home()?];
    paths.extend(std::env::home_dir());
    for path in paths.iter().filter(|path| path.components().count() > 1) {
        let needle = path.as_os_str().as_encoded_bytes();
        if bytes.windows(needle.len()).any(|window| window == needle) {
            bail!("there is a path of this machine in it: {}", path.display());
        }
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    Ok(whole_file::write(path, |file| file.write_all(bytes))?)
}
