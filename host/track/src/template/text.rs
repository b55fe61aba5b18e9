//! Jinja2's filters that cut, wrap and measure text.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, Value};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::filters::{given, printed};
use super::{bytes, guards, python, strings};

/// What Python's `quote` leaves as it is in a part of a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
/// The same in a path.
const PATH: &AsciiSet = &QUERY.remove(b'/');

/// Adds the filters.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.add_filter("capitalize", |text: &Value| strings::capitalized(&printed(text)));
    environment.add_filter("center", |text: &Value, arguments: Rest<ValueOrKwargs>| {
        let [width] = given(arguments, ["width"])?;
        strings::padded(&printed(text), "center", count("center", "width", width, 80)?, ' ')
    });
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("indent", indent);
    environment.add_filter("trim", |text: &Value, arguments: Rest<ValueOrKwargs>| -> Result<String, Error> {
        let [letters] = given(arguments, ["chars"])?;
        let (text, letters) =
            (printed(text), letters.filter(|letters| !letters.is_none()).map(|letters| printed(&letters)));
        Ok(match letters {
            Some(letters) => text.trim_matches(|letter| letters.contains(letter)).to_owned(),
            None => text.trim().to_owned(),
        })
    });
    environment.add_filter("truncate", truncate);
    environment.add_filter("urlencode", urlencode);
    environment.add_filter("wordwrap", wordwrap);
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// A whole number that is not negative.
fn count(filter: &str, name: &str, value: Option<Value>, default: usize) -> Result<usize, Error> {
    let Some(value) = value else { return Ok(default) };
    python::integer(&value)
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| invalid(format!("{filter}: {name} must be a whole number from 0 on, not {value}")))
}

fn filesizeformat(value: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let [binary] = given(arguments, ["binary"])?;
    let binary = binary.is_some_and(|binary| binary.is_true());
    let number = python::float_of(value)
        .ok_or_else(|| invalid(format!("filesizeformat: {value} is no number of bytes")))?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if number == 1.0 {
        return Ok("1 Byte".to_owned());
    }
    if number < base {
        return Ok(format!("{} Bytes", number.trunc()));
    }
    let mut unit = base;
    let letters = if binary { "KMGTPEZY" } else { "kMGTPEZY" };
    let last = letters.len() - 1;
    for (index, letter) in letters.chars().enumerate() {
        unit *= base;
        if number < unit || index == last {
            let sign = if binary { "iB" } else { "B" };
            return Ok(format!("{:.1} {letter}{sign}", base * number / unit));
        }
    }
    Ok(String::new())
}

fn indent(text: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let [width, first, blank] = given(arguments, ["width", "first", "blank"])?;
    let text = printed(text);
    let indention = match &width {
        Some(width) if width.as_str().is_some() => printed(width),
        _ => {
            let width = count("indent", "width", width, 4)?;
            guards::check_elements(width)?;
            " ".repeat(width)
        }
    };
    let lines = strings::lines(&text, true);
    guards::check_elements(text.len().saturating_add(lines.len().saturating_mul(indention.len())))?;
    let (first, blank) = [first, blank].map(|given| given.is_some_and(|given| given.is_true())).into();
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        if if index == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&indention);
        }
        out.push_str(line);
    }
    Ok(out)
}

fn truncate(text: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let [length, kill_words, end, leeway] = given(arguments, ["length", "killwords", "end", "leeway"])?;
    let length = count("truncate", "length", length, 255)?;
    let leeway = count("truncate", "leeway", leeway.filter(|leeway| !leeway.is_none()), 5)?;
    let end = end.map_or_else(|| "...".to_owned(), |end| printed(&end));
    let text = printed(text);
    let end_length = end.chars().count();
    if length < end_length {
        return Err(invalid(format!("truncate: the end '{end}' does not fit into a length of {length}")));
    }
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(text);
    }
    let kept: String = text.chars().take(length - end_length).collect();
    let kill_words = kill_words.is_some_and(|kill| kill.is_true());
    let kept = match kept.rsplit_once(' ') {
        Some((words, _)) if !kill_words => words,
        _ => &kept,
    };
    Ok(format!("{kept}{end}"))
}

fn urlencode(value: &Value) -> Result<String, Error> {
    guards::check_walked(value)?;
    let pairs: Vec<(Value, Value)> = match value.kind() {
        ValueKind::Map => {
            let pair = |key: Value| value.get_item(&key).map(|member| (key, member));
            value.try_iter()?.map(pair).collect::<Result<_, _>>()?
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let pair = |pair: Value| match pair.try_iter()?.collect::<Vec<_>>().as_slice() {
                [name, value] => Ok((name.clone(), value.clone())),
                _ => Err(invalid("urlencode takes a text, a map, or pairs".to_owned())),
            };
            value.try_iter()?.map(pair).collect::<Result<_, _>>()?
        }
        _ => return Ok(quoted(value, PATH)),
    };
    let encoded = pairs.iter().map(|(name, value)| {
        format!("{}={}", quoted(name, QUERY).replace("%20", "+"), quoted(value, QUERY).replace("%20", "+"))
    });
    Ok(encoded.collect::<Vec<_>>().join("&"))
}

fn quoted(value: &Value, kept: &'static AsciiSet) -> String {
    match bytes::of(value) {
        Some(bytes) => percent_encoding::percent_encode(&bytes.0, kept).to_string(),
        None => utf8_percent_encode(&printed(value), kept).to_string(),
    }
}

fn wordwrap(text: &Value, arguments: Rest<ValueOrKwargs>) -> Result<String, Error> {
    let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
    let [width, long, wrap, hyphens] = given(arguments, names)?;
    let width = count("wordwrap", "width", width, 79)?;
    let text = printed(text);
    let wrap = wrap.filter(|wrap| !wrap.is_none()).map_or_else(|| "\n".to_owned(), |wrap| printed(&wrap));
    let yes = |given: Option<Value>| given.is_none_or(|given| given.is_true());
    let wrapping = Wrapping { width, long: yes(long), hyphens: yes(hyphens) };
    if width == 0 {
        return Err(invalid("wordwrap: width must be at least 1".to_owned()));
    }
    guards::check_elements(text.len().saturating_mul(wrap.len().max(1)))?;
    let lines = strings::lines(&text, false).into_iter().map(|line| wrapping.lines(line).join(&wrap));
    Ok(lines.collect::<Vec<_>>().join(&wrap))
}

/// How lines are broken, as Python's `textwrap` does it.
struct Wrapping {
    /// Characters of a line.
    width: usize,
    /// Whether words that are longer are broken.
    long: bool,
    /// Whether words are broken behind hyphens.
    hyphens: bool,
}

impl Wrapping {
    fn lines(&self, text: &str) -> Vec<String> {
        let mut chunks = chunks(text, self.hyphens);
        chunks.reverse();
        let is_blank = |chunk: &[char]| chunk.iter().all(|letter| letter.is_whitespace());
        let mut lines = Vec::new();
        while let Some(next) = chunks.last() {
            if is_blank(next) && !lines.is_empty() {
                chunks.pop();
            }
            let mut line: Vec<Vec<char>> = Vec::new();
            let mut length = 0;
            while let Some(next) = chunks.pop_if(|next| length + next.len() <= self.width) {
                length += next.len();
                line.push(next);
            }
            if let Some(next) = chunks.last_mut().filter(|next| next.len() > self.width) {
                if self.long {
                    let room = self.width - length;
                    let rest = next.split_off(self.break_at(next, room));
                    line.push(std::mem::replace(next, rest));
                } else if line.is_empty() {
                    line.extend(chunks.pop());
                }
            }
            if line.last().is_some_and(|last| is_blank(last)) {
                line.pop();
            }
            if !line.is_empty() {
                lines.push(line.concat().into_iter().collect());
            }
        }
        lines
    }

    /// Where a long word is broken that must leave at most `room` characters.
    fn break_at(&self, word: &[char], room: usize) -> usize {
        let hyphen = word[..room].iter().rposition(|letter| *letter == '-');
        match hyphen.filter(|at| self.hyphens && word[..*at].iter().any(|letter| *letter != '-')) {
            Some(at) => at + 1,
            None => room,
        }
    }
}

/// Words, the white space between them, and parts of hyphenated words.
fn chunks(text: &str, hyphens: bool) -> Vec<Vec<char>> {
    let text: Vec<char> = text.chars().collect();
    let is_space = |letter: char| matches!(letter, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ');
    let at = |index: usize| text.get(index).copied();
    let before = |index: usize, distance: usize| index.checked_sub(distance).and_then(at);
    let is_word =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let is_letter = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphabetic());
    let is_inner = |letter: Option<char>| {
        is_word(letter)
            || letter.is_some_and(|letter| matches!(letter, '!' | '"' | '\'' | '&' | '.' | ',' | '?'))
    };
    // Two hyphens or more between words.
    let dash_end = |start: usize| {
        let length = text[start..].iter().take_while(|letter| **letter == '-').count();
        let is_dash = length >= 2 && is_inner(before(start, 1)) && is_word(at(start + length));
        is_dash.then_some(start + length)
    };
    let ends_hyphenated = |hyphen: usize| {
        let leads = is_letter(before(hyphen, 1)) && is_letter(before(hyphen, 2))
            || is_inner(before(hyphen, 1)) && before(hyphen, 2) == Some('-') && is_letter(before(hyphen, 3));
        let second = if at(hyphen + 2) == Some('-') { hyphen + 3 } else { hyphen + 2 };
        leads && is_letter(at(hyphen + 1)) && is_letter(at(second))
    };
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let mut end = start + 1;
        if is_space(text[start]) {
            while at(end).is_some_and(is_space) {
                end += 1;
            }
        } else if let Some(dash) = dash_end(start).filter(|_| hyphens) {
            end = dash;
        } else {
            while at(end).is_some_and(|letter| !is_space(letter)) {
                if hyphens && text[end] == '-' {
                    if ends_hyphenated(end) {
                        end += 1;
                        break;
                    }
                    if dash_end(end).is_some() {
                        break;
                    }
                }
                end += 1;
            }
        }
        chunks.push(text[start..end].to_vec());
        start = end;
    }
    chunks
}
