//! What the dialects have in common on the way from JSON to the model.
//!
//! A [`Reader`] walks over a document and notes what is wrong with it, each problem with its place. A [`Schema`] says what
//! keys there are and what their values look like; [`messages`] says for people what it finds. Challenges are
//! [drafts](DraftChallenge) until nothing removes or shortens their tasks any more.

mod draft;
mod filter;
mod messages;
mod places;
mod reader;
mod schema;
mod test_mode;
mod values;

pub(crate) use draft::{Declared, DraftChallenge, DraftElement, DraftParallel, DraftTask};
pub(crate) use filter::FilterRules;
pub use places::Places;
pub(crate) use places::Pointers;
pub(crate) use reader::{Body, Reader};
pub(crate) use schema::Schema;
#[cfg(test)]
pub(crate) use schema::assert_every_key_is_described;
pub(crate) use test_mode::{TEST_DOCUMENTS, shorten_tasks, small_file};

/// Schedulers that every race has.
pub(crate) const BUILT_IN_SCHEDULERS: [&str; 2] = ["deterministic", "poisson"];

pub(crate) use values::{is_plain_file_name, object, optional_text, text, whole};
