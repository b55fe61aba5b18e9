//! The way of runners to the target, and to nowhere else: requests go to the endpoints of the race, redirects are not followed,
//! and what would lead elsewhere is refused before anything is sent.

mod builtin;
mod denied;
mod exchange;
mod links;
mod request;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::select;
use futures_util::stream::FuturesUnordered;
use rally_cluster::Cluster;
use rally_cluster::http::{Connection, WriteMode};
use rally_race::Partition;
use send_wrapper::SendWrapper;
use wasmtime::component::Resource;

use self::exchange::{AnswerKeeper, Charge, Exchange, Finished, Wanted};
use self::links::Links;
use crate::instance::Traffic;
use crate::json_pointers::JsonPointers;
use crate::limits::LimitKind;
use crate::since_0_1_0::bindings::client;
use crate::since_0_1_0::bindings::client::{Completion, Host, Response, Want};
use crate::since_0_1_0::bindings::imports::types::{Error, ErrorClass};
use crate::since_0_1_0::bodies::Body;
use crate::since_0_1_0::corpora::error;
use crate::since_0_1_0::state::{HostState, exceeded};

/// The client of an instance: without links before the instance lives on the thread where its requests are sent.
#[derive(Default)]
pub(crate) struct Client {
    links: Option<SendWrapper<Links>>,
    /// Whether a runner is at work: sources and schedulers that share its instance cannot send.
    running: bool,
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
            keep: AnswerKeeper {
                wanted,
                most,
                most_held,
                charge: Charge::new(&links.held, 0),
                body: Vec::new(),
            },
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
        self.perform_builtin(cluster, operation_type, params, body).await
    }
}
