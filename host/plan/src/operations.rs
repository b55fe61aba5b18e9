//! The operations of a plan: each once, in the order of first use over all challenges.

use std::collections::HashMap;
use std::sync::Arc;

use rally_track::{Operation, OperationType};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::canonical;

/// An operation as it is shown.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedOperation {
    /// Whether it administrates the cluster rather than measures it; only of built-in types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin: Option<bool>,
    /// Whether its type is built in.
    pub core: bool,
    /// Whether the report shows it.
    #[serde(serialize_with = "canonical::sorted")]
    pub include_in_reporting: Value,
    /// Properties of its records.
    #[serde(serialize_with = "canonical::sorted_map", skip_serializing_if = "Map::is_empty")]
    pub meta: Map<String, Value>,
    /// Its name.
    pub name: String,
    /// The parameter source that it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param_source: Option<String>,
    /// All its properties.
    #[serde(serialize_with = "canonical::sorted_map")]
    pub params: Map<String, Value>,
    /// Who may use its type on a serverless target: `Blocked`, `Internal` or `Public`; only of built-in types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serverless_status: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub operation_type: String,
}

impl From<&Operation> for PlannedOperation {
    fn from(operation: &Operation) -> PlannedOperation {
        let known = OperationType::named(&operation.operation_type);
        PlannedOperation {
            admin: known.map(|known| known.is_administrative()),
            core: known.is_some(),
            include_in_reporting: operation
                .params
                .get("include-in-reporting")
                .cloned()
                .unwrap_or(Value::Bool(true)),
            meta: operation.meta.clone(),
            name: operation.name.clone(),
            param_source: operation.param_source.clone(),
            params: operation.params.clone(),
            serverless_status: known.map(|known| known.serverless_status().name().to_owned()),
            operation_type: operation.operation_type.clone(),
        }
    }
}

/// Collects operations. Those that say the same are the same, wherever they stand in the track.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    planned: Vec<PlannedOperation>,
    /// By canonical JSON.
    by_content: HashMap<Vec<u8>, usize>,
    /// By address: operations that are declared once and used often need not be compared.
    by_address: HashMap<*const Operation, usize>,
}

impl Operations {
    /// Index of an operation.
    pub fn index(&mut self, operation: &Arc<Operation>) -> serde_json::Result<usize> {
        let address = Arc::as_ptr(operation);
        if let Some(index) = self.by_address.get(&address) {
            return Ok(*index);
        }
        let planned = PlannedOperation::from(operation.as_ref());
        let content = canonical::to_vec(&planned)?;
        let next = self.planned.len();
        let index = *self.by_content.entry(content).or_insert(next);
        if index == next {
            self.planned.push(planned);
        }
        self.by_address.insert(address, index);
        Ok(index)
    }

    pub fn finish(self) -> Vec<PlannedOperation> {
        self.planned
    }
}
