//! Built-in param sources: what the requests of an operation are made of.

mod body_pool;
mod bounds;
mod bulk;
mod bulk_options;
mod bulk_reader;
mod constant;
mod documents;
mod error;
mod ids;

pub use body_pool::BodyPool;
pub use bounds::{Bounds, bounds};
pub use bulk::{BulkSource, BulkSourceFactory};
pub use bulk_options::{ActionAndMetaData, BulkOptions, Conflicts};
pub use bulk_reader::{Action, Body as BulkBody, Bulk, Reader as BulkReader};
pub use constant::{ConstantSourceFactory, search_params};
pub use documents::{ByteRange, DocumentSet, DocumentsError};
pub use error::ParamError;
#[doc(hidden)]
pub use ids::{Draws, IdSource};
