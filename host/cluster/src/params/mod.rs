//! Built-in param sources: what the requests of an operation are made of.

mod body_pool;
mod bounds;
mod built_in;
mod bulk;
mod bulk_operation;
mod bulk_options;
mod bulk_plan;
mod bulk_reader;
mod constant;
mod documents;
mod error;
mod ids;
mod permutation;
mod python;

pub use body_pool::BodyPool;
pub use bounds::{Bounds, bounds, bounds_of_range};
pub use built_in::{BuiltInParams, built_in_params};
pub use bulk::{BulkSource, BulkSourceFactory};
pub use bulk_operation::{ConflictRules, reads_documents};
pub use bulk_options::{ActionAndMetaData, BulkOptions, Conflicts};
pub use bulk_plan::{BulkPlan, PartitionPlan, PlannedFile, PlannedReader, bulk_plan, documents_read};
pub use bulk_reader::{Action, Body as BulkBody, Bulk, Reader as BulkReader};
pub use constant::{ConstantSourceFactory, search_params};
pub use documents::{ByteRange, DocumentSet, DocumentsError};
pub use error::ParamError;
#[doc(hidden)]
pub use ids::{Chances, Draws, IdRules, IdSource};
#[doc(hidden)]
pub use permutation::Permutation;
