//! Gathers the tracks that ship with rally, without the sources of their components.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    gather(Path::new("../../tracks"), &out.join("tracks"))?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Copies a folder afresh, without entries whose names begin with `_` or `.`.
fn gather(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    // The folder itself changes when an entry comes or goes.
    println!("cargo::rerun-if-changed={}", from.display());
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_none_or(|name| name.starts_with(['_', '.'])) {
            continue;
        }
        let (path, target) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            gather(&path, &target)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
