//! Bodies of indices and templates, for targets without mapping types.

use indexmap::IndexMap;
use rally_cluster::{Capabilities, Product, Version, index_mappings, template_body};
use rally_track::{Index, IndexTemplate};
use serde_json::{Value, json};

use super::UpgradeError;

/// Targets that current tracks are written for.
fn today() -> Capabilities {
    Capabilities::of(Product::Elasticsearch, Version { major: 8, minor: 0, patch: 0, suffix: None })
}

/// Body of the request that creates an index. Settings are in the operation: they differ by challenge.
pub(super) fn of_index(index: &Index) -> Result<Value, UpgradeError> {
    index_mappings(index, &today())
        .map(|mappings| json!({ "mappings": mappings }))
        .map_err(|source| UpgradeError::Mapping { index: index.name.clone(), source })
}

/// Body of the request that creates an index template.
pub(super) fn of_template(template: &IndexTemplate) -> Result<Value, UpgradeError> {
    template_body(template, &today())
        .map_err(|source| UpgradeError::Template { template: template.name.clone(), source })
}

/// A file name for something of this name that no other file has.
pub(super) fn file_name(folder: &str, name: &str, taken: &IndexMap<String, String>) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' })
        .collect();
    let plain = plain.trim_start_matches('.');
    (1..)
        .map(|number| match number {
            1 => format!("{folder}/{plain}.json"),
            _ => format!("{folder}/{plain}-{number}.json"),
        })
        .find(|file| !taken.contains_key(file))
        .unwrap_or_default()
}
