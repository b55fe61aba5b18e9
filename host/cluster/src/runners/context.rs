//! Values that the operations of a composite operation share, by the name of the operation: ids of points in time and of
//! asynchronous searches.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

/// The ids that operations of one composite operation have got.
#[derive(Debug, Default)]
pub struct Context(RefCell<BTreeMap<String, Value>>);

impl Context {
    /// Keeps an id under the name of the operation that got it.
    pub fn put(&self, operation: &str, id: Value) {
        self.0.borrow_mut().insert(operation.to_owned(), id);
    }

    /// The id that an operation got.
    ///
    /// # Errors
    /// Where no operation of that name has got one.
    pub fn get(&self, operation: &str) -> Result<Value, String> {
        let known = self.0.borrow();
        known.get(operation).cloned().ok_or_else(|| {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            format!(
                "no operation '{operation}' of this composite operation has an id; operations with an id: {}",
                names.join(", ")
            )
        })
    }

    /// Forgets the id that an operation got.
    pub fn remove(&self, operation: &str) {
        self.0.borrow_mut().remove(operation);
    }
}
