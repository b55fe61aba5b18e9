//! Components made from the interface itself: every function of them is there and traps.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

/// A core module that implements a world with these imports and exports of `rally:track` in a version.
pub fn module(version: &str, imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let items = |word: &str, names: &[&str]| -> String {
        names.iter().map(|name| format!("  {word} rally:track/{name}@{version};\n")).collect()
    };
    world_module(version, &format!("{}{}", items("import", imports), items("export", exports)))
}

/// A core module that implements a world with this text, beside `rally:track` in a version.
pub fn world_module(version: &str, items: &str) -> Vec<u8> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit/0.1.0");
    let copy = tempfile::tempdir().expect("temporary folder");
    for entry in std::fs::read_dir(source).expect("the interface") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text").replace("@0.1.0", &format!("@{version}"));
        std::fs::write(copy.path().join(path.file_name().expect("a name")), text).expect("written");
    }
    let mut resolve = Resolve::default();
    resolve.push_dir(copy.path()).expect("the interface parses");
    let text = format!("package test:guest;\nworld guest {{\n{items}}}\n");
    let package = resolve.push_str("guest.wit", &text).expect("the world parses");
    let world = resolve.select_world(&[package], Some("guest")).expect("the world is there");
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("embedded");
    module
}

/// The component that a core module gives, whatever it imports.
pub fn component(module: &[u8]) -> Vec<u8> {
    let encoder = ComponentEncoder::default().module(module).expect("a module");
    encoder.validate(true).encode().expect("a component")
}

/// A parameter source that reads an asset and the clock.
pub fn source() -> Vec<u8> {
    component(&module("0.1.0", &["log", "clock", "assets"], &["extension", "param-sources"]))
}
