//! One HTTP/1.1 connection per client, driven by the task that uses it, with stamps taken around the socket.
//!
//! The exchange is rally's own: a request is written by the task that measures it, and of the answer only what is needed is
//! read (`httparse` reads the head). A general client costs a dispatcher, a header map and two channels per request. A
//! connection that was closed between requests is opened again before the next request is written; a request that was written
//! is never sent twice. `tests/it/differential_http.rs` holds the exchange to hyper.

mod body;
mod connection;
mod deadline;
mod endpoint;
mod error;
mod io;
mod request;
mod response;
mod sink;
mod wire;

pub use body::ChunkError;
pub use connection::{Answer, Connection, WriteMode};
pub use deadline::Deadline;
pub use endpoint::{Endpoint, EndpointError, KnownAddresses};
pub use error::{ExchangeError, ExchangeErrorKind, MalformedAnswer};
pub use request::{HeaderError, LONGEST_HEADERS, MOST_HEADERS, Request, encode_path, encode_query};
pub use response::HeadError;
pub use sink::{Collect, JsonObject, Sink};
