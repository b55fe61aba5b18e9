//! The folder in which guests are built: their sources and the SDK's, as one workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::tool;

/// The SDK's place in the repository.
pub const SDK: &str = "guest-sdk/rust";

/// Where the template of new extensions is filled in.
const TEMPLATE: &str = "tests/template";

/// How components are built. Each manifest ends with it, so that a guest that is built alone is built in the same way; in the
/// workspace only the workspace's counts.
const PROFILE: &str = r#"[profile.release]
opt-level = 3
lto = true
codegen-units = 1
panic = "abort"
strip = "debuginfo"
"#;

/// A crate that becomes one or more components.
pub struct Guest {
    /// Its folder, relative to the repository.
    pub source: String,
    /// Where its components go, relative to the repository.
    output: String,
}

/// A core module that was built.
pub struct Built {
    pub module: PathBuf,
    /// Where its component goes, relative to the repository.
    pub component: String,
}

impl Guest {
    /// Whether this component is one of this guest's.
    pub fn owns(&self, component: &str) -> bool {
        component.rsplit_once('/').is_some_and(|(folder, _)| folder == self.output)
    }
}

/// All guests of the repository: `tracks/<track>/_source` and `tests/guests/<guest>`.
///
/// # Errors
/// Where a folder cannot be read.
pub fn find(root: &Path) -> anyhow::Result<Vec<Guest>> {
    let mut guests = Vec::new();
    for (folder, inner) in [("tracks", "/_source"), ("tests/guests", "")] {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        for entry in entries {
            let output = format!("{folder}/{}", entry?.file_name().to_string_lossy());
            let source = format!("{output}{inner}");
            if root.join(&source).join("Cargo.toml").is_file() {
                guests.push(Guest { source, output });
            }
        }
    }
    guests.sort_by(|one, other| one.source.cmp(&other.source));
    Ok(guests)
}

/// The files that a crate is built from, sorted, relative to its folder: neither what is built from them nor the lock, which
/// is the SDK's for all.
///
/// # Errors
/// Where a folder cannot be read.
pub fn source_files(folder: &Path) -> anyhow::Result<Vec<String>> {
    fn walk(root: &Path, inner: &str, found: &mut Vec<String>) -> anyhow::Result<()> {
        let folder = root.join(inner);
        for entry in
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?
        {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inner.is_empty() { name.clone() } else { format!("{inner}/{name}") };
            let ignored = name.starts_with('.')
                || name.ends_with(".wasm")
                || ["target", "template", "README.md"].contains(&path.as_str())
                || (name == "Cargo.lock" && !root.join("wit").is_dir());
            if ignored {
                continue;
            }
            if entry.file_type()?.is_dir() {
                walk(root, &path, found)?;
            } else {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    found.sort();
    Ok(found)
}

/// The folder where cargo keeps downloaded sources.
///
/// # Errors
/// Where there is no home.
pub fn cargo_home() -> anyhow::Result<PathBuf> {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => Ok(home.into()),
        None => {
            Ok(std::env::home_dir().context("neither CARGO_HOME nor a home folder is set")?.join(".cargo"))
        }
    }
}

/// A copy of all sources, as one workspace.
pub struct Stage {
    folder: PathBuf,
}

impl Stage {
    /// Copies the sources into the target folder.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub fn make(root: &Path, guests: &[Guest]) -> anyhow::Result<Stage> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let stage = Stage { folder: target.join("guests") };
        for folder in ["tracks", "tests", "guest-sdk"] {
            let old = stage.folder.join(folder);
            if old.exists() {
                std::fs::remove_dir_all(&old).with_context(|| format!("cannot empty {}", old.display()))?;
            }
        }
        let sources: Vec<&str> =
            std::iter::once(SDK).chain(guests.iter().map(|guest| guest.source.as_str())).collect();
        for source in &sources {
            for name in source_files(&root.join(source))? {
                copy(&root.join(source).join(&name), &stage.folder.join(source).join(&name))?;
            }
        }
        for guest in guests {
            let manifest = Path::new(&guest.source).join("Cargo.toml");
            let text = std::fs::read_to_string(root.join(&manifest))?;
            let text = text.strip_suffix(PROFILE).with_context(|| {
                format!("{} does not end with the profile:\n{PROFILE}", manifest.display())
            })?;
            std::fs::write(stage.folder.join(&manifest), text)?;
        }
        stage.fill_template(root)?;
        let members = sources
            .iter()
            .chain([&TEMPLATE])
            .map(|source| format!("{source:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{PROFILE}");
        std::fs::write(stage.folder.join("Cargo.toml"), manifest)?;
        copy(&root.join(SDK).join("Cargo.lock"), &stage.folder.join("Cargo.lock"))?;
        Ok(stage)
    }

    /// Fills the template of new extensions in as `rally extension new` does, so that its tests are run, too.
    fn fill_template(&self, root: &Path) -> anyhow::Result<()> {
        let template = root.join(SDK).join("template/_source");
        for name in source_files(&template)? {
            let text = std::fs::read_to_string(template.join(&name))?;
            let text = text
                .replace("{{name}}", "new-extension")
                .replace("path = \"sdk\"", "path = \"../../guest-sdk/rust\"")
                .replace("[workspace]\n", "")
                .replace(PROFILE, "");
            let path = self.folder.join(TEMPLATE).join(name);
            std::fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs cargo in the workspace and shows what it prints.
    ///
    /// # Errors
    /// Where it fails.
    pub fn cargo(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let status = self.command(arguments)?.status().context("cargo could not be started")?;
        ensure!(status.success(), "`cargo {}` failed: see above", arguments.join(" "));
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> anyhow::Result<Command> {
        // The folder of a registry has a name that depends on the registry's address.
        let mut flags = Vec::new();
        let registries = cargo_home()?.join("registry").join("src");
        for registry in std::fs::read_dir(&registries).into_iter().flatten() {
            flags.push(format!("--remap-path-prefix={}=crates", registry?.path().display()));
        }
        flags.push(format!("--remap-path-prefix={}=.", self.folder.display()));
        let mut command = Command::new("cargo");
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", self.folder.join("target"))
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env_remove("RUSTFLAGS");
        Ok(command)
    }

    /// Builds the core modules of a guest: one, or one for each entry of `package.metadata.components`, an object with
    /// features by name.
    ///
    /// # Errors
    /// Where the manifest makes no sense or the build fails.
    pub fn build(&self, guest: &Guest, target: &str) -> anyhow::Result<Vec<Built>> {
        let package = self.package(guest)?;
        let name = package["name"].as_str().context("a package without a name")?;
        let mut components: Vec<(String, Vec<String>)> = Vec::new();
        match package["metadata"]["components"].as_object() {
            None => components.push((name.to_owned(), Vec::new())),
            Some(variants) => {
                for (component, features) in variants {
                    let features = features.as_array().into_iter().flatten();
                    let features = features.filter_map(Value::as_str).map(str::to_owned).collect();
                    components.push((component.clone(), features));
                }
            }
        }
        let mut built = Vec::new();
        for (component, features) in components {
            let features = features.join(",");
            let mut arguments = vec!["build", "--release", "--target", target, "--lib", "--package", name];
            if !features.is_empty() {
                arguments.extend(["--features", features.as_str()]);
            }
            self.cargo(&arguments)?;
            let release = self.folder.join("target").join(target).join("release");
            // The next variant overwrites the file.
            let module = release.join(format!("{component}.module"));
            let file = release.join(format!("{}.wasm", name.replace('-', "_")));
            copy(&file, &module)?;
            built.push(Built { module, component: format!("{}/{component}.wasm", guest.output) });
        }
        Ok(built)
    }

    fn package(&self, guest: &Guest) -> anyhow::Result<Value> {
        let arguments = ["metadata", "--no-deps", "--format-version", "1"];
        let output = tool::run(&mut self.command(&arguments)?, "install Rust")?;
        let mut metadata: Value = serde_json::from_slice(&output.stdout)?;
        let manifest = self.folder.join(&guest.source).join("Cargo.toml");
        let packages = metadata["packages"].as_array_mut().context("cargo tells of no packages")?;
        let place = packages
            .iter()
            .position(|package| package["manifest_path"].as_str().map(Path::new) == Some(&manifest))
            .with_context(|| format!("cargo does not know {}", guest.source))?;
        Ok(packages.swap_remove(place))
    }

    /// Guests have no dependencies that the SDK's lock does not name: what is built is what is locked.
    ///
    /// # Errors
    /// Naming the first one that is not locked.
    pub fn check_dependencies(&self, root: &Path) -> anyhow::Result<()> {
        let packages = |path: PathBuf| -> anyhow::Result<Vec<String>> {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            // Only packages from elsewhere have a checksum.
            let blocks = text.split("[[package]]").filter(|block| block.contains("\nchecksum = "));
            let block = |block: &str| block.lines().take(5).collect::<Vec<_>>().join("\n");
            Ok(blocks.map(block).collect())
        };
        let locked = packages(root.join(SDK).join("Cargo.lock"))?;
        for package in packages(self.folder.join("Cargo.lock"))? {
            ensure!(
                locked.contains(&package),
                "{SDK}/Cargo.lock does not lock a dependency of a guest:{package}\nmake it one of the SDK"
            );
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let cannot = || format!("cannot copy {} to {}", from.display(), to.display());
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).with_context(cannot)?;
    }
    std::fs::copy(from, to).with_context(cannot)?;
    Ok(())
}
