//! The runner of all operations that need none of their own.

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use rally_operation_table::{OperationType, Retries};
use rally_race::{Cause, Failure, Outcome, Params, Runner};
use serde_json::{Map, Value};

use super::common::{Made, Prepared, Span, UnusableParams};
use super::procedure::{Procedure, Read, procedure};
use super::retry::Retry;
use super::search;
use super::session::{Done, Environment, Session, Stop, check_object};
use crate::http::{Collect, Connection, JsonObject, Request, Sink};

/// Performs an operation as it is operation.
pub struct General {
    operation: &'static OperationType,
    connection: Connection,
    environment: Environment,
    /// The request of an operation that has only one, with the statuses that it ignores.
    prepared: Option<Prepared<Vec<u16>>>,
}

impl General {
    /// Sends over `connection` in the way that the target understands.
    pub fn new(operation: &'static OperationType, connection: Connection, environment: Environment) -> Self {
        General { operation, connection, environment, prepared: None }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let unusable = |problem| UnusableParams::new(self.operation.name(), problem, &params.values);
        let retry = retry_of(self.operation, &params.values).map_err(unusable)?;
        let made = match procedure(self.operation.work()) {
            Procedure::One(call, read) => {
                let (endpoint, environment) = (self.connection.endpoint(), &self.environment);
                let made = Prepared::of(&mut self.prepared, self.operation.name(), params, |values, _| {
                    let ready = call(environment, values)?.ready(endpoint, values)?;
                    Ok(Made { request: ready.request, body: ready.body, more: ready.ignored })
                })?;
                Some((made, read))
            }
            _ => None,
        };
        let session = Session::new(&mut self.connection, &self.environment, &params.values, None);
        let mut session = session.map_err(unusable)?;
        let result = match (made, procedure(self.operation.work())) {
            (Some((made, read)), _) => {
                let body = made.body(params);
                let attempt = async || one(&mut session, &made.request, body.clone(), &made.more, read).await;
                retry.run(attempt).await
            }
            (None, Procedure::Several(perform)) => retry.run(async || perform(&mut session).await).await,
            (None, _) => Err(Stop::Unusable("it needs a runner of its own".to_owned())),
        };
        outcome(session.span(), result).map_err(unusable)
    }
}

impl Runner for General {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }
}

/// How often an operation is tried.
///
/// # Errors
/// Where its parameters say it wrongly.
fn retry_of(operation: &OperationType, values: &Map<String, Value>) -> Result<Retry, String> {
    match operation.retries() {
        Retries::Never => Ok(Retry::once()),
        Retries::AsAsked => Retry::of(values, false),
        Retries::UntilSuccess => Retry::of(values, true),
    }
}

/// Sends the request of an operation that has only one.
async fn one(
    session: &mut Session<'_>,
    request: &Request,
    body: Bytes,
    ignored: &[u16],
    read: Read,
) -> Result<Done, Stop> {
    match read {
        Read::Object => {
            let mut object = JsonObject::default();
            if let Some(answer) = session.exchange(request, body, ignored, &mut object).await? {
                check_object(&answer, &object)?;
            }
            Ok(Done::ops(1))
        }
        Read::Anything => {
            session.exchange(request, body, ignored, &mut JsonObject::default()).await?;
            Ok(Done::ops(1))
        }
        Read::By(read) => {
            let mut collected = Collect::default();
            let Some(answer) = session.exchange(request, body, ignored, &mut collected).await? else {
                return Ok(Done::ops(1));
            };
            let body = Bytes::from(collected.body);
            let mut object = JsonObject::default();
            object.data(&body);
            check_object(&answer, &object)?;
            read(&body, session.values).map_err(|stop| match stop {
                Stop::Failed(failure) => Stop::Failed(Failure {
                    status: failure.status.or(Some(answer.status.as_u16())),
                    ..failure
                }),
                unusable => unusable,
            })
        }
    }
}

/// Performs an operation as a part of a composite one.
///
/// # Errors
/// Where a request fails, or cannot be made.
pub async fn part(operation: &OperationType, session: &mut Session<'_>) -> Result<Done, Stop> {
    let retry = retry_of(operation, session.values)?;
    match procedure(operation.work()) {
        Procedure::One(call, read) => {
            let ready = session.ready(&call(session.environment, session.values)?)?;
            let attempt =
                async || one(session, &ready.request, ready.body.clone(), &ready.ignored, read).await;
            retry.run(attempt).await
        }
        Procedure::Several(perform) => retry.run(async || perform(session).await).await,
        Procedure::Search(_) => search::part(session).await,
        Procedure::Bulk | Procedure::WaitForTransform | Procedure::Composite => {
            Err(Stop::Unusable(format!("'{}' cannot be a part of a composite operation", operation.name())))
        }
    }
}

/// What an operation came to, over all its requests.
///
/// # Errors
/// Where its parameters made no request.
pub fn outcome(span: Span, result: Result<Done, Stop>) -> Result<Outcome, String> {
    match result {
        Ok(done) => {
            let outcome = span.outcome(done.weight, done.unit, done.failure);
            let meta = (!done.meta.is_empty()).then(|| Box::new(done.meta));
            Ok(Outcome { throughput: done.throughput, meta, ..outcome })
        }
        Err(Stop::Failed(failure)) => Ok(span.failed(failure)),
        Err(Stop::Unusable(problem)) => Err(problem),
    }
}
