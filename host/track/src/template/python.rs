//! Where minijinja differs from Jinja2: what is printed, and a few filters and methods.

use std::fmt;

use minijinja::Environment;
use minijinja::value::Value;

/// Prints a value as `{{ … }}` does.
pub(super) fn print(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    if value.is_undefined() {
        return Ok(());
    }
    write!(out, "{value}")
}

/// Adds what differs.
pub(super) fn add_to(environment: &mut Environment<'static>) {
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.add_function("joiner", minijinja_contrib::globals::joiner);
    environment.add_function("cycler", minijinja_contrib::globals::cycler);
}
