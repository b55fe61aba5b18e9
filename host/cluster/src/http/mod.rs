//! One HTTP/1.1 connection per client, driven by the task that uses it, with stamps taken around the socket.
//!
//! hyper's connection handle is polled by the request itself instead of by a spawned task: no task switch stands between
//! the socket and the measurement, and no runtime has to be local. A connection that was closed between requests is
//! opened again before the next request is written; a request that was written is never sent twice.

mod connection;
mod deadline;
mod endpoint;
mod error;
mod io;
mod request;
mod sink;

pub use connection::{Answer, Connection, WriteMode};
pub use deadline::Deadline;
pub use endpoint::{Endpoint, EndpointError, KnownAddresses};
pub use error::{ExchangeError, ExchangeErrorKind};
pub use request::{Request, encode_path, encode_query};
pub use sink::{Collect, JsonObject, Sink};
