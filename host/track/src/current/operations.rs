//! Operations: those that have a name for all schedules, and those that stand within a task.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::reading::{Declared, Reader};
use crate::{Meta, Operation, OperationType};

/// Key of the property that says whether reports show an operation.
const INCLUDE_IN_REPORTING: &str = "include-in-reporting";

/// Operations by name, in their order.
pub(super) type Operations = IndexMap<String, Declared>;

impl Reader<'_> {
    /// What `operations` has.
    pub(super) fn named_operations(&mut self) -> Operations {
        let mut operations = Operations::new();
        for (pointer, value) in self.elements("", "operations") {
            let Some(declared) = self.operation_of(&pointer, value) else { continue };
            let name = declared.operation.name.clone();
            if operations.contains_key(&name) {
                let message = format!("there is more than one operation '{name}'");
                self.problem(&format!("{pointer}/name"), message, None);
            }
            operations.insert(name, declared);
        }
        operations
    }

    /// The operation of a task: the name of one, the name of a type, or all that there is to say.
    pub(super) fn operation_of_task(
        &mut self,
        pointer: &str,
        value: &Value,
        operations: &Operations,
    ) -> Option<Declared> {
        match value.as_str() {
            Some(name) => match operations.get(name) {
                Some(declared) => Some(declared.clone()),
                None => Some(declared(pointer, name, name, None, Meta::new(), Map::new())),
            },
            None => self.operation_of(pointer, value),
        }
    }

    fn operation_of(&mut self, pointer: &str, value: &Value) -> Option<Declared> {
        let Some(params) = value.as_object() else {
            let message = "'operation' must be a name or an object".to_owned();
            self.problem(pointer, message, None);
            return None;
        };
        let Some(operation_type) = self.text_if_any(pointer, value, "operation-type") else {
            if !params.contains_key("operation-type") {
                let message = "this operation lacks 'operation-type'".to_owned();
                self.problem(pointer, message, None);
            }
            return None;
        };
        let name = self.text_if_any(pointer, value, "name");
        let param_source = self.text_if_any(pointer, value, "param-source");
        let meta = self.object_if_any(pointer, value, "meta");
        let name = name.as_ref().unwrap_or(&operation_type);
        Some(declared(pointer, name, &operation_type, param_source, meta, params.clone()))
    }
}

/// Of Rally's own types what only prepares stays out of reports, unless the operation says something else.
fn declared(
    pointer: &str,
    name: &str,
    operation_type: &str,
    param_source: Option<String>,
    meta: Meta,
    mut params: Map<String, Value>,
) -> Declared {
    if let Some(kind) = OperationType::named(operation_type)
        && !params.contains_key(INCLUDE_IN_REPORTING)
    {
        params.insert(INCLUDE_IN_REPORTING.to_owned(), (!kind.is_administrative()).into());
    }
    let operation = Operation {
        name: name.to_owned(),
        operation_type: operation_type.to_owned(),
        param_source,
        meta,
        params,
    };
    Declared { operation: Arc::new(operation), pointer: pointer.to_owned() }
}
