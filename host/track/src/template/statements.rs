//! Rewrites tags where the engine does otherwise than Jinja2: expressions, the context of imports, the scope of includes
//! and of `with`, macros that take any number of arguments; and guards what gets a name.

use super::expressions::Rewriting;
use super::instrument::{
    ATTRIBUTE_FILTER, BOUND_FILTER, CHECK_FUNCTION, HELPERS, HELPERS_WITH_CONTEXT, TICK_FUNCTION, next_tag,
    string_end,
};

/// Rewrites the tags of one template, in order.
pub(super) struct Statements<'s> {
    source: &'s str,
    rewriting: Rewriting,
    /// The macros that are open; the name of each that takes any number of arguments.
    macros: Vec<Option<String>>,
}

/// A tag between its brackets.
struct Parts<'c> {
    open: &'c str,
    inner: &'c str,
    close: &'c str,
}

fn parts(content: &str) -> Parts<'_> {
    let signs: [char; 2] = ['-', '+'];
    let open = if content[2..content.len() - 2].starts_with(signs) { 3 } else { 2 };
    let end = content.len() - 2;
    let close = if content[open..end].ends_with(signs) { end - 1 } else { end };
    Parts { open: &content[..open], inner: &content[open..close], close: &content[close..] }
}

impl<'s> Statements<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, rewriting: Rewriting::of(source), macros: Vec::new() }
    }

    /// Writes a `{{ … }}`. With `trimmed` the text before it has been trimmed already.
    pub(super) fn expression(&self, content: &str, trimmed: bool, out: &mut String) {
        let Parts { open, inner, close } = parts(content);
        let tuple =
            || inner.contains(',').then(|| self.rewriting.expression(&format!("({inner})"))).flatten();
        let open = if trimmed { "{{" } else { open };
        match self.rewriting.expression(inner).or_else(tuple) {
            Some(rewritten) => out.extend([open, " ", &rewritten, " ", close]),
            None => out.extend([open, inner, close]),
        }
    }

    /// An expression, or several that make a tuple.
    fn values(&self, code: &str) -> Option<String> {
        let tuple = || code.contains(',').then(|| self.rewriting.expression(&format!("({code})"))).flatten();
        self.rewriting.expression(code).or_else(tuple)
    }

    /// Writes a `{% … %}` that ends at `end` in the source.
    pub(super) fn statement(&mut self, content: &str, end: usize, out: &mut String) {
        let Parts { open, inner, close } = parts(content);
        let trimmed = inner.trim_start();
        let word = trimmed.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let rest = &trimmed[word.len()..];
        let rewritten = match word {
            "if" | "elif" => self.rewriting.expression(rest).map(|condition| format!(" {word} {condition} ")),
            "for" => self.loop_header(rest),
            "with" => self.with_header(rest),
            "set" => self.set(content, inner),
            "import" | "from" if is_with_context(inner) => Some(import_with_context(inner)),
            "include" => {
                // What an included template sets is its own, as in Jinja2.
                let before = if open.ends_with('-') { "-" } else { "" };
                let after = if close.starts_with('-') { "-" } else { "" };
                out.push_str(&format!("{{%{before} with %}}{content}{{% endwith {after}%}}"));
                return;
            }
            // Jinja2 knows it only as an extension, which Rally does not use.
            "do" => Some(format!(" do_extension{rest}")),
            "macro" => {
                let variadic = self.variadic(rest, end);
                let mut late = String::new();
                let header = self.macro_header(rest, variadic.as_deref(), &mut late);
                self.macros.push(variadic);
                out.extend([open, header.as_deref().unwrap_or(inner), close, &late]);
                return;
            }
            "endmacro" => {
                if let Some(name) = self.macros.pop().flatten() {
                    out.push_str(&format!(
                        "{open}{inner}%}}{{% set {name} = __variadic({name}__inner) {close}"
                    ));
                    return;
                }
                None
            }
            _ => None,
        };
        out.extend([open, rewritten.as_deref().unwrap_or(inner), close]);
    }

    /// The header of a macro that the engine would treat otherwise, and in `late` what must follow it.
    fn macro_header(&self, rest: &str, variadic: Option<&str>, late: &mut String) -> Option<String> {
        let (name, arguments) = rest.split_once('(')?;
        let arguments = arguments.trim_end().strip_suffix(')')?;
        let reordered = self.late_defaults(arguments, late);
        let arguments = reordered.as_deref().unwrap_or(arguments).trim_end().trim_end_matches(',');
        let comma = if arguments.is_empty() { "" } else { "," };
        match variadic {
            Some(name) => Some(format!(" macro {name}__inner({arguments}{comma}varargs=(),kwargs={{}}) ")),
            None => reordered.as_ref().map(|_| format!(" macro {}({arguments}) ", name.trim())),
        }
    }

    /// Assignments behind the header of a macro, for defaults that are made of arguments before them.
    fn late_defaults(&self, arguments: &str, out: &mut String) -> Option<String> {
        let mut header = Vec::new();
        let mut names: Vec<&str> = Vec::new();
        let mut late = false;
        for argument in commas(arguments) {
            let (name, default) = match argument.split_once('=') {
                Some((name, default)) => (name.trim(), Some(default)),
                None => (argument.trim(), None),
            };
            let uses = |default: &str| names.iter().any(|name| keyword_anywhere(default, name));
            match default {
                Some(default) if late || uses(default) => {
                    late = true;
                    header.push(name.to_owned());
                    let value = self.rewriting.expression(default);
                    let value = value.as_deref().unwrap_or(default);
                    out.push_str(&format!(
                        "{{% if {name} is undefined %}}{{% set {name} = {value} %}}{{% endif %}}"
                    ));
                }
                _ => header.push(argument.to_owned()),
            }
            names.push(name);
        }
        late.then(|| header.join(","))
    }

    /// `for targets in values if condition recursive`.
    fn loop_header(&self, rest: &str) -> Option<String> {
        let targets_end = keyword(rest, "in")?;
        let (targets, values) = (&rest[..targets_end], &rest[targets_end + 2..]);
        let recursive = values
            .trim_end()
            .strip_suffix("recursive")
            .filter(|before| before.ends_with(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | '}')));
        let values = recursive.unwrap_or(values);
        let (values, condition) = match keyword(values, "if") {
            Some(at) => (&values[..at], Some(&values[at + 2..])),
            None => (values, None),
        };
        let mut header = format!(" for {} in __iterated({})", targets.trim(), self.values(values)?);
        if let Some(condition) = condition {
            header.push_str(" if ");
            header.push_str(&self.rewriting.expression(condition)?);
        }
        header.push_str(if recursive.is_some() { " recursive " } else { " " });
        Some(header)
    }

    /// `with a = 1, b = 2`: the values see what is outside, not each other.
    fn with_header(&self, rest: &str) -> Option<String> {
        let mut targets = Vec::new();
        let mut values = Vec::new();
        for assignment in commas(rest) {
            let (target, value) = assignment.split_once('=')?;
            targets.push(target.trim());
            values.push(self.rewriting.expression(value)?);
        }
        match targets.as_slice() {
            [] => None,
            [target] => Some(format!(" with {target} = {} ", values.join(""))),
            targets if targets.iter().any(|target| target.contains('(')) => None,
            targets => Some(format!(" with ({}) = ({}) ", targets.join(","), values.join(","))),
        }
    }

    fn set(&self, content: &str, inner: &str) -> Option<String> {
        let value = assignment(content)?;
        let start = content.find(inner)?;
        let (target, value) = inner.split_at(value.checked_sub(start)?);
        let filter = if target.contains('.') { ATTRIBUTE_FILTER } else { BOUND_FILTER };
        let rewritten = self.rewriting.expression(value);
        Some(format!("{target}({})|{filter} ", rewritten.as_deref().unwrap_or(value)))
    }

    /// The name of the macro if its body uses arguments that its header does not name.
    fn variadic(&self, header: &str, from: usize) -> Option<String> {
        let (name, _) = header.split_once('(')?;
        let body = &self.source[from..self.macro_end(from)?];
        let uses = |word: &str| {
            body.match_indices(word).any(|(at, _)| {
                let is_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
                !body[..at].ends_with(is_letter) && !body[at + word.len()..].starts_with(is_letter)
            })
        };
        (uses("varargs") || uses("kwargs")).then(|| name.trim().to_owned())
    }

    /// Where the macro ends whose body starts at `from`.
    fn macro_end(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut depth = 1_usize;
        loop {
            let tag = next_tag(self.source, at)?;
            let end = tag.end?;
            if tag.is_code() {
                let inner = parts(&self.source[tag.range.start..end]).inner.trim();
                match inner.split(|c: char| !c.is_alphanumeric()).next() {
                    Some("macro") => depth += 1,
                    Some("endmacro") => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return Some(tag.range.start);
                }
            }
            at = end;
        }
    }
}

fn import_with_context(inner: &str) -> String {
    let mut import = inner.to_owned();
    for (helpers, with_context) in HELPERS.iter().zip(HELPERS_WITH_CONTEXT) {
        for quote in ['"', '\''] {
            let name = format!("{quote}{helpers}{quote}");
            import = import.replacen(&name, &format!("{quote}{with_context}{quote}"), 1);
        }
    }
    import
}

/// Walks over the letters of code that stand outside of brackets and strings.
fn top_level(code: &str, mut visit: impl FnMut(usize, u8) -> bool) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut at = 0;
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = string_end(bytes, at + 1, quote)?,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            byte if depth == 0 && visit(at, byte) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where a word stands outside of brackets and strings.
fn keyword(code: &str, word: &str) -> Option<usize> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    top_level(code, |at, byte| {
        byte == word.as_bytes()[0]
            && code[at..].starts_with(word)
            && !code[..at].ends_with(is_letter)
            && !code[at + word.len()..].starts_with(is_letter)
    })
}

/// Whether a word stands in code as a name.
fn keyword_anywhere(code: &str, word: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(is_letter) && !code[at + word.len()..].starts_with(is_letter))
}

/// The parts between commas outside of brackets and strings.
fn commas(code: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = code;
    while let Some(at) = top_level(rest, |_, byte| byte == b',') {
        parts.push(&rest[..at]);
        rest = &rest[at + 1..];
    }
    if !rest.trim().is_empty() {
        parts.push(rest);
    }
    parts
}

/// Calls that stand behind a tag, in what it repeats or calls: loops and macros report that they go on, and check the
/// values that get a name: arguments of macros and recursive loops, and those of `with`. Other loops only name what is
/// there already.
pub(super) fn checks(content: &str) -> String {
    let inner = content[2..content.len() - 2].trim_matches(['-', '+', ' ', '\t', '\n']);
    let (word, rest) = inner.split_once(|c: char| c.is_whitespace()).unwrap_or((inner, ""));
    let list = match word {
        "macro" => rest.split_once('(').map_or("", |(_, arguments)| arguments),
        "with" => rest,
        "for" if rest.trim_end().ends_with("recursive") => {
            rest.split_once(" in ").map_or("", |(targets, _)| targets)
        }
        "for" => "",
        _ => return String::new(),
    };
    let mut calls = format!("{{{{{TICK_FUNCTION}()}}}}");
    for name in names(list) {
        calls.push_str(&format!("{{{{{CHECK_FUNCTION}({name})}}}}"));
    }
    calls
}

/// The names at the start of each part of a list.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = 0;
    let mut depth = 0_usize;
    let mut expects_name = true;
    let bytes = list.as_bytes();
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => match string_end(bytes, at + 1, quote) {
                Some(end) => at = end,
                None => return names,
            },
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => expects_name = true,
            byte if expects_name && depth == 0 && (byte.is_ascii_alphabetic() || byte == b'_') => {
                let length =
                    list[at..].find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(list.len() - at);
                names.push(list[at..at + length].to_owned());
                expects_name = false;
                at += length;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    names
}

fn is_with_context(inner: &str) -> bool {
    let words: Vec<&str> = inner.trim_end_matches(['-', '+']).split_whitespace().collect();
    words.ends_with(&["with", "context"])
}

/// Where the value of an assignment starts in its tag: after the first `=` outside of brackets and strings.
fn assignment(content: &str) -> Option<usize> {
    let bytes = content.as_bytes();
    let mut at = 2;
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = string_end(bytes, at + 1, quote)?,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'=' if depth == 0 => {
                return (bytes.get(at + 1) != Some(&b'=')).then_some(at + 1);
            }
            // `{% set x | filter %}` is a block.
            b'|' if depth == 0 => return None,
            _ => {}
        }
        at += 1;
    }
    None
}
