//! A web server on the loopback interface whose answers a test writes byte by byte.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

#[derive(Debug, Clone)]
pub struct Request {
    /// Counted from 0 over all connections.
    pub number: usize,
    pub path: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// First byte that a range request asks for.
    pub fn range_start(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request by the handler; the connection is closed afterwards.
    pub fn start(handler: impl Fn(&Request, &mut TcpStream) + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let handler = Arc::new(handler);
        let thread = {
            let (requests, stop) = (Arc::clone(&requests), Arc::clone(&stop));
            thread::spawn(move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let Ok(mut stream) = stream else { continue };
                    let (requests, handler) = (Arc::clone(&requests), Arc::clone(&handler));
                    thread::spawn(move || {
                        let Some(mut request) = read_request(&stream) else { return };
                        {
                            let mut requests = requests.lock().unwrap();
                            request.number = requests.len();
                            requests.push(request.clone());
                        }
                        handler(&request, &mut stream);
                        let _ = stream.flush();
                    });
                }
            })
        };
        Server { address, requests, stop, thread: Some(thread) }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Some(Request { number: 0, path, headers })
}

/// Status line and headers, with `connection: close`.
pub fn head(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)]) {
    let mut text = format!("HTTP/1.1 {status}\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    let _ = stream.write_all(text.as_bytes());
}

/// A whole answer.
pub fn answer(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) {
    let length = body.len().to_string();
    let mut all = vec![("content-length", length.as_str())];
    all.extend_from_slice(headers);
    head(stream, status, &all);
    let _ = stream.write_all(body);
}

/// Answers like a file server: whole or, if asked for and the tag is the same, from a byte on.
pub fn serve_file(request: &Request, stream: &mut TcpStream, body: &[u8], tag: &str, at_most: usize) {
    let same = request.header("if-range").is_none_or(|validator| validator == tag);
    let (start, status) = match request.range_start() {
        Some(start) if same && start < body.len() => (start, "206 Partial Content"),
        Some(start) if same && start >= body.len() => {
            return answer(stream, "416 Range Not Satisfiable", &[("etag", tag)], b"");
        }
        _ => (0, "200 OK"),
    };
    let length = (body.len() - start).to_string();
    let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
    let mut headers = vec![("content-length", length.as_str()), ("etag", tag), ("accept-ranges", "bytes")];
    if start > 0 {
        headers.push(("content-range", &range));
    }
    head(stream, status, &headers);
    let end = body.len().min(start.saturating_add(at_most));
    let _ = stream.write_all(&body[start..end]);
}
