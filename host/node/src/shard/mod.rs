//! One index on disk and in the search engine.
//!
//! ```text
//! operations ─▶ read the sources ─▶ grow the mapping ─▶ writer lock: versions, ids ─▶ tantivy's queue ─▶ segments
//!               (no lock)           (at most once)      (short)                       (behind the gate)
//! ```
//!
//! Searches never wait for the writer: they take the [`read::ReadView`] that the last refresh or merge installed.
//! A refresh commits and reloads. What is written between two refreshes is known to [`recent`], for versions and for
//! realtime reads. There is no translog: a crash loses what came after the last refresh.
//!
//! - [`core`]: the shard itself, opening and closing;
//! - [`write`]: operations in batches;
//! - [`refresh`]: refresh, flush, when each is due;
//! - [`merge`]: background merges and force merge;
//! - [`growth`]: new fields, and rebuilding when slots run out;
//! - [`gate`]: holding senders back;
//! - [`counters`]: what is counted.

pub mod core;
pub mod counters;
pub mod gate;
pub mod growth;
pub mod merge;
pub mod read;
pub mod recent;
pub mod refresh;
pub mod update;
mod view;
pub mod write;

pub use self::core::Shard;
pub use counters::OpenScroll;
pub use view::ShardView;
