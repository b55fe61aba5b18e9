//! Methods of Python's strings that minijinja does not have.

use minijinja::value::{Tuple, from_args};
use minijinja::{Error, ErrorKind, Value};

use super::guards;

/// Calls a method, or nothing if it is none of these.
pub(super) fn call(text: &str, method: &str, args: &[Value]) -> Option<Result<Value, Error>> {
    let known = [
        "index",
        "rindex",
        "partition",
        "rpartition",
        "ljust",
        "rjust",
        "center",
        "zfill",
        "rsplit",
        "swapcase",
        "casefold",
        "removeprefix",
        "removesuffix",
        "istitle",
        "isidentifier",
        "isdecimal",
        "expandtabs",
    ];
    known.contains(&method).then(|| known_method(text, method, args))
}

fn known_method(text: &str, method: &str, args: &[Value]) -> Result<Value, Error> {
    Ok(match method {
        "index" | "rindex" => {
            let (part,): (&str,) = from_args(args)?;
            let found = if method == "index" { text.find(part) } else { text.rfind(part) };
            let at = found.ok_or_else(|| {
                Error::new(ErrorKind::InvalidOperation, format!("{method}: [{part}] is not in the string"))
            })?;
            Value::from(text[..at].chars().count())
        }
        "partition" | "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            if separator.is_empty() {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("{method}: the separator is empty"),
                ));
            }
            let halves =
                if method == "partition" { text.split_once(separator) } else { text.rsplit_once(separator) };
            let parts = match halves {
                Some((before, after)) => [before, separator, after],
                None if method == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            Value::from(Tuple::from(parts.map(Value::from)))
        }
        "ljust" | "rjust" | "center" => {
            let (width, fill): (usize, Option<char>) = from_args(args)?;
            Value::from(padded(text, method, width, fill.unwrap_or(' '))?)
        }
        "zfill" => {
            let (width,): (usize,) = from_args(args)?;
            let (sign, digits) = match text.strip_prefix(['+', '-']) {
                Some(digits) => (&text[..1], digits),
                None => ("", text),
            };
            let width = width.saturating_sub(sign.len());
            Value::from(format!("{sign}{}", padded(digits, "rjust", width, '0')?))
        }
        "rsplit" => {
            let (separator, most): (Option<&str>, Option<i64>) = from_args(args)?;
            let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
            let mut parts: Vec<&str> = match separator {
                Some(separator) => text.rsplitn(most.saturating_add(1), separator).collect(),
                None => rsplit_at_space(text, most),
            };
            parts.reverse();
            parts.into_iter().map(Value::from).collect()
        }
        "removeprefix" | "removesuffix" => {
            let (part,): (&str,) = from_args(args)?;
            let rest =
                if method == "removeprefix" { text.strip_prefix(part) } else { text.strip_suffix(part) };
            Value::from(rest.unwrap_or(text))
        }
        "expandtabs" => {
            let (width,): (Option<usize>,) = from_args(args)?;
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
            Value::from(out)
        }
        _ => {
            let () = from_args(args)?;
            without_arguments(text, method)
        }
    })
}

fn without_arguments(text: &str, method: &str) -> Value {
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
        "isdecimal" => (!text.is_empty() && text.chars().all(char::is_numeric)).into(),
        "isidentifier" => {
            let starts = text.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
            (starts && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_')).into()
        }
        _ => {
            let words: Vec<&str> = text.split(|letter: char| !letter.is_alphabetic()).collect();
            let is_title =
                |word: &str| word.chars().enumerate().all(|(at, letter)| letter.is_uppercase() == (at == 0));
            (words.iter().any(|word| !word.is_empty()) && words.iter().all(|word| is_title(word))).into()
        }
    }
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
