//! Values that the schema leaves open.

use serde_json::{Map, Value};

use crate::json::child;
use crate::reading::Reader;

impl Reader<'_> {
    /// A text that may be left out; anything else is a problem.
    pub(super) fn text_if_any(&mut self, pointer: &str, value: &Value, key: &str) -> Option<String> {
        match value.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.problem(&child(pointer, key), format!("\"{key}\" must be a string"), None);
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
                self.problem(&child(pointer, key), format!("\"{key}\" must be an object"), None);
                Map::new()
            }
        }
    }

    /// A number of clients: at most 4294967295.
    pub(super) fn clients(&mut self, pointer: &str, value: &Value) -> Option<u32> {
        let clients = value.get("clients")?;
        let number = clients.as_u64().and_then(|number| u32::try_from(number).ok());
        if number.is_none() {
            let message = format!("\"clients\" must be at most {}, but is {clients}", u32::MAX);
            self.problem(&child(pointer, "clients"), message, None);
        }
        number
    }
}
