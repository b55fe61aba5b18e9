//! Elasticsearch and OpenSearch over HTTP: client, runners of built-in operations, telemetry.
//!
//! A race goes like this: [`Cluster::connect`] asks the target who it is and derives its [`Capabilities`];
//! [`TargetBindings`] binds each task to a param source and a runner that speak as that version understands;
//! before each lap [`prepare_lap`] creates templates and indices; then [`LapTelemetry`] is started, and finished after the lap.
//!
//! - [`runners`]: one operation, measured around the socket; runs on the sending threads.
//! - [`http`]: one connection per client.
//! - [`setup`]: templates and indices before each lap. [`telemetry`]: what the cluster says of itself around it.
//! - [`version`]: the only place where version numbers are compared.

pub mod answer;
pub mod bindings;
pub mod client_options;
pub mod cluster;
pub mod hint;
mod hosts;
pub mod http;
pub mod runners;
pub mod setup;
pub mod telemetry;
pub mod tls;
pub mod version;

pub use bindings::{TargetBindings, unknown_param_source};
pub use client_options::{ClientOptions, ClientOptionsError, SECRET_CLIENT_OPTIONS};
pub use cluster::{Api, CallError, CallProblem, Cluster, ClusterError};
pub use hosts::{TargetHost, TargetHostsError, parse_target_hosts};
pub use setup::{
    ClusterHealth, HealthExpectation, MappingError, SetupError, TemplateError, index_mappings, prepare_lap,
    template_body,
};
pub use telemetry::{ClusterInfo, LapFigures, LapTelemetry};
pub use version::{Capabilities, MappingTypes, Product, StringFields, Version};
