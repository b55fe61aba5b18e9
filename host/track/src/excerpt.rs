//! A few lines of a source file with a mark under the place that is meant, as compilers show it.

use std::fmt;
use std::ops::Range;

use rally_support::printable;

/// Lines shown before the one that is meant.
const LINES_BEFORE: usize = 2;
/// Lines shown after it.
const LINES_AFTER: usize = 1;
/// Longer lines are cut around the mark: rendered JSON may be one line of megabytes.
const MAX_WIDTH: usize = 100;

/// Lines around a place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Line number and text, in order.
    lines: Vec<(usize, String)>,
    /// Number of the line that is meant.
    line: usize,
    /// Characters before the mark in that line as shown.
    offset: usize,
    /// Width of the mark in characters, at least one.
    width: usize,
}

/// Line and column of a byte offset, both from 1 on; columns are counted in characters.
pub(crate) fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let offset = floor_char_boundary(text, offset);
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl Excerpt {
    /// Shows the lines of `text` around a range of bytes. A range over several lines is marked up to the end of the
    /// first.
    pub(crate) fn new(text: &str, range: Range<usize>) -> Self {
        let (line, column) = line_and_column(text, range.start);
        let first = line.saturating_sub(LINES_BEFORE).max(1);
        let start = floor_char_boundary(text, range.start);
        let end = floor_char_boundary(text, range.end).max(start);
        let marked = text[start..end].split('\n').next().unwrap_or_default();
        let mut excerpt = Self {
            lines: Vec::new(),
            line,
            offset: column - 1,
            width: marked.trim_end().chars().count().clamp(1, MAX_WIDTH),
        };
        for (index, content) in
            text.split('\n').enumerate().skip(first - 1).take(line - first + 1 + LINES_AFTER)
        {
            let number = index + 1;
            let (shown, offset) = cut(content, if number == line { excerpt.offset } else { 0 });
            if number == line {
                excerpt.offset = offset;
            }
            excerpt.lines.push((number, shown));
        }
        while excerpt.lines.last().is_some_and(|(number, text)| *number > line && text.trim().is_empty()) {
            excerpt.lines.pop();
        }
        excerpt
    }

    /// Number of the line that is meant, from 1 on.
    pub fn line(&self) -> usize {
        self.line
    }
}

/// Cuts a line around a position and makes everything in it printable: a track must not be able to send control
/// sequences to the terminal.
fn cut(line: &str, position: usize) -> (String, usize) {
    let characters = line.chars().count();
    let skip = if characters <= MAX_WIDTH { 0 } else { position.saturating_sub(MAX_WIDTH / 2) };
    let mut shown = String::new();
    if skip > 0 {
        shown.push('…');
    }
    shown.extend(line.chars().skip(skip).take(MAX_WIDTH).map(printable::character));
    if characters > skip + MAX_WIDTH {
        shown.push('…');
    }
    (shown, position - skip + usize::from(skip > 0))
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.lines.last().map_or(1, |(number, _)| number.to_string().len());
        for (index, (number, text)) in self.lines.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "  {number:>digits$} | {text}")?;
            if *number == self.line {
                write!(
                    f,
                    "\n  {:digits$} | {:offset$}{}",
                    "",
                    "",
                    "^".repeat(self.width),
                    offset = self.offset
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_the_range_below_its_line() {
        let excerpt = Excerpt::new("a\nb\nc = 1\nd\ne", 8..9);
        assert_eq!(excerpt.to_string(), "  1 | a\n  2 | b\n  3 | c = 1\n    |     ^\n  4 | d");
    }

    #[test]
    fn cuts_long_lines_around_the_mark() {
        let text = format!("{}X{}", "a".repeat(5000), "b".repeat(5000));
        let shown = Excerpt::new(&text, 5000..5001).to_string();
        assert!(shown.lines().all(|line| line.chars().count() < 120), "{shown}");
        let (line, mark) = (shown.lines().next().unwrap(), shown.lines().nth(1).unwrap());
        assert_eq!(line.chars().position(|c| c == 'X'), mark.chars().position(|c| c == '^'));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let shown = Excerpt::new("\u{1b}[2J x", 5..6).to_string();
        assert!(!shown.contains('\u{1b}'));
    }

    #[test]
    fn columns_count_characters() {
        assert_eq!(line_and_column("ä\nüöx", "ä\nüö".len()), (2, 3));
    }
}
