//! A track folder, and bundles of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use rally_bundle::{Bundle, Limits, OpenError, OpenOptions, PackOptions, Packed, Trust, pack};
use rally_component::Bounds;
use tempfile::TempDir;

/// A component that sends requests: it says so, and has no code.
pub fn component() -> Vec<u8> {
    wat::parse_str(
        r#"(component
            (import "rally:track/client@0.1.0" (instance))
            (import "rally:track/log@0.1.0" (instance))
            (instance $none)
            (export "rally:track/extension@0.1.0" (instance $none))
            (export "rally:track/runners@0.1.0" (instance $none)))"#,
    )
    .expect("WAT")
}

/// A folder with a track in it: a component, a part, documents and an asset, and what does not belong into a bundle.
pub fn track() -> TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    for (name, content) in [
        ("track.json", b"{\"short-description\": \"x\"}".as_slice()),
        ("my-track.wasm", &component()),
        ("parts/operations.json", b"[]"),
        ("documents.json", b"{\"a\": 1}\n"),
        ("far.json.bz2", b"BZh"),
        ("far.json", b"{}\n"),
        ("queries.txt", b""),
        ("_source/src/lib.rs", b"fn main() {}"),
        (".git/config", b"[core]"),
        ("my-track.wasm.lock", b"x"),
        ("track.json~", b"{}"),
    ] {
        write(folder.path(), name, content);
    }
    folder
}

pub fn write(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    fs::write(path, content).expect("written");
}

pub fn options() -> PackOptions {
    PackOptions {
        name: "my-track".parse().expect("a name"),
        fetched: BTreeSet::from(["far.json".to_owned(), "far.json.bz2".to_owned()]),
        limits: Limits::default(),
        bounds: Bounds::default(),
    }
}

pub fn packed() -> Packed {
    pack(track().path(), &options()).expect("packed")
}

pub fn trusting(trust: Trust) -> OpenOptions {
    OpenOptions { trust, digest: None, limits: Limits::default(), bounds: Bounds::default() }
}

pub fn open(bytes: &[u8], trust: Trust) -> Result<Bundle, OpenError> {
    Bundle::open(bytes.to_vec(), &trusting(trust))
}
