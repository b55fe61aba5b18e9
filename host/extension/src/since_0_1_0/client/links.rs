//! Connections of an instance, and the requests that are under way on them.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{LocalBoxFuture, select};
use futures_util::stream::FuturesUnordered;
use rally_cluster::Cluster;
use rally_cluster::answer::describe;
use rally_cluster::http::{Answer, Connection, ExchangeError, ExchangeErrorKind, Request, WriteMode};
use rally_race::{Partition, Runner};

use super::exchange::{AnswerKeeper, Charge, Exchange, Finished, Wanted};
use super::request::checked;
use crate::json_pointers::PickError;
use crate::limits::LimitKind;
use crate::since_0_1_0::bindings::client;
use crate::since_0_1_0::bindings::client::{Completion, Method, Response};
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::corpora::error;
use crate::since_0_1_0::state::exceeded;

/// Connections and requests under way. Lives on one thread.
pub(super) struct Links {
    pub(super) cluster: Arc<Cluster>,
    pub(super) partition: Partition,
    pub(super) idle: Vec<Connection>,
    /// How new connections write.
    pub(super) mode: WriteMode,
    /// The request made last, for the next one that differs in nothing but its body.
    pub(super) last: Option<(Address, Rc<Request>)>,
    pub(super) under_way: FuturesUnordered<LocalBoxFuture<'static, Finished>>,
    pub(super) finished: VecDeque<(Completion, Charge)>,
    /// Bytes of bodies and answers that the host holds for requests under way, and for answers that nobody has taken yet.
    pub(super) held: Rc<Cell<usize>>,
    pub(super) next_id: u32,
    pub(super) built_in: HashMap<String, Box<dyn Runner>>,
    /// First byte sent and last byte received since the call began.
    pub(super) span: Option<(Instant, Instant)>,
    /// Whether the target refused a connection since the call began.
    pub(super) refused: bool,
}

/// What a request without headers of its own is made of.
pub(super) struct Address {
    method: Method,
    target: String,
    has_body: bool,
}

/// From this size on, bytes, copying a body behind its head costs more than writing both side by side.
const LARGE_BODY: usize = 64 * 1024;

impl Links {
    /// A connection for a request with a body of so many bytes.
    pub(super) fn connection(&mut self, body: usize) -> Connection {
        if body > LARGE_BODY && self.mode == WriteMode::Flatten {
            // Who sends one large body sends more. Connecting is no part of what is measured.
            self.mode = WriteMode::Vectored;
            self.idle.clear();
        }
        self.idle.pop().unwrap_or_else(|| {
            Connection::guarded(Arc::clone(self.cluster.endpoint(self.partition.index)), self.mode)
        })
    }

    /// A request as the guest means it: see [`checked`].
    pub(super) fn request(&mut self, request: client::Request, body: &Bytes) -> Result<Rc<Request>, Error> {
        if !request.headers.is_empty() || request.cluster.is_some() {
            return checked(&self.cluster, self.partition, &request, !body.is_empty()).map(Rc::new);
        }
        let is_known = |(known, _): &&(Address, Rc<Request>)| {
            known.target == request.target
                && known.method == request.method
                && known.has_body != body.is_empty()
        };
        if let Some((_, made)) = self.last.as_ref().filter(is_known) {
            return Ok(Rc::clone(made));
        }
        let made = Rc::new(checked(&self.cluster, self.partition, &request, !body.is_empty())?);
        let address = Address { method: request.method, target: request.target, has_body: !body.is_empty() };
        self.last = Some((address, Rc::clone(&made)));
        Ok(made)
    }

    /// What came of a request, for the guest, and what is held of it until the guest has it; its connection can be used again.
    pub(super) fn settle(
        &mut self,
        exchange: Exchange,
        limits: &crate::Limits,
    ) -> wasmtime::Result<(Result<Response, Error>, Charge)> {
        let Exchange { connection, mut keep, outcome, charge, .. } = exchange;
        drop(charge);
        self.idle.push(connection);
        let mut kept = Charge::new(&self.held, 0);
        std::mem::swap(&mut kept, &mut keep.charge);
        if let Some(Ok(answer)) = &outcome {
            kept.grow(answer.problem.len());
        }
        if self.held.get() > limits.memory {
            return Err(exceeded(limits, LimitKind::Memory));
        }
        Ok((self.response(keep, outcome, limits)?, kept))
    }

    fn response(
        &mut self,
        keep: AnswerKeeper,
        outcome: Option<Result<Answer, ExchangeError>>,
        limits: &crate::Limits,
    ) -> wasmtime::Result<Result<Response, Error>> {
        let Some(outcome) = outcome else {
            return Ok(Err(error(ErrorClass::Transport, "the request was given up")));
        };
        let (sent, received) = match &outcome {
            Ok(answer) => (answer.sent, answer.received),
            Err(failure) => (failure.sent.unwrap_or(failure.ended), failure.ended),
        };
        self.spans(sent, received);
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => {
                let class = match failure.kind {
                    ExchangeErrorKind::Timeout { .. } => ErrorClass::Timeout,
                    _ => ErrorClass::Transport,
                };
                let refused = matches!(failure.kind, ExchangeErrorKind::Refused { .. });
                self.refused |= refused;
                let kind = refused.then(|| REFUSED.to_owned());
                return Ok(Err(Error { kind, ..error(class, failure.to_string()) }));
            }
        };
        if keep.body.len() > limits.response_bytes {
            return Err(exceeded(limits, LimitKind::ResponseBytes));
        }
        // Not followed, and no answer that a runner should take for a success.
        if answer.status.is_redirection() {
            return Ok(Err(Error {
                status: Some(answer.status.as_u16()),
                ..error(ErrorClass::Api, describe(&answer))
            }));
        }
        let succeeded = answer.status.is_success();
        let picked = match &keep.wanted {
            Wanted::JsonPointers(picks) if succeeded => match picks.pick(&keep.body, limits.response_bytes) {
                Ok(picked) => picked,
                Err(PickError::TooMuch) => return Err(exceeded(limits, LimitKind::ResponseBytes)),
                Err(PickError::NotJson(_)) => {
                    let problem = "the answer is not the JSON that values were to be picked from";
                    return Ok(Err(error(ErrorClass::Transport, problem)));
                }
            },
            _ => Vec::new(),
        };
        let whole = matches!(keep.wanted, Wanted::Whole);
        let headers = if whole { headers(&answer) } else { Vec::new() };
        let body = match (succeeded, whole) {
            (true, true) => keep.body,
            (true, false) => Vec::new(),
            (false, _) => answer.problem,
        };
        Ok(Ok(Response {
            status: answer.status.as_u16(),
            headers,
            size: answer.length,
            service_nanoseconds: (received - sent).as_nanos() as u64,
            picked,
            body,
        }))
    }

    /// Something was sent and received meanwhile.
    pub(super) fn spans(&mut self, sent: Instant, received: Instant) {
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(sent), last.max(received)),
            None => (sent, received),
        });
    }

    /// Notes what came of a submitted request.
    pub(super) fn note(&mut self, finished: Finished, limits: &crate::Limits) -> wasmtime::Result<()> {
        let (outcome, charge) = self.settle(finished.exchange, limits)?;
        self.finished.push_back((Completion { id: finished.id, outcome }, charge));
        Ok(())
    }

    /// Waits for something while submitted requests go on.
    pub(super) async fn meanwhile<T>(
        &mut self,
        wait: impl Future<Output = T>,
        limits: &crate::Limits,
    ) -> wasmtime::Result<T> {
        let mut wait = std::pin::pin!(wait);
        while !self.under_way.is_empty() {
            match select(wait.as_mut(), self.under_way.next()).await {
                futures_util::future::Either::Left((done, _)) => return Ok(done),
                futures_util::future::Either::Right((Some(finished), _)) => self.note(finished, limits)?,
                futures_util::future::Either::Right((None, _)) => break,
            }
        }
        Ok(wait.await)
    }
}

/// Kind of a transport error that tells the guest that the target refused the connection.
const REFUSED: &str = "connection-refused";

fn headers(answer: &Answer) -> Vec<(String, String)> {
    answer
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect()
}
