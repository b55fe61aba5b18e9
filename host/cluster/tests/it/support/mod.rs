//! A target made of scripts: each connection is handed to a closure on a thread of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rally_cluster::runners::BuiltinRunnerFactory;
use rally_cluster::{ClientOptions, Cluster, parse_target_hosts};
use rally_operations::{ByteRange, DocumentSet};
use rally_race::{
    Binding, Outcome, ParamSourceFactory, Params, Partition, Runner, RunnerFactory, SourceBinding,
};
use rally_track::Dialect;
use serde_json::{Map, Value};

/// A request as it came over the wire.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST /_bulk HTTP/1.1`
    pub line: String,
    /// Header lines in lower case.
    pub headers: Vec<String>,
    pub body: Vec<u8>,
}

impl Received {
    /// `POST /_bulk`
    pub fn call(&self) -> &str {
        self.line.trim_end_matches(" HTTP/1.1")
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// A connection of a client, seen from the target.
pub struct Peer {
    reader: BufReader<TcpStream>,
    writer: TcpStream,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Peer {
    /// The next request; `None` once the client has hung up.
    pub fn read(&mut self) -> Option<Received> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let mut headers = Vec::new();
        let mut length = 0;
        loop {
            let mut header = String::new();
            if self.reader.read_line(&mut header).ok()? == 0 {
                return None;
            }
            let header = header.trim_end().to_owned();
            if header.is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(": ") {
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.parse().unwrap();
                }
                headers.push(format!("{}: {value}", name.to_ascii_lowercase()));
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).ok()?;
        let received = Received { line: line.trim_end().to_owned(), headers, body };
        self.received.lock().unwrap().push(received.clone());
        Some(received)
    }

    /// Raw bytes; false once the client has hung up.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.writer.write_all(bytes.as_ref()).is_ok() && self.writer.flush().is_ok()
    }

    /// A whole answer with a content length.
    pub fn answer(&mut self, status: &str, body: &str) -> bool {
        self.write(response(status, body))
    }

    /// Ends the connection with a reset instead of an orderly end.
    pub fn reset(self) {
        let socket = socket2::SockRef::from(&self.writer);
        socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
    }
}

pub fn response(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A target that listens on a loopback port until it is dropped.
pub struct Target {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    connections: Arc<AtomicUsize>,
    stop: Arc<std::sync::atomic::AtomicBool>,
}

impl Target {
    /// Hands each connection, with its number from 0, to `script`.
    pub fn scripted(script: impl Fn(usize, Peer) + Send + Sync + 'static) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let script = Arc::new(script);
        let (seen, count, stopped) = (Arc::clone(&received), Arc::clone(&connections), Arc::clone(&stop));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::Acquire) {
                    return;
                }
                let stream = stream.unwrap();
                let number = count.fetch_add(1, Ordering::AcqRel);
                let peer = Peer {
                    reader: BufReader::new(stream.try_clone().unwrap()),
                    writer: stream,
                    received: Arc::clone(&seen),
                };
                let script = Arc::clone(&script);
                std::thread::spawn(move || script(number, peer));
            }
        });
        Target { address, received, connections, stop }
    }

    /// Answers each request with what `answer` makes of it (status line and body).
    pub fn answering(answer: impl Fn(&Received) -> (String, String) + Send + Sync + 'static) -> Target {
        Target::scripted(move |_, mut peer| {
            while let Some(request) = peer.read() {
                let (status, body) = answer(&request);
                let body = if request.line.starts_with("HEAD") { String::new() } else { body };
                if !peer.answer(&status, &body) {
                    return;
                }
            }
        })
    }

    /// Answers `GET /` like Elasticsearch of this version and hands every other connection to `script`.
    pub fn version(
        number: &'static str,
        script: impl Fn(&mut Peer, Received) -> bool + Send + Sync + 'static,
    ) -> Target {
        Target::scripted(move |_, mut peer| {
            while let Some(request) = peer.read() {
                let go_on = if request.call() == "GET /" {
                    peer.answer("200 OK", &root(number))
                } else {
                    script(&mut peer, request)
                };
                if !go_on {
                    return;
                }
            }
        })
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// Requests other than `GET /`.
    pub fn requests(&self) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.call() != "GET /").collect()
    }

    pub fn calls(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.call().to_owned()).collect()
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }

    pub async fn cluster(&self) -> Arc<Cluster> {
        self.cluster_with("timeout:10").await
    }

    pub async fn cluster_with(&self, options: &str) -> Arc<Cluster> {
        let hosts = parse_target_hosts(&self.address.to_string()).unwrap();
        Arc::new(Cluster::connect(&hosts, &ClientOptions::parse(options).unwrap()).await.unwrap())
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let _ = TcpStream::connect(self.address);
    }
}

pub fn root(number: &str) -> String {
    format!(
        r#"{{"name":"n","cluster_name":"c","version":{{"number":"{number}","build_hash":"abc"}},"tagline":"You Know, for Search"}}"#
    )
}

/// Runs on a runtime like that of a load driver.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

pub const ONLY: Partition = Partition { index: 0, total: 1, seed: 1 };

pub async fn runner(operation: &str, cluster: &Arc<Cluster>) -> Box<dyn Runner> {
    runner_of(Dialect::Rally2017, operation, cluster).await
}

/// The runner of an operation as a track of this dialect has it.
pub async fn runner_of(dialect: Dialect, operation: &str, cluster: &Arc<Cluster>) -> Box<dyn Runner> {
    let declared = dialect.performed_type(operation).unwrap();
    BuiltinRunnerFactory::new(declared, Arc::clone(cluster)).open(ONLY).await.unwrap()
}

/// The factory of the sources of a built-in operation.
pub fn ahead(binding: &Binding) -> &dyn ParamSourceFactory {
    match &binding.params {
        SourceBinding::Ahead(factory) => factory.as_ref(),
        SourceBinding::InTurn(_) => panic!("built-in sources make their requests ahead"),
    }
}

pub fn params(values: Value) -> Params {
    Params::of(Arc::new(object(values)))
}

pub fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other}"),
    }
}

/// Performs an operation once against a target that answers `GET /` as 7.10.2 and everything else by `script`.
pub fn once(
    operation: &str,
    values: Value,
    options: &str,
    script: impl Fn(&mut Peer, Received) -> bool + Send + Sync + 'static,
) -> Outcome {
    let target = Target::version("7.10.2", script);
    block_on(async {
        let cluster = target.cluster_with(options).await;
        runner(operation, &cluster).await.run(&params(values)).await.unwrap()
    })
}

/// What went wrong, in words.
pub fn description(outcome: &Outcome) -> String {
    outcome.failure.as_ref().map(|failure| failure.description.clone()).unwrap_or_default()
}

/// Where the lines of a text lie.
pub fn byte_range(text: &[u8]) -> ByteRange {
    let mut starts = vec![0u64];
    starts.extend(text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u64 + 1));
    if starts.last() != Some(&(text.len() as u64)) {
        starts.push(text.len() as u64);
    }
    Box::new(move |first: u64, count: u64| {
        let at = |line: u64| starts.get(line as usize).copied().ok_or(format!("there is no line {line}"));
        Ok(at(first)?..at(first + count)?)
    })
}

/// A data file with a line index made by reading it.
pub fn document_set(
    path: &Path,
    index: &str,
    mapping_type: &str,
    document_count: u64,
    includes_action_and_meta_data: bool,
) -> Arc<DocumentSet> {
    let byte_range = byte_range(&std::fs::read(path).unwrap());
    Arc::new(DocumentSet::new(
        index,
        mapping_type,
        path,
        document_count,
        includes_action_and_meta_data,
        byte_range,
    ))
}
