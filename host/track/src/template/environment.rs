//! An engine that behaves like Rally's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};

use super::complexity::too_complex;
use super::guards;
use super::helpers::{self, Scope};
use super::instrument::{MARK_FUNCTION, instrument};
use super::limits::{self, Meter, Metered};
use super::python;
use super::render::Sources;
use super::source_map::{MARK_END, MARK_START};
use crate::excerpt::line_and_column;
use crate::files::{FileError, TrackFiles};

/// What the engine and the renderer share.
pub(super) struct Shared {
    pub(super) files: TrackFiles,
    pub(super) sources: Sources,
    /// Whether `__at` leaves marks.
    pub(super) marking: AtomicBool,
    /// The mark that was passed last: where a failure is that the engine finds in no file of the track.
    pub(super) last_mark: AtomicUsize,
}

/// An engine for one rendering.
///
/// Two different renderings need two: counters and the scope are used up.
pub(super) fn new(shared: &Arc<Shared>, scope: &Arc<Scope>, now: f64) -> Environment<'static> {
    let mut environment = Environment::new();
    // JSON is no HTML; and minijinja would quote what is printed into a file named *.json.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_fuel(Some(limits::FUEL));
    environment.set_recursion_limit(limits::RECURSION);
    environment.set_debug(true);

    let loader = Arc::clone(shared);
    environment.set_loader(move |name| load(&loader, name));

    let meter = Arc::new(Meter::default());
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

    environment.add_global("now", now);
    environment.add_filter("days_ago", |start: &Value, end: &Value| helpers::days_ago(start, end));
    helpers::add_to(&mut environment, scope, &shared.files);
    python::add_to(&mut environment);
    guards::add_to(&mut environment, &meter);
    environment
}

fn load(shared: &Shared, name: &str) -> Result<Option<String>, Error> {
    if let Some(source) = helpers::template(name) {
        return Ok(Some(source));
    }
    match shared.files.read(name) {
        Ok(text) => {
            let complex = too_complex(&text).map(|offset| line_and_column(&text, offset).0);
            let instrumented = shared.sources.add(name, text, instrument);
            match complex {
                Some(line) => {
                    shared.sources.reject(name, line);
                    Err(Error::new(
                        ErrorKind::InvalidOperation,
                        "this expression, or its nesting, is too complex",
                    ))
                }
                None => Ok(Some(instrumented)),
            }
        }
        Err(FileError::NotFound(_)) => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::InvalidOperation, error.to_string())),
    }
}
