//! What Rally adds to Jinja2: `rally.collect`, `now` and `days_ago`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::instrument::{HELPERS, HELPERS_WITH_CONTEXT};
use crate::files::TrackFiles;

/// Rally's macro, down to the white space that it prints. The parts of a collection see, as in Rally of 2017, the
/// variables that the importing template had at the import if it was `with context`, and none otherwise.
///
/// A part can collect in its turn, which only later versions of Rally knew: its patterns are relative to its own
/// directory, or to the track's where nothing matches there.
const COLLECT: &str = "{% macro collect(parts) %}{% set comma = joiner() %}
            {% for part in __glob(parts) %}
                {{ comma() }}
                {{ __enter(__variables, part, collect) }}{% with %}{% include part %}{% endwith %}{{ __leave() }}
            {% endfor %}{% endmacro %}";

/// Source of the template of this name, if it is one of the helpers.
pub(super) fn template(name: &str) -> Option<String> {
    let context = match name {
        HELPERS => "none",
        HELPERS_WITH_CONTEXT => "__capture()",
        _ => return None,
    };
    Some(format!("{{% set __variables = {context} %}}{COLLECT}"))
}

/// The variables of a rendering that no template sets, with those that the parts of a collection see.
#[derive(Debug, Default)]
pub(super) struct Scope {
    base: BTreeMap<String, Value>,
    entered: Mutex<Vec<Entered>>,
}

#[derive(Debug, Clone)]
struct Entered {
    variables: Value,
    helpers: Value,
    directory: String,
}

impl Scope {
    pub(super) fn new(base: BTreeMap<String, Value>) -> Arc<Self> {
        Arc::new(Self { base, entered: Mutex::default() })
    }

    fn entered(&self) -> Option<Entered> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }
}

impl Object for Scope {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        if let Some(entered) = self.entered() {
            if name == "rally" {
                return Some(entered.helpers);
            }
            if let Some(value) = entered.variables.get_item_opt(key) {
                return Some(value);
            }
        }
        self.base.get(name).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut names: Vec<Value> = self.base.keys().map(|name| Value::from(name.as_str())).collect();
        if let Some(entered) = self.entered() {
            names.extend(entered.variables.try_iter().into_iter().flatten());
        }
        Enumerator::Values(names)
    }
}

trait GetItemOpt {
    fn get_item_opt(&self, key: &Value) -> Option<Value>;
}

impl GetItemOpt for Value {
    fn get_item_opt(&self, key: &Value) -> Option<Value> {
        if self.is_none() || self.is_undefined() {
            return None;
        }
        self.get_item(key).ok().filter(|value| !value.is_undefined())
    }
}

/// Adds the functions that the helpers' template calls.
pub(super) fn add_to(environment: &mut Environment<'static>, scope: &Arc<Scope>, files: &TrackFiles) {
    environment.add_function("__capture", capture);

    let (glob_scope, glob_files) = (Arc::clone(scope), files.clone());
    environment.add_function("__glob", move |pattern: String| -> Result<Vec<String>, Error> {
        let directory = glob_scope.entered().map(|entered| entered.directory).unwrap_or_default();
        let find = |base: &str| {
            glob_files.glob(base, &pattern).map_err(|error| {
                Error::new(ErrorKind::InvalidOperation, format!("cannot collect parts: {error}"))
            })
        };
        let nearby = find(&directory)?;
        if nearby.is_empty() && !directory.is_empty() { find("") } else { Ok(nearby) }
    });

    let enter_scope = Arc::clone(scope);
    environment.add_function("__enter", move |variables: Value, part: String, collect: Value| {
        let directory = part.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
        let helpers = Value::from_pairs([("collect", collect)]);
        enter_scope.entered.lock().unwrap_or_else(PoisonError::into_inner).push(Entered {
            variables,
            helpers,
            directory,
        });
        ""
    });

    let leave_scope = Arc::clone(scope);
    environment.add_function("__leave", move || {
        leave_scope.entered.lock().unwrap_or_else(PoisonError::into_inner).pop();
        ""
    });
}

/// All variables that the importing template has at this moment.
fn capture(state: &State) -> Value {
    let globals: Vec<String> = state.env().globals().map(|(name, _)| name.to_owned()).collect();
    let is_own = |name: &str| name != "__variables" && !globals.iter().any(|global| global == name);
    let names = state.known_variables().into_iter().filter(|name| is_own(name));
    Value::from_pairs(names.filter_map(|name| state.lookup(&name).map(|value| (name.into_owned(), value))))
}

/// Whole days between two moments, each seconds since the epoch or `dd-mm-yyyy`, in UTC. Rounded down, as Python's
/// `timedelta.days`.
pub(super) fn days_ago(start: &Value, end: &Value) -> Result<i64, Error> {
    let days = (epoch_seconds(end)? - epoch_seconds(start)?) / 86_400.0;
    Ok(days.floor() as i64)
}

fn epoch_seconds(value: &Value) -> Result<f64, Error> {
    let invalid = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    if let Some(text) = value.as_str() {
        return jiff::civil::Date::strptime("%d-%m-%Y", text)
            .and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC))
            .map(|date| date.timestamp().as_second() as f64)
            .map_err(|_| invalid(format!("days_ago: [{text}] is not a date of the form dd-mm-yyyy")));
    }
    // As in Rally only a float is a moment: `5 | days_ago(now)` is a mistake.
    if value.is_number() && !value.is_integer() {
        return f64::try_from(value.clone());
    }
    Err(invalid(format!(
        "days_ago needs a date of the form 'dd-mm-yyyy' or a moment such as now, not [{value}]"
    )))
}
