//! Version 0.1.0 of the WIT package: what the host offers to components that were written for it, and how it calls them.
//!
//! A later version gets a module of its own beside this one. [`bindings`] is generated; [`state`] is what an instance has in
//! the host; the other modules implement one imported interface each.

pub(crate) mod async_;
pub(crate) mod bindings;
pub(crate) mod bodies;
pub(crate) mod call;
pub(crate) mod client;
pub(crate) mod corpora;
pub(crate) mod files;
pub(crate) mod linking;
pub(crate) mod plain;
pub(crate) mod state;
pub(crate) mod sync;
pub(crate) mod track_view;

/// Which version this is.
pub(crate) const VERSION: &str = "0.1.0";
