//! A scripted target: it behaves during setup, and lies when it is searched.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How the target answers a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Not at all: what it should be.
    None,
    /// It closes the connection in the middle of its answer.
    ClosesMidway,
    /// It sends this status with an Elasticsearch-shaped error.
    Status(u16),
    /// It sends a page for people.
    Html,
    /// It promises more than it sends, then closes.
    ShortBody,
    /// It sends a body without end.
    EndlessBody,
    /// It never answers.
    Silent,
    /// It never answers, and from then on nothing else either.
    Mute,
    /// It should be, but there are no statistics.
    NoStatistics,
    /// It stops listening altogether after the first searches.
    Vanishes,
}

/// A running scripted target.
pub struct Target {
    pub address: SocketAddr,
    /// Searches that have come.
    pub searches: Arc<AtomicUsize>,
}

impl Target {
    /// Starts one.
    pub fn start(lie: Lie) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let address = listener.local_addr().expect("address");
        let searches = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&searches);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if lie == Lie::Vanishes && counter.load(Ordering::SeqCst) > 3 {
                    return;
                }
                let counter = Arc::clone(&counter);
                std::thread::spawn(move || converse(stream, lie, &counter, address));
            }
        });
        Target { address, searches }
    }
}

fn converse(stream: TcpStream, lie: Lie, searches: &AtomicUsize, address: SocketAddr) -> Option<()> {
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first).ok()? == 0 {
            return None;
        }
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        std::io::copy(&mut Read::by_ref(&mut reader).take(length), &mut std::io::sink()).ok()?;
        if lie == Lie::Mute && searches.load(Ordering::SeqCst) > 0 {
            return lied(&mut writer, Lie::Silent);
        }
        if lie == Lie::NoStatistics && first.contains("stats") {
            lied(&mut writer, Lie::Status(500))?;
        } else if first.contains("/_search") {
            let number = searches.fetch_add(1, Ordering::SeqCst);
            if lie == Lie::Vanishes && number >= 3 {
                // The listener waits in accept: this connection makes it look at the counter and go.
                let _ = TcpStream::connect(address);
                return None;
            }
            lied(&mut writer, lie)?;
        } else if first.starts_with("HEAD") {
            writer.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").ok()?;
        } else {
            answer(&mut writer, 200, "application/json", setup(&first))?;
        }
    }
}

fn setup(line: &str) -> &'static str {
    if line.starts_with("GET / ") {
        r#"{"name":"n","cluster_name":"scripted","version":{"number":"7.10.2","build_hash":"x","build_flavor":"oss"},"tagline":"You Know, for Search"}"#
    } else if line.contains("/_cluster/health") {
        r#"{"cluster_name":"scripted","status":"green","timed_out":false,"number_of_nodes":1,"relocating_shards":0}"#
    } else if line.contains("_stats") {
        r#"{"_nodes":{"total":1},"cluster_name":"scripted","nodes":{},"_all":{"primaries":{},"total":{}},"indices":{}}"#
    } else if line.contains("/_nodes") {
        r#"{"_nodes":{"total":1},"cluster_name":"scripted","nodes":{}}"#
    } else if line.contains("/_bulk") {
        r#"{"took":1,"errors":false,"items":[]}"#
    } else {
        r#"{"acknowledged":true}"#
    }
}

fn answer(writer: &mut TcpStream, status: u16, kind: &str, body: &str) -> Option<()> {
    let text = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    writer.write_all(text.as_bytes()).ok()
}

/// `None` ends the connection.
fn lied(writer: &mut TcpStream, lie: Lie) -> Option<()> {
    let fine = r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#;
    match lie {
        Lie::None | Lie::NoStatistics | Lie::Vanishes => answer(writer, 200, "application/json", fine),
        Lie::Status(status) => answer(
            writer,
            status,
            "application/json",
            &format!(
                r#"{{"error":{{"type":"scripted_exception","reason":"the script says so"}},"status":{status}}}"#
            ),
        ),
        Lie::Html => answer(writer, 200, "text/html", "<html><body>It works!</body></html>"),
        Lie::ClosesMidway => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: appl").ok()?;
            None
        }
        Lie::ShortBody => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{\"took\":1").ok()?;
            None
        }
        Lie::EndlessBody => {
            writer.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n").ok()?;
            let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
            loop {
                writer.write_all(&chunk).ok()?;
            }
        }
        Lie::Silent | Lie::Mute => {
            std::thread::sleep(std::time::Duration::from_secs(30));
            None
        }
    }
}
