//! Tracks that rally writes: [`upgrade`] one of 2017 to the current dialect, or [`create`] one from what a cluster holds.
//!
//! ```text
//! Track (2017) ─▶ upgrade ─┐
//!                          ├─▶ text of files
//! cluster ─▶ create ───────┘   and documents
//! ```

mod create;
mod text;
mod upgrade;

pub use create::{CreateError, CreateOptions, CreateProgress, CreatedTrack, DumpedCorpus, Selection, create};
pub use upgrade::{UpgradeError, Upgraded, upgrade};
