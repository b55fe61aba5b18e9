//! Python's `%` on strings.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};
use rally_support::python::float;

use super::python;

/// Widest field and most digits.
const MAX_WIDTH: usize = 9999;

/// Formats values as `text % values` does; a single map can be asked for its members by `%(name)s`.
pub(super) fn printf(text: &str, values: &[Value]) -> Result<String, Error> {
    let mut arguments = Arguments { values, next: 0, named: false };
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = field(&rest[at + 1..], &mut arguments, &mut out)?;
    }
    out.push_str(rest);
    // Python takes whatever has members for a map, which need not be used.
    let has_members = values.len() == 1 && matches!(values[0].kind(), ValueKind::Map | ValueKind::Seq);
    if arguments.next < values.len() && !arguments.named && !has_members {
        return Err(invalid("a format has fewer fields than values".to_owned()));
    }
    Ok(out)
}

struct Arguments<'a> {
    values: &'a [Value],
    next: usize,
    named: bool,
}

impl Arguments<'_> {
    fn take(&mut self) -> Result<Value, Error> {
        let value = self.values.get(self.next).cloned();
        self.next += 1;
        value.ok_or_else(|| invalid("a format has more fields than values".to_owned()))
    }

    fn member(&mut self, name: &str) -> Result<Value, Error> {
        self.named = true;
        match self.values {
            [map] if map.kind() == ValueKind::Map => {
                let member = map.get_item(&Value::from(name))?;
                match member.is_undefined() {
                    true => Err(invalid(format!("a format uses '{name}', which is not defined"))),
                    false => Ok(member),
                }
            }
            _ => Err(invalid(format!("a format uses '{name}' by name, which needs a map"))),
        }
    }
}

#[derive(Default)]
struct Field {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Writes one field and returns what follows it.
fn field<'t>(text: &'t str, arguments: &mut Arguments<'_>, out: &mut String) -> Result<&'t str, Error> {
    let mut field = Field::default();
    let mut rest = text;
    let mut value = None;
    if let Some(named) = rest.strip_prefix('(') {
        let (name, after) =
            named.split_once(')').ok_or_else(|| invalid("a format is not complete".to_owned()))?;
        value = Some(arguments.member(name)?);
        rest = after;
    }
    loop {
        let flag = match rest.as_bytes().first() {
            Some(b'-') => &mut field.left,
            Some(b'0') => &mut field.zero,
            Some(b'+') => &mut field.plus,
            Some(b' ') => &mut field.space,
            Some(b'#') => &mut field.alternate,
            _ => break,
        };
        *flag = true;
        rest = &rest[1..];
    }
    let (width, after) = count(rest, arguments)?;
    let width = width.unwrap_or_default();
    field.left |= width < 0;
    field.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    rest = after;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = count(after, arguments)?;
        field.precision = Some(usize::try_from(precision.unwrap_or_default()).unwrap_or_default());
        rest = after;
    }
    if field.width.max(field.precision.unwrap_or_default()) > MAX_WIDTH {
        return Err(invalid("a width in a format is too large".to_owned()));
    }
    rest = rest.trim_start_matches(['l', 'h', 'L']);
    let Some(conversion) = rest.chars().next() else {
        return Err(invalid("a format is not complete".to_owned()));
    };
    if conversion == '%' {
        out.push('%');
    } else {
        let value = match value {
            Some(value) => value,
            None => arguments.take()?,
        };
        field.write(conversion, &value, out)?;
    }
    Ok(&rest[conversion.len_utf8()..])
}

/// A number, or `*`: the next value.
fn count<'t>(text: &'t str, arguments: &mut Arguments<'_>) -> Result<(Option<i64>, &'t str), Error> {
    if let Some(rest) = text.strip_prefix('*') {
        let width =
            arguments.take()?.as_i64().ok_or_else(|| invalid("* in a format needs an int".to_owned()))?;
        return Ok((Some(width), rest));
    }
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    let number = match digits.is_empty() {
        true => None,
        false => Some(digits.parse().unwrap_or(i64::MAX)),
    };
    Ok((number, &text[end..]))
}

impl Field {
    fn write(&self, conversion: char, value: &Value, out: &mut String) -> Result<(), Error> {
        let body = match conversion {
            's' | 'r' | 'a' => {
                let mut text = String::new();
                let _ = match conversion {
                    's' => python::print(&mut text, value),
                    _ => python::repr(&mut text, value),
                };
                match self.precision {
                    Some(precision) => text.chars().take(precision).collect(),
                    None => text,
                }
            }
            'c' => match (value.as_str(), value.as_i64()) {
                (Some(text), _) if text.chars().count() == 1 => text.to_owned(),
                (None, Some(code)) => u32::try_from(code)
                    .ok()
                    .and_then(char::from_u32)
                    .map(String::from)
                    .ok_or_else(|| invalid(format!("%c: {code} is not a character")))?,
                _ => return Err(invalid("%c in a format needs a character".to_owned())),
            },
            'd' | 'i' | 'u' | 'o' | 'x' | 'X' => return self.write_integer(conversion, value, out),
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => return self.write_float(conversion, value, out),
            other => return Err(invalid(format!("a format has the unknown conversion '%{other}'"))),
        };
        self.pad("", &body, false, out);
        Ok(())
    }

    fn write_integer(&self, conversion: char, value: &Value, out: &mut String) -> Result<(), Error> {
        let decimal = matches!(conversion, 'd' | 'i' | 'u');
        let integer = python::integer(value).or_else(|| {
            let float = f64::try_from(value.clone()).ok().filter(|_| value.kind() == ValueKind::Number)?;
            (decimal && float.is_finite()).then_some(float.trunc() as i128)
        });
        let number = integer.ok_or_else(|| {
            invalid(format!("%{conversion} in a format needs a number, not {}", value.kind()))
        })?;
        let magnitude = number.unsigned_abs();
        let (prefix, mut digits) = match conversion {
            'o' => ("0o", format!("{magnitude:o}")),
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            _ => ("", magnitude.to_string()),
        };
        let precision = self.precision.unwrap_or_default();
        if digits.len() < precision {
            digits = format!("{}{digits}", "0".repeat(precision - digits.len()));
        }
        let prefix = if self.alternate { prefix } else { "" };
        self.pad(&format!("{}{prefix}", self.sign(number < 0)), &digits, true, out);
        Ok(())
    }

    fn write_float(&self, conversion: char, value: &Value, out: &mut String) -> Result<(), Error> {
        let number = python::integer(value)
            .map(|integer| integer as f64)
            .or_else(|| f64::try_from(value.clone()).ok().filter(|_| value.kind() == ValueKind::Number))
            .ok_or_else(|| {
                invalid(format!("%{conversion} in a format needs a number, not {}", value.kind()))
            })?;
        let magnitude = number.abs();
        let precision = self.precision.unwrap_or(6);
        let digits = match conversion.to_ascii_lowercase() {
            _ if !number.is_finite() => float(magnitude),
            'f' => format!("{magnitude:.precision$}"),
            'e' => scientific(magnitude, precision),
            _ => self.general(magnitude, precision.max(1)),
        };
        let digits = if conversion.is_ascii_uppercase() { digits.to_uppercase() } else { digits };
        self.pad(self.sign(number.is_sign_negative() && !number.is_nan()), &digits, number.is_finite(), out);
        Ok(())
    }

    /// `%g`: so many digits in all, without zeros at the end, with an exponent where that is shorter.
    fn general(&self, magnitude: f64, precision: usize) -> String {
        let exponential = scientific(magnitude, precision - 1);
        let (mantissa, exponent) = exponential.split_once('e').unwrap_or((&exponential, "0"));
        let power: i64 = exponent.parse().unwrap_or_default();
        let bare = |digits: &str| match digits.contains('.') && !self.alternate {
            true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => digits.to_owned(),
        };
        if power < -4 || power >= precision as i64 {
            return format!("{}e{exponent}", bare(mantissa));
        }
        let places = usize::try_from(precision as i64 - 1 - power).unwrap_or_default();
        bare(&format!("{magnitude:.places$}"))
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        }
    }

    fn pad(&self, sign: &str, body: &str, is_number: bool, out: &mut String) {
        let gap = self.width.saturating_sub(sign.chars().count() + body.chars().count());
        match (self.left, self.zero && is_number) {
            (true, _) => out.extend([sign, body, &" ".repeat(gap)]),
            (false, true) => out.extend([sign, &"0".repeat(gap), body]),
            (false, false) => out.extend([&" ".repeat(gap), sign, body]),
        }
    }
}

/// With at least two digits in the exponent.
fn scientific(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = exponent.parse().unwrap_or_default();
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.abs())
}
