//! A target that writes down what it is asked, byte for byte, and says yes to everything.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Size of the answer to `/large`.
const LARGE: usize = 1 << 20;

const ANSWER: &str = r#"{"name":"n","cluster_name":"recorder","version":{"number":"7.10.2","build_hash":"x","build_flavor":"oss"},"tagline":"You Know, for Search","took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;

/// A running recorder.
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Target {
    /// Starts one, for as long as the process lives.
    pub fn start() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let written = Arc::clone(&written);
                std::thread::spawn(move || converse(stream, &written));
            }
        });
        Target { address, heads }
    }

    /// The different heads of requests since the last time, in order, without what every request of rally has.
    pub fn take(&self) -> Vec<String> {
        let mut heads = std::mem::take(&mut *self.heads.lock().expect("no panic"));
        heads.sort();
        heads.dedup();
        heads
    }
}

fn converse(stream: TcpStream, heads: &Mutex<Vec<String>>) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let (mut head, mut length) = (line.trim_end().to_owned(), 0);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            head.push_str(" | ");
            head.push_str(line);
        }
        std::io::copy(&mut Read::by_ref(&mut reader).take(length), &mut std::io::sink()).ok()?;
        let large = head.contains(" /large");
        heads.lock().ok()?.push(head);
        let body = if large { format!("\"{}\"", "x".repeat(LARGE)) } else { ANSWER.to_owned() };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        writer.write_all(answer.as_bytes()).ok()?;
    }
}
