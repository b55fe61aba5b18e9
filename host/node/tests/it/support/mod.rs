//! A running node, and a small HTTP client for it.

use rally_node::{Node, NodeConfig, RunningNode};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;

/// A node with a runtime to stop it on.
pub struct TestNode {
    node: Option<RunningNode>,
    runtime: tokio::runtime::Runtime,
}

impl TestNode {
    pub fn start() -> Self {
        Self::with_data(None)
    }

    pub fn with_data(data_dir: Option<PathBuf>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let config = NodeConfig { data_dir, ..NodeConfig::default() };
        let node = runtime.block_on(Node::start(config)).unwrap();
        TestNode { node: Some(node), runtime }
    }

    pub fn address(&self) -> SocketAddr {
        self.node.as_ref().unwrap().address()
    }

    pub fn client(&self) -> Client {
        Client::connect(self.address())
    }

    pub fn shutdown(mut self) {
        let node = self.node.take().unwrap();
        self.runtime.block_on(node.shutdown()).unwrap();
    }
}

/// One keep-alive connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer: status, body as it came, and as JSON (null where it is none).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
    pub json: Value,
}

impl Answer {
    /// `type` and `reason` of the error.
    pub fn error(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.json["error"][name].as_str().unwrap_or_default();
        (self.status, text("type"), text("reason"))
    }
}

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    pub fn call(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: node\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes()).unwrap();
        self.stream.get_mut().write_all(body.as_bytes()).unwrap();
        self.answer(method == "HEAD")
    }

    /// Sends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    pub fn answer(&mut self, head: bool) -> Answer {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status =
            line.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {line:?}")).parse().unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            let line = line.trim_end().to_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut bytes = vec![0; if head { 0 } else { length }];
        self.stream.read_exact(&mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status, text, json }
    }

    /// A call that must succeed.
    pub fn ok(&mut self, method: &str, path: &str, body: &str) -> Value {
        let answer = self.call(method, path, body);
        assert!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        answer.json
    }

    pub fn bulk(&mut self, path: &str, lines: &[&str]) -> Value {
        let mut body = lines.join("\n");
        body.push('\n');
        self.ok("POST", path, &body)
    }

    pub fn count(&mut self, index: &str) -> u64 {
        self.ok("GET", &format!("/{index}/_count"), "")["count"].as_u64().unwrap()
    }
}

/// Status and result (or type of the error) of each item of a bulk.
pub fn items(answer: &Value) -> Vec<(u64, String)> {
    answer["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let item = item.as_object().unwrap().values().next().unwrap();
            let what = item["result"].as_str().or(item["error"]["type"].as_str()).unwrap();
            (item["status"].as_u64().unwrap(), what.to_string())
        })
        .collect()
}
