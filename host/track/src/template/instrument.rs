//! Rewrites a template so that what it emits can be counted and traced back.

use std::ops::Range;

use super::statements::{Statements, checks};

/// What stands at a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MarkKind {
    /// Text of the template: what follows is emitted byte by byte as it stands there.
    Text,
    /// A `{{ … }}`: what follows is its value.
    Expression,
}

/// A place in a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) kind: MarkKind,
    /// Byte range in the source of the template: a line of text, or the whole tag.
    pub(crate) source: Range<usize>,
}

/// A tag: where it stands in what the engine is given, and where in the source of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagPlace {
    pub(crate) written: Range<usize>,
    pub(crate) source: Range<usize>,
}

/// A template as the engine is given it.
#[derive(Debug)]
pub(crate) struct Instrumented {
    pub(crate) text: String,
    /// In order of the text.
    pub(crate) tags: Vec<TagPlace>,
}

/// Name of the function that is called at each mark with the mark's number.
pub(crate) const MARK_FUNCTION: &str = "__at";
/// Name of the function that guards the size of an argument.
pub(crate) const CHECK_FUNCTION: &str = "__check";
/// Name of the function that charges what an expression makes.
pub(crate) const MADE_FUNCTION: &str = "__made";
/// Name of the function that guards the size of what is walked over.
pub(crate) const WALKED_FUNCTION: &str = "__walked";
/// Name of the filter that guards the size of what is assigned.
pub(crate) const BOUND_FILTER: &str = "__bounded";
/// The same for what is assigned to an attribute of a namespace.
pub(crate) const ATTRIBUTE_FILTER: &str = "__attribute";
/// Name of the function that is called in each turn of a loop.
pub(crate) const TICK_FUNCTION: &str = "__tick";
/// The helpers' template, imported without context: Rally's name for it, and that of OpenSearch Benchmark.
pub(crate) const HELPERS: [&str; 2] = ["rally.helpers", "benchmark.helpers"];
/// The same, imported with the variables of the importing template. As long as the names of those without, so that
/// positions in the tag stay.
pub(crate) const HELPERS_WITH_CONTEXT: [&str; 2] = ["rally-context", "benchmark-context"];

/// Rewrites a template and hands each mark to `mark`, which numbers it. Neither what is printed nor the number of
/// lines changes. A template with a tag that does not end is returned as it is: the engine explains that error better.
pub(crate) fn instrument(source: &str, mark: &mut dyn FnMut(Mark) -> usize) -> Instrumented {
    let mut tags = Vec::new();
    let mut out = String::with_capacity(source.len() * 2);
    let mut statements = Statements::new(source);
    let mut pos = 0;
    loop {
        let tag = next_tag(source, pos);
        let text_end = tag.as_ref().map_or(source.len(), |tag| tag.range.start);
        let mut text = pos..text_end;
        let trims_expression =
            tag.as_ref().is_some_and(|tag| tag.kind == TagKind::Expression && tag.trims_before);
        if trims_expression {
            // The mark of the expression would stop the engine from trimming this text.
            text.end = pos + source[text.clone()].trim_end().len();
        }
        emit_text(source, text, &mut out, mark);
        let Some(tag) = tag else { return Instrumented { text: out, tags } };
        let Some(end) = tag.end else { return Instrumented { text: source.to_owned(), tags: Vec::new() } };
        let written = out.len();
        let content = &source[tag.range.start..end];
        match tag.kind {
            TagKind::Expression => {
                let number = mark(Mark { kind: MarkKind::Expression, source: tag.range.start..end });
                out.push_str(&call(number));
                statements.expression(content, trims_expression, &mut out);
                tags.push(TagPlace { written: written..out.len(), source: tag.range.start..end });
            }
            TagKind::Statement => {
                statements.statement(content, end, &mut out);
                tags.push(TagPlace { written: written..out.len(), source: tag.range.start..end });
                let checks = checks(content);
                if !checks.is_empty() {
                    out.push_str(&checks);
                    if content.ends_with("-%}") {
                        // The checks stand between the tag and the white space that it trims.
                        pos = end + source[end..].len() - source[end..].trim_start().len();
                        continue;
                    }
                }
            }
            TagKind::Comment => out.push_str(content),
            TagKind::Raw { body_start, body_end } => {
                out.push_str(&source[tag.range.start..body_start]);
                let body = &source[body_start..body_end];
                let blank = body.len() - body.trim_start().len();
                if blank < body.len() {
                    let start = body_start + blank;
                    let number = mark(Mark { kind: MarkKind::Text, source: start..body_end });
                    out.push_str(&source[body_start..start]);
                    out.push_str("{% endraw %}");
                    out.push_str(&call(number));
                    out.push_str("{% raw %}");
                    out.push_str(&source[start..body_end]);
                } else {
                    out.push_str(body);
                }
                out.push_str(&source[body_end..end]);
            }
        }
        pos = end;
    }
}

fn call(number: usize) -> String {
    format!("{{{{{MARK_FUNCTION}({number})}}}}")
}

/// A mark before the first visible character of each line: white space around tags stays trimmable.
fn emit_text(source: &str, text: Range<usize>, out: &mut String, mark: &mut dyn FnMut(Mark) -> usize) {
    let mut start = text.start;
    for line in source[text].split_inclusive('\n') {
        let visible = line.trim_start();
        if !visible.is_empty() {
            let blank = line.len() - visible.len();
            let number = mark(Mark { kind: MarkKind::Text, source: start + blank..start + line.len() });
            out.push_str(&line[..blank]);
            out.push_str(&call(number));
            out.push_str(visible);
        } else {
            out.push_str(line);
        }
        start += line.len();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagKind {
    Expression,
    Statement,
    Comment,
    Raw { body_start: usize, body_end: usize },
}

pub(super) struct Tag {
    kind: TagKind,
    /// Where it starts; up to the end of the source.
    pub(super) range: Range<usize>,
    /// Behind it, if it ends.
    pub(super) end: Option<usize>,
    trims_before: bool,
}

impl Tag {
    /// Whether it holds code: neither a comment nor raw text.
    pub(super) fn is_code(&self) -> bool {
        matches!(self.kind, TagKind::Expression | TagKind::Statement)
    }
}

pub(super) fn next_tag(source: &str, from: usize) -> Option<Tag> {
    let bytes = source.as_bytes();
    let mut at = from;
    let start = loop {
        at += memchr::memchr(b'{', bytes.get(at..)?)?;
        match bytes.get(at + 1) {
            Some(b'{' | b'%' | b'#') => break at,
            _ => at += 1,
        }
    };
    let trims_before = bytes.get(start + 2) == Some(&b'-');
    let range = start..source.len();
    let tag = |kind, end| Some(Tag { kind, range, end, trims_before });
    match bytes[start + 1] {
        b'#' => tag(TagKind::Comment, source[start..].find("#}").map(|end| start + end + 2)),
        b'{' => tag(TagKind::Expression, code_end(bytes, start + 2, b'}')),
        _ => {
            let end = code_end(bytes, start + 2, b'%');
            let is_raw = end.is_some_and(|end| inner_word(&source[start..end]) == "raw");
            match end {
                Some(body_start) if is_raw => match raw_end(source, body_start) {
                    Some((body_end, end)) => tag(TagKind::Raw { body_start, body_end }, Some(end)),
                    None => tag(TagKind::Statement, None),
                },
                _ => tag(TagKind::Statement, end),
            }
        }
    }
}

fn inner_word(tag: &str) -> &str {
    tag[2..tag.len() - 2].trim_matches(['-', '+']).trim()
}

/// Start and end of the `{% endraw %}` after `from`.
fn raw_end(source: &str, from: usize) -> Option<(usize, usize)> {
    let mut at = from;
    loop {
        let start = at + source.get(at..)?.find("{%")?;
        let end = start + source[start..].find("%}")? + 2;
        if end - start >= 4 && inner_word(&source[start..end]) == "endraw" {
            return Some((start, end));
        }
        at = start + 2;
    }
}

/// Behind the end of a tag whose code starts at `at`: strings and brackets are skipped.
fn code_end(bytes: &[u8], mut at: usize, closing: u8) -> Option<usize> {
    let mut depth = 0_usize;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => at = string_end(bytes, at + 1, quote)?,
            byte if depth == 0 && byte == closing && bytes.get(at + 1) == Some(&b'}') => return Some(at + 2),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// Index of the quote that ends a string.
pub(super) fn string_end(bytes: &[u8], mut at: usize, quote: u8) -> Option<usize> {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            byte if byte == quote => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(source: &str) -> (String, Vec<Mark>) {
        let mut marks = Vec::new();
        let out = instrument(source, &mut |mark| {
            marks.push(mark);
            marks.len() - 1
        });
        (out.text, marks)
    }

    #[test]
    fn marks_lines_and_expressions() {
        let (out, marks) = marked("a\n  b {{ c }}");
        assert_eq!(out, "{{__at(0)}}a\n  {{__at(1)}}b {{__at(2)}}{{ c }}");
        assert_eq!(marks[1], Mark { kind: MarkKind::Text, source: 4..6 });
        assert_eq!(marks[2], Mark { kind: MarkKind::Expression, source: 6..13 });
    }

    #[test]
    fn trims_before_a_marked_expression_itself() {
        assert_eq!(marked("a \n {{- b -}} c").0, "{{__at(0)}}a{{__at(1)}}{{ b -}} {{__at(2)}}c");
    }

    #[test]
    fn strings_and_brackets_do_not_end_a_tag() {
        let (_, marks) = marked("{{ {'a': '}}', 'b': {}} }}x");
        assert_eq!(marks[0].source, 0..26);
    }

    #[test]
    fn raw_blocks_and_comments_stay() {
        assert_eq!(
            marked("{# {{ #}{%- raw -%} {{ x }} {%- endraw -%} ").0,
            "{# {{ #}{%- raw -%} {% endraw %}{{__at(0)}}{% raw %}{{ x }} {%- endraw -%} "
        );
    }

    #[test]
    fn assignments_are_bounded() {
        assert_eq!(marked("{%- set x = a == 1 -%}").0, "{%- set x =((a == 1))|__bounded -%}");
        assert_eq!(marked("{% set x %}").0, "{% set x %}");
        assert_eq!(marked("{% set x | upper(a=1) %}").0, "{% set x | upper(a=1) %}");
    }

    #[test]
    fn arguments_are_checked_and_loops_report() {
        assert_eq!(
            marked("{% macro m(a, b=f('x, y'), c=1) -%}  x{% endmacro %}").0,
            "{% macro m(a, b=f('x, y'), c=1) -%}{{__tick()}}{{__check(a)}}{{__check(b)}}{{__check(c)}}{{__at(0)}}x{% endmacro %}"
        );
        assert_eq!(
            marked("{% with a = 1, b = [c, d] %}{% for x in y recursive %}{% for x in y %}{% if x %}").0,
            "{% with (a,b) = (1,[c,d]) %}{{__tick()}}{{__check(a)}}{{__check(b)}}\
             {% for x in __iterated(y) recursive %}{{__tick()}}{{__check(x)}}\
             {% for x in __iterated(y) %}{{__tick()}}{% if x %}"
        );
    }

    #[test]
    fn an_import_of_the_helpers_with_context_is_told_apart() {
        assert_eq!(
            marked("{% import \"rally.helpers\" as rally with context %}").0,
            "{% import \"rally-context\" as rally with context %}"
        );
        assert_eq!(
            marked("{% import \"rally.helpers\" as rally %}").0,
            "{% import \"rally.helpers\" as rally %}"
        );
    }

    #[test]
    fn a_tag_without_end_is_left_to_the_engine() {
        assert_eq!(marked("a {{ b").0, "a {{ b");
    }
}
