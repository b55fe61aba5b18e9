//! Python's `str.format`: fields, their conversions, and what the engine's own implementation does not know.

use minijinja::value::{Kwargs, Rest, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use super::{filters, guards, python};

/// `str.format`.
pub(super) fn format(state: &mut State, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (places, kwargs): (Rest<Value>, Kwargs) = from_args(args)?;
    let mut names = Vec::new();
    for name in kwargs.args() {
        names.push((name.to_owned(), kwargs.peek::<Value>(name)?));
    }
    let mut fields = Fields { state, places: &places, names: Value::from_pairs(names), next: 0 };
    fields.write(text, 0).map(Value::from)
}

/// `str.format_map`.
pub(super) fn format_map(state: &mut State, text: &str, args: &[Value]) -> Result<Value, Error> {
    let (names,): (Value,) = from_args(args)?;
    Fields { state, places: &[], names, next: 0 }.write(text, 0).map(Value::from)
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

struct Fields<'a, 's, 't, 'e> {
    state: &'a mut State<'t, 'e>,
    places: &'s [Value],
    names: Value,
    /// The place of the next field that names none.
    next: usize,
}

impl Fields<'_, '_, '_, '_> {
    fn write(&mut self, text: &str, depth: usize) -> Result<String, Error> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let sign = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(behind) = rest.strip_prefix(sign) {
                out.push_str(sign);
                rest = behind;
                continue;
            }
            if sign == "}" {
                return Err(invalid(
                    "format: a single } stands in the text; write }} for the sign".to_owned(),
                ));
            }
            let end = field_end(rest)
                .ok_or_else(|| invalid("format: a { has no }; write {{ for the sign".to_owned()))?;
            out.push_str(&self.field(&rest[..end], depth)?);
            guards::check_elements(out.len())?;
            rest = &rest[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `name!conversion:spec`.
    fn field(&mut self, field: &str, depth: usize) -> Result<String, Error> {
        if depth > 1 {
            return Err(invalid("format: fields are nested too deeply".to_owned()));
        }
        let name_end = field.find(['!', ':']).unwrap_or(field.len());
        let (name, rest) = field.split_at(name_end);
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => rest.split_once(':').unwrap_or((rest, "")),
            None => ("", rest.strip_prefix(':').unwrap_or_default()),
        };
        let value = self.value(name)?;
        let value = match conversion {
            "" => value,
            "s" => Value::from(filters::printed(&value)),
            "r" | "a" => {
                let mut text = String::new();
                let _ = python::repr(&mut text, &value);
                Value::from(text)
            }
            other => return Err(invalid(format!("format: unknown conversion '{other}'"))),
        };
        let spec = self.write(spec, depth + 1)?;
        guards::check_widths(&spec)?;
        self.formatted(value, &spec)
    }

    fn formatted(&mut self, value: Value, spec: &str) -> Result<String, Error> {
        if spec.is_empty() {
            return Ok(filters::printed(&value));
        }
        if let Some(spec) = spec.strip_suffix('%') {
            let number = python::float_of(&value).filter(|_| value.as_str().is_none());
            let number = number.ok_or_else(|| invalid(format!("format: {value} is no number")))?;
            // The sign stands inside of the width.
            let digits = spec.rsplit_once('.').map_or("", |(_, precision)| precision);
            let layout = spec.rsplit_once('.').map_or(spec, |(layout, _)| layout);
            let precision = if digits.is_empty() { "6" } else { digits };
            let sign = if layout.contains('+') { "+" } else { "" };
            let text = self.formatted(Value::from(number * 100.0), &format!("{sign}.{precision}f"))? + "%";
            let layout = layout.trim_start_matches('+');
            let layout = if layout.starts_with(|c: char| c.is_ascii_digit()) {
                format!(">{layout}")
            } else {
                layout.to_owned()
            };
            return self.formatted(Value::from(text), &layout);
        }
        let value = if value.kind() == minijinja::value::ValueKind::Bool {
            Value::from(i64::from(value.is_true()))
        } else {
            value
        };
        let text = Value::from(format!("{{:{spec}}}"));
        let formatted = pycompat::unknown_method_callback(self.state, &text, "format", &[value])?;
        Ok(filters::printed(&formatted))
    }

    /// `0.attribute[key]`.
    fn value(&mut self, name: &str) -> Result<Value, Error> {
        let first_end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(first_end);
        let missing = || invalid(format!("format: there is no value for {{{first}}}"));
        let mut value = match first.parse::<usize>() {
            Ok(place) => self.places.get(place).cloned().ok_or_else(missing)?,
            Err(_) if first.is_empty() => {
                self.next += 1;
                self.places.get(self.next - 1).cloned().ok_or_else(missing)?
            }
            Err(_) => {
                let value = self.names.get_item(&Value::from(first))?;
                if value.is_undefined() {
                    return Err(missing());
                }
                value
            }
        };
        while !rest.is_empty() {
            let (key, behind) = match rest.strip_prefix('[') {
                Some(inner) => inner.split_once(']').ok_or_else(missing)?,
                None => {
                    let inner = &rest[1..];
                    inner.split_at(inner.find(['.', '[']).unwrap_or(inner.len()))
                }
            };
            value = match key.parse::<i64>() {
                Ok(index) => value.get_item(&Value::from(index))?,
                Err(_) => value.get_item(&Value::from(key))?,
            };
            if value.is_undefined() {
                return Err(missing());
            }
            rest = behind;
        }
        Ok(value)
    }
}

/// Where a field ends that may have fields in it.
fn field_end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
