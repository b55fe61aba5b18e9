//! Renders a track and remembers where each part of the text comes from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use minijinja::{Error, ErrorKind, Value};

use super::assembly::{Assembled, AssemblyError, assemble};
use super::complexity::too_complex;
use super::environment::{self, Shared};
use super::helpers::Scope;
use super::limits::RECURSION;
use super::options::{Kind, RenderOptions};
use super::source_map::{self, MARK_START, SourceMap};
use super::sources::{Place, Sources};
use super::undeclared::undeclared;
use crate::files::TrackFiles;
use crate::invisible;

/// Renders templates of one track.
#[derive(Debug, Clone)]
pub(crate) struct Renderer {
    files: TrackFiles,
    options: RenderOptions,
    /// The templates that renderings took in, besides those that were rendered.
    loaded: Arc<Mutex<BTreeSet<String>>>,
    /// When the first rendering began: all of them share one deadline.
    started: Arc<OnceLock<Instant>>,
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
    /// Where in it.
    pub(crate) at: Option<At>,
}

/// Where a template failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// In a line.
    Line(usize),
    /// In a tag.
    Tag(Range<usize>),
}

/// Text that came out of templates.
pub(crate) struct Rendered {
    pub(crate) text: String,
    shared: Arc<Shared>,
    /// Made when something must be found in the sources.
    map: OnceLock<Option<SourceMap>>,
}

/// A place in a source file.
#[derive(Debug)]
pub(crate) struct Origin {
    /// Name of the file, relative to the track.
    pub(crate) file: String,
    pub(crate) text: Arc<str>,
    pub(crate) range: Range<usize>,
}

/// The name by which the engine knows what is rendered; no file can have it.
const MAIN: &str = "\0main";

impl Renderer {
    pub(crate) fn new(files: TrackFiles, options: &RenderOptions) -> Self {
        Self { files, options: options.clone(), loaded: Arc::default(), started: Arc::default() }
    }

    /// Renders a track.
    pub(crate) fn render(&self, name: &str) -> Result<Rendered, Failure> {
        self.render_as(name, Kind::Track)
    }

    /// Renders a track by the rules of 2017, which differ in what the parts of `rally.collect` see and leave behind.
    pub(crate) fn render_of_2017(&self, name: &str) -> Result<Rendered, Failure> {
        self.render_as(name, Kind::TrackOf2017)
    }

    /// Renders the body of an index or a template, which sees less than a track.
    pub(crate) fn render_body(&self, name: &str) -> Result<Rendered, Failure> {
        self.render_as(name, Kind::Body)
    }

    /// The parameters that a file, a track or a body, reads with all that it collects, includes and imports: those that a
    /// user may set.
    pub(crate) fn defined_parameters(&self, name: &str) -> Result<BTreeSet<String>, Failure> {
        let shared = self.shared(Kind::Track);
        let assembled = self.assemble(name, Kind::Track)?;
        let text = assembled.text.clone();
        let mut readers = Readers { files: &self.files, read: BTreeMap::new() };
        let defined =
            shared.add(MAIN, assembled).and_then(|_| on_large_stack(|| readers.main(&text, &self.loaded())));
        defined.map_err(|error| failure(&error, name, &shared))
    }

    fn loaded(&self) -> BTreeSet<String> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn shared(&self, kind: Kind) -> Arc<Shared> {
        Arc::new(Shared {
            files: self.files.clone(),
            options: self.options.clone(),
            kind,
            sources: Sources::default(),
            empty_collections: Mutex::default(),
            started: *self.started.get_or_init(Instant::now),
            marking: AtomicBool::new(false),
            last_mark: AtomicUsize::new(usize::MAX),
        })
    }

    fn render_as(&self, name: &str, kind: Kind) -> Result<Rendered, Failure> {
        let assembled = self.assemble(name, kind)?;
        let shared = self.shared(kind);
        let empty = assembled.empty().iter();
        let empty = empty.map(|(file, offset, pattern)| {
            (pattern.clone(), Some(Place { file: file.clone(), offset: *offset }))
        });
        shared.empty_collections.lock().unwrap_or_else(PoisonError::into_inner).extend(empty);
        let outcome = shared.add(MAIN, assembled).and_then(|_| on_large_stack(|| render_once(&shared)));
        let loaded = shared.sources.names().into_iter().filter(|name| name != MAIN);
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).extend(loaded);
        match outcome {
            Ok(text) => Ok(Rendered { text, shared, map: OnceLock::new() }),
            Err(error) => Err(failure(&error, name, &shared)),
        }
    }

    fn assemble(&self, name: &str, kind: Kind) -> Result<Assembled, Failure> {
        let assembled = match kind {
            Kind::Track | Kind::Body => assemble(&self.files, name),
            Kind::TrackOf2017 => match self.files.read(name) {
                Ok(text) => Ok(Assembled::of(name, text)),
                Err(error) => Err(AssemblyError { message: error.to_string(), at: None }),
            },
        };
        assembled.map_err(|AssemblyError { message, at }| match at {
            Some((file, offset)) => Failure::at(message, None, &Place { file, offset }),
            None => Failure { message, help: None, file: name.to_owned(), text: None, at: None },
        })
    }
}

/// What templates of a track read that others take in.
struct Readers<'a> {
    files: &'a TrackFiles,
    /// By name; nothing of a template while it is looked through.
    read: BTreeMap<String, BTreeSet<String>>,
}

impl Readers<'_> {
    /// What a main template reads. Names of templates can be computed, so those that were taken in when it was rendered
    /// count as well.
    fn main(&mut self, text: &str, taken_in: &BTreeSet<String>) -> Result<BTreeSet<String>, Error> {
        let mut found = undeclared(text, MAIN, &mut |name| self.of(name, 0))?;
        for name in taken_in {
            if !self.read.contains_key(name) {
                found.extend(self.of(name, 0));
            }
        }
        Ok(found)
    }

    /// A template that cannot be read or parsed reads nothing: if it is needed, rendering says what is wrong with it.
    fn of(&mut self, name: &str, level: usize) -> BTreeSet<String> {
        if let Some(known) = self.read.get(name) {
            return known.clone();
        }
        self.read.insert(name.to_owned(), BTreeSet::new());
        let Ok(text) = self.files.read(name) else { return BTreeSet::new() };
        if level == RECURSION || too_complex(&text).is_some() {
            return BTreeSet::new();
        }
        let found = undeclared(&text, name, &mut |name| self.of(name, level + 1)).unwrap_or_default();
        self.read.insert(name.to_owned(), found.clone());
        found
    }
}

fn render_once(shared: &Arc<Shared>) -> Result<String, Error> {
    let scope = Scope::new();
    let environment = environment::new(shared, &scope);
    environment.get_template(MAIN)?.render(Value::from_dyn_object(scope))
}

/// Bytes of stack for the engine, which calls itself for each level of an expression and of blocks, includes and
/// macros. The limits on them are met within half of it in a debug build.
const STACK_BYTES: usize = 32 * 1024 * 1024;

/// Runs on a thread of its own: the caller may have little stack left.
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
    /// Renders once more, with marks. Where a template looks at what it prints itself (the length of a macro's output,
    /// say), the marks would change the text; then there is no map.
    fn map(&self) -> Option<&SourceMap> {
        let trace = || {
            if self.text.contains(MARK_START) || self.shared.sources.contains(MARK_START) {
                return None;
            }
            self.shared.marking.store(true, Ordering::Relaxed);
            let marked = on_large_stack(|| render_once(&self.shared)).ok()?;
            let (stripped, map) = source_map::strip(&marked);
            (stripped == self.text).then_some(map)
        };
        self.map.get_or_init(trace).as_ref()
    }

    /// Where a range of the text comes from.
    pub(crate) fn origin(&self, range: Range<usize>) -> Option<Origin> {
        let (number, distance) = self.map()?.mark_at(range.start)?;
        let (place, source) = self.shared.sources.origin(number, distance, range.len())?;
        Some(Origin { file: place.file.name.to_string(), text: place.file.text, range: source })
    }

    /// The `{{ … }}` that printed what stands at this offset, and all that it printed.
    pub(crate) fn expression_at(&self, offset: usize) -> Option<(Origin, &str)> {
        let sources = &self.shared.sources;
        let (number, printed) = self.map()?.expression_at(&self.text, offset, sources)?;
        let (place, source) = sources.origin(number, 0, 0)?;
        let origin = Origin { file: place.file.name.to_string(), text: place.file.text, range: source };
        Some((origin, printed))
    }

    #[cfg(test)]
    pub(super) fn started(&self) -> Instant {
        self.shared.started
    }

    /// The patterns of `rally.collect` that no file matches, and where they stand.
    pub(crate) fn empty_collections(&self) -> Vec<(String, Option<Place>)> {
        self.shared.empty_collections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The `{{ … }}` right before this offset that printed nothing.
    pub(crate) fn empty_expression_before(&self, offset: usize) -> Option<Origin> {
        let sources = &self.shared.sources;
        let number = self.map()?.empty_expression_before(&self.text, offset, sources)?;
        let (place, source) = sources.origin(number, 0, 0)?;
        Some(Origin { file: place.file.name.to_string(), text: place.file.text, range: source })
    }
}

impl Failure {
    pub(super) fn at(message: String, help: Option<String>, place: &Place) -> Self {
        Self {
            message,
            help,
            file: place.file.name.to_string(),
            text: Some(Arc::clone(&place.file.text)),
            at: Some(At::Line(place.line())),
        }
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
        chain(error).filter(|error| error.name().is_some_and(|name| sources.has_template(name))).last();
    let last_mark = shared.last_mark.load(Ordering::Relaxed);
    let (message, help) = explain(innermost);
    let tag = located.and_then(|error| sources.tag_at(error.name()?, error.range()?.start));
    if let (Some((place, length)), None) = (tag, sources.rejected()) {
        let end = (place.offset + length).min(place.file.text.len());
        let message = match place.file.text.get(place.offset..end).and_then(invisible::first) {
            Some((_, character)) if innermost.kind() == ErrorKind::SyntaxError => {
                format!("{message}; the tag contains {character}")
            }
            _ => message,
        };
        return Failure { at: Some(At::Tag(place.offset..end)), ..Failure::at(message, help, &place) };
    }
    let place = sources.rejected().or_else(|| match located {
        Some(error) => sources.place_of_line(error.name()?, error.line()?, last_mark),
        None => sources.place_of(last_mark),
    });
    match place {
        Some(place) => Failure::at(message, help, &place),
        None => Failure { message, help, file: name.to_owned(), text: None, at: None },
    }
}

fn explain(error: &Error) -> (String, Option<String>) {
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    match error.kind() {
        ErrorKind::OutOfFuel => (
            "the template does not end: rally stopped it after ten million steps".to_owned(),
            Some("look for loops over large ranges, or loops in loops".to_owned()),
        ),
        ErrorKind::TemplateNotFound => {
            (detail, Some("names in include and import are relative to the track's directory".to_owned()))
        }
        ErrorKind::SyntaxError => (format!("template syntax error: {detail}"), None),
        ErrorKind::InvalidOperation if detail.contains("recursion limit") => (
            "the template includes or calls itself forever".to_owned(),
            Some("look for files that include each other, and for macros that call themselves".to_owned()),
        ),
        ErrorKind::InvalidOperation => (detail, None),
        kind if error.detail().is_some() => (format!("{kind}: {detail}"), None),
        _ => (detail, None),
    }
}

fn chain(error: &Error) -> impl Iterator<Item = &Error> {
    std::iter::successors(Some(error), |error| {
        std::error::Error::source(*error).and_then(|source| source.downcast_ref::<Error>())
    })
}
