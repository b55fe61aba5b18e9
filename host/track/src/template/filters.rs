//! Filters and tests that differ from minijinja's, and those that Jinja2 does not have.

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs, from_args};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::{guards, operators, printf, python};

/// Adds and removes filters, tests and functions.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    for name in ["bool", "chain", "lines", "split", "zip"] {
        environment.remove_filter(name);
    }
    for name in ["containing", "endingwith", "int", "safe", "startingwith"] {
        environment.remove_test(name);
    }
    environment.remove_global("debug");
    environment.add_filter("max", comparing("max", ["case_sensitive", "attribute"]));
    environment.add_filter("min", comparing("min", ["case_sensitive", "attribute"]));
    environment.add_filter("sort", comparing("sort", ["reverse", "case_sensitive", "attribute"]));
    environment.add_filter("unique", by_name("__unique", ["case_sensitive", "attribute"]));
    environment.add_filter("dictsort", by_name("__dictsort", ["case_sensitive", "by", "reverse"]));
    environment.add_filter("attr", |value: &Value, name: &str| operators::attribute(value, name));
    environment.add_filter("__items", minijinja::filters::items);
    environment.add_filter("items", |state: &mut State, value: Value| match value.is_undefined() {
        true => Ok(Value::from(Vec::<Value>::new())),
        false => state.apply_filter("__items", &[value]),
    });
    environment.add_filter("__last", minijinja::filters::last);
    environment.add_filter("last", |state: &mut State, value: Value| match value.is_undefined() {
        true => Ok(Value::UNDEFINED),
        false if value.kind() == ValueKind::Seq => {
            Ok(match value.len().and_then(|length| length.checked_sub(1)) {
                Some(last) => value.get_item(&Value::from(last))?,
                None => Value::UNDEFINED,
            })
        }
        false if value.kind() == ValueKind::Map => Ok(value.try_iter()?.last().unwrap_or_default()),
        false => state.apply_filter("__last", &[value]),
    });
    environment.add_filter("__round", minijinja::filters::round);
    environment.add_filter("round", round);
    environment.add_test("divisibleby", |value: &Value, by: &Value| is_remainder(value, by, 0));
    environment.add_test("even", |value: &Value| is_remainder(value, &Value::from(2), 0));
    environment.add_test("odd", |value: &Value| is_remainder(value, &Value::from(2), 1));
    environment.add_test("sequence", is_sequence);
    environment.add_test("callable", |value: &Value| operators::is_callable(value));
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("first", first);
    environment.add_filter("format", format);
    environment.add_filter("join", join);
    environment.add_filter("pprint", |value: &Value| {
        let mut text = String::new();
        let _ = python::repr(&mut text, &sorted_keys(value)?);
        Ok::<_, Error>(text)
    });
    environment.add_test("in", |value: &Value, container: &Value| operators::contains(container, value));
    environment.add_filter("replace", replace);
    environment.add_filter("string", |value: &Value| -> Result<String, Error> {
        guards::check(value)?;
        Ok(printed(value))
    });
    environment.add_filter("wordcount", |text: &Value| {
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        printed(text).split(|letter| !is_letter(letter)).filter(|word| !word.is_empty()).count()
    });
}

/// What `{{ … }}` prints.
pub(super) fn printed(value: &Value) -> String {
    let mut text = String::new();
    let _ = python::print(&mut text, value);
    text
}

fn named<T>(kwargs: &Kwargs, name: &'static str, positional: Option<T>) -> Result<Option<T>, Error>
where
    Option<T>: for<'a> minijinja::value::ArgType<'a, Output = Option<T>>,
{
    if positional.is_some() {
        return Ok(positional);
    }
    kwargs.get::<Option<T>>(name)
}

/// What is undefined, or with `boolean` what is not true, becomes the default.
fn default(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let [given, boolean] = given(arguments, ["default_value", "boolean"])?;
    let boolean = boolean.is_some_and(|boolean| boolean.is_true());
    match value.is_undefined() || (boolean && !value.is_true()) {
        true => Ok(given.unwrap_or_else(|| Value::from(""))),
        false => Ok(value.clone()),
    }
}

/// The arguments of these names, by place or by name. Unlike an `Option`, none that is given is not the same as nothing.
pub(super) fn given<const N: usize>(
    arguments: Rest<ValueOrKwargs>,
    names: [&'static str; N],
) -> Result<[Option<Value>; N], Error> {
    let arguments = arguments.into_values();
    let (values, kwargs): (Rest<Value>, Kwargs) = from_args(&arguments)?;
    if values.len() > N {
        return Err(Error::from(ErrorKind::TooManyArguments));
    }
    let mut found = names.map(|_| None);
    for (index, name) in names.into_iter().enumerate() {
        let named = if kwargs.has(name) { Some(kwargs.get::<Value>(name)?) } else { None };
        found[index] = values.get(index).cloned().or(named);
    }
    kwargs.assert_all_used()?;
    Ok(found)
}

fn is_remainder(value: &Value, divisor: &Value, rest: i64) -> Result<bool, Error> {
    Ok(python::remainder(value, divisor)? == Value::from(rest))
}

/// Rounding an integer gives an integer, but up or down a float.
fn round(state: &mut State, value: Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let names = ["precision", "method"];
    let given = given(arguments, names)?;
    let directed = given[1].as_ref().is_some_and(|method| matches!(method.as_str(), Some("ceil" | "floor")));
    let value = match directed.then(|| python::integer(&value)).flatten() {
        Some(integer) => Value::from(integer as f64),
        None => value,
    };
    let kwargs = names.into_iter().zip(given).filter_map(|(name, value)| Some((name, value?)));
    state.apply_filter("__round", &[value, Value::from(kwargs.collect::<Kwargs>())])
}

/// What has a length and is asked for by index.
fn is_sequence(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::String | ValueKind::Map | ValueKind::Undefined)
        || (value.kind() == ValueKind::Iterable && value.len().is_some())
}

/// Values that Python compares with each other: all numbers, all strings, or all lists.
fn check_comparable(filter: &str, value: &Value) -> Result<(), Error> {
    let mut kinds = value.try_iter()?.map(|element| match element.kind() {
        ValueKind::Number | ValueKind::Bool => ValueKind::Number,
        other => other,
    });
    let Some(first) = kinds.next() else { return Ok(()) };
    match kinds.find(|kind| *kind != first || matches!(kind, ValueKind::None | ValueKind::Map)) {
        Some(other) => {
            let message =
                format!("{filter}: a value of type {first} cannot be compared with one of type {other}");
            Err(Error::new(ErrorKind::InvalidOperation, message))
        }
        None => Ok(()),
    }
}

/// A filter of the engine, which takes by name only what Jinja2 takes by place as well.
fn by_name<const N: usize>(
    filter: &'static str,
    names: [&'static str; N],
) -> impl Fn(&mut State, Value, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    move |state, value, arguments| {
        guards::check_walked(&value)?;
        let given = given(arguments, names)?;
        let mut kwargs = Vec::new();
        for (name, value) in names.into_iter().zip(given) {
            match value {
                // The engine takes the place of an element in a list as text only.
                Some(value) if name == "attribute" && value.is_integer() => {
                    kwargs.push((name, Value::from(value.to_string())));
                }
                Some(value) if name == "attribute" && value.is_none() => {}
                Some(value) => kwargs.push((name, value)),
                None => {}
            }
        }
        state.apply_filter(filter, &[value, Value::from(kwargs.into_iter().collect::<Kwargs>())])
    }
}

/// The same for values that can be compared.
fn comparing<const N: usize>(
    filter: &'static str,
    names: [&'static str; N],
) -> impl Fn(&mut State, Value, Rest<ValueOrKwargs>) -> Result<Value, Error> + Send + Sync + 'static {
    let inner = match filter {
        "max" => "__max",
        "min" => "__min",
        _ => "__sort",
    };
    let run = by_name(inner, names);
    move |state, value, arguments| {
        guards::check_walked(&value)?;
        let arguments = arguments.into_values();
        let by_attribute = arguments.len() > names.len() - 1
            || Kwargs::try_from(arguments.last().cloned().unwrap_or_default())
                .is_ok_and(|kwargs| kwargs.has("attribute"));
        if !by_attribute && matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
            check_comparable(filter, &value)?;
        }
        run(state, value, Rest(arguments.into_iter().map(ValueOrKwargs::from).collect()))
    }
}

/// A value whose maps have their keys in order.
fn sorted_keys(value: &Value) -> Result<Value, Error> {
    Ok(match value.kind() {
        ValueKind::Map => {
            let mut members = Vec::new();
            for key in value.try_iter()? {
                let member = sorted_keys(&value.get_item(&key)?)?;
                members.push((key, member));
            }
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::from_pairs(members)
        }
        ValueKind::Seq if operators::is_tuple(value) => {
            let elements =
                value.try_iter()?.map(|element| sorted_keys(&element)).collect::<Result<Vec<_>, _>>()?;
            Value::from(minijinja::value::Tuple::from(elements))
        }
        ValueKind::Seq if value.len().is_some_and(|length| length > 0) && !operators::is_opaque(value) => {
            value.try_iter()?.map(|element| sorted_keys(&element)).collect::<Result<Vec<_>, _>>()?.into()
        }
        _ => value.clone(),
    })
}

fn first(value: &Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Ok(Value::UNDEFINED),
        ValueKind::String => {
            let letter = value.as_str().unwrap_or_default().chars().next();
            Ok(letter.map_or(Value::UNDEFINED, |letter| Value::from(letter.to_string())))
        }
        ValueKind::None => Err(Error::new(ErrorKind::InvalidOperation, "none has no first element")),
        _ => Ok(value.try_iter()?.next().unwrap_or(Value::UNDEFINED)),
    }
}

/// `text % values`.
fn format(text: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let arguments = arguments.into_values();
    let (values, kwargs): (Rest<Value>, Kwargs) = from_args(&arguments)?;
    let names: Vec<&str> = kwargs.args().collect();
    if names.is_empty() {
        return printf::printf(&printed(text), &values);
    }
    if !values.is_empty() {
        let message = "format takes values or values with names, not both";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let members: Result<Vec<(&str, Value)>, Error> =
        names.into_iter().map(|name| Ok((name, kwargs.get::<Value>(name)?))).collect();
    printf::printf(&printed(text), &[Value::from_pairs(members?)])
}

fn join(
    state: &mut State,
    value: Value,
    separator: Option<Value>,
    attribute: Option<Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let separator = named(&kwargs, "d", separator)?.map(|separator| printed(&separator)).unwrap_or_default();
    let attribute = named(&kwargs, "attribute", attribute)?;
    kwargs.assert_all_used()?;
    guards::check_walked(&value)?;
    if value.is_undefined() {
        return Ok(String::new());
    }
    let values = match attribute {
        Some(attribute) => {
            let attribute = [("attribute", attribute)].into_iter().collect::<Kwargs>();
            state.apply_filter("map", &[value, Value::from(attribute)])?
        }
        None => value,
    };
    let mut text = String::new();
    let letters = operators::iterated(values)?;
    for (index, element) in letters.try_iter()?.enumerate() {
        if index > 0 {
            text.push_str(&separator);
        }
        let _ = python::print(&mut text, &element);
        guards::check_elements(text.len())?;
    }
    Ok(text)
}

fn replace(
    text: &Value,
    from: &Value,
    to: &Value,
    count: Option<usize>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let count = named(&kwargs, "count", count)?;
    kwargs.assert_all_used()?;
    let (text, from, to) = (printed(text), printed(from), printed(to));
    guards::check_replacement(&text, &from, &to)?;
    Ok(match count {
        Some(count) => text.replacen(&from, &to, count),
        None => text.replace(&from, &to),
    })
}
