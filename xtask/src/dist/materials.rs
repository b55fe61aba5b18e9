//! The bill of materials: every crate that the program is made of, in CycloneDX 1.5.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use serde_json::{Value, json};

use crate::tool;

/// Writes `rally.cdx.json` into `output`.
pub fn write(root: &Path, output: &Path) -> anyhow::Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root).args(["metadata", "--format-version=1", "--locked", "--manifest-path"]);
    cargo.arg("host/cli/Cargo.toml");
    let metadata: Value = serde_json::from_slice(&tool::run(&mut cargo, "install a Rust toolchain")?.stdout)?;
    let path = output.join("rally.cdx.json");
    let text = serde_json::to_string_pretty(&bill(&metadata).context("cargo metadata has another shape")?)?;
    fs::write(&path, text)?;
    Ok(path)
}

/// The bill of what `cargo metadata` lists: what is linked into the program, without what only builds or tests it.
fn bill(metadata: &Value) -> Option<Value> {
    let packages = metadata["packages"].as_array()?;
    let nodes = metadata["resolve"]["nodes"].as_array()?;
    let root = packages.iter().find(|package| package["name"] == "rally")?;
    let mut linked = vec![root["id"].as_str()?];
    let mut next = 0;
    while let Some(id) = linked.get(next).copied() {
        next += 1;
        let Some(node) = nodes.iter().find(|node| node["id"] == id) else { continue };
        for dependency in node["deps"].as_array()? {
            let normal = dependency["dep_kinds"].as_array()?.iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str()?;
            if normal && !linked.contains(&id) {
                linked.push(id);
            }
        }
    }
    let mut components: Vec<Value> = packages
        .iter()
        .filter(|package| package["id"] != root["id"])
        .filter(|package| package["id"].as_str().is_some_and(|id| linked.contains(&id)))
        .map(component)
        .collect();
    components.sort_by(|a, b| a["bom-ref"].as_str().cmp(&b["bom-ref"].as_str()));
    Some(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "rally", "version": root["version"] } },
        "components": components,
    }))
}

fn component(package: &Value) -> Value {
    let (name, version) =
        (package["name"].as_str().unwrap_or_default(), package["version"].as_str().unwrap_or_default());
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component = json!({
        "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
    });
    if let Some(licence) = package["license"].as_str() {
        component["licenses"] = json!([{ "expression": licence }]);
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_has_what_is_linked_and_not_what_only_builds_or_tests() {
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.0.0", "license": "MIT" });
        let needs = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [package("rally"), package("linked"), package("inner"), package("tests"), package("builds")],
            "resolve": { "nodes": [
                { "id": "rally", "deps": [needs("linked", Value::Null), needs("tests", json!("dev")), needs("builds", json!("build"))] },
                { "id": "linked", "deps": [needs("inner", Value::Null)] },
                { "id": "inner", "deps": [] },
            ] },
        });
        let bill = bill(&metadata).expect("a bill");
        let names: Vec<&str> = bill["components"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|c| c["name"].as_str())
            .collect();
        assert_eq!(names, ["inner", "linked"]);
        assert_eq!(bill["metadata"]["component"]["name"], "rally");
    }
}
