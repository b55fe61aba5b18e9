//! Gathers what `rally extension new` writes, without what a build of it may have left behind.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

fn main() -> io::Result<()> {
    let repository = PathBuf::from("../..");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    let sdk = repository.join("guest-sdk").join("rust");
    gather(&sdk, &out.join("sdk"), &|name| name != "target" && name != "tests" && name != "template")?;
    gather(&sdk.join("template"), &out.join("template"), &|name| name != "target")?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// Copies a folder anew, apart from names that are not wanted.
fn gather(from: &Path, to: &Path, wanted: &dyn Fn(&str) -> bool) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    fs::create_dir_all(to)?;
    // The folder itself changes when an entry comes or goes.
    println!("cargo::rerun-if-changed={}", from.display());
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if !name.to_str().is_some_and(wanted) {
            continue;
        }
        let (path, target) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            gather(&path, &target, wanted)?;
        } else {
            println!("cargo::rerun-if-changed={}", path.display());
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
