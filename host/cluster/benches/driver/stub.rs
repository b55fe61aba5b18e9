//! A server that answers at once, or after computing for a while as a search engine does: it reads a request, throws it away
//! and sends a fixed answer. It notes when searches arrive.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::clock::monotonic_nanoseconds;

const SEARCH: &str = r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"total":{"value":10000,"relation":"gte"},"max_score":1.0,"hits":[{"_index":"bench","_type":"_doc","_id":"1","_score":1.0,"_source":{"name":"a place of some name"}}]}}"#;
const BULK: &str = r#"{"took":1,"errors":false,"items":[]}"#;
const ROOT: &str = r#"{"name":"stub","cluster_name":"stub","cluster_uuid":"stub","version":{"number":"7.10.2","build_flavor":"default","build_hash":"stub","lucene_version":"8.7.0"},"tagline":"You Know, for Search"}"#;
const HEALTH: &str =
    r#"{"cluster_name":"stub","status":"green","timed_out":false,"number_of_nodes":1,"relocating_shards":0}"#;

/// What the server saw of the connections that sent searches: for each the arrival times in nanoseconds.
#[derive(Default)]
struct Seen {
    arrivals: Mutex<Vec<Arc<Mutex<Vec<u64>>>>>,
}

/// Serves until the process is killed. Prints the port first. `noted`: arrival times are kept. `computing`: for each search.
pub fn serve(noted: bool, computing: Duration) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_io().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?.port());
        let seen = Arc::new(Seen::default());
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                // A connection that breaks is the end of that connection.
                let _ = converse(stream, &seen, noted, computing).await;
            });
        }
    })
}

async fn converse(
    mut stream: TcpStream,
    seen: &Seen,
    noted: bool,
    computing: Duration,
) -> std::io::Result<()> {
    let mine = Arc::new(Mutex::new(Vec::new()));
    let mut known = false;
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut filled = 0;
    loop {
        let mut arrival = (filled > 0).then(monotonic_nanoseconds);
        let head = loop {
            if let Some(end) = memmem::find(&buffer[..filled], b"\r\n\r\n") {
                break end + 4;
            }
            let read = stream.read(&mut buffer[filled..]).await?;
            if read == 0 {
                return Ok(());
            }
            arrival.get_or_insert_with(monotonic_nanoseconds);
            filled += read;
        };
        let line_end = memchr::memchr(b'\r', &buffer[..head]).unwrap_or(head);
        let line = String::from_utf8_lossy(&buffer[..line_end]).into_owned();
        let mut body_left = content_length(&buffer[..head]);
        let search = line.contains("/_search");
        let bulk = line.contains("/_bulk");
        let here = (filled - head).min(body_left);
        body_left -= here;
        buffer.copy_within(head + here..filled, 0);
        filled -= head + here;
        while body_left > 0 {
            let room = buffer.len().min(body_left);
            let read = stream.read(&mut buffer[..room]).await?;
            if read == 0 {
                return Ok(());
            }
            body_left -= read;
        }
        if search && noted {
            if !known {
                known = true;
                lock(&seen.arrivals).push(Arc::clone(&mine));
            }
            if let Some(arrival) = arrival {
                lock(&mine).push(arrival);
            }
        }
        if search && !computing.is_zero() {
            let begin = Instant::now();
            while begin.elapsed() < computing {
                std::hint::spin_loop();
            }
        }
        let answer = if line.starts_with("HEAD ") {
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec()
        } else if search {
            framed(SEARCH)
        } else if bulk {
            framed(BULK)
        } else if line.starts_with("GET /__arrivals ") {
            framed(&arrivals(seen))
        } else if line.starts_with("GET / ") {
            framed(ROOT)
        } else if line.contains("/_cluster/health") {
            framed(HEALTH)
        } else {
            framed("{\"acknowledged\":true}")
        };
        stream.write_all(&answer).await?;
    }
}

fn framed(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn content_length(head: &[u8]) -> usize {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    text.split("\r\n")
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

/// All arrivals so far, one JSON list per connection; they start anew afterwards.
fn arrivals(seen: &Seen) -> String {
    let connections: Vec<Vec<u64>> = lock(&seen.arrivals)
        .iter()
        .map(|times| std::mem::take(&mut *lock(times)))
        .filter(|times| !times.is_empty())
        .collect();
    serde_json::to_string(&connections).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
