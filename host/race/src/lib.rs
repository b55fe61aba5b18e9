//! From a track to samples: the race plan, due times, clients, measuring.
//!
//! This crate knows nothing of HTTP or WebAssembly. It owns the traits at the seams ([`Runner`], [`ParamSource`],
//! [`Scheduler`]); whoever performs a task implements them, and a [`Recording`] comes out.

pub mod plan;
pub mod recording;
pub mod seams;

pub use plan::*;
pub use recording::*;
pub use seams::*;
