//! Jinja2 templates as Rally uses them, rendered by minijinja.
//!
//! ```text
//! file ─▶ instrument ─▶ minijinja ─▶ rendered text ─▶ source map
//!         calls of `__at`    └─ python: what Jinja2 prints and how its filters behave
//!         before each text   └─ helpers: rally.collect, now, days_ago
//!                            └─ limits, guards: fuel, recursion, output, size of values
//! ```
//!
//! A user sees errors in the files that they wrote, not in the text that comes out. Each template is therefore
//! rewritten before it is compiled: in front of each piece of its text, and of each `{{ … }}`, stands a call that
//! leaves a mark in the output when the template is rendered for the second time. The marked text without its marks is
//! the same as the first rendering (it is compared), so a position in the text leads back to a file and an offset,
//! through includes, `rally.collect` and macros.
//!
//! The same calls count what a template emits into variables, which the size limit of the output alone does not see.

mod assembly;
mod complexity;
mod containers;
mod dates;
mod environment;
mod expressions;
mod filters;
mod guards;
mod helpers;
mod instrument;
mod limits;
mod operators;
mod options;
mod parsed;
mod printf;
mod python;
mod render;
mod source_map;
mod sources;
mod statements;
mod strings;
mod undeclared;

#[cfg(test)]
mod tests;

pub(crate) use options::{RESERVED_PARAMETERS, RenderOptions};
pub(crate) use render::{Failure, Rendered, Renderer};
