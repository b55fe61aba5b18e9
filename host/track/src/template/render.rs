//! Renders a track and remembers where each part of the text comes from.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::{Error, ErrorKind, Value};

use super::environment::{self, Shared};
use super::helpers::Scope;
use super::instrument::{Mark, MarkKind};
use super::source_map::{self, MARK_START, SourceMap};
use crate::excerpt::line_and_column;
use crate::files::TrackFiles;

/// The templates of a rendering with their marks.
#[derive(Debug, Default)]
pub(super) struct Sources {
    inner: Mutex<SourcesInner>,
}

#[derive(Debug, Default)]
struct SourcesInner {
    /// Name and text of each file.
    files: Vec<(String, Arc<str>)>,
    numbers: HashMap<String, (usize, Arc<str>)>,
    /// File and place.
    marks: Vec<(usize, Mark)>,
    /// File and line of what the engine was not given.
    rejected: Option<(String, usize)>,
}

impl Sources {
    /// Remembers a file and returns it rewritten by `instrument`; the same file twice gives the same marks.
    pub(super) fn add(
        &self,
        name: &str,
        text: String,
        instrument: impl FnOnce(&str, &mut dyn FnMut(Mark) -> usize) -> String,
    ) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, instrumented)) = inner.numbers.get(name) {
            return instrumented.to_string();
        }
        let file = inner.files.len();
        let marks = &mut inner.marks;
        let instrumented: Arc<str> = instrument(&text, &mut |mark| {
            marks.push((file, mark));
            marks.len() - 1
        })
        .into();
        inner.files.push((name.to_owned(), text.into()));
        inner.numbers.insert(name.to_owned(), (file, Arc::clone(&instrumented)));
        instrumented.to_string()
    }

    /// Remembers a place that is wrong before the engine sees it.
    pub(super) fn reject(&self, name: &str, line: usize) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.rejected = Some((name.to_owned(), line));
    }

    fn rejected(&self) -> Option<(String, usize)> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).rejected.clone()
    }

    /// Bytes of text behind a mark.
    pub(super) fn mark_length(&self, number: usize) -> usize {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.marks.get(number) {
            Some((_, Mark { kind: MarkKind::Text, source })) => source.len(),
            _ => 0,
        }
    }

    /// File and line of a mark.
    fn line_of(&self, number: usize) -> Option<(String, usize)> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, mark) = inner.marks.get(number)?;
        let (name, text) = inner.files.get(*file)?;
        Some((name.clone(), line_and_column(text, mark.source.start).0))
    }

    fn text(&self, name: &str) -> Option<Arc<str>> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.files.iter().find(|(file, _)| file == name).map(|(_, text)| Arc::clone(text))
    }

    fn contains(&self, character: char) -> bool {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.files.iter().any(|(_, text)| text.contains(character))
    }
}

/// Renders templates of one track.
pub(crate) struct Renderer {
    files: TrackFiles,
    /// Seconds since the epoch.
    now: f64,
    variables: BTreeMap<String, Value>,
}

/// A template that could not be rendered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// Name of the file, relative to the track.
    pub(crate) file: String,
    /// Text of the file, if it could be read.
    pub(crate) text: Option<Arc<str>>,
    /// Line in it.
    pub(crate) line: Option<usize>,
}

/// Text that came out of templates.
pub(crate) struct Rendered {
    pub(crate) text: String,
    shared: Arc<Shared>,
    map: Option<SourceMap>,
}

/// A place in a source file.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Name of the file, relative to the track.
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
    pub(crate) range: Range<usize>,
}

impl Renderer {
    pub(crate) fn new(files: TrackFiles, now: f64) -> Self {
        Self { files, now, variables: BTreeMap::new() }
    }

    /// Variables that every template sees.
    #[cfg(test)]
    pub(crate) fn with_variables(mut self, variables: BTreeMap<String, Value>) -> Self {
        self.variables = variables;
        // Rally's own names win.
        self.variables.remove("now");
        self
    }

    /// Renders the file of this name.
    pub(crate) fn render(&self, name: &str) -> Result<Rendered, Failure> {
        let shared = Arc::new(Shared {
            files: self.files.clone(),
            sources: Sources::default(),
            marking: AtomicBool::new(false),
            last_mark: AtomicUsize::new(usize::MAX),
        });
        let outcome = on_large_stack(|| {
            let text = self.render_once(&shared, name)?;
            let map = self.trace(&shared, name, &text);
            Ok((text, map))
        });
        match outcome {
            Ok((text, map)) => Ok(Rendered { text, shared, map }),
            Err(error) => Err(failure(&error, name, &shared)),
        }
    }

    fn render_once(&self, shared: &Arc<Shared>, name: &str) -> Result<String, Error> {
        let scope = Scope::new(self.variables.clone());
        let environment = environment::new(shared, &scope, self.now);
        environment.get_template(name)?.render(Value::from_dyn_object(scope))
    }

    /// Renders once more, with marks. Where a template looks at what it prints itself (the length of a macro's
    /// output, say), the marks would change the text; then there is no map.
    fn trace(&self, shared: &Arc<Shared>, name: &str, text: &str) -> Option<SourceMap> {
        if text.contains(MARK_START) || shared.sources.contains(MARK_START) {
            return None;
        }
        shared.marking.store(true, Ordering::Relaxed);
        let marked = self.render_once(shared, name).ok()?;
        let (stripped, map) = source_map::strip(&marked);
        (stripped == text).then_some(map)
    }
}

/// Bytes of stack for the engine, which calls itself for each level of an expression and of blocks, includes and
/// macros. The limits on them are met within half of it in a debug build.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Runs on a thread of its own: nobody knows how much stack the caller has left.
fn on_large_stack<T: Send>(run: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    let failed = |what: &str| Error::new(ErrorKind::InvalidOperation, format!("the template engine {what}"));
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("template".to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, run) {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(failed("failed; please report this track"))),
            Err(error) => Err(failed("could not be started").with_source(error)),
        }
    })
}

impl Rendered {
    /// Where a range of the text comes from.
    pub(crate) fn origin(&self, range: Range<usize>) -> Option<Origin> {
        let (number, distance) = self.map.as_ref()?.mark_at(range.start)?;
        let inner = self.shared.sources.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, mark) = inner.marks.get(number)?;
        let (name, text) = inner.files.get(*file)?;
        let source = match mark.kind {
            MarkKind::Text => {
                let start = (mark.source.start + distance).min(mark.source.end);
                start..(start + range.len()).min(mark.source.end).max(start)
            }
            MarkKind::Expression => mark.source.clone(),
        };
        Some(Origin { file: name.clone(), text: Arc::clone(text), range: source })
    }

    /// The `{{ … }}` right before this offset that printed nothing.
    pub(crate) fn empty_expression_before(&self, offset: usize) -> Option<Origin> {
        let inner = self.shared.sources.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let number = self.map.as_ref()?.empty_expression_before(&self.text, offset, &inner.marks)?;
        let (file, mark) = inner.marks.get(number)?;
        let (name, text) = inner.files.get(*file)?;
        Some(Origin { file: name.clone(), text: Arc::clone(text), range: mark.source.clone() })
    }
}

/// The innermost cause of an error: the file and line where it happened, not those that included it.
fn failure(error: &Error, name: &str, shared: &Shared) -> Failure {
    let sources = &shared.sources;
    let mut innermost = error;
    while let Some(source) =
        std::error::Error::source(innermost).and_then(|source| source.downcast_ref::<Error>())
    {
        innermost = source;
    }
    let located =
        chain(error).filter(|error| error.name().is_some_and(|name| sources.text(name).is_some())).last();
    let (file, line) = match (sources.rejected(), located) {
        (Some((file, line)), _) => (file, Some(line)),
        (None, Some(error)) => (error.name().unwrap_or(name).to_owned(), error.line()),
        (None, None) => match sources.line_of(shared.last_mark.load(Ordering::Relaxed)) {
            Some((file, line)) => (file, Some(line)),
            None => (name.to_owned(), None),
        },
    };
    let detail = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_owned);
    let (message, help) = match innermost.kind() {
        ErrorKind::OutOfFuel => (
            "the template does not end: it was stopped after ten million steps".to_owned(),
            Some("look for loops over large ranges, or loops in loops".to_owned()),
        ),
        ErrorKind::TemplateNotFound => {
            (detail, Some("names in include and import are relative to the track's directory".to_owned()))
        }
        ErrorKind::SyntaxError => (format!("template syntax error: {detail}"), None),
        ErrorKind::InvalidOperation if detail.contains("recursion limit") => (
            "the template includes or calls itself without end".to_owned(),
            Some("look for files that include each other, and for macros that call themselves".to_owned()),
        ),
        ErrorKind::InvalidOperation => (detail, None),
        kind if innermost.detail().is_some() => (format!("{kind}: {detail}"), None),
        _ => (detail, None),
    };
    let text = sources.text(&file);
    Failure { message, help, file, text, line }
}

fn chain(error: &Error) -> impl Iterator<Item = &Error> {
    std::iter::successors(Some(error), |error| {
        std::error::Error::source(*error).and_then(|source| source.downcast_ref::<Error>())
    })
}
