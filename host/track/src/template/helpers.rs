//! What Rally adds to Jinja2: the helpers that a track imports, and globals.
//!
//! OpenSearch Benchmark has the same helpers under its own name.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Environment, Error, ErrorKind, State, Value};

use super::dates;
use super::environment::Shared;
use super::instrument::{HELPERS, HELPERS_WITH_CONTEXT};
use super::options::Kind;

/// Renders each part on its own, down to the white space between them. The parts see the variables that the importing
/// template had at the import if it was `with context`, and none otherwise.
///
/// In 2017 a part can collect in its turn: its patterns are relative to its own directory, or to the track's where
/// nothing matches there.
fn collect(kind: Kind) -> String {
    let (parts, enter) = match kind {
        Kind::TrackOf2017 => ("__glob(parts)", "__enter(__variables, part, collect)"),
        Kind::Track | Kind::Body => ("__glob(parts)", "__enter(__variables)"),
    };
    let space = |width: usize| format!("\n{:width$}", "");
    [
        "{% macro collect(parts) %}{% set comma = joiner() %}",
        &space(12),
        "{% for part in ",
        parts,
        " %}",
        &space(16),
        "{{ comma() }}",
        &space(16),
        "{{ ",
        enter,
        " }}{% with %}{% include part %}{% endwith %}{{ __leave() }}",
        &space(12),
        "{% endfor %}{% endmacro %}",
    ]
    .concat()
}

/// A member of an object, if there is a value for it. What is printed between its parts is white space only.
fn exists_set_param() -> String {
    let line = |width: usize| format!("\n{:width$}", "");
    let member =
        |value: &str| [&line(18), "\"{{ setting_name }}\": {{ ", value, " | tojson }}", &line(16)].concat();
    [
        "{% macro exists_set_param(setting_name, value, default_value=none, comma=true) %}",
        "{% if value is defined or default_value is not none %}",
        &line(16),
        "{% if comma %} , {% endif %}",
        &line(16),
        "{% if default_value is none %}",
        &member("value"),
        "{% else %}",
        &member("value | default(default_value)"),
        "{% endif %}",
        &line(14),
        "{% endif %}{% endmacro %}",
    ]
    .concat()
}

/// Source of the template of this name, if it is one of the helpers.
pub(super) fn template(name: &str, kind: Kind) -> Option<String> {
    let context = match name {
        _ if HELPERS.contains(&name) => "none",
        _ if HELPERS_WITH_CONTEXT.contains(&name) => "__capture()",
        _ => return None,
    };
    let exists_set_param = match kind {
        Kind::TrackOf2017 => String::new(),
        Kind::Track | Kind::Body => exists_set_param(),
    };
    Some(format!("{{% set __variables = {context} %}}{}{exists_set_param}", collect(kind)))
}

/// The variables of a rendering that no template sets, with those that the parts of a collection see.
#[derive(Debug, Default)]
pub(super) struct Scope {
    entered: Mutex<Vec<Entered>>,
}

#[derive(Debug, Clone)]
struct Entered {
    variables: Value,
    /// The helpers and the part's directory, in 2017.
    helpers: Option<(Value, String)>,
}

impl Scope {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    fn entered(&self) -> Option<Entered> {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).last().cloned()
    }

    fn push(&self, entered: Entered) {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).push(entered);
    }

    fn pop(&self) {
        self.entered.lock().unwrap_or_else(PoisonError::into_inner).pop();
    }
}

impl Object for Scope {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let entered = self.entered()?;
        match entered.helpers {
            Some((helpers, _)) if key.as_str() == Some("rally") => Some(helpers),
            _ => entered.variables.get_item_opt(key),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let entered = self.entered();
        let names = entered.iter().flat_map(|entered| entered.variables.try_iter()).flatten();
        Enumerator::Values(names.collect())
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

/// Adds Rally's globals, filters, and the functions that the helpers call.
pub(super) fn add_to(environment: &mut Environment<'static>, scope: &Arc<Scope>, shared: &Arc<Shared>) {
    environment.add_function("__capture", capture);
    if shared.kind != Kind::TrackOf2017 {
        environment.add_global("build_flavor", shared.options.build_flavor.clone());
        environment.add_global("serverless_operator", shared.options.serverless_operator);
    }
    if shared.kind != Kind::Body {
        environment.add_global("now", shared.options.now);
        let globbing = Arc::clone(shared);
        environment.add_function("glob", move |pattern: String| glob(&globbing, "", &pattern));
        dates::add_to(environment);
    }

    let (glob_scope, globbing) = (Arc::clone(scope), Arc::clone(shared));
    environment.add_function("__glob", move |pattern: String| -> Result<Vec<String>, Error> {
        let helpers = glob_scope.entered().and_then(|entered| entered.helpers);
        let directory = helpers.map(|(_, directory)| directory).unwrap_or_default();
        let nearby = glob(&globbing, &directory, &pattern)?;
        let found =
            if nearby.is_empty() && !directory.is_empty() { glob(&globbing, "", &pattern)? } else { nearby };
        // The second rendering, with marks, finds nothing new.
        if found.is_empty() && !globbing.marking.load(Ordering::Relaxed) {
            let place = globbing.sources.place_of(globbing.last_mark.load(Ordering::Relaxed));
            globbing.empty_collections.lock().unwrap_or_else(PoisonError::into_inner).push((pattern, place));
        }
        Ok(found)
    });

    let enter_scope = Arc::clone(scope);
    let enter = move |variables: Value, part: Option<String>, collect: Option<Value>| {
        let helpers = part.zip(collect).map(|(part, collect)| {
            let directory = part.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
            (Value::from_pairs([("collect", collect)]), directory)
        });
        enter_scope.push(Entered { variables, helpers });
        ""
    };
    environment.add_function("__enter", enter);

    let leave_scope = Arc::clone(scope);
    environment.add_function("__leave", move || {
        leave_scope.pop();
        ""
    });
}

/// Names of files below the track's directory.
fn glob(shared: &Shared, base: &str, pattern: &str) -> Result<Vec<String>, Error> {
    shared
        .files
        .glob(base, pattern)
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, format!("cannot collect parts: {error}")))
}

/// All variables that the importing template has at this moment.
fn capture(state: &State) -> Value {
    let globals: Vec<String> = state.env().globals().map(|(name, _)| name.to_owned()).collect();
    let is_own = |name: &str| name != "__variables" && !globals.iter().any(|global| global == name);
    let names = state.known_variables().into_iter().filter(|name| is_own(name));
    Value::from_pairs(names.filter_map(|name| state.lookup(&name).map(|value| (name.into_owned(), value))))
}
