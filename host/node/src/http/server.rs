//! Sockets: connections are served on two threads, requests are handed to the pools.

use super::request::{Parameters, Request};
use super::response::Response;
use super::route::{Class, Router};
use crate::error::EsError;
use crate::node::State;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Largest body of a request, `http.max_content_length`.
const LARGEST_BODY: usize = 100 << 20;
/// Bodies in memory at once, all connections together.
const BODIES_IN_FLIGHT: usize = 256 << 20;
/// How often a wait for the cluster looks again.
const WAIT_STEP: Duration = Duration::from_millis(20);

/// Serves connections until `stop` changes, then lets requests that are going on come to their end.
pub async fn serve(
    listener: TcpListener,
    state: Arc<State>,
    router: Arc<Router>,
    mut stop: watch::Receiver<bool>,
) {
    let connections = tokio_connections();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                state.connections_opened.fetch_add(1, Ordering::Relaxed);
                let guard = connections.clone();
                let (state, router, stop) = (Arc::clone(&state), Arc::clone(&router), stop.clone());
                tokio::spawn(async move {
                    connection(stream, state, router, stop).await;
                    drop(guard);
                });
            }
            Err(error) => {
                // Out of descriptors, most likely: they come back when connections end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let (guard, mut ended) = connections.into_parts();
    drop(guard);
    _ = ended.recv().await;
}

/// Something every connection holds; its channel ends when the last one does.
#[derive(Clone)]
struct Connections(tokio::sync::mpsc::Sender<()>);

struct ConnectionsRoot {
    sender: Connections,
    receiver: tokio::sync::mpsc::Receiver<()>,
}

fn tokio_connections() -> ConnectionsRoot {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    ConnectionsRoot { sender: Connections(sender), receiver }
}

impl ConnectionsRoot {
    fn clone(&self) -> Connections {
        Connections(self.sender.0.clone())
    }

    fn into_parts(self) -> (Connections, tokio::sync::mpsc::Receiver<()>) {
        (self.sender, self.receiver)
    }
}

async fn connection(
    stream: TcpStream,
    state: Arc<State>,
    router: Arc<Router>,
    mut stop: watch::Receiver<bool>,
) {
    _ = stream.set_nodelay(true);
    state.connections_open.fetch_add(1, Ordering::Relaxed);
    let service = {
        let state = Arc::clone(&state);
        service_fn(move |request| {
            let (state, router) = (Arc::clone(&state), Arc::clone(&router));
            async move { Ok::<_, Infallible>(answer(request, state, router).await) }
        })
    };
    let serving = hyper::server::conn::http1::Builder::new()
        // It would close connections that idle between two requests, too.
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        _ = stop.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // The other side went away or sent no HTTP; there is nobody left to tell.
        tracing::debug!(%error, "connection ended");
    }
    state.connections_open.fetch_sub(1, Ordering::Relaxed);
}

async fn answer(
    request: hyper::Request<Incoming>,
    state: Arc<State>,
    router: Arc<Router>,
) -> hyper::Response<Full<Bytes>> {
    let (parts, mut body) = request.into_parts();
    let query = Parameters::parse(parts.uri.query().unwrap_or_default());
    let parameters = query.as_ref().cloned().unwrap_or_default();
    let response = match query {
        Err(error) => Response::from(error),
        Ok(_) => match respond(&parts, &mut body, &parameters, state, &router).await {
            Ok(response) => response,
            Err(response) => response,
        },
    };
    if !body.is_end_stream() && response.status != 413 {
        // Refused before its body was read: read it away, so that the connection stays.
        discard(&mut body).await;
    }
    let (status, allow) = (response.status, response.allow.clone());
    let (bytes, content_type) = response.into_bytes(&parameters);
    let mut answer = hyper::Response::new(Full::new(bytes));
    *answer.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(allow) = allow.and_then(|list| HeaderValue::from_str(&list).ok()) {
        answer.headers_mut().insert(ALLOW, allow);
    }
    answer
}

async fn respond(
    parts: &http::request::Parts,
    body: &mut Incoming,
    parameters: &Parameters,
    state: Arc<State>,
    router: &Arc<Router>,
) -> Result<Response, Response> {
    if parameters.get("human").is_some_and(|human| human != "false") {
        return Err(EsError::unsupported("parameter [human]").into());
    }
    let path = parts.uri.path();
    let uri = parts.uri.path_and_query().map_or(path, |whole| whole.as_str());
    let (route, captures) = router.find(&parts.method, path, uri, parameters)?;
    let (class, handler) = (route.class, route.handler);
    let held = BodyRoom { in_flight: Arc::clone(&state.bodies_in_flight), bytes: 0 };
    let (body, held) = read_body(parts, body, held).await?;
    let request = Request {
        method: parts.method.clone(),
        path: path.to_string(),
        captures,
        parameters: parameters.clone(),
        body,
    };
    let deadline = match class {
        Class::Wait => Instant::now() + parameters.duration("timeout", Duration::from_secs(30))?,
        _ => Instant::now(),
    };
    let request = Arc::new(request);
    let held = Arc::new(held);
    loop {
        let job = {
            let (state, request, held) = (Arc::clone(&state), Arc::clone(&request), Arc::clone(&held));
            move || {
                let response = handler(&state, &request);
                drop(held);
                response
            }
        };
        let response = state.pools.of(class).run(job).await?;
        if response.status != 408 || Instant::now() >= deadline {
            return Ok(response);
        }
        tokio::time::sleep(WAIT_STEP).await;
    }
}

/// Room taken for a body, given back when the request is done.
struct BodyRoom {
    in_flight: Arc<AtomicUsize>,
    bytes: usize,
}

impl BodyRoom {
    fn take(&mut self, bytes: usize) -> Result<(), EsError> {
        self.bytes += bytes;
        if self.in_flight.fetch_add(bytes, Ordering::Relaxed) + bytes > BODIES_IN_FLIGHT {
            return Err(EsError::new(
                429,
                "circuit_breaking_exception",
                format!(
                    "[in_flight_requests] Data too large: bodies of requests would exceed [{BODIES_IN_FLIGHT}] bytes"
                ),
            ));
        }
        Ok(())
    }
}

impl Drop for BodyRoom {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

async fn discard(body: &mut Incoming) {
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        if discarded > LARGEST_BODY {
            return;
        }
    }
}

async fn read_body(
    parts: &http::request::Parts,
    body: &mut Incoming,
    mut room: BodyRoom,
) -> Result<(Bytes, BodyRoom), Response> {
    let too_large = |size: u64| {
        Response::from(EsError::new(
            413,
            "content_too_long_exception",
            format!("entity content is too long [{size}] for the configured buffer limit [{LARGEST_BODY}]"),
        ))
    };
    if let Some(encoding) = parts.headers.get(hyper::header::CONTENT_ENCODING)
        && encoding != "identity"
    {
        return Err(EsError::new(
            415,
            "media_type_header_exception",
            "Content-Encoding is not supported: send the body as it is",
        )
        .into());
    }
    let announced = body.size_hint().exact().unwrap_or(0);
    if announced > LARGEST_BODY as u64 {
        return Err(too_large(announced));
    }
    let announced = usize::try_from(announced).unwrap_or(0);
    room.take(announced)?;
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            Response::from(EsError::new(
                400,
                "i_o_exception",
                format!("the body of the request ended early: {error}"),
            ))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.is_empty() && whole.is_empty() && data.len() >= announced {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole.reserve(announced.max(first.len() + data.len()));
            whole.extend_from_slice(&first);
            first = Bytes::new();
        }
        whole.extend_from_slice(&data);
        if whole.len() > LARGEST_BODY {
            return Err(too_large(whole.len() as u64));
        }
        if whole.len() > room.bytes {
            let more = whole.len() - room.bytes;
            room.take(more)?;
        }
    }
    Ok((if whole.is_empty() { first } else { whole.freeze() }, room))
}
