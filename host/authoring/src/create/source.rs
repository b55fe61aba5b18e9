//! What a cluster says of its indices and data streams.

use rally_cluster::http::encode_path;
use rally_cluster::{Api, CallError};
use serde_json::{Map, Value, json};

use super::CreateError;

/// Settings that only the cluster may give an index, when it creates it. Blocks would keep the documents out.
const EPHEMERAL: [&str; 7] =
    ["uuid", "creation_date", "version", "provided_name", "store", "resize", "blocks"];

/// An index that can be made again.
#[derive(Debug, Clone)]
pub(super) struct FoundIndex {
    pub(super) name: String,
    pub(super) mappings: Value,
    /// What stands below `index` in its settings.
    pub(super) settings: Map<String, Value>,
}

/// Finds the indices of a name or pattern.
pub(super) async fn indices(api: &mut Api, pattern: &str) -> Result<Vec<FoundIndex>, CreateError> {
    let found =
        ask(api, "indices", "index", pattern, &format!("/{}?expand_wildcards=all", encode_path(pattern)))
            .await?;
    // Who asks for everything does not mean what the cluster keeps for itself.
    let everything = matches!(pattern, "_all" | "*");
    let indices: Vec<FoundIndex> = found
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !(name.is_empty() || everything && name.starts_with('.')))
        .map(|(name, details)| index(name, details))
        .collect();
    match indices.is_empty() {
        true => Err(CreateError::NothingFound { what: "index", pattern: pattern.to_owned() }),
        false => Ok(indices),
    }
}

/// A data stream, and the newest index behind it.
#[derive(Debug, Clone)]
pub(super) struct FoundDataStream {
    pub(super) name: String,
    pub(super) write_index: FoundIndex,
}

/// Finds the data streams of a name or pattern.
pub(super) async fn data_streams(api: &mut Api, pattern: &str) -> Result<Vec<FoundDataStream>, CreateError> {
    let path = format!("/_data_stream/{}", encode_path(pattern));
    let all = format!("{path}?expand_wildcards=all");
    let found = match ask(api, "data streams", "data stream", pattern, &all).await {
        // OpenSearch does not know the parameter, and has no data streams that it hides.
        Err(CreateError::Call { source, .. })
            if source.status().is_some_and(|status| status.as_u16() == 400) =>
        {
            ask(api, "data streams", "data stream", pattern, &path).await?
        }
        found => found?,
    };
    let mut streams = Vec::new();
    for stream in found["data_streams"].as_array().into_iter().flatten() {
        let last = stream["indices"].as_array().and_then(|indices| indices.last());
        let (Some(name), Some(behind)) =
            (stream["name"].as_str(), last.and_then(|index| index["index_name"].as_str()))
        else {
            continue;
        };
        if matches!(pattern, "_all" | "*") && name.starts_with('.') {
            continue;
        }
        let write_index = indices(api, behind).await?.into_iter().next();
        streams.extend(write_index.map(|write_index| FoundDataStream { name: name.to_owned(), write_index }));
    }
    match streams.is_empty() {
        true => Err(CreateError::NothingFound { what: "data stream", pattern: pattern.to_owned() }),
        false => Ok(streams),
    }
}

async fn ask(
    api: &mut Api,
    what: &str,
    one: &'static str,
    pattern: &str,
    path: &str,
) -> Result<Value, CreateError> {
    api.get(path).await.map_err(|source: CallError| match source.status() {
        Some(status) if status.as_u16() == 404 => {
            CreateError::NothingFound { what: one, pattern: pattern.to_owned() }
        }
        _ => CreateError::Call { what: format!("{what} '{pattern}'"), source },
    })
}

fn index(name: &str, details: &Value) -> FoundIndex {
    let mut settings =
        details.pointer("/settings/index").and_then(Value::as_object).cloned().unwrap_or_default();
    settings.retain(|key, _| !EPHEMERAL.contains(&key.as_str()));
    // Defaults that only some servers know.
    for (key, default) in [
        ("replication", json!({ "type": "DOCUMENT" })),
        ("routing", json!({ "allocation": { "include": { "_tier_preference": "data_content" } } })),
    ] {
        if settings.get(key) == Some(&default) {
            settings.shift_remove(key);
        }
    }
    let mappings = details.get("mappings").cloned().unwrap_or_else(|| json!({}));
    FoundIndex { name: name.to_owned(), mappings, settings }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_shards_go_is_left_out_only_if_nobody_chose_it() {
        let routing = |tier: &str| {
            let settings = json!({"routing": {"allocation": {"include": {"_tier_preference": tier}}}});
            index("i", &json!({ "settings": { "index": settings } })).settings.contains_key("routing")
        };
        assert!(!routing("data_content"));
        assert!(routing("data_cold"));
    }

    #[test]
    fn what_only_the_cluster_may_set_is_left_out() {
        let details = json!({
            "settings": {"index": {"uuid": "u", "creation_date": "1", "version": {"created": "2"},
                "provided_name": "i", "blocks": {"write": "true"}, "replication": {"type": "DOCUMENT"}, "number_of_shards": "3", "sort": {"field": ["a"]}}},
            "mappings": {"properties": {}},
        });
        let found = index("i", &details);
        assert_eq!(Value::Object(found.settings), json!({"number_of_shards": "3", "sort": {"field": ["a"]}}));
    }
}
