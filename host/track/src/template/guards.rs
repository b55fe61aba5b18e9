//! Keeps values small: what fuel and the size of the output do not see.
//!
//! Fuel counts steps of the engine, but one step can make a long string out of two, or walk over a list that is longer
//! than memory. So values are checked where they are given a name (`set`, `with`, arguments of macros) and before
//! filters that walk over them.

use std::sync::Arc;

use minijinja::filters;
use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::instrument::{
    ATTRIBUTE_FILTER, BOUND_FILTER, CHECK_FUNCTION, MADE_FUNCTION, TICK_FUNCTION, WALKED_FUNCTION,
};
use super::limits::{Meter, NESTING, VALUE_ELEMENTS};
use super::operators;
use super::range::Range;

/// Adds the checks.
pub(super) fn add_to(environment: &mut Environment<'static>, meter: &Arc<Meter>) {
    let ticks = Arc::clone(meter);
    environment.add_function(TICK_FUNCTION, move || ticks.tick().map(|()| ""));
    let ticks = Arc::clone(meter);
    environment.add_filter(BOUND_FILTER, move |value: Value| -> Result<Value, Error> {
        ticks.tick()?;
        check(&value)?;
        Ok(value)
    });
    let ticks = Arc::clone(meter);
    environment.add_filter(ATTRIBUTE_FILTER, move |value: Value| -> Result<Value, Error> {
        ticks.tick()?;
        check(&value)?;
        check_no_namespace(&value)?;
        Ok(value)
    });
    let made = Arc::clone(meter);
    environment.add_function(MADE_FUNCTION, move |value: Value| -> Result<Value, Error> {
        let size = match value.as_str() {
            Some(text) => text.len(),
            None if Range::of(&value).is_some() => 0,
            None => value.len().unwrap_or_default().saturating_mul(16),
        };
        made.make(size)?;
        Ok(value)
    });
    environment.add_function(WALKED_FUNCTION, |value: Value| check_walked(&value).map(|()| value));
    let ticks = Arc::clone(meter);
    environment.add_function(CHECK_FUNCTION, move |value: Value| -> Result<&'static str, Error> {
        ticks.tick()?;
        check(&value)?;
        Ok("")
    });

    macro_rules! guarded {
        ($($name:literal => $filter:path,)*) => {
            $(
                environment.add_filter(concat!("__", $name), $filter);
                environment.add_filter($name, |state: &mut State, args: Rest<ValueOrKwargs>| {
                    let args = args.into_values();
                    for argument in &args {
                        check_argument($name, argument)?;
                    }
                    let args = with_text_attribute($name, args)?;
                    state.apply_filter(concat!("__", $name), &args)
                });
            )*
        };
    }
    environment.add_filter("__max", filters::max);
    environment.add_filter("__min", filters::min);
    environment.add_filter("__sort", filters::sort);
    environment.add_filter("__dictsort", filters::dictsort);
    guarded! {
        "batch" => filters::batch,
        "groupby" => filters::groupby,
        "list" => filters::list,
        "reject" => filters::reject,
        "rejectattr" => filters::rejectattr,
        "reverse" => filters::reverse,
        "select" => filters::select,
        "selectattr" => filters::selectattr,
        "slice" => filters::slice,
        "sum" => filters::sum,
        "unique" => filters::unique,
    }
    environment.add_filter("__map", filters::map);
    environment.add_filter("map", map);
    environment.add_filter("list", |state: &mut State, value: Value| -> Result<Value, Error> {
        check_walked(&value)?;
        if value.is_none() {
            return Err(invalid("none is not a list".to_owned()));
        }
        let list = state.apply_filter("__list", &[value])?;
        Ok(operators::changeable(list.try_iter()?.collect()))
    });
}

/// # Errors
///
/// If a value has more than [`VALUE_ELEMENTS`] bytes or elements, all levels together, or more than [`NESTING`]
/// levels.
pub(super) fn check(value: &Value) -> Result<(), Error> {
    let mut budget = VALUE_ELEMENTS;
    walk(value, 0, &mut budget)
}

/// [`check`] for what is walked over: a range has elements then.
pub(super) fn check_walked(value: &Value) -> Result<(), Error> {
    check_elements(Range::of(value).map_or(0, |range| range.len()))?;
    check(value)
}

/// Jinja2's `map`: an attribute of each element, or a filter with its arguments.
fn map(state: &mut State, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let args = arguments.into_values();
    for argument in &args {
        check_walked(argument)?;
    }
    let (values, names, kwargs): (Value, Rest<Value>, Kwargs) = from_args(&args)?;
    let Some((name, others)) = names.split_first() else { return state.apply_filter("__map", &args) };
    let name = name.as_str().ok_or_else(|| invalid(format!("map takes the name of a filter, not {name}")))?;
    let mut named = Vec::new();
    for key in kwargs.args() {
        named.push((key.to_owned(), kwargs.get::<Value>(key)?));
    }
    let mut call: Vec<Value> = std::iter::once(Value::UNDEFINED).chain(others.iter().cloned()).collect();
    if !named.is_empty() {
        call.push(Value::from(named.into_iter().collect::<Kwargs>()));
    }
    let mut mapped = Vec::new();
    for element in operators::iterated(values)?.try_iter()? {
        call[0] = element;
        mapped.push(state.apply_filter(name, &call)?);
    }
    Ok(Value::from(mapped))
}

/// The engine takes the place of an element in a list as text only.
fn with_text_attribute(filter: &str, mut args: Vec<Value>) -> Result<Vec<Value>, Error> {
    if filter == "groupby"
        && let Some(attribute) = args.get_mut(1).filter(|attribute| attribute.is_integer())
    {
        *attribute = Value::from(attribute.to_string());
    }
    Ok(args)
}

fn walk(value: &Value, depth: usize, budget: &mut usize) -> Result<(), Error> {
    let size = match value.as_str() {
        Some(text) => text.len(),
        None => value.len().unwrap_or_default() + 1,
    };
    if Range::of(value).is_some() {
        return Ok(());
    }
    *budget = budget.checked_sub(size).ok_or_else(too_large)?;
    if !matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
        return Ok(());
    }
    if depth == NESTING {
        return Err(invalid(format!("a value is nested more than {NESTING} levels deep")));
    }
    for element in value.try_iter()? {
        if value.kind() == ValueKind::Map {
            walk(&value.get_item(&element)?, depth + 1, budget)?;
        }
        walk(&element, depth + 1, budget)?;
    }
    Ok(())
}

/// A namespace that contained itself could not be printed.
fn check_no_namespace(value: &Value) -> Result<(), Error> {
    if value.as_object().is_some_and(|object| object.type_name().ends_with("Namespace")) {
        return Err(invalid("a namespace cannot hold a namespace".to_owned()));
    }
    match value.kind() {
        ValueKind::Map => value.try_iter()?.try_for_each(|key| check_no_namespace(&value.get_item(&key)?)),
        ValueKind::Seq => value.try_iter()?.try_for_each(|element| check_no_namespace(&element)),
        _ => Ok(()),
    }
}

pub(super) fn check_elements(elements: usize) -> Result<(), Error> {
    if elements > VALUE_ELEMENTS { Err(too_large()) } else { Ok(()) }
}

fn too_large() -> Error {
    invalid(format!("a value has more than {VALUE_ELEMENTS} bytes or elements"))
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

fn check_argument(filter: &str, argument: &Value) -> Result<(), Error> {
    let counts = matches!(filter, "batch" | "slice");
    if counts && argument.as_i64().is_some_and(|count| count > VALUE_ELEMENTS as i64) {
        return Err(invalid(format!("{filter}: {argument} is too large")));
    }
    check_walked(argument)
}

pub(super) fn check_replacement(text: &str, from: &str, to: &str) -> Result<(), Error> {
    let places = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    check_elements(text.len().saturating_add(places.saturating_mul(to.len())))
}

/// Widths and precisions in a format make strings of any length.
pub(super) fn check_widths(format: &str) -> Result<(), Error> {
    let longest = format.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    if longest > 4 { Err(invalid("a width in a format is too large".to_owned())) } else { Ok(()) }
}

/// Before a method of Python's types is called.
pub(super) fn check_method(value: &Value, method: &str, args: &[Value]) -> Result<(), Error> {
    check(value)?;
    // A range knows where its elements are; other methods walk over it.
    let is_range = Range::of(value).is_some();
    for argument in args.iter().filter(|_| !is_range) {
        check_walked(argument)?;
    }
    match (method, args) {
        ("replace", [from, to, ..]) => match (value.as_str(), from.as_str(), to.as_str()) {
            (Some(text), Some(from), Some(to)) => check_replacement(text, from, to),
            _ => Ok(()),
        },
        ("format", _) => check_widths(value.as_str().unwrap_or_default()),
        ("join", [values, ..]) => {
            let separator = value.as_str().map_or(0, str::len);
            check_elements(separator.saturating_mul(values.len().unwrap_or_default()))
        }
        _ => Ok(()),
    }
}
