//! `composite`: operations that are measured as one, in streams that run at the same time.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::future::{LocalBoxFuture, try_join_all};
use rally_operation_table::OperationType;
use rally_race::{Cause, Outcome, Params, Runner};
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::common::{Span, UnusableParams, mandatory, named};
use super::context::Context;
use super::general::{outcome, part};
use super::session::{Done, Environment, Session, Stop};
use crate::http::{Connection, Endpoint, WriteMode};

/// What errors call the operation.
const NAME: &str = "composite";

/// Performs composite operations over as many connections as they need at the same time.
pub struct Composite {
    endpoint: Arc<Endpoint>,
    guarded: bool,
    environment: Environment,
    idle: RefCell<Vec<Connection>>,
}

impl Composite {
    /// Sends over `connection`, and over others to the same endpoint where one is not enough. `guarded`: see
    /// [`Connection::guarded`].
    pub fn new(connection: Connection, guarded: bool, environment: Environment) -> Self {
        let endpoint = Arc::clone(connection.endpoint());
        Composite { endpoint, guarded, environment, idle: RefCell::new(vec![connection]) }
    }

    async fn perform(&mut self, params: &Params) -> Result<Outcome, UnusableParams> {
        let unusable = |problem| UnusableParams::new(NAME, problem, &params.values);
        let requests = requests(&params.values).map_err(unusable)?;
        let most = match named(&params.values, &["max-connections"]) {
            None => Semaphore::MAX_PERMITS,
            Some((name, most)) => most
                .as_u64()
                .filter(|most| *most > 0)
                .map(|most| usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS))
                .ok_or_else(|| unusable(format!("'{name}' is {most} but must be a number above 0")))?,
        };
        let race = Requests {
            composite: self,
            context: Rc::new(Context::default()),
            connections: Semaphore::new(most),
            span: RefCell::new(Span::default()),
            parts: RefCell::new(Map::new()),
        };
        let result = race.stream(requests).await;
        let (span, parts) = (race.span.into_inner(), race.parts.into_inner());
        let result = result.map(|()| Done { meta: parts, ..Done::ops(1) });
        outcome(span, result).map_err(unusable)
    }

    fn connection(&self) -> Connection {
        if let Some(connection) = self.idle.borrow_mut().pop() {
            return connection;
        }
        match self.guarded {
            true => Connection::guarded(Arc::clone(&self.endpoint), WriteMode::Flatten),
            false => Connection::new(Arc::clone(&self.endpoint), WriteMode::Flatten),
        }
    }
}

impl Runner for Composite {
    fn run<'a>(&'a mut self, params: &'a Params) -> LocalBoxFuture<'a, Result<Outcome, Cause>> {
        Box::pin(async move { Ok(self.perform(params).await?) })
    }
}

/// One composite operation at work.
struct Requests<'c> {
    composite: &'c Composite,
    context: Rc<Context>,
    connections: Semaphore,
    span: RefCell<Span>,
    /// Service times of the parts in milliseconds, by their names.
    parts: RefCell<Map<String, Value>>,
}

impl Requests<'_> {
    /// One after the other; streams run at the same time, until an operation that waits for them.
    fn stream<'a>(&'a self, items: &'a [Value]) -> LocalBoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            let mut streams = Vec::new();
            for item in items {
                match item.get("stream") {
                    Some(Value::Array(items)) => streams.push(self.stream(items)),
                    _ => {
                        try_join_all(std::mem::take(&mut streams)).await?;
                        self.part(item).await?;
                    }
                }
            }
            try_join_all(streams).await.map(drop)
        })
    }

    async fn part(&self, item: &Value) -> Result<(), Stop> {
        let (operation, values) = checked_part(item)?;
        // The semaphore is never closed.
        let _permit = self.connections.acquire().await.ok();
        let mut connection = self.composite.connection();
        let context = Some(Rc::clone(&self.context));
        let mut session = Session::new(&mut connection, &self.composite.environment, values, context)?;
        let result = part(operation, &mut session).await;
        if let Some((sent, received)) = session.span().times() {
            self.span.borrow_mut().covers(sent, received);
            let name = values.get("name").and_then(Value::as_str).unwrap_or(operation.name());
            let milliseconds = (received - sent).as_secs_f64() * 1000.0;
            self.parts.borrow_mut().insert(format!("{name}.service_time"), milliseconds.into());
        }
        self.composite.idle.borrow_mut().push(connection);
        match result?.failure {
            None => Ok(()),
            Some(failure) => Err(Stop::Failed(failure)),
        }
    }
}

/// The requests of a composite operation.
fn requests(values: &Map<String, Value>) -> Result<&[Value], String> {
    match mandatory(values, "requests")? {
        Value::Array(requests) => Ok(requests),
        other => Err(format!("'requests' is {other} but must be a list of operations and streams")),
    }
}

/// Names of the operations that can be parts of a composite one.
fn parts() -> Vec<&'static str> {
    OperationType::all().filter(|kind| kind.is_composable()).map(OperationType::name).collect()
}

fn checked_part(item: &Value) -> Result<(&'static OperationType, &Map<String, Value>), String> {
    let Value::Object(values) = item else {
        return Err(format!("'requests' holds {item} where an operation or a stream must be"));
    };
    let kind = match values.get("operation-type") {
        Some(Value::String(kind)) => kind.as_str(),
        _ => return Err("each of the 'requests' must have a 'stream' or an 'operation-type'".to_owned()),
    };
    match OperationType::named(kind).filter(|kind| kind.is_composable()) {
        Some(operation) => Ok((operation, values)),
        None => Err(format!(
            "the operation type '{kind}' cannot be part of a composite operation; allowed types: {}",
            parts().join(", ")
        )),
    }
}

/// Looks at all parts of a composite operation before anything is sent.
///
/// # Errors
/// Where one is not what it must be.
pub fn check(values: &Map<String, Value>) -> Result<(), String> {
    fn all(items: &[Value]) -> Result<(), String> {
        for item in items {
            match item.get("stream") {
                None => drop(checked_part(item)?),
                Some(Value::Array(items)) => all(items)?,
                Some(other) => return Err(format!("'stream' is {other} but must be a list")),
            }
        }
        Ok(())
    }
    all(requests(values)?)
}
