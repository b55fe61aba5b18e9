//! What operations mean: what their requests are made of, and which documents go into them. No socket is opened here.
//!
//! - [`bulk`]: operations that send the documents of the track.
//! - [`check`]: what a race would refuse of a track, with its place.
//! - [`sources`]: the parameters of all others, computed once and from nothing but the track.

pub mod bulk;
pub mod check;
pub mod sources;

mod error;
mod python;

pub use bulk::{
    BulkPlan, BulkSourceFactory, ByteRange, DocumentSet, DocumentsError, PartitionPlan, PlannedFile,
    PlannedReader, bulk_plan, documents_read, reads_documents,
};
pub use error::ParamError;
pub use sources::{BuiltInParams, ConstantSourceFactory, built_in_params};
