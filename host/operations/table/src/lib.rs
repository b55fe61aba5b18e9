//! The table of operations: one row for each built-in operation type.
//!
//! Whoever needs to know something of an operation type asks here: the reader of tracks for names and parameters, the plan
//! for parameter sources, the cluster for what to send. A row has everything but code; [`Work`] and [`Source`] name the
//! code, and the rooms that hold it match on them exhaustively. To add an operation, add a row to the file of its family
//! and a [`Work`]; the compiler shows where its code belongs.

mod asynchronous;
mod cluster;
mod documents;
mod indices;
mod machine_learning;
mod operation_type;
mod parameter;
mod queries;
mod searches;
mod snapshots;
mod source;
mod templates;
mod transforms;
mod work;

pub use operation_type::{OperationType, Retries, ServerlessStatus};
pub use parameter::{COMMON, Kind, Parameter, RETRY};
pub use source::Source;
pub use work::Work;

/// The rows, by family.
static FAMILIES: [&[OperationType]; 10] = [
    documents::ROWS,
    searches::ROWS,
    queries::ROWS,
    asynchronous::ROWS,
    cluster::ROWS,
    indices::ROWS,
    templates::ROWS,
    snapshots::ROWS,
    transforms::ROWS,
    machine_learning::ROWS,
];
