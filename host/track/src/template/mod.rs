//! Jinja2 templates as Rally uses them, rendered by minijinja.
//!
//! ```text
//! file ─▶ assembly ─▶ instrument, statements ─▶ minijinja ─▶ rendered text ─▶ source map
//!         parts that    marks and guards;         └─ operators, containers, filters, printf: what Python computes
//!         are pasted    expressions rewritten     └─ python: what Python prints
//!         in            where Python differs      └─ helpers, dates: what Rally adds
//!                                                 └─ limits, guards: fuel, recursion, output, size of values
//!      ─▶ undeclared: the parameters that a template reads
//! ```
//!
//! A user sees errors in the files that they wrote, not in the text that comes out. Each template is therefore
//! rewritten before it is compiled: in front of each piece of its text, and of each `{{ … }}`, stands a call that
//! leaves a mark in the output when the template is rendered once more, which is done only if something must be located.
//! The marked text without its marks is the same as the first rendering (it is compared), so a position in the text
//! leads back to a file and an offset, through pasted parts, includes and macros.
//!
//! The same calls count what a template emits into variables, which the size limit of the output alone does not see.
//!
//! Known to differ from Jinja2 3.1: a template that is imported, or included, without context sees the variables of the
//! importing one; results of `map`, `select` and the like can be walked over twice; integers end at 128 bits; an operator
//! right behind a test (`x is number + 1`) and a sign `+` are errors; nothing is escaped but by a filter, and `pprint` does
//! not break lines; `random` and `lipsum` draw from the seed of the race, so that each rendering gets the same.
//! `tests/golden/jinja2_builtins.json` has what Jinja2 itself prints for each of its filters, tests and functions, and for the
//! methods of Python's types.

mod assembly;
mod bytes;
mod chance;
mod complexity;
mod containers;
mod dates;
mod environment;
mod expressions;
mod filters;
mod globals;
mod guards;
mod helpers;
mod instrument;
mod limits;
mod markup;
mod operators;
mod options;
mod parsed;
mod printf;
mod python;
mod range;
mod references;
mod render;
mod source_map;
mod sources;
mod statements;
mod str_format;
mod strings;
mod text;
mod undeclared;

#[cfg(test)]
mod tests;

pub(crate) use options::{RESERVED_PARAMETERS, RenderOptions};
pub(crate) use render::{At, Failure, Rendered, Renderer};
pub(crate) use sources::Place;
