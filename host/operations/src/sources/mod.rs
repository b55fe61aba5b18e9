//! The built-in parameter sources but those of documents: what an operation's requests are made of, computed once and
//! from nothing but the track. A race sends it and a plan shows it.
//!
//! Current Rally's names and kinds of parameters, so that whatever reads them (runners, components, people who compare
//! plans) finds what it knows.

mod constant;
mod context;
mod indices;
mod search;
mod source;
mod templates;
mod upkeep;

pub use constant::{ConstantSourceFactory, search_params};
pub use source::{BuiltInParams, built_in_params};
