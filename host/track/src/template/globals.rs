//! Jinja2's `cycler`, `joiner` and `namespace`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, Tuple, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::filters::given;

/// Adds the functions.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_function("cycler", |items: Rest<Value>| -> Result<Value, Error> {
        match items.is_empty() {
            true => Err(Error::new(ErrorKind::MissingArgument, "cycler needs at least one item")),
            false => Ok(Value::from_object(Cycler { items: items.to_vec(), next: AtomicUsize::new(0) })),
        }
    });
    environment.add_function("joiner", |arguments: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let [separator] = given(arguments, ["sep"])?;
        Ok(minijinja_contrib::globals::joiner(separator))
    });
    environment.add_function("namespace", |arguments: Rest<ValueOrKwargs>| -> Result<Value, Error> {
        let arguments = arguments.into_values();
        let (first, kwargs): (Option<Value>, Kwargs) = from_args(&arguments)?;
        let mut members = Vec::new();
        if let Some(first) = first {
            for key in first.try_iter()? {
                match first.kind() {
                    minijinja::value::ValueKind::Map => members.push((key.clone(), first.get_item(&key)?)),
                    _ => match key.try_iter()?.collect::<Vec<_>>().as_slice() {
                        [name, value] => members.push((name.clone(), value.clone())),
                        _ => {
                            return Err(Error::new(
                                ErrorKind::InvalidOperation,
                                "namespace: a map is made of pairs",
                            ));
                        }
                    },
                }
            }
        }
        for name in kwargs.args() {
            members.push((Value::from(name), kwargs.peek::<Value>(name)?));
        }
        minijinja::functions::namespace(Some(Value::from_pairs(members).into()))
    });
}

/// Goes round in its items.
#[derive(Debug)]
struct Cycler {
    items: Vec<Value>,
    next: AtomicUsize,
}

impl Cycler {
    fn position(&self) -> usize {
        self.next.load(Ordering::Relaxed)
    }
}

impl Object for Cycler {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "current" => self.items.get(self.position()).cloned(),
            "items" => Some(Value::from(Tuple::from(self.items.clone()))),
            "pos" => Some(Value::from(self.position())),
            _ => None,
        }
    }

    fn call_method(self: &Arc<Self>, _: &mut State, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "next" => {
                let () = from_args(args)?;
                let position = self.position();
                self.next.store((position + 1) % self.items.len(), Ordering::Relaxed);
                Ok(self.items[position].clone())
            }
            "reset" => {
                let () = from_args(args)?;
                self.next.store(0, Ordering::Relaxed);
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}
