//! Lists and maps that templates change, and methods of Python's types.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Kwargs, Object, ObjectRepr, Rest, Tuple, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::{bytes, guards, operators, python, strings};

/// A map that methods change.
#[derive(Default)]
pub(super) struct MutableMap {
    members: Mutex<IndexMap<Value, Value>>,
}

/// A list that methods change.
#[derive(Default)]
pub(super) struct MutableList {
    elements: Mutex<Vec<Value>>,
}

/// Adds what makes lists and maps changeable.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(call_method);
    environment.add_function("__list", |value: Value| -> Result<Value, Error> {
        Ok(Value::from_object(MutableList::new(value.try_iter()?.collect())))
    });
    environment.add_function("__dict", |value: Value| copied(&value));
    environment.add_function("dict", |value: Option<Value>, kwargs: Kwargs| -> Result<Value, Error> {
        let map = MutableMap::default();
        map.update(value.iter(), &kwargs)?;
        Ok(Value::from_object(map))
    });
}

impl MutableMap {
    pub(super) fn new(members: impl IntoIterator<Item = (Value, Value)>) -> Self {
        Self { members: Mutex::new(members.into_iter().collect()) }
    }

    fn with<R>(&self, run: impl FnOnce(&mut IndexMap<Value, Value>) -> R) -> R {
        run(&mut self.members.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes over maps, or lists of pairs, and what is given by name.
    fn update<'a>(&self, others: impl Iterator<Item = &'a Value>, kwargs: &Kwargs) -> Result<(), Error> {
        let mut changes = Vec::new();
        for other in others {
            for key in other.try_iter()? {
                match other.kind() {
                    ValueKind::Map => changes.push((key.clone(), other.get_item(&key)?)),
                    _ => match key.try_iter()?.collect::<Vec<_>>().as_slice() {
                        [name, value] => changes.push((name.clone(), value.clone())),
                        _ => return Err(invalid("a map needs pairs".to_owned())),
                    },
                }
            }
        }
        for key in kwargs.args() {
            changes.push((Value::from(key), kwargs.peek::<Value>(key)?));
        }
        for (_, value) in &changes {
            guards::check(value)?;
        }
        self.with(|members| {
            members.extend(changes);
            guards::check_elements(members.len())
        })
    }
}

impl MutableList {
    pub(super) fn new(elements: Vec<Value>) -> Self {
        Self { elements: Mutex::new(elements) }
    }

    fn with<R>(&self, run: impl FnOnce(&mut Vec<Value>) -> R) -> R {
        run(&mut self.elements.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for MutableMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members = self.with(|members| members.clone());
        f.debug_map().entries(members.iter()).finish()
    }
}

impl fmt::Debug for MutableList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements = self.with(|elements| elements.clone());
        f.debug_list().entries(elements.iter()).finish()
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

impl Object for MutableList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_usize()?;
        self.with(|elements| elements.get(index).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.with(|elements| elements.clone()))
    }
}

/// A changeable copy of a map.
fn copied(map: &Value) -> Result<Value, Error> {
    let mut members = Vec::new();
    for key in map.try_iter()? {
        let member = map.get_item(&key)?;
        members.push((key, member));
    }
    Ok(Value::from_object(MutableMap::new(members)))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Calls a method that the engine does not know.
fn call_method(state: &mut State, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    guards::check_method(value, method, args)?;
    if let Some(map) = value.downcast_object_ref::<MutableMap>()
        && let Some(result) = call_of_map(value, map, method, args)
    {
        return result;
    }
    if let Some(list) = value.downcast_object_ref::<MutableList>()
        && let Some(result) = call_of_list(state, value, list, method, args)
    {
        return result;
    }
    match (value.kind(), method) {
        (ValueKind::Map, "copy") => {
            let () = from_args(args)?;
            copied(value)
        }
        (ValueKind::Map, "get") => {
            let (key, default): (Value, Option<Value>) = from_args(args)?;
            let member = value.get_item(&key)?;
            Ok(if member.is_undefined() { default.unwrap_or_else(|| Value::from(())) } else { member })
        }
        (ValueKind::Map, "update" | "pop" | "setdefault") => {
            Err(invalid(format!("only a copy of this map can be changed; call copy() before {method}()")))
        }
        (ValueKind::Map, "keys" | "values" | "items") => {
            let () = from_args(args)?;
            View::of(value, method)
        }
        (ValueKind::Map, "fromkeys") => from_keys(args),
        // `dict.fromkeys`
        (ValueKind::Plain, "fromkeys") if operators::is_callable(value) => from_keys(args),
        (ValueKind::Seq | ValueKind::Iterable, "index") => {
            let (wanted, start, stop): (Value, Option<i64>, Option<i64>) = from_args(args)?;
            index_of(&value.try_iter()?.collect::<Vec<_>>(), &wanted, start, stop)
        }
        (ValueKind::Number | ValueKind::Bool, _) => call_of_number(value, method, args),
        (ValueKind::Seq, "append" | "extend" | "insert" | "pop" | "remove") => {
            Err(invalid(format!("this list cannot be changed; make one with | list before {method}()")))
        }
        (ValueKind::String, _) => {
            match strings::call(state, value.as_str().unwrap_or_default(), method, args) {
                Some(result) => result,
                None => pycompat::unknown_method_callback(state, value, method, args),
            }
        }
        _ => pycompat::unknown_method_callback(state, value, method, args),
    }
}

/// Where an element stands between two places, which count from the end if they are negative.
fn index_of(
    elements: &[Value],
    wanted: &Value,
    start: Option<i64>,
    stop: Option<i64>,
) -> Result<Value, Error> {
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => at.min(elements.len()),
        Err(_) => elements.len().saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, stop) = (start.map_or(0, place), stop.map_or(elements.len(), place));
    let found = elements.get(start..stop).unwrap_or_default().iter().position(|element| element == wanted);
    found
        .map(|at| Value::from(start + at))
        .ok_or_else(|| invalid(format!("index: {wanted} is not in the list")))
}

/// `dict.fromkeys`.
fn from_keys(args: &[Value]) -> Result<Value, Error> {
    let (keys, value): (Value, Option<Value>) = from_args(args)?;
    let value = value.unwrap_or_else(|| Value::from(()));
    let keys = operators::iterated(keys)?;
    guards::check_walked(&keys)?;
    Ok(Value::from_object(MutableMap::new(keys.try_iter()?.map(|key| (key, value.clone())))))
}

/// Methods of Python's numbers.
fn call_of_number(value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let integer = python::integer(value);
    let unknown = || Error::new(ErrorKind::UnknownMethod, format!("a number has no method {method}"));
    match (method, integer) {
        ("to_bytes", Some(integer)) => return bytes::of_integer(integer, args),
        ("bit_length" | "bit_count" | "is_integer" | "as_integer_ratio" | "conjugate", _) => {}
        _ => return Err(unknown()),
    }
    let () = from_args(args)?;
    Ok(match (method, integer) {
        ("conjugate", _) => value.clone(),
        ("bit_length", Some(integer)) => Value::from(u128::BITS - integer.unsigned_abs().leading_zeros()),
        ("bit_count", Some(integer)) => Value::from(integer.unsigned_abs().count_ones()),
        ("is_integer", Some(_)) => Value::from(true),
        ("as_integer_ratio", Some(_)) => Value::from(Tuple::from(vec![value.clone(), Value::from(1)])),
        ("is_integer" | "as_integer_ratio", None) => {
            let number = f64::try_from(value.clone())?;
            if method == "is_integer" {
                return Ok(Value::from(number.fract() == 0.0));
            }
            let mut halvings = 0_u32;
            let mut whole = number;
            while whole.fract() != 0.0 && halvings < 126 {
                whole *= 2.0;
                halvings += 1;
            }
            if !whole.is_finite() || whole.fract() != 0.0 || whole.abs() >= 2_f64.powi(126) {
                return Err(invalid(format!("as_integer_ratio: {value} has no ratio of 128 bits")));
            }
            Value::from(Tuple::from(vec![Value::from(whole as i128), Value::from(1_i128 << halvings)]))
        }
        _ => return Err(unknown()),
    })
}

/// What `keys`, `values` and `items` answer: a list that prints its name.
#[derive(Debug)]
struct View {
    name: &'static str,
    elements: Vec<Value>,
}

impl View {
    fn of(map: &Value, method: &str) -> Result<Value, Error> {
        let keys: Vec<Value> = map.try_iter()?.collect();
        let (name, elements) = match method {
            "keys" => ("dict_keys", keys),
            "values" => ("dict_values", keys.iter().map(|key| map.get_item(key)).collect::<Result<_, _>>()?),
            _ => {
                let pair = |key: Value| Ok(Value::from(Tuple::from(vec![key.clone(), map.get_item(&key)?])));
                ("dict_items", keys.into_iter().map(pair).collect::<Result<_, Error>>()?)
            }
        };
        Ok(Value::from_object(Self { name, elements }))
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.elements.get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.elements.len())
    }
}

/// What stands around the elements where a value is printed that a method of maps answered.
pub(super) fn view_name(value: &Value) -> Option<&'static str> {
    value.downcast_object_ref::<View>().map(|view| view.name)
}

/// Nothing that is changed may hold itself: it could not be printed.
fn check_no_cycle(container: &Value, value: &Value) -> Result<(), Error> {
    guards::check_walked(value)?;
    if holds(value, container) {
        return Err(invalid("a list or map cannot hold itself".to_owned()));
    }
    Ok(())
}

fn holds(value: &Value, container: &Value) -> bool {
    let same = |a: &Value, b: &Value| match (a.as_object(), b.as_object()) {
        (Some(a), Some(b)) => {
            let maps = a.downcast::<MutableMap>().zip(b.downcast::<MutableMap>());
            let lists = a.downcast::<MutableList>().zip(b.downcast::<MutableList>());
            maps.is_some_and(|(a, b)| Arc::ptr_eq(&a, &b)) || lists.is_some_and(|(a, b)| Arc::ptr_eq(&a, &b))
        }
        _ => false,
    };
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
        return false;
    }
    if same(value, container) {
        return true;
    }
    let is_map = value.kind() == ValueKind::Map;
    value.try_iter().into_iter().flatten().any(|element| match is_map {
        true => value.get_item(&element).is_ok_and(|member| holds(&member, container)),
        false => holds(&element, container),
    })
}

fn call_of_map(
    value: &Value,
    map: &MutableMap,
    method: &str,
    args: &[Value],
) -> Option<Result<Value, Error>> {
    let missing = |key: &Value| invalid(format!("{method}: there is no key {key}"));
    let none = || Value::from(());
    let result = || -> Result<Value, Error> {
        match method {
            "pop" => {
                let (key, default): (Value, Rest<Value>) = from_args(args)?;
                let member = map.with(|members| members.shift_remove(&key));
                member.or_else(|| default.first().cloned()).ok_or_else(|| missing(&key))
            }
            "popitem" => {
                let () = from_args(args)?;
                let last = map.with(|members| members.pop());
                last.map(Value::from).ok_or_else(|| invalid("popitem: the map is empty".to_owned()))
            }
            "clear" => {
                let () = from_args(args)?;
                map.with(|members| members.clear());
                Ok(none())
            }
            "setdefault" => {
                let (key, default): (Value, Option<Value>) = from_args(args)?;
                let default = default.unwrap_or_else(none);
                check_no_cycle(value, &default)?;
                Ok(map.with(|members| members.entry(key).or_insert(default).clone()))
            }
            _ => {
                let (others, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
                for other in others.iter() {
                    check_no_cycle(value, other)?;
                }
                for name in kwargs.args() {
                    check_no_cycle(value, &kwargs.peek::<Value>(name)?)?;
                }
                map.update(others.iter(), &kwargs)?;
                Ok(none())
            }
        }
    };
    matches!(method, "pop" | "popitem" | "clear" | "setdefault" | "update").then(result)
}

fn call_of_list(
    state: &mut State,
    value: &Value,
    list: &MutableList,
    method: &str,
    args: &[Value],
) -> Option<Result<Value, Error>> {
    let known = ["append", "extend", "insert", "pop", "remove", "clear", "copy", "index", "reverse", "sort"];
    known.contains(&method).then(|| change_list(state, value, list, method, args))
}

fn change_list(
    state: &mut State,
    value: &Value,
    list: &MutableList,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    let position = |element: &Value| {
        list.with(|elements| elements.iter().position(|other| other == element))
            .ok_or_else(|| invalid(format!("{method}: {element} is not in the list")))
    };
    // Python counts negative indices from the end.
    let place = |index: i64, length: usize| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => length.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    match method {
        "append" => {
            let element: Value = from_args::<(Value,)>(args)?.0;
            check_no_cycle(value, &element)?;
            list.with(|elements| {
                elements.push(element);
                guards::check_elements(elements.len())
            })?;
        }
        "extend" => {
            let others: Value = from_args::<(Value,)>(args)?.0;
            check_no_cycle(value, &others)?;
            let others: Vec<Value> = others.try_iter()?.collect();
            list.with(|elements| {
                elements.extend(others);
                guards::check_elements(elements.len())
            })?;
        }
        "insert" => {
            let (index, element): (i64, Value) = from_args(args)?;
            check_no_cycle(value, &element)?;
            list.with(|elements| {
                elements.insert(place(index, elements.len()).min(elements.len()), element);
                guards::check_elements(elements.len())
            })?;
        }
        "pop" => {
            let (index,): (Option<i64>,) = from_args(args)?;
            return list.with(|elements| {
                let index = place(index.unwrap_or(-1), elements.len());
                match index < elements.len() {
                    true => Ok(elements.remove(index)),
                    false => Err(invalid("pop: the index is out of range".to_owned())),
                }
            });
        }
        "remove" => {
            let index = position(&from_args::<(Value,)>(args)?.0)?;
            list.with(|elements| elements.remove(index));
        }
        "index" => {
            let (wanted, start, stop): (Value, Option<i64>, Option<i64>) = from_args(args)?;
            return index_of(&list.with(|elements| elements.clone()), &wanted, start, stop);
        }
        "copy" => {
            let () = from_args(args)?;
            return Ok(operators::changeable(list.with(|elements| elements.clone())));
        }
        "clear" => {
            let () = from_args(args)?;
            list.with(|elements| elements.clear());
        }
        "reverse" => {
            let () = from_args(args)?;
            list.with(|elements| elements.reverse());
        }
        _ => {
            let kwargs: Kwargs = from_args::<(Kwargs,)>(args)?.0;
            let reverse = kwargs.get::<Option<bool>>("reverse")?.unwrap_or(false);
            kwargs.assert_all_used()?;
            let options = [("reverse", Value::from(reverse)), ("case_sensitive", Value::from(true))];
            let options = Value::from(options.into_iter().collect::<Kwargs>());
            let sorted = state.apply_filter("sort", &[value.clone(), options])?;
            let sorted: Vec<Value> = sorted.try_iter()?.collect();
            list.with(|elements| *elements = sorted);
        }
    }
    Ok(Value::from(()))
}

/// A value of JSON as Python reads it.
pub(super) fn from_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Array(elements) => operators::changeable(elements.iter().map(from_json).collect()),
        Json::Object(members) => Value::from_object(MutableMap::new(
            members.iter().map(|(key, value)| (Value::from(key.as_str()), from_json(value))),
        )),
        scalar => python::scalar(scalar),
    }
}
