//! The templates of a rendering and the marks in them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::assembly::{Assembled, SourceFile};
use super::instrument::{Instrumented, Mark, MarkKind, TagPlace};
use crate::excerpt::line_and_column;

/// The templates of a rendering with their marks.
#[derive(Debug, Default)]
pub(super) struct Sources {
    inner: Mutex<SourcesInner>,
}

#[derive(Debug, Default)]
struct SourcesInner {
    /// By the name that the engine knows it by.
    templates: HashMap<String, Template>,
    /// Template and place.
    marks: Vec<(Arc<Assembled>, Mark)>,
    /// Place of what the engine was not given.
    rejected: Option<Place>,
}

#[derive(Debug, Clone)]
struct Template {
    assembled: Arc<Assembled>,
    instrumented: Arc<str>,
    tags: Arc<[TagPlace]>,
}

/// A place in a file of the track.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: SourceFile,
    pub(crate) offset: usize,
}

impl Place {
    pub(super) fn line(&self) -> usize {
        line_and_column(&self.file.text, self.offset).0
    }
}

impl Sources {
    fn lock(&self) -> MutexGuard<'_, SourcesInner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the engine was given under this name.
    pub(super) fn instrumented(&self, name: &str) -> Option<String> {
        self.lock().templates.get(name).map(|template| template.instrumented.to_string())
    }

    /// Remembers a template and returns it rewritten by `instrument`.
    pub(super) fn add(
        &self,
        name: &str,
        assembled: Assembled,
        instrument: impl FnOnce(&str, &mut dyn FnMut(Mark) -> usize) -> Instrumented,
    ) -> String {
        let mut inner = self.lock();
        let assembled = Arc::new(assembled);
        let marks = &mut inner.marks;
        let Instrumented { text, tags } = instrument(&assembled.text, &mut |mark| {
            marks.push((Arc::clone(&assembled), mark));
            marks.len() - 1
        });
        let template = Template { assembled, instrumented: text.as_str().into(), tags: tags.into() };
        inner.templates.insert(name.to_owned(), template);
        text
    }

    /// Remembers a place that is wrong before the engine sees it.
    pub(super) fn reject(&self, place: Option<Place>) {
        self.lock().rejected = place;
    }

    pub(super) fn rejected(&self) -> Option<Place> {
        self.lock().rejected.clone()
    }

    /// Bytes of text behind a mark.
    pub(super) fn mark_length(&self, number: usize) -> usize {
        match self.lock().marks.get(number) {
            Some((_, Mark { kind: MarkKind::Text, source })) => source.len(),
            _ => 0,
        }
    }

    /// Where a mark stands.
    pub(super) fn place_of(&self, number: usize) -> Option<Place> {
        let inner = self.lock();
        let (assembled, mark) = inner.marks.get(number)?;
        place(assembled, mark.source.start)
    }

    /// Where a line of a template comes from. A line can be pasted together from several files: then it is where the mark
    /// stands that was passed last, if it is in this line, or the first tag in it.
    pub(super) fn place_of_line(&self, template: &str, line: usize, last_mark: usize) -> Option<Place> {
        let inner = self.lock();
        let assembled = &inner.templates.get(template)?.assembled;
        let text = &assembled.text;
        let start = match line.checked_sub(2) {
            None => 0,
            Some(before) => text.match_indices('\n').nth(before)?.0 + 1,
        };
        let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let marked = inner.marks.get(last_mark).filter(|(marked, mark)| {
            Arc::ptr_eq(marked, assembled) && (start..end).contains(&mark.source.start)
        });
        let offset = match marked {
            Some((_, mark)) => mark.source.start,
            None => {
                let content = &text[start..end];
                let first = content.find("{{").into_iter().chain(content.find("{%")).min();
                start + first.unwrap_or(content.len() - content.trim_start().len())
            }
        };
        place(assembled, offset)
    }

    /// Names of the templates that the engine was given.
    pub(super) fn names(&self) -> Vec<String> {
        self.lock().templates.keys().cloned().collect()
    }

    /// The tag at an offset of what the engine was given, and its length.
    pub(super) fn tag_at(&self, template: &str, offset: usize) -> Option<(Place, usize)> {
        let inner = self.lock();
        let Template { assembled, tags, .. } = inner.templates.get(template)?;
        let index = tags.partition_point(|tag| tag.written.start <= offset).checked_sub(1)?;
        let tag = tags.get(index).filter(|tag| offset < tag.written.end)?;
        Some((place(assembled, tag.source.start)?, tag.source.len()))
    }

    /// Whether the engine was given a template of this name.
    pub(super) fn has_template(&self, name: &str) -> bool {
        self.lock().templates.contains_key(name)
    }

    pub(super) fn contains(&self, character: char) -> bool {
        self.lock().templates.values().any(|template| template.assembled.text.contains(character))
    }

    /// The file and range that a mark, or what is `distance` behind it and `length` long, comes from.
    pub(super) fn origin(
        &self,
        number: usize,
        distance: usize,
        length: usize,
    ) -> Option<(Place, Range<usize>)> {
        let inner = self.lock();
        let (assembled, mark) = inner.marks.get(number)?;
        let (start, length) = match mark.kind {
            MarkKind::Text => ((mark.source.start + distance).min(mark.source.end), length),
            MarkKind::Expression => (mark.source.start, mark.source.len()),
        };
        let place = place(assembled, start)?;
        let end = (start + length).min(mark.source.end).max(start);
        let mut file_end = (place.offset + (end - start)).min(place.file.text.len());
        while !place.file.text.is_char_boundary(file_end) {
            file_end -= 1;
        }
        let range = place.offset..file_end.max(place.offset);
        Some((place, range))
    }

    /// Whether a mark stands at a `{{ … }}`.
    pub(super) fn is_expression(&self, number: usize) -> bool {
        self.lock().marks.get(number).is_some_and(|(_, mark)| mark.kind == MarkKind::Expression)
    }
}

fn place(assembled: &Assembled, offset: usize) -> Option<Place> {
    let (file, offset) = assembled.origin(offset)?;
    Some(Place { file: file.clone(), offset })
}
