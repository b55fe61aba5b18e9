//! Where minijinja differs from Jinja2: what is printed, and a few filters.

use std::fmt::{self, Write as _};

use minijinja::value::{Kwargs, Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, Value};
use rally_support::python::{float, write_quoted};

use super::bytes;
use super::containers;
use super::filters;
use super::limits::{self, OUTPUT_BYTES};
use super::operators;
use super::range::Range;

/// Adds what differs.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("tojson", to_json);
    environment.add_filter("int", to_int);
    environment.add_filter("float", to_float);
    environment.add_filter("length", length);
    environment.add_filter("count", length);
}

/// A scalar of JSON as Python reads it.
pub(super) fn scalar(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Value::from(integer),
            (None, Some(integer)) => Value::from(integer),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        _ => Value::from(()),
    }
}

/// Prints a value as `{{ … }}` does.
pub(super) fn print(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    match (value.kind(), value.as_str()) {
        (ValueKind::Undefined, _) => Ok(()),
        (_, Some(text)) => out.write_str(text),
        _ => repr(out, value),
    }
}

/// Prints a value as Python's `repr` does, which is how it stands in a list.
pub(super) fn repr(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    write_repr(out, value, 0)
}

fn write_repr(out: &mut dyn fmt::Write, value: &Value, depth: usize) -> fmt::Result {
    if depth > limits::NESTING {
        return out.write_str("...");
    }
    match value.kind() {
        ValueKind::Undefined => out.write_str("Undefined"),
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(number) => out.write_str(&float(number)),
            Err(_) => write!(out, "{value}"),
        },
        ValueKind::String => write_quoted(out, value.as_str().unwrap_or_default()),
        ValueKind::Seq if let Some(range) = Range::of(value) => write!(out, "{range}"),
        ValueKind::Seq if let Some(bytes) = bytes::of(value) => write!(out, "{bytes}"),
        ValueKind::Seq | ValueKind::Iterable => {
            let view = containers::view_name(value);
            if let Some(name) = view {
                write!(out, "{name}(")?;
            }
            let is_tuple = operators::is_tuple(value);
            out.write_char(if is_tuple { '(' } else { '[' })?;
            let mut count = 0;
            for element in value.try_iter().into_iter().flatten() {
                if count > 0 {
                    out.write_str(", ")?;
                }
                write_repr(out, &element, depth + 1)?;
                count += 1;
            }
            match (is_tuple, count) {
                (true, 1) => out.write_str(",)"),
                (true, _) => out.write_char(')'),
                (false, _) => out.write_char(']'),
            }?;
            if view.is_some() { out.write_char(')') } else { Ok(()) }
        }
        ValueKind::Map if is_plain_map(value) => {
            out.write_char('{')?;
            for (index, key) in value.try_iter().into_iter().flatten().enumerate() {
                if index > 0 {
                    out.write_str(", ")?;
                }
                write_repr(out, &key, depth + 1)?;
                out.write_str(": ")?;
                write_repr(out, &value.get_item(&key).unwrap_or_default(), depth + 1)?;
            }
            out.write_char('}')
        }
        _ => write!(out, "{value}"),
    }
}

/// Whether a value is a map of the template, not an object of the engine.
fn is_plain_map(value: &Value) -> bool {
    value.as_object().is_none_or(|object| {
        !["Namespace", "Module", "Loop", "Macro"].iter().any(|kind| object.type_name().ends_with(kind))
    })
}

/// An int or a boolean as a number.
pub(super) fn integer(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(i128::from(value.is_true())),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

/// The remainder, which has the sign of the divisor.
pub(super) fn remainder(left: &Value, right: &Value) -> Result<Value, Error> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    undefined_is_no_number(left)?;
    undefined_is_no_number(right)?;
    if let (Some(a), Some(b)) = (integer(left), integer(right)) {
        let rest = a.checked_rem(b).ok_or_else(|| invalid("a division by zero".to_owned()))?;
        return Ok(Value::from(if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }));
    }
    let number = |value: &Value| match (integer(value), value.kind()) {
        (Some(integer), _) => Ok(integer as f64),
        (None, ValueKind::Number) => f64::try_from(value.clone()),
        (None, kind) => Err(invalid(format!("there is no remainder of a value of type {kind}"))),
    };
    let (a, b) = (number(left)?, number(right)?);
    if b == 0.0 {
        return Err(invalid("a division by zero".to_owned()));
    }
    let rest = a % b;
    Ok(Value::from(if rest != 0.0 && (rest < 0.0) != (b < 0.0) { rest + b } else { rest }))
}

/// Jinja2's `length`: what is undefined has none.
fn length(value: &Value) -> Result<usize, Error> {
    if value.is_undefined() {
        return Ok(0);
    }
    value.len().ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, format!("a value of type {} has no length", value.kind()))
    })
}

/// Jinja2's `int`: other values than numbers become the default, 0.
fn to_int(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let [default, base] = filters::given(arguments, ["default", "base"])?;
    let default = default.unwrap_or_else(|| Value::from(0));
    let base = base.map(u32::try_from).transpose()?.unwrap_or(10);
    undefined_is_no_number(value)?;
    if let Some(text) = value.as_str() {
        let text = text.trim();
        if let Some(number) = parse_int(text, base) {
            return Ok(Value::from(number));
        }
        return Ok(text.parse::<f64>().ok().and_then(truncated).unwrap_or(default));
    }
    if value.is_integer() {
        return Ok(value.clone());
    }
    match value.kind() {
        ValueKind::Bool => Ok(Value::from(i64::from(value.is_true()))),
        ValueKind::Number => Ok(f64::try_from(value.clone()).ok().and_then(truncated).unwrap_or(default)),
        _ => Ok(default),
    }
}

/// Python's `int(text, base)`: an optional sign, the base's prefix, digits with underscores between them.
fn parse_int(text: &str, base: u32) -> Option<i128> {
    if !(2..=36).contains(&base) {
        return None;
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixes: &[&str] = match base {
        16 => &["0x", "0X"],
        8 => &["0o", "0O"],
        2 => &["0b", "0B"],
        _ => &[],
    };
    let digits = prefixes.iter().find_map(|prefix| digits.strip_prefix(prefix)).unwrap_or(digits);
    if digits.starts_with(['+', '-', '_']) || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let number = i128::from_str_radix(&digits.replace('_', ""), base).ok()?;
    Some(if negative { -number } else { number })
}

fn truncated(number: f64) -> Option<Value> {
    number.is_finite().then(|| Value::from(number.trunc() as i128))
}

/// Jinja2's `float`: other values than numbers become the default, 0.0.
fn to_float(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let [default] = filters::given(arguments, ["default"])?;
    let default = default.unwrap_or_else(|| Value::from(0.0));
    undefined_is_no_number(value)?;
    Ok(float_of(value).map_or(default, Value::from))
}

/// Python's `float(value)`.
pub(super) fn float_of(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::String => value.as_str().and_then(|text| text.trim().replace('_', "").parse::<f64>().ok()),
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        _ => None,
    }
}

fn undefined_is_no_number(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "an undefined value is not a number; set one with default() first",
        ));
    }
    Ok(())
}

/// Jinja2's `tojson`: `json.dumps` with sorted keys, in ASCII, with the characters of HTML escaped.
fn to_json(value: &Value, indent: Option<usize>, kwargs: Kwargs) -> Result<Value, Error> {
    let indent = kwargs.get::<Option<usize>>("indent")?.or(indent);
    kwargs.assert_all_used()?;
    let mut writer = JsonWriter { out: String::new(), indent };
    writer.value(value, 0)?;
    Ok(Value::from(writer.out))
}

struct JsonWriter {
    out: String,
    indent: Option<usize>,
}

impl JsonWriter {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > limits::NESTING {
            return Err(Error::new(ErrorKind::BadSerialization, "the value is nested too deeply"));
        }
        if self.out.len() > OUTPUT_BYTES {
            return Err(limits::output_too_large());
        }
        match value.kind() {
            ValueKind::None => self.out.push_str("null"),
            ValueKind::Bool => self.out.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.out.push_str(&number(value)),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq if Range::of(value).is_some() || bytes::of(value).is_some() => {
                let message = format!(
                    "{} is no JSON; convert it first, with | list for example",
                    operators::type_name(value)
                );
                return Err(Error::new(ErrorKind::BadSerialization, message));
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let elements = value.try_iter()?.collect::<Vec<_>>();
                self.list('[', ']', &elements, depth, |writer, element| writer.value(element, depth + 1))?;
            }
            ValueKind::Map => {
                let mut members = Vec::new();
                let mut texts = 0_usize;
                for key in value.try_iter()? {
                    members.push((key_text(&key)?, value.get_item(&key)?));
                    texts += usize::from(key.as_str().is_some());
                }
                if texts > 0 && texts < members.len() {
                    let message = "cannot sort string keys together with other keys";
                    return Err(Error::new(ErrorKind::BadSerialization, message));
                }
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                self.list('{', '}', &members, depth, |writer, (key, value)| {
                    writer.string(key);
                    writer.out.push_str(": ");
                    writer.value(value, depth + 1)
                })?;
            }
            kind => {
                return Err(Error::new(ErrorKind::BadSerialization, format!("{kind} values cannot be JSON")));
            }
        }
        Ok(())
    }

    fn list<T>(
        &mut self,
        open: char,
        close: char,
        elements: &[T],
        depth: usize,
        mut element: impl FnMut(&mut Self, &T) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.out.push(open);
        for (index, item) in elements.iter().enumerate() {
            if index > 0 {
                self.out.push_str(if self.indent.is_some() { "," } else { ", " });
            }
            self.new_line(depth + 1);
            element(self, item)?;
        }
        if !elements.is_empty() {
            self.new_line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n(' ', indent.min(limits::MAX_INDENT) * depth));
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '<' | '>' | '&' | '\'' => self.escaped(character),
                ' '..='~' => self.out.push(character),
                other => self.escaped(other),
            }
        }
        self.out.push('"');
    }

    fn escaped(&mut self, character: char) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(self.out, "\\u{unit:04x}");
        }
    }
}

fn number(value: &Value) -> String {
    if value.is_integer() {
        return value.to_string();
    }
    match f64::try_from(value.clone()) {
        Ok(number) if number.is_finite() => float(number),
        Ok(number) if number.is_nan() => "NaN".to_owned(),
        Ok(number) if number > 0.0 => "Infinity".to_owned(),
        Ok(_) => "-Infinity".to_owned(),
        Err(_) => value.to_string(),
    }
}

fn key_text(key: &Value) -> Result<String, Error> {
    match key.kind() {
        ValueKind::String => Ok(key.as_str().unwrap_or_default().to_owned()),
        ValueKind::None => Ok("null".to_owned()),
        ValueKind::Bool => Ok(key.is_true().to_string()),
        ValueKind::Number => Ok(number(key)),
        kind => Err(Error::new(ErrorKind::BadSerialization, format!("{kind} cannot be a key in JSON"))),
    }
}
