//! Methods of Python's strings that minijinja does not have, or has with fewer arguments.

use std::sync::LazyLock;

use minijinja::value::{Kwargs, Rest, Tuple, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State, Value};
use regex::Regex;

use super::{bytes, guards, operators, python, str_format};

/// Calls a method; `None` for any other.
pub(super) fn call(
    state: &mut State,
    text: &str,
    method: &str,
    args: &[Value],
) -> Option<Result<Value, Error>> {
    Some(match method {
        "count" | "find" | "rfind" | "index" | "rindex" | "startswith" | "endswith" => {
            searched(text, method, args)
        }
        "split" | "rsplit" => split(text, method, args),
        "encode" => bytes::encode(text, args),
        "format" => str_format::format(state, text, args),
        "format_map" => str_format::format_map(state, text, args),
        "translate" => translated(text, args),
        "maketrans" => table(args),
        "partition" | "rpartition" => partitioned(text, method, args),
        "ljust" | "rjust" | "center" | "zfill" => filled(text, method, args),
        "removeprefix" | "removesuffix" => without_end(text, method, args),
        "expandtabs" => expanded(text, args),
        "swapcase" | "casefold" | "capitalize" | "title" | "isdecimal" | "isdigit" | "isidentifier"
        | "isprintable" | "istitle" => from_args::<()>(args).map(|()| without_arguments(text, method)),
        _ => return None,
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// The part of a text between two places, which count from the end if they are negative, and the letters before it. Nothing
/// where the part would begin behind the text or its own end.
fn part(text: &str, start: Option<i64>, end: Option<i64>) -> Option<(usize, &str)> {
    let letters = text.chars().count();
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) => letters.saturating_sub(usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, end) = (place(start.unwrap_or(0)), end.map_or(letters, place).min(letters));
    let byte = |letter: usize| text.char_indices().nth(letter).map_or(text.len(), |(at, _)| at);
    (start <= end).then(|| (start, &text[byte(start)..byte(end)]))
}

fn searched(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (wanted, start, end): (Value, Option<Value>, Option<Value>) = from_args(args)?;
    let bound = |value: Option<Value>| match value.filter(|value| !value.is_none()) {
        Some(value) => python::integer(&value)
            .map(|number| Some(number.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64))
            .ok_or_else(|| invalid(format!("{method}: a place must be a whole number, not {value}"))),
        None => Ok(None),
    };
    let found = part(text, bound(start)?, bound(end)?);
    if let "startswith" | "endswith" = method {
        let is_end = |wanted: &Value| match wanted.as_str() {
            Some(wanted) => Ok(found.is_some_and(|(_, part)| match method {
                "startswith" => part.starts_with(wanted),
                _ => part.ends_with(wanted),
            })),
            None => Err(invalid(format!("{method} takes a string or a tuple of strings"))),
        };
        return match operators::is_tuple(&wanted) {
            true => {
                let ends = wanted.try_iter()?.map(|wanted| is_end(&wanted)).collect::<Result<Vec<_>, _>>()?;
                Ok(ends.contains(&true).into())
            }
            false => is_end(&wanted).map(Value::from),
        };
    }
    let wanted = wanted.as_str().ok_or_else(|| invalid(format!("{method} takes a string, not {wanted}")))?;
    if method == "count" {
        return Ok(found.map_or(0, |(_, part)| part.matches(wanted).count()).into());
    }
    let at = found.and_then(|(before, part)| {
        let at = if method.starts_with('r') { part.rfind(wanted) } else { part.find(wanted) };
        at.map(|at| before + part[..at].chars().count())
    });
    match at {
        Some(at) => Ok(at.into()),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid(format!("{method}: '{wanted}' is not in the string"))),
    }
}

fn split(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator, most, kwargs): (Option<Value>, Option<i64>, Kwargs) = from_args(args)?;
    let separator = separator.map_or_else(|| kwargs.get::<Option<Value>>("sep"), |given| Ok(Some(given)))?;
    let most = most.map_or_else(|| kwargs.get::<Option<i64>>("maxsplit"), |given| Ok(Some(given)))?;
    kwargs.assert_all_used()?;
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let separator = separator.filter(|separator| !separator.is_none());
    let separator = match &separator {
        Some(separator) => {
            let known = separator.as_str().filter(|separator| !separator.is_empty());
            Some(known.ok_or_else(|| {
                invalid(format!("{method}: the separator must be a string that is not empty"))
            })?)
        }
        None => None,
    };
    let from_end = method == "rsplit";
    let mut parts: Vec<&str> = match separator {
        Some(separator) if from_end => text.rsplitn(most.saturating_add(1), separator).collect(),
        Some(separator) => text.splitn(most.saturating_add(1), separator).collect(),
        None if from_end => rsplit_at_space(text, most),
        None => split_at_space(text, most),
    };
    if from_end {
        parts.reverse();
    }
    Ok(operators::changeable(parts.into_iter().map(Value::from).collect()))
}

/// Words from the start.
fn split_at_space(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        match rest.find(char::is_whitespace) {
            Some(at) if parts.len() < most => {
                parts.push(&rest[..at]);
                rest = rest[at..].trim_start();
            }
            _ => {
                parts.push(rest);
                break;
            }
        }
    }
    parts
}

/// Words from the end.
fn rsplit_at_space(text: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        match rest.rfind(char::is_whitespace) {
            Some(at) if parts.len() < most => {
                let word = at + rest[at..].chars().next().map_or(1, char::len_utf8);
                parts.push(&rest[word..]);
                rest = rest[..at].trim_end();
            }
            _ => {
                parts.push(rest);
                break;
            }
        }
    }
    parts
}

fn partitioned(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (separator,): (&str,) = from_args(args)?;
    if separator.is_empty() {
        return Err(invalid(format!("{method}: the separator is empty")));
    }
    let halves = if method == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
    let parts = match halves {
        Some((before, after)) => [before, separator, after],
        None if method == "partition" => [text, "", ""],
        None => ["", "", text],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn filled(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    if method != "zfill" {
        let (width, fill): (usize, Option<char>) = from_args(args)?;
        return padded(text, method, width, fill.unwrap_or(' ')).map(Value::from);
    }
    let (width,): (usize,) = from_args(args)?;
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let width = width.saturating_sub(sign.len());
    Ok(Value::from(format!("{sign}{}", padded(digits, "rjust", width, '0')?)))
}

fn without_end(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    let (part,): (&str,) = from_args(args)?;
    let rest = if method == "removeprefix" { text.strip_prefix(part) } else { text.strip_suffix(part) };
    Ok(Value::from(rest.unwrap_or(text)))
}

fn expanded(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (width, kwargs): (Option<usize>, Kwargs) = from_args(args)?;
    let width = width.map_or_else(|| kwargs.get::<Option<usize>>("tabsize"), |given| Ok(Some(given)))?;
    kwargs.assert_all_used()?;
    let width = width.unwrap_or(8);
    guards::check_elements(text.len().saturating_mul(width.max(1)))?;
    let mut out = String::new();
    let mut column = 0;
    for letter in text.chars() {
        match letter {
            '\t' if width > 0 => {
                let gap = width - column % width;
                out.extend(std::iter::repeat_n(' ', gap));
                column += gap;
            }
            '\t' => {}
            other => {
                out.push(other);
                column = if other == '\n' { 0 } else { column + 1 };
            }
        }
    }
    Ok(Value::from(out))
}

/// `str.maketrans`: what each letter becomes, by code point.
fn table(args: &[Value]) -> Result<Value, Error> {
    let parts: Rest<Value> = from_args::<(Rest<Value>,)>(args)?.0;
    let code = |letter: char| Value::from(u32::from(letter));
    let text = |value: &Value| -> Result<Vec<char>, Error> {
        Ok(value
            .as_str()
            .ok_or_else(|| invalid("maketrans takes strings, or a map".to_owned()))?
            .chars()
            .collect())
    };
    let pairs: Vec<(Value, Value)> = match &parts[..] {
        [map] if map.kind() == ValueKind::Map => {
            let pair = |key: Value| {
                let letter = key.as_str().and_then(|text| text.chars().next());
                Ok((letter.map_or_else(|| key.clone(), code), map.get_item(&key)?))
            };
            map.try_iter()?.map(pair).collect::<Result<_, Error>>()?
        }
        [from, to, removed @ ..] => {
            let (from, to) = (text(from)?, text(to)?);
            if from.len() != to.len() {
                return Err(invalid("maketrans: both strings must have the same length".to_owned()));
            }
            let mut pairs: Vec<_> =
                from.into_iter().zip(to).map(|(from, to)| (code(from), code(to))).collect();
            for removed in removed {
                pairs.extend(text(removed)?.into_iter().map(|letter| (code(letter), Value::from(()))));
            }
            pairs
        }
        _ => return Err(invalid("maketrans takes strings, or a map".to_owned())),
    };
    Ok(Value::from_pairs(pairs))
}

fn translated(text: &str, args: &[Value]) -> Result<Value, Error> {
    let (table,): (Value,) = from_args(args)?;
    let mut out = String::new();
    for letter in text.chars() {
        let to = table.get_item(&Value::from(u32::from(letter)))?;
        match to.as_str() {
            Some(text) => out.push_str(text),
            None if to.is_undefined() => out.push(letter),
            None if to.is_none() => {}
            None => {
                let code = python::integer(&to).and_then(|code| u32::try_from(code).ok());
                let letter = code.and_then(char::from_u32);
                out.push(letter.ok_or_else(|| invalid(format!("translate: {to} is no letter")))?);
            }
        }
        guards::check_elements(out.len())?;
    }
    Ok(Value::from(out))
}

/// Decimal digits.
static DECIMAL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}+$").ok());

fn without_arguments(text: &str, method: &str) -> Value {
    let is_decimal = |text: &str| DECIMAL.as_ref().is_some_and(|decimal| decimal.is_match(text));
    match method {
        "swapcase" => text
            .chars()
            .flat_map(|letter| match letter.is_uppercase() {
                true => letter.to_lowercase().collect::<Vec<_>>(),
                false => letter.to_uppercase().collect(),
            })
            .collect::<String>()
            .into(),
        "casefold" => text.to_lowercase().replace('ß', "ss").into(),
        "capitalize" => capitalized(text).into(),
        "title" => titled(text).into(),
        "isdecimal" => is_decimal(text).into(),
        "isdigit" => {
            let is_digit = |letter: char| {
                matches!(letter, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉')
                    || is_decimal(letter.encode_utf8(&mut [0; 4]))
            };
            (!text.is_empty() && text.chars().all(is_digit)).into()
        }
        "isidentifier" => {
            let starts = text.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
            (starts && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')).into()
        }
        "isprintable" => text
            .chars()
            .all(|letter| {
                letter == ' '
                    || !(letter.is_control()
                        || letter.is_whitespace()
                        || crate::invisible::name(letter).is_some())
            })
            .into(),
        _ => {
            let words: Vec<&str> = text.split(|letter: char| !letter.is_alphabetic()).collect();
            let is_title =
                |word: &str| word.chars().enumerate().all(|(at, letter)| letter.is_uppercase() == (at == 0));
            (words.iter().any(|word| !word.is_empty()) && words.iter().all(|word| is_title(word))).into()
        }
    }
}

/// The first letter of what a letter becomes in capitals, and the others small: `ß` becomes `Ss`.
fn title_case(letter: char) -> impl Iterator<Item = char> {
    letter.to_uppercase().enumerate().flat_map(|(at, letter)| match at {
        0 => vec![letter],
        _ => letter.to_lowercase().collect(),
    })
}

/// Text with a capital at its start, and no other.
pub(super) fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(title_case);
    first.collect::<String>() + &letters.as_str().to_lowercase()
}

/// Each run of letters with a capital at its start.
fn titled(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for letter in text.chars() {
        match inside {
            true => out.extend(letter.to_lowercase()),
            false => out.extend(title_case(letter)),
        }
        inside = letter.is_alphabetic();
    }
    out
}

/// Lines without their ends, as Python's `splitlines` cuts them; with `closed` as if a line end followed the text.
pub(super) fn lines(text: &str, closed: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    let is_end = |letter: char| {
        matches!(
            letter,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    while let Some(at) = rest.find(is_end) {
        lines.push(&rest[..at]);
        let end = if rest[at..].starts_with("\r\n") {
            2
        } else {
            rest[at..].chars().next().map_or(1, char::len_utf8)
        };
        rest = &rest[at + end..];
    }
    if closed || !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Text filled up to a width. Where the gap cannot be halved, Python puts the greater half before text of odd width.
pub(super) fn padded(text: &str, method: &str, width: usize, fill: char) -> Result<String, Error> {
    guards::check_elements(width)?;
    let gap = width.saturating_sub(text.chars().count());
    let before = match method {
        "ljust" => 0,
        "rjust" => gap,
        _ => gap / 2 + (gap & width & 1),
    };
    let space = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    Ok(format!("{}{text}{}", space(before), space(gap - before)))
}
