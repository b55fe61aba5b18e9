//! The requests of one operation: sent one after the other, with one time span over all of them.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use rally_race::{Failure, FailureKind};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::call::{Call, Ready};
use super::common::{OPS, Span, malformed, seconds};
use super::context::Context;
use crate::answer::failure_of;
use crate::http::{Answer, Collect, Connection, Endpoint, JsonObject, Request, Sink};
use crate::version::Capabilities;

/// What runners know of the target.
#[derive(Debug, Clone)]
pub struct Environment {
    /// What it understands.
    pub capabilities: Arc<Capabilities>,
    /// Whether it is Elasticsearch as a service, where users cannot change settings of the cluster.
    pub serverless: bool,
}

/// Why an operation came to an end before it was done.
#[derive(Debug)]
pub enum Stop {
    /// A request failed.
    Failed(Failure),
    /// Its parameters make no request.
    Unusable(String),
}

impl From<String> for Stop {
    fn from(problem: String) -> Stop {
        Stop::Unusable(problem)
    }
}

impl From<&str> for Stop {
    fn from(problem: &str) -> Stop {
        Stop::Unusable(problem.to_owned())
    }
}

impl Stop {
    /// The target answered, and its answer means that the operation failed. `description` is equal for equal causes.
    pub fn answered(description: impl Into<String>) -> Stop {
        Stop::Failed(answered(description))
    }
}

/// A failure that the target answered with.
pub fn answered(description: impl Into<String>) -> Failure {
    Failure { kind: FailureKind::Answered, status: None, description: description.into(), count: 1 }
}

/// What an operation came to.
#[derive(Debug)]
pub struct Done {
    /// How much work it did.
    pub weight: f64,
    /// Unit of the work.
    pub unit: &'static str,
    /// Set where the target did what it was asked to, but the result is not the expected one.
    pub failure: Option<Failure>,
    /// Throughput as the target reports it, `unit`s per second.
    pub throughput: Option<f64>,
    /// Further metadata.
    pub meta: Map<String, Value>,
}

impl Done {
    /// A number of operations succeeded.
    pub fn ops(count: usize) -> Done {
        Done::of(count as f64, OPS)
    }

    /// An amount of work was done.
    pub fn of(weight: f64, unit: &'static str) -> Done {
        Done { weight, unit, failure: None, throughput: None, meta: Map::new() }
    }

    /// With further metadata; null adds nothing.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Done {
        match value.into() {
            Value::Null => {}
            value => drop(self.meta.insert(name.to_owned(), value)),
        }
        self
    }

    /// As expected, or else a failure with this description.
    pub fn expecting(mut self, success: bool, description: impl FnOnce() -> String) -> Done {
        if !success {
            self.failure = Some(answered(description()));
        }
        self
    }
}

/// Sends the requests of one operation.
pub struct Session<'c> {
    connection: &'c mut Connection,
    /// The target.
    pub environment: &'c Environment,
    /// The parameters of the operation.
    pub values: &'c Map<String, Value>,
    /// Values that the operations of a composite operation share.
    pub context: Option<Rc<Context>>,
    span: Span,
}

impl<'c> Session<'c> {
    /// Sends over `connection`, in the time that the operation allows its requests.
    ///
    /// # Errors
    /// Where `request-timeout` is no time.
    pub fn new(
        connection: &'c mut Connection,
        environment: &'c Environment,
        values: &'c Map<String, Value>,
        context: Option<Rc<Context>>,
    ) -> Result<Session<'c>, String> {
        let timeout = match seconds(values, &["request-timeout"])? {
            Some(timeout) if timeout.is_zero() => {
                return Err("'request-timeout' is 0 but must be a number of seconds above 0".to_owned());
            }
            timeout => timeout,
        };
        connection.set_timeout(timeout);
        Ok(Session { connection, environment, values, context, span: Span::default() })
    }

    /// First byte sent and last byte received so far.
    pub fn span(&self) -> Span {
        self.span
    }

    /// A time that belongs to the operation although nothing is sent in it.
    pub fn covers(&mut self, sent: Instant, received: Instant) {
        self.span.covers(sent, received);
    }

    /// What the target understands.
    pub fn capabilities(&self) -> &Capabilities {
        &self.environment.capabilities
    }

    /// Who the requests go to.
    pub fn endpoint(&self) -> &Endpoint {
        self.connection.endpoint()
    }

    /// Makes a request for this target.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn ready(&self, call: &Call) -> Result<Ready, String> {
        call.ready(self.connection.endpoint(), self.values)
    }

    /// Sends a request; the body of a successful answer goes to `sink`. `None` where the answer is ignored.
    ///
    /// # Errors
    /// Where there is no answer, or the answer is a failure.
    pub async fn exchange(
        &mut self,
        request: &Request,
        body: Bytes,
        ignored: &[u16],
        sink: &mut impl Sink,
    ) -> Result<Option<Answer>, Stop> {
        let result = self.connection.exchange(request, body, sink).await;
        self.span.extend(&result);
        let answer = result.map_err(|error| Stop::Failed(error.failure()))?;
        match failure_of(&answer) {
            None => Ok(Some(answer)),
            Some(_) if ignored.contains(&answer.status.as_u16()) => Ok(None),
            Some(failure) => Err(Stop::Failed(failure)),
        }
    }

    async fn send(&mut self, ready: &Ready, sink: &mut impl Sink) -> Result<Option<Answer>, Stop> {
        self.exchange(&ready.request, ready.body.clone(), &ready.ignored, sink).await
    }

    /// Sends a request whose answer only has to be a JSON object.
    ///
    /// # Errors
    /// Where there is no answer, or the answer is a failure or no JSON object.
    pub async fn done(&mut self, call: Call) -> Result<(), Stop> {
        let ready = self.ready(&call)?;
        let mut object = JsonObject::default();
        match self.send(&ready, &mut object).await? {
            None => Ok(()),
            Some(answer) => check_object(&answer, &object),
        }
    }

    /// Sends a request and reads the JSON that answers it.
    ///
    /// # Errors
    /// Where there is no answer, or the answer is a failure or not what it should be.
    pub async fn json<Read: DeserializeOwned>(&mut self, call: Call) -> Result<Read, Stop> {
        let ready = self.ready(&call)?;
        let mut collected = Collect::default();
        let answer = self.send(&ready, &mut collected).await?;
        let body: &[u8] = match answer {
            Some(_) => &collected.body,
            // An answer that is ignored has nothing to say.
            None => b"{}",
        };
        serde_json::from_slice(body).map_err(|_| match answer {
            Some(answer) => {
                Stop::Failed(malformed(&answer, "the answer is not the JSON that it should be".to_owned()))
            }
            None => Stop::answered("the answer that is ignored had been needed"),
        })
    }

    /// Asks whether something exists.
    ///
    /// # Errors
    /// Where there is no answer, or it is neither a success nor 404.
    pub async fn exists(&mut self, path: String) -> Result<bool, Stop> {
        let ready = self.ready(&Call::new(Method::HEAD, path).ignoring(404))?;
        Ok(self.send(&ready, &mut Collect::default()).await?.is_some())
    }

    /// Waits.
    pub async fn pause(&mut self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// A successful status over a body that is not a JSON object is a failure.
pub fn check_object(answer: &Answer, object: &JsonObject) -> Result<(), Stop> {
    match object.problem() {
        None => Ok(()),
        Some(problem) => Err(Stop::Failed(malformed(answer, problem.to_owned()))),
    }
}
