//! What rewritten expressions call: operators as Python has them.

use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::value::{Kwargs, Object, ObjectRepr, Rest, Tuple, ValueKind, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::bytes::{self, Bytes};
use super::containers::{self, MutableList};
use super::guards;
use super::printf::printf;
use super::python;
use super::range::Range;

/// Adds the functions.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_function("__compare", compare);
    environment.add_function("__modulo", modulo);
    environment.add_function("__concat", |left: &Value, right: &Value| -> Result<String, Error> {
        let mut text = String::new();
        for value in [left, right] {
            guards::check(value)?;
            let _ = python::print(&mut text, value);
        }
        Ok(text)
    });
    environment.add_function("__iterated", iterated);
    environment.add_function("__slice", slice);
    environment.add_function("__method", method);
    environment.add_function("__variadic", |inner: Value| Value::from_object(Variadic { inner }));
    containers::add_to(environment);
}

fn type_error(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The name of a value's type in messages.
pub(super) fn type_name(value: &Value) -> String {
    match value.kind() {
        ValueKind::Seq if Range::of(value).is_some() => "range".to_owned(),
        ValueKind::Seq if bytes::of(value).is_some() => "bytes".to_owned(),
        ValueKind::Number if value.is_integer() => "int".to_owned(),
        ValueKind::Number => "float".to_owned(),
        ValueKind::Map => "dict".to_owned(),
        ValueKind::Seq if is_tuple(value) => "tuple".to_owned(),
        ValueKind::Seq => "list".to_owned(),
        ValueKind::String => "str".to_owned(),
        other => other.to_string(),
    }
}

/// Whether a value is one of the engine's tuples.
pub(super) fn is_tuple(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.type_name().ends_with("Tuple"))
}

fn defined(value: &Value) -> Result<(), Error> {
    match value.is_undefined() {
        true => Err(Error::new(ErrorKind::UndefinedError, "an undefined value cannot be compared")),
        false => Ok(()),
    }
}

/// `first sign operand sign operand …`: true if all of it is.
fn compare(arguments: Rest<Value>) -> Result<bool, Error> {
    let mut left = arguments.first().cloned().unwrap_or_default();
    for operation in arguments.get(1..).unwrap_or_default().chunks_exact(2) {
        let (sign, right) = (operation[0].as_str().unwrap_or_default(), &operation[1]);
        let holds = match sign {
            "==" => left == *right,
            "!=" => left != *right,
            "in" => contains(right, &left)?,
            "not in" => !contains(right, &left)?,
            _ => ordered(sign, &left, right)?,
        };
        if !holds {
            return Ok(false);
        }
        left = right.clone();
    }
    Ok(true)
}

fn ordered(sign: &str, left: &Value, right: &Value) -> Result<bool, Error> {
    defined(left)?;
    defined(right)?;
    let ordering = match (left.kind(), right.kind()) {
        (ValueKind::Number | ValueKind::Bool, ValueKind::Number | ValueKind::Bool) => {
            number(left).partial_cmp(&number(right))
        }
        (ValueKind::String, ValueKind::String) => left.as_str().partial_cmp(&right.as_str()),
        (ValueKind::Seq, ValueKind::Seq) if is_tuple(left) == is_tuple(right) => {
            return ordered_elements(sign, left, right);
        }
        _ => {
            let (left, right) = (type_name(left), type_name(right));
            return Err(type_error(format!("'{sign}' cannot compare {left} with {right}")));
        }
    };
    // NaN is neither.
    Ok(ordering.is_some_and(|ordering| agrees(sign, ordering)))
}

fn agrees(sign: &str, ordering: Ordering) -> bool {
    match sign {
        "<" => ordering.is_lt(),
        "<=" => ordering.is_le(),
        ">" => ordering.is_gt(),
        _ => ordering.is_ge(),
    }
}

/// The first elements that differ decide.
fn ordered_elements(sign: &str, left: &Value, right: &Value) -> Result<bool, Error> {
    for (a, b) in left.try_iter()?.zip(right.try_iter()?) {
        if a != b {
            return ordered(sign, &a, &b);
        }
    }
    Ok(agrees(sign, left.len().cmp(&right.len())))
}

/// Booleans are numbers in Python.
fn number(value: &Value) -> Value {
    match value.kind() {
        ValueKind::Bool => Value::from(i64::from(value.is_true())),
        _ => value.clone(),
    }
}

pub(super) fn contains(container: &Value, value: &Value) -> Result<bool, Error> {
    if let Some(range) = Range::of(container) {
        return Ok(range.position(value).is_some());
    }
    match container.kind() {
        ValueKind::Undefined => Ok(false),
        ValueKind::String => match value.as_str() {
            Some(part) => Ok(container.as_str().is_some_and(|text| text.contains(part))),
            None if value.is_undefined() => {
                Err(Error::new(ErrorKind::UndefinedError, "a string cannot contain an undefined value"))
            }
            None => Err(type_error(format!("a string can contain only strings, not {}", type_name(value)))),
        },
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => {
            Ok(container.try_iter()?.any(|element| element == *value))
        }
        _ => Err(type_error(format!("a value of type {} cannot contain anything", type_name(container)))),
    }
}

/// `%`: the remainder of numbers, or a string with what it formats.
fn modulo(left: Value, right: Value) -> Result<Value, Error> {
    let Some(text) = left.as_str() else {
        return python::remainder(&left, &right);
    };
    let text = text.to_owned();
    let arguments: Vec<Value> = match is_tuple(&right) {
        true => right.try_iter()?.collect(),
        false => vec![right],
    };
    printf(&text, &arguments).map(Value::from)
}

/// What a loop goes over: the letters of a string, so that the loop knows their number.
pub(super) fn iterated(value: Value) -> Result<Value, Error> {
    match value.as_str() {
        Some(text) => Ok(text.chars().map(|letter| Value::from(letter.to_string())).collect()),
        None if value.is_none() => Err(type_error("a loop cannot iterate over none".to_owned())),
        None => Ok(value),
    }
}

/// `value[start:stop:step]`, where what is left out is none.
fn slice(value: Value, start: Value, stop: Value, step: Value) -> Result<Value, Error> {
    let bound = |bound: &Value| match bound.is_none() {
        true => Some(None),
        false => python::integer(bound)
            .map(|bound| Some(bound.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)),
    };
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "an undefined value cannot be sliced"));
    }
    // As in Jinja2, what cannot be had of a value is undefined.
    let (Some(start), Some(stop), Some(step)) = (bound(&start), bound(&stop), bound(&step)) else {
        return Ok(Value::UNDEFINED);
    };
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(type_error("the step of a slice cannot be 0".to_owned()));
    }
    if let Some(range) = Range::of(&value) {
        let (first, count) = extent(range.len(), start, stop, step);
        return Ok(Value::from_object(range.part(first, count, step)));
    }
    fn picked<T: Clone>(all: &[T], (first, count): (i64, usize), step: i64) -> Vec<T> {
        let at = |index: usize| usize::try_from(first + index as i64 * step).ok().and_then(|at| all.get(at));
        (0..count).filter_map(|index| at(index).cloned()).collect()
    }
    if let Some(Bytes(bytes)) = bytes::of(&value) {
        return Ok(Value::from_object(Bytes(picked(bytes, extent(bytes.len(), start, stop, step), step))));
    }
    match value.kind() {
        ValueKind::String => {
            let letters: Vec<char> = value.as_str().unwrap_or_default().chars().collect();
            let extent = extent(letters.len(), start, stop, step);
            Ok(picked(&letters, extent, step).into_iter().collect::<String>().into())
        }
        ValueKind::Seq | ValueKind::Iterable => {
            guards::check_elements(value.len().unwrap_or_default())?;
            let elements: Vec<Value> = value.try_iter()?.collect();
            let part = picked(&elements, extent(elements.len(), start, stop, step), step);
            Ok(if is_tuple(&value) { Value::from(Tuple::from(part)) } else { changeable(part) })
        }
        _ => Ok(Value::UNDEFINED),
    }
}

/// The first place of a slice, and how many there are.
fn extent(length: usize, start: Option<i64>, stop: Option<i64>, step: i64) -> (i64, usize) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let (least, most) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let place = |at: i64| if at < 0 { at.saturating_add(length).max(least) } else { at.min(most) };
    let start = start.map_or(if step > 0 { least } else { most }, place);
    let stop = stop.map_or(if step > 0 { most } else { least }, place);
    let span = if step > 0 { stop - start } else { start - stop };
    let stride = step.unsigned_abs();
    let count = u64::try_from(span).unwrap_or(0).div_ceil(stride);
    (start, usize::try_from(count).unwrap_or(usize::MAX))
}

/// Methods of Python's lists and strings that a template asks for without calling them.
const METHODS: [&str; 24] = [
    "append",
    "capitalize",
    "count",
    "encode",
    "endswith",
    "extend",
    "find",
    "format",
    "index",
    "insert",
    "join",
    "lower",
    "lstrip",
    "remove",
    "replace",
    "reverse",
    "rstrip",
    "sort",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "title",
    "upper",
];

/// Jinja2's `attr`: an attribute, not an element.
pub(super) fn attribute(value: &Value, name: &str) -> Result<Value, Error> {
    let is_plain = value.as_object().is_none()
        || matches!(value.kind(), ValueKind::Map | ValueKind::Seq) && !is_engine_object(value);
    if !is_plain {
        return value.get_attr(name);
    }
    let has_method = match value.kind() {
        ValueKind::Map => super::expressions::MAP_METHODS.contains(&name),
        ValueKind::Seq | ValueKind::String => METHODS.contains(&name),
        _ => false,
    };
    match has_method {
        true => Ok(Value::from_object(BoundMethod { value: value.clone(), name: name.to_owned() })),
        false => Ok(Value::UNDEFINED),
    }
}

/// Whether a sequence is printed as something else than its elements.
pub(super) fn is_opaque(value: &Value) -> bool {
    Range::of(value).is_some() || bytes::of(value).is_some()
}

fn is_engine_object(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        ["Namespace", "Module", "Loop", "Macro"].iter().any(|kind| object.type_name().ends_with(kind))
    })
}

/// An attribute that is called like a method of maps.
fn method(value: &Value, name: &str) -> Result<Value, Error> {
    let is_map = value.kind() == ValueKind::Map
        && value.as_object().is_none_or(|object| {
            !["Namespace", "Module", "Loop", "Macro"].iter().any(|kind| object.type_name().ends_with(kind))
        });
    let attribute = match is_map {
        true => Value::UNDEFINED,
        false => value.get_attr(name)?,
    };
    if !attribute.is_undefined() {
        return Ok(attribute);
    }
    Ok(Value::from_object(BoundMethod { value: value.clone(), name: name.to_owned() }))
}

/// A method of a value.
#[derive(Debug)]
pub(super) struct BoundMethod {
    value: Value,
    name: String,
}

impl Object for BoundMethod {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State, args: &[Value]) -> Result<Value, Error> {
        self.value.call_method(state, &self.name, args)
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "<built-in method {}>", self.name)
    }
}

/// Whether a value can be called.
pub(super) fn is_callable(value: &Value) -> bool {
    value.as_object().is_some_and(|object| {
        ["Macro", "Function", "BoundMethod", "Variadic"].iter().any(|kind| object.type_name().contains(kind))
    })
}

/// A macro that uses `varargs` or `kwargs`: `inner` takes them as its last two arguments.
#[derive(Debug)]
struct Variadic {
    inner: Value,
}

impl Object for Variadic {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, state: &mut State, args: &[Value]) -> Result<Value, Error> {
        let names: Vec<String> = self
            .inner
            .get_attr("arguments")?
            .try_iter()?
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let own = names.len().saturating_sub(2);
        let (args, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
        let split = own.min(args.len());
        let mut call: Vec<Value> = args[..split].to_vec();
        let mut known: Vec<(String, Value)> =
            vec![("varargs".to_owned(), Value::from(Tuple::from(args[split..].to_vec())))];
        let mut others = Vec::new();
        for name in kwargs.args() {
            let pair = (name.to_owned(), kwargs.peek::<Value>(name)?);
            match name == "caller" || names[..own].iter().any(|known| known == name) {
                true => known.push(pair),
                false => others.push(pair),
            }
        }
        known.push(("kwargs".to_owned(), Value::from_pairs(others)));
        call.push(Value::from(known.into_iter().collect::<Kwargs>()));
        self.inner.call(state, &call)
    }
}

/// A list that methods can change.
pub(super) fn changeable(values: Vec<Value>) -> Value {
    Value::from_object(MutableList::new(values))
}
