//! Operations that send the documents of the track: `index` in 2017, `bulk` today.
//!
//! ```text
//! options_2017, options_current ─▶ plan ─▶ source ─▶ reader ─▶ bodies
//! what the operation says          which documents   lines, ids
//!                                  of which client
//! ```

mod body_pool;
mod bounds;
mod documents;
mod ids;
mod options_2017;
mod options_current;
mod permutation;
mod plan;
mod reader;
mod source;

pub use body_pool::BodyPool;
pub use bounds::{Bounds, bounds, bounds_of_range};
pub use documents::{ByteRange, DocumentSet, DocumentsError};
#[doc(hidden)]
pub use ids::{Chances, Draws, IdRules, IdSource};
pub use options_2017::{ActionAndMetaData, BulkOptions, Conflicts};
pub use options_current::{ConflictRules, reads_documents};
#[doc(hidden)]
pub use permutation::Permutation;
pub use plan::{BulkPlan, PartitionPlan, PlannedFile, PlannedReader, bulk_plan, documents_read};
pub use reader::{Action, Body as BulkBody, Bulk, Reader as BulkReader};
pub use source::{BulkSource, BulkSourceFactory};
