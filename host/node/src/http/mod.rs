//! HTTP: requests in, answers out, and what lies between a path and its handler.
//!
//! - [`request`]: one request, its path and parameters;
//! - [`response`]: one answer, and how parameters of the answer shape it;
//! - [`route`]: the table of paths;
//! - [`server`]: the sockets.

pub mod request;
pub mod response;
pub mod route;
pub mod server;

pub use request::{Parameters, Request};
pub use response::Response;
pub use route::{Class, Route, Router};
