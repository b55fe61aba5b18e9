//! An engine that behaves like Rally's.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::assembly::Assembled;
use super::chance;
use super::complexity::too_complex;
use super::containers;
use super::filters;
use super::globals;
use super::guards;
use super::helpers::{self, Scope};
use super::instrument::{MARK_FUNCTION, instrument};
use super::limits::{self, Meter, Metered};
use super::markup;
use super::operators;
use super::options::{Kind, RenderOptions};
use super::python;
use super::range;
use super::source_map::{MARK_END, MARK_START};
use super::sources::{Place, Sources};
use super::text;
use crate::files::{FileError, TrackFiles};

/// What the engine and the renderer share.
pub(super) struct Shared {
    pub(super) files: TrackFiles,
    pub(super) options: RenderOptions,
    pub(super) kind: Kind,
    pub(super) sources: Sources,
    /// The patterns of `rally.collect` that no file matches, and where they stand.
    pub(super) empty_collections: Mutex<Vec<(String, Option<Place>)>>,
    /// When the first rendering of the track began.
    pub(super) started: Instant,
    /// Whether `__at` leaves marks.
    pub(super) marking: AtomicBool,
    /// The mark that was passed last: where a failure is that the engine finds in no file of the track.
    pub(super) last_mark: AtomicUsize,
}

/// An engine for one rendering.
///
/// Two different renderings need two: counters and the scope are used up.
pub(super) fn new(shared: &Arc<Shared>, scope: &Arc<Scope>) -> Environment<'static> {
    let mut environment = Environment::new();
    // JSON is no HTML; and minijinja would quote what is printed into a file named *.json.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_fuel(Some(limits::FUEL));
    environment.set_recursion_limit(limits::RECURSION);
    environment.set_debug(true);

    let loader = Arc::clone(shared);
    environment.set_loader(move |name| load(&loader, name));

    let meter = Arc::new(Meter::new(shared.started));
    let printed = Arc::clone(&meter);
    environment.set_formatter(move |out, _state, value| {
        let result = python::print(&mut Metered { out, meter: &printed }, value);
        result.map_err(|std::fmt::Error| limits::output_too_large())
    });

    let (marks, text) = (Arc::clone(shared), Arc::clone(&meter));
    environment.add_function(MARK_FUNCTION, move |number: usize| -> Result<Value, Error> {
        marks.last_mark.store(number, Ordering::Relaxed);
        text.print(marks.sources.mark_length(number))?;
        Ok(match marks.marking.load(Ordering::Relaxed) {
            true => Value::from(format!("{MARK_START}{number}{MARK_END}")),
            false => Value::from(""),
        })
    });

    python::add_to(&mut environment);
    operators::add_to(&mut environment);
    for (name, value) in &shared.options.parameters {
        environment.add_global(name.clone(), containers::from_json(value));
    }
    // After the parameters: Rally's own names win.
    helpers::add_to(&mut environment, scope, shared);
    guards::add_to(&mut environment, &meter);
    filters::add_to(&mut environment);
    text::add_to(&mut environment);
    markup::add_to(&mut environment);
    range::add_to(&mut environment);
    globals::add_to(&mut environment);
    chance::add_to(&mut environment, shared.options.seed);
    environment
}

fn load(shared: &Shared, name: &str) -> Result<Option<String>, Error> {
    if let Some(source) = helpers::template(name, shared.kind) {
        return Ok(Some(source));
    }
    if let Some(known) = shared.sources.instrumented(name) {
        return Ok(Some(known));
    }
    if shared.kind == Kind::Body {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("a body can include and import only the helpers, not '{name}'"),
        ));
    }
    match shared.files.read(name) {
        Ok(text) => shared.add(name, Assembled::of(name, text)).map(Some),
        Err(FileError::NotFound(_)) => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::InvalidOperation, error.to_string())),
    }
}

impl Shared {
    /// Rewrites a template for the engine.
    pub(super) fn add(&self, name: &str, assembled: Assembled) -> Result<String, Error> {
        if let Some(offset) = too_complex(&assembled.text) {
            let origin = assembled.origin(offset);
            self.sources.reject(origin.map(|(file, offset)| Place { file: file.clone(), offset }));
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                "this expression, or its nesting, is too complex",
            ));
        }
        Ok(self.sources.add(name, assembled, instrument))
    }
}
