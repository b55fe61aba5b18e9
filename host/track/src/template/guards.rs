//! Keeps values small: what fuel and the size of the output do not see.
//!
//! Fuel counts steps of the engine, but one step can make a long string out of two, or walk over a list that is longer
//! than memory. So values are checked where they are given a name (`set`, `with`, arguments of macros) and before
//! filters that walk over them.

use std::sync::Arc;

use minijinja::filters;
use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::instrument::{ATTRIBUTE_FILTER, BOUND_FILTER, CHECK_FUNCTION, TICK_FUNCTION};
use super::limits::{Meter, NESTING, VALUE_ELEMENTS};

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
                environment.add_filter($name, |state: &mut State, args: Rest<Value>| {
                    for argument in args.iter() {
                        check_argument($name, argument)?;
                    }
                    state.apply_filter(concat!("__", $name), &args)
                });
            )*
        };
    }
    guarded! {
        "batch" => filters::batch,
        "dictsort" => filters::dictsort,
        "format" => filters::format,
        "groupby" => filters::groupby,
        "indent" => filters::indent,
        "join" => filters::join,
        "list" => filters::list,
        "map" => filters::map,
        "max" => filters::max,
        "min" => filters::min,
        "pprint" => filters::pprint,
        "reject" => filters::reject,
        "rejectattr" => filters::rejectattr,
        "reverse" => filters::reverse,
        "select" => filters::select,
        "selectattr" => filters::selectattr,
        "slice" => filters::slice,
        "sort" => filters::sort,
        "string" => filters::string,
        "sum" => filters::sum,
        "unique" => filters::unique,
    }
    environment.add_filter("__replace", filters::replace);
    environment.add_filter("replace", |state: &mut State, args: Rest<Value>| {
        if let [text, from, to, ..] = args.as_slice() {
            check_replacement(text, from, to)?;
        }
        state.apply_filter("__replace", &args)
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

fn walk(value: &Value, depth: usize, budget: &mut usize) -> Result<(), Error> {
    let size = match value.as_str() {
        Some(text) => text.len(),
        None => value.len().unwrap_or_default() + 1,
    };
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
    let counts = matches!(filter, "batch" | "slice" | "indent");
    if counts && argument.as_i64().is_some_and(|count| count > VALUE_ELEMENTS as i64) {
        return Err(invalid(format!("{filter}: {argument} is too large")));
    }
    if filter == "format" {
        check_widths(argument)?;
    }
    check(argument)
}

/// Widths and precisions in a format make strings of any length.
fn check_widths(format: &Value) -> Result<(), Error> {
    let text = format.as_str().unwrap_or_default();
    let longest = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    if longest > 4 { Err(invalid("a width in a format is too large".to_owned())) } else { Ok(()) }
}

fn check_replacement(text: &Value, from: &Value, to: &Value) -> Result<(), Error> {
    let (Some(text), Some(from), Some(to)) = (text.as_str(), from.as_str(), to.as_str()) else {
        return Ok(());
    };
    let places = if from.is_empty() { text.len() + 1 } else { text.matches(from).count() };
    check_elements(text.len().saturating_add(places.saturating_mul(to.len())))
}

/// Before a method of Python's types is called.
pub(super) fn check_method(value: &Value, method: &str, args: &[Value]) -> Result<(), Error> {
    check(value)?;
    for argument in args {
        check(argument)?;
    }
    match (method, args) {
        ("replace", [from, to, ..]) => check_replacement(value, from, to),
        ("format", _) => check_widths(value),
        ("join", [values, ..]) => {
            let separator = value.as_str().map_or(0, str::len);
            check_elements(separator.saturating_mul(values.len().unwrap_or_default()))
        }
        _ => Ok(()),
    }
}

/// A copy of a value that cannot change any more: a map that contained itself could not be printed.
pub(super) fn frozen(value: &Value) -> Result<Value, Error> {
    check(value)?;
    copy(value)
}

fn copy(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Map => {
            let mut members = Vec::new();
            for key in value.try_iter()? {
                let member = copy(&value.get_item(&key)?)?;
                members.push((key, member));
            }
            Ok(Value::from_pairs(members))
        }
        ValueKind::Seq => {
            value.try_iter()?.map(|element| copy(&element)).collect::<Result<Vec<_>, _>>().map(Value::from)
        }
        _ => Ok(value.clone()),
    }
}
