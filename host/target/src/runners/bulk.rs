//! `index`: one bulk request.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Failure, FailureKind, Outcome, Params, Runner};
use serde_json::{Map, Value};

use super::bulk_answer::{BulkAnswer, BulkVerdict};
use super::common::{Prepared, Span, bad_params, malformed};
use crate::answer::failure_of;
use crate::http::{Connection, Endpoint, Request, encode_path, encode_query};
use crate::version::Capabilities;

/// Unit of an `index` operation.
const DOCS: &str = "docs";

/// Sends bulk requests.
pub struct Bulk {
    connection: Connection,
    capabilities: Arc<Capabilities>,
    prepared: Option<Prepared>,
    answer: BulkAnswer,
}

impl Bulk {
    /// Sends over `connection` in the way that the target understands.
    pub fn new(connection: Connection, capabilities: Arc<Capabilities>) -> Self {
        Bulk { connection, capabilities, prepared: None, answer: BulkAnswer::default() }
    }

    async fn perform(&mut self, params: &Params) -> Outcome {
        let endpoint = Arc::clone(self.connection.endpoint());
        let capabilities = &self.capabilities;
        let prepared = Prepared::of(&mut self.prepared, params, |values| {
            Ok((request(&endpoint, capabilities, values)?, Bytes::new()))
        });
        let prepared = match prepared {
            Ok(prepared) => prepared,
            Err(problem) => return bad_params(problem),
        };
        let (body, documents) = match body_of(params) {
            Ok(body) => body,
            Err(problem) => return bad_params(problem),
        };
        let result = self.connection.exchange(&prepared.request, body, &mut self.answer).await;
        let mut span = Span::default();
        span.extend(&result);
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => return span.failed(error.failure()),
        };
        if let Some(failure) = failure_of(&answer) {
            return span.failed(failure);
        }
        match self.answer.verdict() {
            BulkVerdict::Success => span.outcome(documents, DOCS, None),
            BulkVerdict::NotABulkAnswer(problem) => span.failed(malformed(&answer, problem)),
            BulkVerdict::ItemsFailed { count, description } => {
                let status = Some(answer.status.as_u16());
                let failure = Failure { kind: FailureKind::Answered, status, description, count };
                span.outcome(documents, DOCS, Some(failure))
            }
        }
    }
}

impl Runner for Bulk {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await) })
    }
}

fn request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
) -> Result<Request, String> {
    let text = |name: &str| values.get(name).and_then(Value::as_str);
    let with_actions = match values.get("action_metadata_present") {
        None => true,
        Some(Value::Bool(present)) => *present,
        Some(other) => return Err(format!("'action_metadata_present' is {other} but must be true or false")),
    };
    let path = if with_actions {
        "/_bulk".to_owned()
    } else {
        let index = text("index").ok_or("a bulk body without action lines needs 'index'")?;
        match text("type").filter(|_| capabilities.typed()) {
            Some(mapping_type) => format!("/{}/{}/_bulk", encode_path(index), encode_path(mapping_type)),
            None => format!("/{}/_bulk", encode_path(index)),
        }
    };
    let query = encode_query(values.get("pipeline").map(|pipeline| ("pipeline", pipeline)));
    Request::new(endpoint, Method::POST, &path, &query, Some(capabilities.bulk_content_type))
        .map_err(|error| format!("bulk: {error}"))
}

/// The body and its number of documents. Sources of extensions may give both among the named parameters: the body as text
/// or as a list of lines, the number as `bulk-size`.
fn body_of(params: &Params) -> Result<(Bytes, f64), String> {
    if !params.body.is_empty() {
        return Ok((params.body.clone(), f64::from(params.documents)));
    }
    let documents = match params.values.get("bulk-size").and_then(Value::as_f64) {
        Some(documents) if params.documents == 0 => documents,
        None if params.documents == 0 => {
            return Err(
                "the param source of the bulk gives no 'bulk-size': add the number of documents".to_owned()
            );
        }
        _ => f64::from(params.documents),
    };
    let body = match params.values.get("body") {
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(Value::Array(lines)) => {
            let mut body = String::new();
            for line in lines {
                match line {
                    Value::String(line) => body.push_str(line),
                    other => body.push_str(&other.to_string()),
                }
                body.push('\n');
            }
            Bytes::from(body)
        }
        _ => return Err("the param source of the bulk gives no 'body'".to_owned()),
    };
    Ok((body, documents))
}
