//! rally's own exchange reads answers as hyper does, whatever they are and however they are cut into pieces.
//! `PROPTEST_CASES=20000` tries more of them.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use proptest::prelude::*;
use rally_cluster::http::{Collect, Connection, Endpoint, Request, WriteMode};
use rally_cluster::{ClientOptions, parse_target_hosts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a client made of an answer: status and body, or nothing where it refused it.
type Seen = Option<(u16, Vec<u8>)>;

/// Answers one request with these pieces, then closes.
async fn serve(listener: TcpListener, pieces: Vec<Vec<u8>>) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).await.unwrap_or(0) == 0 {
            return;
        }
        request.push(byte[0]);
    }
    for piece in pieces {
        if stream.write_all(&piece).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    let _ = stream.shutdown().await;
    // Read to the end, so that the close is no reset that overtakes the answer.
    let _ = stream.read_to_end(&mut request).await;
}

async fn with_rally(address: &str) -> Seen {
    let hosts = parse_target_hosts(address).unwrap();
    let endpoint = Endpoint::all(&hosts, &ClientOptions::default()).unwrap().remove(0);
    let request = Request::new(&endpoint, http::Method::GET, "/", "", None).unwrap();
    let mut connection = Connection::new(endpoint, WriteMode::Flatten);
    let mut collected = Collect::default();
    let answer = connection.exchange(&request, Bytes::new(), &mut collected).await.ok()?;
    let body = if answer.status.is_success() { collected.body } else { answer.problem };
    Some((answer.status.as_u16(), body))
}

async fn with_hyper(address: &str) -> Seen {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let request = hyper::Request::get("/").header("host", address).body(Full::<Bytes>::default()).unwrap();
    let seen = async {
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.into_body().collect().await.ok()?.to_bytes().to_vec()))
    };
    let seen = tokio::time::timeout(Duration::from_secs(20), seen).await.unwrap();
    driving.abort();
    seen
}

/// What both clients make of the same pieces.
fn both(pieces: &[Vec<u8>]) -> (Seen, Seen) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let seen = |hyper: bool| {
        let pieces = pieces.to_vec();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let serving = tokio::spawn(serve(listener, pieces));
            let seen = if hyper { with_hyper(&address).await } else { with_rally(&address).await };
            serving.abort();
            seen
        })
    };
    (seen(false), seen(true))
}

fn status_line() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200",
        "HTTP/1.0 200 OK",
        "HTTP/1.1 404 Not Found",
        "HTTP/1.1 204 No Content",
        "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
        "HTTP/1.1 99 Low",
        "HTTP/2 200 OK",
        "HTTP/1.1 2OO OK",
        "SSH-2.0-OpenSSH",
    ])
    .prop_map(str::to_owned)
}

fn header() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "content-length: 5",
        "Content-Length: 5",
        "content-length: 6",
        "content-length: 5, 5",
        "content-length: +5",
        "content-length: -1",
        "content-length:",
        "transfer-encoding: chunked",
        "Transfer-Encoding: gzip, CHUNKED",
        "transfer-encoding: gzip",
        "connection: close",
        "connection: keep-alive",
        "x-name: value",
        "x-name : blank",
        "x name: blank",
        "no colon",
        " folded: line",
        "x-bytes: \u{e9}",
    ])
    .prop_map(str::to_owned)
}

fn body() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "hello",
        "hello world",
        "5\r\nhello\r\n0\r\n\r\n",
        "5;a=b\r\nhello\r\n1 \r\n!\r\n0\r\nx: y\r\n\r\n",
        "5\r\nhello",
        "5\r\nhelloX",
        "5\nhello\n0\n\n",
        "x\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello",
        "0\r\n\r\n",
    ])
    .prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn answers_are_read_as_hyper_reads_them(status in status_line(), headers in prop::collection::vec(header(), 0..4), body in body(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4)) {
        let mut wire = status.into_bytes();
        for header in headers {
            wire.extend_from_slice(b"\r\n");
            wire.extend_from_slice(header.as_bytes());
        }
        wire.extend_from_slice(b"\r\n\r\n");
        wire.extend_from_slice(body.as_bytes());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let pieces: Vec<Vec<u8>> = cuts.windows(2).map(|cut| wire[cut[0]..cut[1]].to_vec()).filter(|piece| !piece.is_empty()).collect();
        let (rally, hyper) = both(&pieces);
        prop_assert_eq!(rally, hyper, "{:?}", String::from_utf8_lossy(&wire));
    }
}
