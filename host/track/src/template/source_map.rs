//! From a position in the rendered text back to the template.

use super::sources::Sources;

/// Characters around the number of a mark in marked text. They are no characters of any text (Unicode
/// noncharacters); a template that has them all the same is rendered without marks.
pub(super) const MARK_START: char = '\u{FDD0}';
/// Ends the number of a mark.
pub(super) const MARK_END: char = '\u{FDD1}';

/// Which mark was passed at which offset of the rendered text.
#[derive(Debug, Default)]
pub(super) struct SourceMap {
    /// Offset in the text and number of the mark, in order of the text.
    passed: Vec<(usize, usize)>,
}

/// Takes the marks out of marked text.
pub(super) fn strip(marked: &str) -> (String, SourceMap) {
    let mut text = String::with_capacity(marked.len());
    let mut map = SourceMap::default();
    let mut rest = marked;
    while let Some(start) = rest.find(MARK_START) {
        text.push_str(&rest[..start]);
        let after = &rest[start + MARK_START.len_utf8()..];
        match after.split_once(MARK_END).and_then(|(number, rest)| Some((number.parse().ok()?, rest))) {
            Some((number, remaining)) => {
                map.passed.push((text.len(), number));
                rest = remaining;
            }
            None => {
                text.push(MARK_START);
                rest = after;
            }
        }
    }
    text.push_str(rest);
    (text, map)
}

impl SourceMap {
    /// Number of the mark that a position belongs to, and how far behind the mark it is.
    pub(super) fn mark_at(&self, offset: usize) -> Option<(usize, usize)> {
        let index = self.passed.partition_point(|(at, _)| *at <= offset).checked_sub(1)?;
        let (at, number) = self.passed[index];
        Some((number, offset - at))
    }

    /// Number of the expression that printed what stands at a position in `text`, and all that it printed.
    pub(super) fn expression_at<'t>(
        &self,
        text: &'t str,
        offset: usize,
        sources: &Sources,
    ) -> Option<(usize, &'t str)> {
        let index = self.passed.partition_point(|(at, _)| *at <= offset).checked_sub(1)?;
        let (start, number) = self.passed[index];
        let end = self.passed.get(index + 1).map_or(text.len(), |(at, _)| *at);
        let printed = text.get(start..end).filter(|_| sources.is_expression(number))?;
        (offset < start + printed.trim_end().len()).then_some((number, printed))
    }

    /// Number of the expression right before a position in `text` that printed nothing, if there is one.
    pub(super) fn empty_expression_before(
        &self,
        text: &str,
        offset: usize,
        sources: &Sources,
    ) -> Option<usize> {
        let end = self.passed.partition_point(|(at, _)| *at <= offset);
        let mut before = self.passed[..end].iter().enumerate().rev();
        let (index, (at, number)) = before.find(|(_, (_, number))| sources.is_expression(*number))?;
        let (next, _) = *self.passed.get(index + 1)?;
        let printed = text.get(*at..next)?;
        let between = text.get(next..offset)?;
        (printed.trim().is_empty() && between.trim().is_empty()).then_some(*number)
    }
}
