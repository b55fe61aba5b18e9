//! Components as what a race knows: param sources, runners, schedulers.
//!
//! [`source`], [`runner`] and [`scheduler`] are the fast way: each has instances of its own. [`shared`] is the way of guests
//! whose source, runner and scheduler share objects.

pub(crate) mod outcome;
pub(crate) mod pool;
pub(crate) mod runner;
pub(crate) mod scheduler;
pub(crate) mod shared;
pub(crate) mod source;
pub(crate) mod task;
