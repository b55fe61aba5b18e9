//! Methods of Python's types that templates call; among them those that change a map.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::guards;

/// What `copy()` of a map returns: a map that `update`, `pop` and `setdefault` change.
#[derive(Default)]
struct MutableMap {
    members: Mutex<IndexMap<Value, Value>>,
}

impl MutableMap {
    fn with<R>(&self, run: impl FnOnce(&mut IndexMap<Value, Value>) -> R) -> R {
        run(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MutableMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.with(|members| members.clone());
        f.debug_map().entries(members.iter()).finish()
    }
}

impl Object for MutableMap {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.with(|members| members.get(key).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.with(|members| members.keys().cloned().collect()))
    }
}

/// Calls a method that the engine does not know.
pub(super) fn call_method(
    state: &mut State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if value.kind() == ValueKind::Map {
        match method {
            "copy" => {
                let () = from_args(args)?;
                let copy = MutableMap::default();
                for key in value.try_iter()? {
                    let member = value.get_item(&key)?;
                    copy.with(|members| members.insert(key, member));
                }
                return Ok(Value::from_object(copy));
            }
            "update" | "pop" | "setdefault" => return change(value, method, args),
            _ => {}
        }
    }
    guards::check_method(value, method, args)?;
    pycompat::unknown_method_callback(state, value, method, args)
}

fn change(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let Some(map) = value.downcast_object_ref::<MutableMap>() else {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("only a copy of a map can be changed; call copy() before {method}()"),
        ));
    };
    match method {
        "pop" => {
            let (key, default): (Value, Option<Value>) = from_args(args)?;
            map.with(|members| members.shift_remove(&key))
                .or(default)
                .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, format!("pop: there is no key {key}")))
        }
        "setdefault" => {
            let (key, default): (Value, Option<Value>) = from_args(args)?;
            let default = guards::frozen(&default.unwrap_or_else(|| Value::from(())))?;
            Ok(map.with(|members| members.entry(key).or_insert(default).clone()))
        }
        _ => {
            let (others, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
            let mut changes = Vec::new();
            for other in others.iter() {
                for key in other.try_iter()? {
                    let member = guards::frozen(&other.get_item(&key)?)?;
                    changes.push((key, member));
                }
            }
            for key in kwargs.args() {
                changes.push((Value::from(key), guards::frozen(&kwargs.peek::<Value>(key)?)?));
            }
            map.with(|members| {
                members.extend(changes);
                guards::check_elements(members.len())
            })?;
            Ok(Value::from(()))
        }
    }
}
