//! `index`: one bulk request.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Method;
use rally_race::{Cause, Failure, FailureKind, Outcome, Params, Runner, Unit};
use serde_json::{Map, Value};

use super::bulk_answer::{BulkAnswer, BulkVerdict};
use super::bulk_details;
use super::common::{
    Made, Prepared, Span, UnusableParams, add_headers, add_request_params, flag, malformed, named, seconds,
};
use super::session::Environment;
use crate::answer::{failure_of, whole_reason_of};
use crate::http::{Connection, Endpoint, Request, encode_path, encode_query};
use crate::version::Capabilities;

/// Unit of an `index` operation, unless its param source says another.
const DOCS: &str = "docs";

/// What errors call the operation.
const BULK: &str = "index";

const NO_BULK_SIZE: &str =
    "the param source gives no 'bulk-size', which is mandatory: add the number of documents in the body";

/// Sends bulk requests.
pub struct Bulk {
    connection: Connection,
    environment: Environment,
    prepared: Option<Prepared<Size>>,
    answer: BulkAnswer,
}

impl Bulk {
    /// Sends over `connection` in the way that the target understands.
    pub fn new(connection: Connection, environment: Environment) -> Self {
        Bulk { connection, environment, prepared: None, answer: BulkAnswer::default() }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let endpoint = self.connection.endpoint();
        let capabilities = &self.environment.capabilities;
        let prepared = Prepared::of(&mut self.prepared, BULK, params, |values, body_given| {
            request(endpoint, capabilities, values, body_given)
        })?;
        let Size { ref unit, retries, lines_per_document, detailed, timeout, .. } = prepared.more;
        let documents = match (params.documents, prepared.more.documents) {
            (0, Some(documents)) => documents,
            // Nobody said how many a body beside the parameters has.
            (0, None) => return Err(UnusableParams::new(BULK, NO_BULK_SIZE.to_owned(), &params.values)),
            (documents, _) => f64::from(documents),
        };
        self.connection.set_timeout(timeout);
        self.answer.keep_all(detailed);
        let mut body = prepared.body(params);
        let mut span = Span::default();
        let mut meta = Map::new();
        // What failed for good, in all attempts.
        let mut failed: Option<Failure> = None;
        let mut whole_example = None;
        // A request that failed as a whole has done nothing of what it should have done, in the unit of the others.
        let lost = |span: Span, failure, example| Outcome {
            failed_work: Some(documents),
            example,
            ..span.outcome(0.0, unit.clone(), Some(failure))
        };
        let mut attempt = 0;
        loop {
            let result = self.connection.exchange(&prepared.request, body.clone(), &mut self.answer).await;
            span.extend(&result);
            let answer = match result {
                Ok(answer) => answer,
                Err(error) => return Ok(lost(span, error.failure(), None)),
            };
            if let Some(failure) = failure_of(&answer) {
                return Ok(lost(span, failure, whole_reason_of(&answer)));
            }
            let verdict = self.answer.verdict();
            if let BulkVerdict::NotABulkAnswer(problem) = verdict {
                return Ok(lost(span, malformed(&answer, problem), None));
            }
            if detailed && attempt == 0 {
                meta = bulk_details::of(self.answer.kept(), &body, lines_per_document);
            }
            let BulkVerdict::ItemsFailed { count, description, example, rejected } = verdict else { break };
            let again = attempt < retries && !rejected.is_empty();
            // Those that are sent again have not failed yet.
            let count = if again { count - rejected.len() as u64 } else { count };
            if count > 0 {
                whole_example = whole_example.or(example);
                let status = Some(answer.status.as_u16());
                let before = failed.take().map_or(0, |before| before.count);
                let kind = FailureKind::Answered;
                failed = Some(Failure { kind, status, description, count: count + before });
            }
            if !again {
                break;
            }
            attempt += 1;
            body = bulk_details::documents_at(&body, lines_per_document, &rejected);
        }
        if attempt > 0 {
            meta.insert("retry-count".to_owned(), attempt.into());
        }
        let meta = (!meta.is_empty()).then(|| Box::new(meta));
        let failed_work = failed.as_ref().map(|failure| failure.count as f64);
        Ok(Outcome {
            meta,
            failed_work,
            example: whole_example,
            ..span.outcome(documents, unit.clone(), failed)
        })
    }
}

impl Runner for Bulk {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }
}

/// What the named parameters say beside the request.
struct Size {
    /// How many documents a request has, where the parameters say it.
    documents: Option<f64>,
    unit: Unit,
    /// How often documents are sent again that the target had no room for: `retries_on_429`.
    retries: u64,
    lines_per_document: usize,
    /// Whether the answer is read as a whole: `detailed-results`.
    detailed: bool,
    timeout: Option<Duration>,
}

fn request(
    endpoint: &Endpoint,
    capabilities: &Capabilities,
    values: &Map<String, Value>,
    body_given: bool,
) -> Result<Made<Size>, String> {
    let body = if body_given { Bytes::new() } else { body_of(values)? };
    let text = |name: &str| values.get(name).and_then(Value::as_str);
    let with_actions = match named(values, &["action-metadata-present", "action_metadata_present"]) {
        None => true,
        Some((_, Value::Bool(present))) => *present,
        Some((name, other)) => return Err(format!("'{name}' is {other} but must be true or false")),
    };
    let path = if with_actions {
        "/_bulk".to_owned()
    } else {
        let index =
            text("index").ok_or("'index' is mandatory where the body has no action lines, and missing")?;
        match text("type").filter(|_| capabilities.typed()) {
            Some(mapping_type) => format!("/{}/{}/_bulk", encode_path(index), encode_path(mapping_type)),
            None => format!("/{}/_bulk", encode_path(index)),
        }
    };
    let mut parameters = Map::new();
    for name in ["pipeline", "refresh", "timeout"] {
        if let Some((name, value)) = named(values, &[name]) {
            parameters.insert(name.to_owned(), value.clone());
        }
    }
    add_request_params(values, &mut parameters)?;
    let query = encode_query(parameters.iter().map(|(name, value)| (name.as_str(), value)));
    let request = Request::new(endpoint, Method::POST, &path, &query, Some(capabilities.bulk_content_type));
    let mut request = request.map_err(|error| error.to_string())?;
    add_headers(values, &mut request)?;
    Ok(Made { request, body, more: size(values, body_given, with_actions)? })
}

/// How many documents a request has and what they are called. A body beside the parameters brings its number along, unless
/// they say it.
fn size(values: &Map<String, Value>, body_given: bool, with_actions: bool) -> Result<Size, String> {
    let documents = match named(values, &["bulk-size"]) {
        None if body_given => None,
        None => return Err(NO_BULK_SIZE.to_owned()),
        Some((name, value)) => match value.as_u64() {
            Some(documents) => Some(documents as f64),
            None => return Err(format!("'{name}' is {value} but must be a number of documents")),
        },
    };
    let unit = match named(values, &["unit"]) {
        None => Unit::from(DOCS),
        Some((_, Value::String(name))) => Unit::new(name).map_err(|problem| format!("'unit': {problem}"))?,
        Some((name, other)) => return Err(format!("'{name}' is {other} but must be a text")),
    };
    let retries = match named(values, &["retries_on_429"]) {
        None => 0,
        Some((name, retries)) => retries
            .as_u64()
            .ok_or_else(|| format!("'{name}' is {retries} but must be a number of retries"))?,
    };
    Ok(Size {
        documents,
        unit,
        retries,
        lines_per_document: if with_actions { 2 } else { 1 },
        detailed: flag(values, &["detailed-results"])?.unwrap_or(false),
        timeout: seconds(values, &["request-timeout"])?.filter(|timeout| !timeout.is_zero()),
    })
}

/// The body where it stands among the named parameters: text or bytes of lines, or a list of lines.
fn body_of(values: &Map<String, Value>) -> Result<Bytes, String> {
    match values.get("body") {
        Some(Value::String(text)) if !text.is_empty() => Ok(Bytes::from(text.clone())),
        Some(Value::Array(lines)) => {
            let mut body = String::new();
            for line in lines {
                match line {
                    Value::String(line) => body.push_str(line),
                    other => body.push_str(&other.to_string()),
                }
                body.push('\n');
            }
            Ok(Bytes::from(body))
        }
        None | Some(Value::Null | Value::String(_)) => Err("'body' is mandatory and missing".to_owned()),
        Some(_) => Err("'body' must be a text or a list of lines".to_owned()),
    }
}
