//! Version 0.1.0 of the WIT package: what the host offers to components that were written for it, and how it calls them.
//!
//! A later version gets a module of its own beside this one. [`bindings`] is generated; [`state`] is what an instance has in
//! the host; the other modules implement one imported interface each.

mod async_;
mod bindings;
mod bodies;
mod call;
mod calls;
mod client;
mod corpora;
mod describe;
mod files;
mod linking;
mod plain;
mod state;
mod sync;
mod track_view;

pub(crate) use async_::AsyncInstance;
pub(crate) use linking::Linked;
pub(crate) use sync::SyncInstance;
pub(crate) use track_view::restore as restore_track;

/// Which version this is.
const VERSION: &str = "0.1.0";
