//! The embedded node on its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::support::Machine;

/// An embedded node that outlives the commands against it.
pub struct Node {
    process: Child,
    /// Where it listens.
    pub address: String,
}

impl Node {
    /// Starts one on a free port.
    pub fn start(machine: &Machine) -> Node {
        let mut process = machine
            .command(["node", "--port=0", "--stop-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("its first line");
        let address = line.split_whitespace().last().expect("an address").to_owned();
        Node { process, address }
    }

    /// Sends a request that has to succeed, and reads the JSON that answers it.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.address).expect("connection");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}",
            self.address
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        serde_json::from_str(body).expect("JSON")
    }

    /// Documents of an index, all of them visible.
    pub fn count(&self, index: &str) -> u64 {
        self.call("POST", &format!("/{index}/_refresh"), "");
        self.call("GET", &format!("/{index}/_count"), "")["count"].as_u64().expect("a count")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("the node ends");
    }
}
