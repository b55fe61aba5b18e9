//! What a race of a track would send, without sending it.
//!
//! ```text
//! TrackSource ─▶ rally_track::read ─▶ Track ─▶ plan ─▶ Plan ─▶ canonical JSON, compared byte by byte
//!                                                  └─▶ table ─▶ text for people
//! ```
//!
//! [`plan()`] reads a track and shows it in the shape that plans of Elastic Rally have: the rendered JSON, the track as it is
//! understood, the allocation of clients, and what the built-in parameter sources yield. `docs/plan.md` describes it: it is a stable
//! interface. It uses no network and no data files, and runs nothing of the track's own code.
//!
//! [`table::text`] shows the same to people, with what can be said beforehand of request rates and durations.

pub mod canonical;
pub mod estimate;
pub mod table;

mod allocation;
mod bodies;
mod error;
mod inputs;
mod operations;
mod param_sources;
mod plan;
mod schedule;
mod span;
mod track;

pub use allocation::{Allocation, Cell, Completing};
pub use bodies::{Bodies, BodyReference, WriteBodiesError};
pub use error::PlanError;
pub use inputs::{Inputs, Processor};
pub use operations::PlannedOperation;
pub use param_sources::{
    BulkKey, Failure, ParamSources, Planned, PlannedBulk, PlannedParams, PlannedPartition, PlannedReader,
};
pub use plan::{Made, Plan, RejectedTrack, Rejection, plan};
pub use schedule::{PlannedChallenge, PlannedElement, PlannedTask, PlannedThroughput};
pub use span::{Span, seconds_in_words};
pub use track::{
    PlannedComponentTemplate, PlannedCorpus, PlannedDataStream, PlannedDocuments, PlannedIndex,
    PlannedTemplate, PlannedTrack, PlannedType,
};
