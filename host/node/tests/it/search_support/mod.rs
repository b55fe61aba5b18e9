//! Indices for tests of the search, built through the shard's own API.

pub mod compare;

use bytes::Bytes;
use rally_node::error::EsError;
use rally_node::mapping::Mapping;
use rally_node::search::{SearchRequest, execute};
use rally_node::shard::core::Shared;
use rally_node::shard::write::{Action, Operation};
use rally_node::shard::{Shard, ShardView};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// A shard in a directory of its own.
pub struct TestIndex {
    /// The shard.
    pub shard: Shard,
    _directory: TempDir,
}

impl TestIndex {
    /// An index with `mapping` (what `PUT /index` has behind `mappings`).
    pub fn new(name: &str, mapping: &Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mapping = Mapping::new(mapping).unwrap();
        let shard = Shard::create(name, directory.path(), mapping, Arc::new(Shared::default())).unwrap();
        TestIndex { shard, _directory: directory }
    }

    /// Indexes `documents` in order under the id that `id` gives, and refreshes: one batch, one or two segments.
    pub fn add(&self, documents: &[Value], id: impl Fn(&Value) -> String) {
        let operations = documents.iter().map(|document| Operation {
            action: Action::Index(Bytes::from(document.to_string())),
            id: Some(id(document)),
            if_sequence: None,
        });
        for (id, outcome) in self.shard.write(operations.collect()) {
            outcome.unwrap_or_else(|error| panic!("document {id}: {error}"));
        }
        self.shard.refresh().unwrap();
    }

    /// Deletes documents, and refreshes.
    pub fn delete(&self, ids: &[&str]) {
        let operations = ids.iter().map(|id| Operation {
            action: Action::Delete,
            id: Some(id.to_string()),
            if_sequence: None,
        });
        for (_, outcome) in self.shard.write(operations.collect()) {
            outcome.unwrap();
        }
        self.shard.refresh().unwrap();
    }

    /// What a search sees.
    pub fn view(&self) -> ShardView {
        self.shard.search_view().unwrap()
    }

    /// The answer to a search.
    pub fn search(&self, body: &Value) -> Value {
        search(&[self.view()], body, "").unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Ids of the hits of a search, in order.
    pub fn ids(&self, body: &Value) -> Vec<String> {
        ids(&self.search(body))
    }
}

/// The answer to a search of several indices; `parameters` as in a URL, without escapes.
pub fn search(shards: &[ShardView], body: &Value, parameters: &str) -> Result<Value, EsError> {
    let parameters: Vec<(String, String)> = parameters
        .split('&')
        .filter(|each| !each.is_empty())
        .map(|each| each.split_once('=').unwrap_or((each, "")))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let request = SearchRequest::parse(body.to_string().as_bytes(), &parameters, "/places/_search")?;
    let answer = execute(shards, &request, None)?;
    Ok(serde_json::from_slice(&answer.to_json(0, None)?).unwrap())
}

/// Ids of the hits of an answer, in order.
pub fn ids(answer: &Value) -> Vec<String> {
    answer["hits"]["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["_id"].as_str().unwrap().to_string())
        .collect()
}

/// A mapping of properties.
pub fn properties(properties: Value) -> Value {
    json!({ "properties": properties })
}
