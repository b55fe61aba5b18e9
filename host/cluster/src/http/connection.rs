//! A connection that one client keeps.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, LOCATION};
use http_body_util::Full;
use hyper::body::{Body as _, Frame, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::deadline::Deadline;
use super::endpoint::Endpoint;
use super::error::{ExchangeError, ExchangeErrorKind};
use super::io::{Stamped, Stamps, Stream};
use super::request::Request;
use super::sink::Sink;

/// Longest head of an answer. Elasticsearch itself limits heads to 8 to 16 KiB; warnings about deprecated parts of a
/// request add up in answers.
const MAX_HEAD: usize = 128 * 1024;

/// How much of an unsuccessful answer's body is kept to say what is wrong. The rest is read and dropped.
const KEPT_OF_PROBLEM: usize = 64 * 1024;

/// How often a connection that closes before anything could be sent is opened again for one request.
const ATTEMPTS: usize = 3;

/// How request bodies reach the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// Head and body copied into one buffer and written at once: cheapest for small bodies.
    Flatten,
    /// Head and body written side by side without copying: for bulks.
    Vectored,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// First byte of the request sent.
    pub sent: Instant,
    /// Last byte of the answer received.
    pub received: Instant,
    /// The body of an unsuccessful answer (at most its first 64 KiB).
    pub problem: Vec<u8>,
    /// Where a redirect points to.
    pub location: Option<String>,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// Size of its body in bytes.
    pub length: u64,
}

/// A connection that one client keeps. Lives on one thread.
pub struct Connection {
    endpoint: Arc<Endpoint>,
    mode: WriteMode,
    stamps: Rc<Stamps>,
    deadline: Deadline,
    guarded: bool,
    // Taken out while a request is under way: a request that is dropped half-way takes its connection along.
    link: Option<Box<Link>>,
}

type Driver = http1::Connection<TokioIo<Stream>, Full<Bytes>>;

/// Boxed wherever it goes: hyper's connection is large, and each request takes it out and puts it back.
struct Link {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Driver,
    ended: bool,
}

impl Link {
    /// Lets the connection do its reading and writing.
    fn drive(&mut self, context: &mut Context<'_>) {
        if !self.ended && Pin::new(&mut self.driver).poll(context).is_ready() {
            self.ended = true;
        }
    }

    /// Ready with whether a request can be sent.
    fn poll_usable(&mut self, context: &mut Context<'_>) -> Poll<bool> {
        self.drive(context);
        if self.ended || self.sender.is_closed() {
            return Poll::Ready(false);
        }
        self.sender.poll_ready(context).map(|ready| ready.is_ok())
    }
}

impl Connection {
    /// A connection to `endpoint` that is not made yet.
    pub fn new(endpoint: Arc<Endpoint>, mode: WriteMode) -> Self {
        let deadline = Deadline::new(endpoint.timeout);
        Connection {
            endpoint,
            mode,
            stamps: Rc::new(Stamps::default()),
            deadline,
            guarded: false,
            link: None,
        }
    }

    /// The same for a track's own code: a name that leads elsewhere than when the race began is not followed there
    /// ([`KnownAddresses`](super::KnownAddresses)).
    pub fn guarded(endpoint: Arc<Endpoint>, mode: WriteMode) -> Self {
        Connection { guarded: true, ..Connection::new(endpoint, mode) }
    }

    /// Who it connects to.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// How long requests may take from now on; `None`: as long as the endpoint says.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.deadline.set_timeout(timeout.unwrap_or(self.endpoint.timeout));
    }

    /// When the first byte of the last exchange was sent, if any was.
    pub fn first_write(&self) -> Option<Instant> {
        self.stamps.first_write()
    }

    /// Connects if it is not connected.
    ///
    /// # Errors
    /// Where the target cannot be reached.
    pub async fn connect(&mut self) -> Result<(), ExchangeError> {
        self.deadline.start();
        let link = match self.usable_link().await {
            Ok(link) => link,
            Err(kind) => return Err(ExchangeError { kind, sent: None, ended: Instant::now() }),
        };
        self.link = Some(link);
        Ok(())
    }

    /// Sends a request and reads its answer to the end. The body of a successful answer (2xx) goes to `sink`.
    ///
    /// # Errors
    /// Where there is no whole answer. The connection is dropped then; the request is not repeated.
    pub async fn exchange(
        &mut self,
        request: &Request,
        body: Bytes,
        sink: &mut impl Sink,
    ) -> Result<Answer, ExchangeError> {
        self.deadline.start();
        self.stamps.reset();
        let mut message = make_message(request, body);
        for _ in 0..ATTEMPTS {
            let mut link = match self.usable_link().await {
                Ok(link) => link,
                Err(kind) => return Err(self.failed(kind)),
            };
            // Connecting wrote bytes of its own (TLS).
            self.stamps.reset();
            match self.ask(&mut link, message, sink).await {
                Ok(answer) => {
                    self.link = Some(link);
                    return Ok(answer);
                }
                Err(Unanswered::NotSent(returned)) => message = *returned,
                Err(Unanswered::Failed(kind)) => return Err(self.failed(kind)),
            }
        }
        Err(self.failed(ExchangeErrorKind::NeverReady))
    }

    fn failed(&self, kind: ExchangeErrorKind) -> ExchangeError {
        ExchangeError { kind, sent: self.stamps.first_write(), ended: Instant::now() }
    }

    /// The link that is there, if it can be used, or a new one.
    async fn usable_link(&mut self) -> Result<Box<Link>, ExchangeErrorKind> {
        if let Some(mut link) = self.link.take()
            && self.within_deadline(poll_fn(|context| link.poll_usable(context))).await?
        {
            return Ok(link);
        }
        let endpoint = Arc::clone(&self.endpoint);
        let stamps = Rc::clone(&self.stamps);
        let mode = self.mode;
        let connecting = Box::pin(establish(&endpoint, stamps, mode, self.guarded));
        self.within_deadline(connecting).await?
    }

    async fn within_deadline<T>(&mut self, work: impl Future<Output = T>) -> Result<T, ExchangeErrorKind> {
        let mut work = pin!(work);
        let deadline = &mut self.deadline;
        let done = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => deadline.poll_passed(context).map(|()| None),
        })
        .await;
        done.ok_or(ExchangeErrorKind::Timeout { seconds: self.deadline.timeout().as_secs_f64() })
    }

    async fn ask(
        &mut self,
        link: &mut Link,
        message: http::Request<Full<Bytes>>,
        sink: &mut impl Sink,
    ) -> Result<Answer, Unanswered> {
        // The request is in hyper's hands from here on; only `drive` moves it, so the inner waker has nothing to do.
        let mut response = pin!(link.sender.try_send_request(message));
        let mut idle = Context::from_waker(Waker::noop());
        let (driver, ended) = (&mut link.driver, &mut link.ended);
        let answered = self
            .within_deadline(poll_fn(|context| {
                if !*ended && Pin::new(&mut *driver).poll(context).is_ready() {
                    *ended = true;
                }
                response.as_mut().poll(&mut idle)
            }))
            .await
            .map_err(Unanswered::Failed)?;
        let response = match answered {
            Ok(response) => response,
            Err(mut error) => {
                return Err(match error.take_message() {
                    Some(message) if self.stamps.first_write().is_none() => {
                        Unanswered::NotSent(Box::new(message))
                    }
                    _ => Unanswered::Failed(ExchangeErrorKind::from_hyper(error.into_error(), false)),
                });
            }
        };
        let status = response.status();
        let location = if status.is_redirection() {
            response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned)
        } else {
            None
        };
        let (head, mut body) = response.into_parts();
        let mut problem = Vec::new();
        let mut length = 0u64;
        sink.begin();
        while let Some(frame) = self.next_frame(link, &mut body).await.map_err(Unanswered::Failed)? {
            let Ok(piece) = frame.into_data() else { continue };
            length += piece.len() as u64;
            if length > self.endpoint.max_response_size {
                let limit = self.endpoint.max_response_size;
                return Err(Unanswered::Failed(ExchangeErrorKind::BodyTooLarge { limit }));
            }
            // Data that never stops coming never lets the timer be asked.
            if self.stamps.last_read().is_some_and(|read| self.deadline.is_past(read)) {
                let seconds = self.deadline.timeout().as_secs_f64();
                return Err(Unanswered::Failed(ExchangeErrorKind::Timeout { seconds }));
            }
            if status.is_success() {
                sink.data(&piece);
            } else {
                let room = KEPT_OF_PROBLEM.saturating_sub(problem.len()).min(piece.len());
                problem.extend_from_slice(&piece[..room]);
            }
        }
        let received = self.stamps.last_read().unwrap_or_else(Instant::now);
        let sent = self.stamps.first_write().unwrap_or(received);
        Ok(Answer { status, sent, received, problem, location, headers: head.headers, length })
    }

    async fn next_frame(
        &mut self,
        link: &mut Link,
        body: &mut Incoming,
    ) -> Result<Option<Frame<Bytes>>, ExchangeErrorKind> {
        if body.is_end_stream() {
            return Ok(None);
        }
        let mut idle = Context::from_waker(Waker::noop());
        let frame = self
            .within_deadline(poll_fn(|context| {
                // The first look asks for data, the connection fetches it, the second look finds it.
                if let Poll::Ready(frame) = Pin::new(&mut *body).poll_frame(&mut idle) {
                    return Poll::Ready(frame);
                }
                link.drive(context);
                Pin::new(&mut *body).poll_frame(&mut idle)
            }))
            .await?;
        frame.transpose().map_err(|error| ExchangeErrorKind::from_hyper(error, true))
    }
}

enum Unanswered {
    /// Nothing of the request was written; it can go over another connection.
    NotSent(Box<http::Request<Full<Bytes>>>),
    Failed(ExchangeErrorKind),
}

fn make_message(request: &Request, body: Bytes) -> http::Request<Full<Bytes>> {
    let mut message = http::Request::new(Full::new(body));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = request.uri.clone();
    *message.headers_mut() = request.headers.clone();
    message
}

async fn establish(
    endpoint: &Endpoint,
    stamps: Rc<Stamps>,
    mode: WriteMode,
    guarded: bool,
) -> Result<Box<Link>, ExchangeErrorKind> {
    let failed = |source: std::io::Error| {
        let authority = endpoint.host.authority();
        if source.kind() == std::io::ErrorKind::ConnectionRefused {
            ExchangeErrorKind::Refused { authority, source }
        } else {
            ExchangeErrorKind::Unreachable { authority, source }
        }
    };
    let name = (endpoint.host.host.as_str(), endpoint.host.port);
    let tcp = if guarded {
        let all: Vec<_> = tokio::net::lookup_host(name).await.map_err(failed)?.collect();
        let admitted: Vec<_> =
            all.iter().copied().filter(|address| endpoint.addresses.admit(address.ip())).collect();
        if let (Some(other), true) = (all.first(), admitted.is_empty()) {
            return Err(failed(std::io::Error::other(format!(
                "its name now stands for {}, which it did not when the race began",
                other.ip()
            ))));
        }
        TcpStream::connect(&*admitted).await
    } else {
        TcpStream::connect(name).await
    };
    let tcp = tcp.map_err(failed)?;
    tcp.set_nodelay(true).map_err(failed)?;
    let stamped = Stamped::new(tcp, stamps);
    let stream = match &endpoint.tls {
        None => Stream::Plain(stamped),
        Some((config, name)) => {
            let connector = TlsConnector::from(Arc::clone(config));
            Stream::Tls(Box::new(connector.connect(name.clone(), stamped).await.map_err(failed)?))
        }
    };
    let mut builder = http1::Builder::new();
    builder.max_header_size(MAX_HEAD);
    if mode == WriteMode::Flatten {
        builder.writev(false);
    }
    let (sender, driver) =
        builder.handshake(TokioIo::new(stream)).await.map_err(ExchangeErrorKind::Broken)?;
    let mut link = Box::new(Link { sender, driver, ended: false });
    match poll_fn(|context| link.poll_usable(context)).await {
        true => Ok(link),
        false => Err(ExchangeErrorKind::NeverReady),
    }
}
