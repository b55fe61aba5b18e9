//! Makes a recording: stands between a race and its target and writes down what passes.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, DATE, HOST, TRANSFER_ENCODING};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::file::{Answer, Exchange};
use crate::server::{Received, Server};

/// What passed cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[error("cannot record {request}: {reason}")]
pub struct RecordError {
    request: String,
    reason: String,
}

/// A target that passes all requests on to another one.
pub struct Recorder {
    server: Server,
    state: Arc<Shared>,
}

struct Shared {
    target: SocketAddr,
    /// Connections that nobody uses at the moment.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
    exchanges: Mutex<Result<Vec<Exchange>, RecordError>>,
}

impl Recorder {
    /// Starts to record what `target` answers.
    ///
    /// # Errors
    /// Where it cannot listen.
    pub fn start(target: SocketAddr) -> io::Result<Recorder> {
        let state =
            Arc::new(Shared { target, idle: Mutex::new(Vec::new()), exchanges: Mutex::new(Ok(Vec::new())) });
        let shared = Arc::clone(&state);
        let server = Server::start(move |received| pass_on(Arc::clone(&shared), received))?;
        Ok(Recorder { server, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Ends and gives what was recorded.
    ///
    /// # Errors
    /// The first request that could not be recorded.
    pub fn finish(self) -> Result<Vec<Exchange>, RecordError> {
        drop(self.server);
        std::mem::replace(&mut *lock(&self.state.exchanges), Ok(Vec::new()))
    }
}

fn lock<Content>(mutex: &Mutex<Content>) -> MutexGuard<'_, Content> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_on(shared: Arc<Shared>, received: Received) -> Answer {
    let request = format!("{} {}", received.method, received.target);
    let passed = ask(&shared, &received).await;
    let mut exchanges = lock(&shared.exchanges);
    match passed {
        Ok(answer) => {
            let Answer { status, headers, content } = answer.clone();
            let exchange =
                Exchange::new(&received.method, &received.target, &received.body, status, headers, content);
            if let Ok(exchanges) = exchanges.as_mut() {
                add(exchanges, exchange);
            }
            answer
        }
        Err(reason) => {
            if exchanges.is_ok() {
                *exchanges = Err(RecordError { request, reason });
            }
            Answer { status: 502, headers: Vec::new(), content: String::new() }
        }
    }
}

/// Keeps an exchange, unless a player would give the same answer without it.
fn add(exchanges: &mut Vec<Exchange>, exchange: Exchange) {
    let before = exchanges.iter().rev().find(|before| before.asked == exchange.asked);
    if before != Some(&exchange) {
        exchanges.push(exchange);
    }
}

async fn ask(shared: &Shared, received: &Received) -> Result<Answer, String> {
    let text = |error: hyper::Error| error.to_string();
    let mut connection = connection(shared).await?;
    let mut request = Request::builder().method(received.method.as_str()).uri(received.target.as_str());
    for (name, value) in &received.headers {
        // What is compressed could not be read in the recording.
        if ![HOST, CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING, ACCEPT_ENCODING].contains(name) {
            request = request.header(name, value);
        }
    }
    let request = request.header(HOST, shared.target.to_string());
    let request = request.body(Full::new(received.body.clone())).map_err(|error| error.to_string())?;
    let response = connection.send_request(request).await.map_err(text)?;
    let status = response.status().as_u16();
    let headers = headers(response.headers())?;
    let body = response.into_body().collect().await.map_err(text)?.to_bytes();
    lock(&shared.idle).push(connection);
    let content = String::from_utf8(body.into()).map_err(|_| "the answer is not text".to_owned())?;
    Ok(Answer { status, headers, content })
}

async fn connection(shared: &Shared) -> Result<SendRequest<Full<Bytes>>, String> {
    loop {
        let Some(mut idle) = lock(&shared.idle).pop() else { break };
        if idle.ready().await.is_ok() {
            return Ok(idle);
        }
    }
    let stream = TcpStream::connect(shared.target).await.map_err(|error| error.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends when the target or the recorder does; a request that fails by that says so.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// The headers that another server can give as well.
fn headers(headers: &HeaderMap) -> Result<Vec<(String, String)>, String> {
    headers
        .iter()
        .filter(|(name, _)| ![CONTENT_LENGTH, CONNECTION, TRANSFER_ENCODING, DATE].contains(name))
        .map(|(name, value)| {
            let value = value.to_str().map_err(|_| format!("its header {name} is not text"))?;
            Ok((name.to_string(), value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_answer_again_is_kept_once() {
        let exchange =
            |target, content: &str| Exchange::new("GET", target, b"", 200, Vec::new(), content.to_owned());
        let mut exchanges = Vec::new();
        for (target, content) in
            [("/a", "1"), ("/a", "1"), ("/b", "1"), ("/a", "2"), ("/a", "1"), ("/a", "1")]
        {
            add(&mut exchanges, exchange(target, content));
        }
        let kept: Vec<(&str, &str)> = exchanges
            .iter()
            .map(|exchange| (exchange.asked.target.as_str(), exchange.answer.content.as_str()))
            .collect();
        assert_eq!(kept, [("/a", "1"), ("/b", "1"), ("/a", "2"), ("/a", "1")]);
    }
}
