//! Operations of one request whose answer is not looked into: force-merge, index-stats, node-stats.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Outcome, Params, Runner};
use serde_json::{Map, Value};

use super::common::{Made, OPS, Prepared, Span, UnusableParams, failure, named};
use crate::http::{Connection, Endpoint, JsonObject, Request, encode_query};
use crate::version::Capabilities;

type Make = fn(&Endpoint, &Capabilities, &Map<String, Value>) -> Result<Request, String>;

/// One request, drained.
pub struct Simple {
    operation: &'static str,
    connection: Connection,
    capabilities: Arc<Capabilities>,
    make: Make,
    prepared: Option<Prepared>,
}

impl Simple {
    /// `force-merge`: merges the segments of all indices.
    pub fn force_merge(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple { operation: "force-merge", connection, capabilities, make: force_merge, prepared: None }
    }

    /// `index-stats`: all statistics of all indices.
    pub fn index_stats(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple {
            operation: "index-stats",
            connection,
            capabilities,
            make: |endpoint, _, _| get(endpoint, "/_stats/_all"),
            prepared: None,
        }
    }

    /// `node-stats`: all statistics of all nodes.
    pub fn node_stats(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple {
            operation: "node-stats",
            connection,
            capabilities,
            make: |endpoint, _, _| get(endpoint, "/_nodes/stats/_all"),
            prepared: None,
        }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let (make, endpoint, capabilities) = (self.make, self.connection.endpoint(), &self.capabilities);
        let prepared = Prepared::of(&mut self.prepared, self.operation, params, |values, _| {
            Ok(Made { request: make(endpoint, capabilities, values)?, body: Bytes::new(), more: () })
        })?;
        let mut body = JsonObject::default();
        let result = self.connection.exchange(&prepared.request, Bytes::new(), &mut body).await;
        let mut span = Span::default();
        span.extend(&result);
        Ok(match failure(&result, &body) {
            None => span.outcome(1.0, OPS, None),
            Some(failure) => span.failed(failure),
        })
    }
}

impl Runner for Simple {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }
}

fn force_merge(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
) -> Result<Request, String> {
    let segments = named(values, &["max-num-segments", "max_num_segments"]);
    let query = encode_query(segments.map(|(_, segments)| ("max_num_segments", segments)));
    Request::new(endpoint, Method::POST, &format!("/{}", capabilities.force_merge_path), &query, None)
        .map_err(|error| error.to_string())
}

fn get(endpoint: &Endpoint, path: &str) -> Result<Request, String> {
    Request::new(endpoint, Method::GET, path, "", None).map_err(|error| error.to_string())
}
