//! A track's own code from the author's side.

pub mod report;
