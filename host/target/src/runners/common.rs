//! What all runners share.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rally_race::{Failure, FailureKind, Outcome, Params};
use serde_json::{Map, Value};

use crate::answer::failure_of;
use crate::http::{Answer, ExchangeError, JsonObject, Request};

/// Unit of everything that does not count documents.
pub const OPS: &str = "ops";

/// A request made of parameters, kept for as long as the parameters stay the same.
pub struct Prepared {
    values: Arc<Map<String, Value>>,
    /// The request.
    pub request: Request,
    /// Its body.
    pub body: Bytes,
}

impl Prepared {
    /// The request of `params`: the one in `kept` if it was made of the same parameters, else a new one.
    ///
    /// # Errors
    /// What `make` says is wrong with the parameters.
    pub fn of<'a>(
        kept: &'a mut Option<Prepared>,
        params: &Params,
        make: impl FnOnce(&Map<String, Value>) -> Result<(Request, Bytes), String>,
    ) -> Result<&'a Prepared, String> {
        let same = kept.as_ref().is_some_and(|prepared| Arc::ptr_eq(&prepared.values, &params.values));
        if !same {
            let (request, body) = make(&params.values)?;
            *kept = Some(Prepared { values: Arc::clone(&params.values), request, body });
        }
        kept.as_ref().ok_or_else(String::new)
    }
}

/// First byte sent and last byte received of the requests of one operation.
#[derive(Debug, Clone, Copy, Default)]
pub struct Span {
    sent: Option<Instant>,
    received: Option<Instant>,
}

impl Span {
    /// Takes another request in.
    pub fn extend(&mut self, result: &Result<Answer, ExchangeError>) {
        let (sent, received) = match result {
            Ok(answer) => (Some(answer.sent), answer.received),
            Err(error) => (error.sent, error.ended),
        };
        self.sent = self.sent.or(sent).or(Some(received));
        self.received = Some(received);
    }

    /// An outcome over all requests that were taken in.
    pub fn outcome(self, weight: f64, unit: &'static str, failure: Option<Failure>) -> Outcome {
        let received = self.received.unwrap_or_else(Instant::now);
        Outcome { failure, ..Outcome::new(self.sent.unwrap_or(received), received, weight, unit) }
    }

    /// The outcome of an operation that failed as a whole.
    pub fn failed(self, failure: Failure) -> Outcome {
        self.outcome(0.0, OPS, Some(failure))
    }
}

/// Parameters that make no request: nothing is sent.
pub fn bad_params(problem: String) -> Outcome {
    Span::default().failed(Failure {
        kind: FailureKind::Transport,
        status: None,
        description: problem,
        count: 1,
    })
}

/// What an exchange came to, where the answer only has to be a JSON object.
pub fn failure(result: &Result<Answer, ExchangeError>, body: &JsonObject) -> Option<Failure> {
    match result {
        Err(error) => Some(error.failure()),
        Ok(answer) => {
            failure_of(answer).or_else(|| body.problem().map(|problem| malformed(answer, problem.to_owned())))
        }
    }
}

/// A successful status over a body that is none.
pub fn malformed(answer: &Answer, problem: String) -> Failure {
    Failure {
        kind: FailureKind::Transport,
        status: Some(answer.status.as_u16()),
        description: problem,
        count: 1,
    }
}
