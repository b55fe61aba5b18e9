//! Values that the schema leaves open.

use serde_json::{Map, Value};

use crate::json::child;
use crate::reading::Reader;

/// As many clients as a track of 2017 can have. A plan keeps some memory for each.
const MAX_CLIENTS: u32 = 1_000_000;

impl Reader<'_> {
    /// A text that may be left out; anything else is a problem.
    pub(super) fn text_if_any(&mut self, pointer: &str, value: &Value, key: &str) -> Option<String> {
        match value.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.problem(&child(pointer, key), format!("'{key}' must be a string"), None);
                None
            }
        }
    }

    /// An object that may be left out; anything else is a problem.
    pub(super) fn object_if_any(&mut self, pointer: &str, value: &Value, key: &str) -> Map<String, Value> {
        match value.get(key) {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(object)) => object.clone(),
            Some(_) => {
                self.problem(&child(pointer, key), format!("'{key}' must be an object"), None);
                Map::new()
            }
        }
    }

    /// A number of clients: at most [`MAX_CLIENTS`].
    pub(super) fn clients(&mut self, pointer: &str, value: &Value) -> Option<u32> {
        let clients = value.get("clients")?;
        let number = clients.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| *number <= MAX_CLIENTS);
        if number.is_none() {
            let message = format!("'clients' must be at most {MAX_CLIENTS}, but is {clients}");
            self.problem(&child(pointer, "clients"), message, None);
        }
        number
    }
}
