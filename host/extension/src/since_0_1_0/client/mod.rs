//! The way of runners to the target, and to nowhere else: requests go to the endpoints of the race, redirects are not followed,
//! and what would lead elsewhere is refused before anything is sent.

mod denied;
mod request;

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::{LocalBoxFuture, select};
use futures_util::stream::FuturesUnordered;
use rally_cluster::Cluster;
use rally_cluster::answer::describe;
use rally_cluster::http::{Answer, Connection, ExchangeError, ExchangeErrorKind, Request, Sink, WriteMode};
use rally_race::{BodyKind, Params, Partition, Runner};
use send_wrapper::SendWrapper;
use serde_json::{Map, Value, json};
use wasmtime::component::Resource;

use self::request::checked;
use crate::json_pointers::{JsonPointers, PickError};
use crate::json_size::parsed_size;
use crate::limits::LimitKind;
use crate::since_0_1_0::bindings::client;
use crate::since_0_1_0::bindings::client::{Completion, Host, Method, Response, Want};
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::bodies::Body;
use crate::since_0_1_0::corpora::error;
use crate::since_0_1_0::state::{HostState, exceeded};

/// Name of the only cluster that races have today.
pub(crate) const DEFAULT_CLUSTER: &str = "default";

/// The client of an instance: without links before the instance lives on the thread where its requests are sent.
#[derive(Default)]
pub(crate) struct Client {
    links: Option<SendWrapper<Links>>,
    /// Whether a runner is at work: sources and schedulers that share its instance cannot send.
    running: bool,
}

/// Connections and requests under way. Lives on one thread.
struct Links {
    cluster: Arc<Cluster>,
    partition: Partition,
    idle: Vec<Connection>,
    /// How new connections write.
    mode: WriteMode,
    /// The request made last, for the next one that differs in nothing but its body.
    last: Option<(Address, Rc<Request>)>,
    under_way: FuturesUnordered<LocalBoxFuture<'static, Finished>>,
    finished: VecDeque<(Completion, Charge)>,
    /// Bytes of bodies and answers that the host holds for requests under way, and for answers that nobody has taken yet.
    held: Rc<Cell<usize>>,
    next_id: u32,
    built_in: HashMap<String, Box<dyn Runner>>,
    /// First byte sent and last byte received since the call began.
    span: Option<(Instant, Instant)>,
    /// Whether the target refused a connection since the call began.
    refused: bool,
}

/// What a request without headers of its own is made of.
struct Address {
    method: Method,
    target: String,
    has_body: bool,
}

/// From this size on, bytes, copying a body behind its head costs more than writing both side by side.
const LARGE_BODY: usize = 64 * 1024;

/// A submitted request that has got its answer.
struct Finished {
    id: u32,
    exchange: Exchange,
}

/// A request and all that it needs.
struct Exchange {
    connection: Connection,
    request: Rc<Request>,
    body: Bytes,
    timeout: Option<Duration>,
    keep: Keep,
    /// For the body.
    charge: Charge,
    outcome: Option<Result<Answer, ExchangeError>>,
}

/// Bytes that count as held until this is dropped.
struct Charge {
    held: Rc<Cell<usize>>,
    bytes: usize,
}

impl Charge {
    fn new(held: &Rc<Cell<usize>>, bytes: usize) -> Charge {
        let mut charge = Charge { held: Rc::clone(held), bytes: 0 };
        charge.grow(bytes);
        charge
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.held.set(self.held.get().saturating_add(bytes));
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.held.set(self.held.get().saturating_sub(self.bytes));
    }
}

/// What is kept of an answer.
struct Keep {
    wanted: Wanted,
    /// Bytes of one answer.
    most: usize,
    /// Bytes of all that is held.
    most_held: usize,
    charge: Charge,
    body: Vec<u8>,
}

enum Wanted {
    Nothing,
    JsonPointers(JsonPointers),
    Whole,
}

impl Sink for Keep {
    fn begin(&mut self) {
        self.body.clear();
    }

    fn data(&mut self, piece: &[u8]) {
        let room = self.body.len() <= self.most && self.charge.held.get() <= self.most_held;
        if !matches!(self.wanted, Wanted::Nothing) && room {
            self.body.extend_from_slice(piece);
            self.charge.grow(piece.len());
        }
    }
}

impl Exchange {
    async fn perform(&mut self) {
        let body = std::mem::take(&mut self.body);
        let exchange = self.connection.exchange(&self.request, body, &mut self.keep);
        self.outcome = Some(match self.timeout {
            None => exchange.await,
            Some(timeout) => {
                match tokio::time::timeout(timeout, exchange).await {
                    Ok(outcome) => outcome,
                    // The exchange was dropped half-way, and its connection with it.
                    Err(_) => Err(ExchangeError {
                        kind: ExchangeErrorKind::Timeout { seconds: timeout.as_secs_f64() },
                        sent: self.connection.first_write(),
                        ended: Instant::now(),
                    }),
                }
            }
        });
    }
}

impl Links {
    /// A connection for a request with a body of so many bytes.
    fn connection(&mut self, body: usize) -> Connection {
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
    fn request(&mut self, request: client::Request, body: &Bytes) -> Result<Rc<Request>, Error> {
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
    fn settle(
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
        keep: Keep,
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
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(sent), last.max(received)),
            None => (sent, received),
        });
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

    /// Notes what came of a submitted request.
    fn note(&mut self, finished: Finished, limits: &crate::Limits) -> wasmtime::Result<()> {
        let (outcome, charge) = self.settle(finished.exchange, limits)?;
        self.finished.push_back((Completion { id: finished.id, outcome }, charge));
        Ok(())
    }

    /// Waits for something while submitted requests go on.
    async fn meanwhile<T>(
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

/// What went over the connections of a run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Traffic {
    /// First byte sent and last byte received, if anything was sent.
    pub(crate) span: Option<(Instant, Instant)>,
    /// Whether the target refused a connection: what a guest says of it is not believed.
    pub(crate) refused: bool,
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

impl Client {
    /// Gives the instance a way to the target; from now on it lives on this thread.
    pub(crate) fn open(&mut self, cluster: Arc<Cluster>, partition: Partition, connection: Connection) {
        self.links = Some(SendWrapper::new(Links {
            cluster,
            partition,
            idle: vec![connection],
            mode: WriteMode::Flatten,
            last: None,
            under_way: FuturesUnordered::new(),
            finished: VecDeque::new(),
            held: Rc::default(),
            next_id: 0,
            built_in: HashMap::new(),
            span: None,
            refused: false,
        }));
    }

    pub(crate) fn is_open(&self) -> bool {
        self.links.is_some()
    }

    /// A run begins: what is sent from now on is part of it.
    pub(crate) fn begin(&mut self) {
        self.running = true;
        if let Some(links) = &mut self.links {
            (links.span, links.refused) = (None, false);
        }
    }

    /// The run has ended. Requests that nobody waited for are given up.
    pub(crate) fn end(&mut self) -> Traffic {
        self.running = false;
        let Some(links) = self.links.as_mut() else { return Traffic::default() };
        if !links.under_way.is_empty() || !links.finished.is_empty() {
            tracing::debug!("a runner returned before it had waited for all requests that it submitted");
            links.under_way.clear();
            links.finished.clear();
        }
        Traffic { span: links.span, refused: links.refused }
    }

    /// The links, while a runner is at work.
    fn at_work(&mut self) -> Option<&mut SendWrapper<Links>> {
        self.links.as_mut().filter(|_| self.running)
    }
}

fn denied() -> Error {
    error(ErrorClass::Denied, "requests can be sent in 'run' of a runner only")
}

impl HostState {
    /// Makes an exchange of a guest's request; its body leaves the guest in any case.
    fn exchange(
        &mut self,
        request: client::Request,
        want: &Want,
    ) -> wasmtime::Result<Result<Exchange, Error>> {
        let (body, charged) = match request.body {
            Some(handle) => self.take_charged_body(Resource::<Body>::new_own(handle.rep()))?,
            None => (Bytes::new(), 0),
        };
        let timeout = request.timeout_milliseconds.map(|time| Duration::from_millis(u64::from(time)));
        let request = client::Request { body: None, ..request };
        let (most, most_held) = (self.limits.response_bytes, self.limits.memory);
        let Some(links) = self.client.at_work() else { return Ok(Err(denied())) };
        let wanted = match want {
            Want::Nothing => Wanted::Nothing,
            Want::Whole => Wanted::Whole,
            Want::Pick(pointers) => match JsonPointers::new(pointers) {
                Ok(picks) => Wanted::JsonPointers(picks),
                Err(problem) => return Ok(Err(error(ErrorClass::Config, problem.to_string()))),
            },
        };
        let request = match links.request(request, &body) {
            Ok(request) => request,
            Err(error) => return Ok(Err(error)),
        };
        let exchange = Exchange {
            connection: links.connection(body.len()),
            request,
            body,
            timeout,
            keep: Keep { wanted, most, most_held, charge: Charge::new(&links.held, 0), body: Vec::new() },
            charge: Charge::new(&links.held, charged),
            outcome: None,
        };
        if links.held.get() > most_held {
            return Err(exceeded(&self.limits, LimitKind::Memory));
        }
        Ok(Ok(exchange))
    }

    /// The guest stops computing while it waits.
    fn waits(&self) {
        self.computing.pause(self.born.elapsed());
    }

    fn goes_on(&self) {
        self.computing.resume(self.born.elapsed());
    }
}

impl Host for HostState {
    async fn send(
        &mut self,
        request: client::Request,
        want: Want,
    ) -> wasmtime::Result<Result<Response, Error>> {
        let mut exchange = match self.exchange(request, &want)? {
            Ok(exchange) => exchange,
            Err(error) => return Ok(Err(error)),
        };
        self.waits();
        // Not counted: all clients share it.
        let limits = &*self.limits;
        let Some(links) = self.client.at_work() else { return Ok(Err(denied())) };
        let response = SendWrapper::new(async move {
            if links.under_way.is_empty() {
                exchange.perform().await;
            } else {
                links.meanwhile(exchange.perform(), limits).await?;
            }
            links.settle(exchange, limits).map(|(response, _)| response)
        })
        .await;
        self.goes_on();
        response
    }

    async fn send_all(
        &mut self,
        requests: Vec<client::Request>,
        want: Want,
        width: u32,
    ) -> wasmtime::Result<Vec<Result<Response, Error>>> {
        if width > self.limits.in_flight {
            return Err(exceeded(&self.limits, LimitKind::InFlight));
        }
        if requests.len() > self.limits.handles {
            return Err(exceeded(&self.limits, LimitKind::Handles));
        }
        let width = width.max(1) as usize;
        let limits = Arc::clone(&self.limits);
        let mut held = Vec::new();
        let mut answers: Vec<Option<Result<Response, Error>>> = requests.iter().map(|_| None).collect();
        let mut waiting = requests.into_iter().enumerate();
        let mut under_way = SendWrapper::new(FuturesUnordered::new());
        loop {
            while under_way.len() < width {
                let Some((index, request)) = waiting.next() else { break };
                match self.exchange(request, &want)? {
                    Ok(mut exchange) => under_way.push(SendWrapper::new(async move {
                        exchange.perform().await;
                        (index, exchange)
                    })),
                    Err(error) => answers[index] = Some(Err(error)),
                }
            }
            if under_way.is_empty() {
                break;
            }
            self.waits();
            let Some(links) = self.client.at_work() else { break };
            let done = SendWrapper::new(links.meanwhile(under_way.next(), &limits)).await?;
            if let Some((index, exchange)) = done {
                let (answer, charge) = links.settle(exchange, &limits)?;
                answers[index] = Some(answer);
                held.push(SendWrapper::new(charge));
            }
            self.goes_on();
        }
        Ok(answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(denied()))).collect())
    }

    async fn submit(&mut self, request: client::Request, want: Want) -> wasmtime::Result<Result<u32, Error>> {
        let mut exchange = match self.exchange(request, &want)? {
            Ok(exchange) => exchange,
            Err(error) => return Ok(Err(error)),
        };
        let limits = Arc::clone(&self.limits);
        let Some(links) = self.client.at_work() else { return Ok(Err(denied())) };
        if links.under_way.len() + links.finished.len() >= limits.in_flight as usize {
            return Err(exceeded(&limits, LimitKind::InFlight));
        }
        let id = links.next_id;
        links.next_id = links.next_id.wrapping_add(1);
        links.under_way.push(Box::pin(async move {
            exchange.perform().await;
            Finished { id, exchange }
        }));
        // Looked at once, so that the request is sent now and not when somebody waits.
        SendWrapper::new(async {
            if let std::task::Poll::Ready(Some(finished)) = futures_util::poll!(links.under_way.next()) {
                links.note(finished, &limits)?;
            }
            Ok(Ok(id))
        })
        .await
    }

    async fn wait(&mut self, timeout_nanoseconds: Option<u64>) -> wasmtime::Result<Vec<Completion>> {
        self.waits();
        let limits = Arc::clone(&self.limits);
        let Some(links) = self.client.at_work() else { return Ok(Vec::new()) };
        let waited: wasmtime::Result<Vec<Completion>> = SendWrapper::new(async {
            let time_is_up = async {
                match timeout_nanoseconds {
                    Some(timeout) => tokio::time::sleep(Duration::from_nanos(timeout)).await,
                    None => std::future::pending().await,
                }
            };
            let mut time_is_up = std::pin::pin!(time_is_up);
            while links.finished.is_empty() && !links.under_way.is_empty() {
                match select(links.under_way.next(), time_is_up.as_mut()).await {
                    futures_util::future::Either::Left((Some(finished), _)) => {
                        links.note(finished, &limits)?
                    }
                    _ => break,
                }
            }
            Ok(links.finished.drain(..).map(|(completion, _)| completion).collect())
        })
        .await;
        self.goes_on();
        waited
    }

    async fn sleep(&mut self, nanoseconds: u64) -> wasmtime::Result<()> {
        self.waits();
        let limits = Arc::clone(&self.limits);
        // Longer than a run may take is for ever.
        let time = Duration::from_nanos(nanoseconds).min(limits.time_to_run * 2);
        match self.client.at_work() {
            Some(links) => {
                SendWrapper::new(links.meanwhile(tokio::time::sleep(time), &limits)).await?;
            }
            None => return Err(wasmtime::format_err!("a runner can wait in 'run' only")),
        }
        self.goes_on();
        Ok(())
    }

    async fn builtin(
        &mut self,
        cluster: Option<String>,
        operation_type: String,
        params: String,
        body: Option<Resource<Body>>,
    ) -> wasmtime::Result<Result<String, Error>> {
        let body = match body {
            Some(handle) => self.take_body(handle)?,
            None => Bytes::new(),
        };
        if let Some(name) = cluster.filter(|name| name != DEFAULT_CLUSTER) {
            return Ok(Err(error(
                ErrorClass::NotFound,
                format!("there is no cluster {name:?} in this race"),
            )));
        }
        if parsed_size(&params) > self.room() {
            return Err(exceeded(&self.limits, LimitKind::Memory));
        }
        let values: Map<String, Value> = match serde_json::from_str(&params) {
            Ok(values) => values,
            Err(problem) => {
                let problem = format!("params of {operation_type:?} are no JSON object: {problem}");
                return Ok(Err(error(ErrorClass::Config, problem)));
            }
        };
        self.waits();
        let environment = Arc::clone(&self.environment);
        let limits = Arc::clone(&self.limits);
        let (Some(links), Some(target)) = (self.client.at_work(), &environment.target) else {
            return Ok(Err(denied()));
        };
        let performed = SendWrapper::new(async move {
            let mut runner = match links.built_in.remove(&operation_type) {
                Some(runner) => runner,
                None => {
                    let opened = match target.built_in.guarded_runner("builtin", &operation_type) {
                        Ok(factory) => {
                            let partition = links.partition;
                            links.meanwhile(factory.open(partition), &limits).await?
                        }
                        Err(problem) => return Ok(Err(error(ErrorClass::NotFound, problem.to_string()))),
                    };
                    match opened {
                        Ok(runner) => runner,
                        Err(problem) => return Ok(Err(error(ErrorClass::Transport, problem.to_string()))),
                    }
                }
            };
            let documents = values.get("bulk-size").and_then(Value::as_u64).unwrap_or(0) as u32;
            let params =
                Params { body, body_kind: BodyKind::Bytes, documents, ..Params::of(Arc::new(values)) };
            let outcome = links.meanwhile(runner.run(&params), &limits).await?;
            links.built_in.insert(operation_type, runner);
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(problem) => return Ok(Err(error(ErrorClass::Config, problem.to_string()))),
            };
            links.span = Some(match links.span {
                Some((first, last)) => (first.min(outcome.sent), last.max(outcome.received)),
                None => (outcome.sent, outcome.received),
            });
            let mut told = json!({
                "weight": outcome.weight,
                "unit": outcome.unit,
                "success": outcome.failure.is_none(),
            });
            if let Some(failure) = outcome.failure {
                told["error-description"] = Value::from(failure.description);
                told["http-status"] = Value::from(failure.status);
                told["error-count"] = Value::from(failure.count);
            }
            if let (Some(meta), Some(told)) = (outcome.meta, told.as_object_mut()) {
                told.extend(*meta);
            }
            Ok(Ok(told.to_string()))
        })
        .await;
        self.goes_on();
        performed
    }
}
