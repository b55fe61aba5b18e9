//! A connection that one client keeps.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{HeaderMap, LOCATION};
use http::{Method, StatusCode};
use memchr::memmem;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::body::BodyDecoder;
use super::deadline::Deadline;
use super::endpoint::Endpoint;
use super::error::{ExchangeError, ExchangeErrorKind, MalformedAnswer};
use super::io::{Stamped, Stamps, Stream};
use super::request::Request;
use super::response::{HeadError, MAX_HEAD, ResponseHead, headers_of, parse_head};
use super::sink::Sink;
use super::wire::{Input, Output, write_head};

/// How much of an unsuccessful answer's body is kept to say what is wrong. The rest is read and dropped.
const KEPT_OF_PROBLEM: usize = 64 * 1024;

/// How often a connection that closes before anything could be sent is opened again for one request.
const ATTEMPTS: usize = 3;

/// Bodies up to this size are copied behind their head, so that one plain write sends both.
const FLAT_BODY: usize = 16 * 1024;

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
    /// The head as it came.
    pub head: Box<[u8]>,
    /// Size of its body in bytes.
    pub length: u64,
}

impl Answer {
    /// The headers, read when they are asked for: most answers are judged by status and body alone.
    pub fn headers(&self) -> HeaderMap {
        headers_of(&self.head)
    }
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
    /// Head of the request under way, or head and body.
    head: Vec<u8>,
}

/// A stream and what has come of it. Boxed wherever it goes: each request takes it out and puts it back.
struct Link {
    stream: Stream,
    input: Input,
}

impl Link {
    /// Whether a request can be sent. Between requests nothing may come: not the end, and no answer that no request asked for.
    fn is_usable(&mut self, context: &mut Context<'_>) -> bool {
        self.input.filled().is_empty() && self.input.poll_fill(&mut self.stream, context).is_pending()
    }

    /// Reads the head of the answer, past interim ones, while the request goes on its way.
    fn poll_head(
        &mut self,
        output: &mut Output<'_>,
        method: &Method,
        looks: &mut Looks,
        context: &mut Context<'_>,
    ) -> Poll<Result<ResponseHead, Interrupted>> {
        loop {
            output.poll_send(&mut self.stream, context);
            if output.is_unsent() {
                return Poll::Ready(Err(Interrupted::NotSent));
            }
            if looks.worth_it(self.input.filled()) {
                match parse_head(self.input.filled(), method) {
                    Ok(Some(head)) if head.status.is_informational() => {
                        self.input.take(head.length);
                        looks.interim();
                        continue;
                    }
                    Ok(Some(head)) => return Poll::Ready(Ok(head)),
                    Ok(None) => {}
                    Err(error) => return Poll::Ready(Err(malformed_head(error).into())),
                }
            }
            if looks.are_over() {
                return Poll::Ready(Err(Interrupted::Late));
            }
            match ready!(self.input.poll_fill(&mut self.stream, context)) {
                Ok(0) => return Poll::Ready(Err(self.ended_in_head(method).into())),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(broken(error, false).into())),
            }
        }
    }

    /// What the end of the stream means where a head is awaited.
    fn ended_in_head(&self, method: &Method) -> ExchangeErrorKind {
        match parse_head(self.input.filled(), method) {
            Err(error) => malformed_head(error),
            Ok(_) => ExchangeErrorKind::ClosedWithoutAnswer,
        }
    }
}

/// When a head that is not complete is worth another look: looking at each byte of one that drips would take quadratic time.
struct Looks {
    seen: usize,
    left: usize,
    interim: bool,
    over: Instant,
}

impl Looks {
    /// The first pieces are looked at in any case: what is not HTTP is seen at once.
    const EAGER: usize = 4;

    /// `over`: the moment after which no more is awaited.
    fn until(over: Instant) -> Looks {
        Looks { seen: 0, left: Looks::EAGER, interim: false, over }
    }

    fn worth_it(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() == self.seen {
            return false;
        }
        let fresh = &bytes[self.seen.saturating_sub(3)..];
        self.seen = bytes.len();
        let eager = self.left > 0;
        self.left = self.left.saturating_sub(1);
        eager
            || bytes.len() >= MAX_HEAD
            || memmem::find(fresh, b"\n\r\n").is_some()
            || memmem::find(fresh, b"\n\n").is_some()
    }

    /// An interim answer was taken away.
    fn interim(&mut self) {
        self.seen = 0;
        self.left = Looks::EAGER;
        self.interim = true;
    }

    /// Whether the time is over. Only data that never stops coming needs this: the timer is not asked then.
    fn are_over(&self) -> bool {
        (self.seen > 0 || self.interim) && Instant::now() > self.over
    }
}

/// Why there is no head of an answer.
enum Interrupted {
    /// Nothing of the request was written.
    NotSent,
    /// The time is over.
    Late,
    Failed(ExchangeErrorKind),
}

impl From<ExchangeErrorKind> for Interrupted {
    fn from(kind: ExchangeErrorKind) -> Interrupted {
        Interrupted::Failed(kind)
    }
}

fn malformed_head(error: HeadError) -> ExchangeErrorKind {
    match error {
        HeadError::TooLarge => ExchangeErrorKind::HeadTooLarge,
        error => ExchangeErrorKind::Malformed(MalformedAnswer::Head(error)),
    }
}

/// A stream that cannot be read. `started`: within an answer.
fn broken(error: std::io::Error, started: bool) -> ExchangeErrorKind {
    match error.kind() {
        // TLS says so where the other side just goes.
        std::io::ErrorKind::UnexpectedEof if started => ExchangeErrorKind::ClosedWithinAnswer,
        std::io::ErrorKind::UnexpectedEof => ExchangeErrorKind::ClosedWithoutAnswer,
        _ => ExchangeErrorKind::Broken(error),
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
            head: Vec::new(),
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
        let flat = self.mode == WriteMode::Flatten && body.len() <= FLAT_BODY;
        write_head(request, body.len(), &mut self.head);
        if flat {
            self.head.extend_from_slice(&body);
        }
        let body = if flat { &[] } else { body.as_ref() };
        for _ in 0..ATTEMPTS {
            let mut link = match self.usable_link().await {
                Ok(link) => link,
                Err(kind) => return Err(self.failed(kind)),
            };
            // Connecting wrote bytes of its own (TLS).
            self.stamps.reset();
            let head = std::mem::take(&mut self.head);
            let asked = self.ask(&mut link, &request.method, &mut Output::new(&head, body), sink).await;
            self.head = head;
            match asked {
                Ok((answer, reusable)) => {
                    self.link = reusable.then_some(link);
                    return Ok(answer);
                }
                Err(Unanswered::NotSent) => {}
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
            && poll_fn(|context| Poll::Ready(link.is_usable(context))).await
        {
            return Ok(link);
        }
        let endpoint = Arc::clone(&self.endpoint);
        let stamps = Rc::clone(&self.stamps);
        let connecting = Box::pin(establish(&endpoint, stamps, self.guarded));
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
        done.ok_or_else(|| self.late())
    }

    /// Sends the request and reads its answer; with whether the connection can take another request.
    async fn ask(
        &mut self,
        link: &mut Link,
        method: &Method,
        output: &mut Output<'_>,
        sink: &mut impl Sink,
    ) -> Result<(Answer, bool), Unanswered> {
        let mut looks = Looks::until(self.deadline.moment());
        let head = self
            .within_deadline(poll_fn(|context| link.poll_head(output, method, &mut looks, context)))
            .await
            .map_err(Unanswered::Failed)?
            .map_err(|interrupted| match interrupted {
                Interrupted::NotSent => Unanswered::NotSent,
                Interrupted::Late => Unanswered::Failed(self.late()),
                Interrupted::Failed(kind) => Unanswered::Failed(kind),
            })?;
        let kept = Box::from(&link.input.filled()[..head.length]);
        link.input.take(head.length);
        let success = head.status.is_success();
        let mut body = BodyDecoder::new(head.end);
        let mut problem = Vec::new();
        let mut length = 0u64;
        sink.begin();
        loop {
            let taken = body.take(link.input.filled(), |piece| {
                length += piece.len() as u64;
                if success {
                    sink.data(piece);
                } else {
                    let room = KEPT_OF_PROBLEM.saturating_sub(problem.len()).min(piece.len());
                    problem.extend_from_slice(&piece[..room]);
                }
            });
            link.input.take(taken.map_err(|error| {
                Unanswered::Failed(ExchangeErrorKind::Malformed(MalformedAnswer::Chunks(error)))
            })?);
            if length > self.endpoint.max_response_size {
                let limit = self.endpoint.max_response_size;
                return Err(Unanswered::Failed(ExchangeErrorKind::BodyTooLarge { limit }));
            }
            // Data that never stops coming never lets the timer be asked.
            if self.stamps.last_read().is_some_and(|read| self.deadline.is_past(read)) {
                return Err(Unanswered::Failed(self.late()));
            }
            if body.is_done() {
                break;
            }
            let more = self
                .within_deadline(poll_fn(|context| {
                    output.poll_send(&mut link.stream, context);
                    link.input.poll_fill(&mut link.stream, context)
                }))
                .await
                .map_err(Unanswered::Failed)?;
            match more {
                Ok(0) if body.ends_with_connection() => break,
                Ok(0) => return Err(Unanswered::Failed(ExchangeErrorKind::ClosedWithinAnswer)),
                Ok(_) => {}
                Err(error) => return Err(Unanswered::Failed(broken(error, true))),
            }
        }
        let received = self.stamps.last_read().unwrap_or_else(Instant::now);
        let sent = self.stamps.first_write().unwrap_or(received);
        // An answer that came before its request was sent ends the connection: the target will not read the rest.
        let reusable = head.keep_alive && output.is_sent() && link.input.filled().is_empty();
        let mut answer =
            Answer { status: head.status, sent, received, problem, location: None, head: kept, length };
        if head.status.is_redirection() {
            let location =
                answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            answer.location = location;
        }
        Ok((answer, reusable))
    }

    fn late(&self) -> ExchangeErrorKind {
        ExchangeErrorKind::Timeout { seconds: self.deadline.timeout().as_secs_f64() }
    }
}

enum Unanswered {
    /// Nothing of the request was written; it can go over another connection.
    NotSent,
    Failed(ExchangeErrorKind),
}

async fn establish(
    endpoint: &Endpoint,
    stamps: Rc<Stamps>,
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
    Ok(Box::new(Link { stream, input: Input::new() }))
}
