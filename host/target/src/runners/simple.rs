//! Operations of one request whose answer is not looked into: force-merge, index-stats, node-stats.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Outcome, Params, Runner};
use serde_json::{Map, Value};

use super::common::{OPS, Prepared, Span, bad_params, failure};
use crate::http::{Connection, Endpoint, JsonObject, Request, encode_query};
use crate::version::Capabilities;

type Make = fn(&Endpoint, &Capabilities, &Map<String, Value>) -> Result<Request, String>;

/// One request, drained.
pub struct Simple {
    connection: Connection,
    capabilities: Arc<Capabilities>,
    make: Make,
    prepared: Option<Prepared>,
}

impl Simple {
    /// `force-merge`: merges the segments of all indices.
    pub fn force_merge(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple { connection, capabilities, make: force_merge, prepared: None }
    }

    /// `index-stats`: all statistics of all indices.
    pub fn index_stats(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple {
            connection,
            capabilities,
            make: |endpoint, _, _| get(endpoint, "/_stats/_all"),
            prepared: None,
        }
    }

    /// `node-stats`: all statistics of all nodes.
    pub fn node_stats(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Simple {
            connection,
            capabilities,
            make: |endpoint, _, _| get(endpoint, "/_nodes/stats/_all"),
            prepared: None,
        }
    }

    async fn perform(&mut self, params: &Params) -> Outcome {
        let (make, endpoint, capabilities) =
            (self.make, Arc::clone(self.connection.endpoint()), &self.capabilities);
        let prepared = Prepared::of(&mut self.prepared, params, |values| {
            Ok((make(&endpoint, capabilities, values)?, Bytes::new()))
        });
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return bad_params(problem),
        };
        let mut body = JsonObject::default();
        let result = self.connection.exchange(&prepared.request, prepared.body.clone(), &mut body).await;
        let mut span = Span::default();
        span.extend(&result);
        match failure(&result, &body) {
            None => span.outcome(1.0, OPS, None),
            Some(failure) => span.failed(failure),
        }
    }
}

impl Runner for Simple {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await) })
    }
}

fn force_merge(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
) -> Result<Request, String> {
    let segments = values.get("max_num_segments");
    let query = encode_query(segments.map(|segments| ("max_num_segments", segments)));
    Request::new(endpoint, Method::POST, &format!("/{}", capabilities.force_merge_path), &query, None)
        .map_err(|error| format!("force-merge: {error}"))
}

fn get(endpoint: &Endpoint, path: &str) -> Result<Request, String> {
    Request::new(endpoint, Method::GET, path, "", None).map_err(|error| error.to_string())
}
