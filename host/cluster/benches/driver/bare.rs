//! What rally is compared with: a loop over hyper connections that does nothing but send and drain, in rally's process
//! layout, and threads that send at due times by `clock_nanosleep` alone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use crate::clock::{monotonic_nanoseconds, process_cpu_nanoseconds};
use crate::work::{Figures, Work};

/// How the bare loop comes by its bulk bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    /// Made before the clock starts: what the wire can take.
    Premade,
    /// Action lines put between documents for each request: what a load driver has to do.
    Built,
}

/// Sends as fast as answers come, for so long.
pub fn closed_loop(
    server: SocketAddr,
    clients: usize,
    work: &Work,
    bodies: Bodies,
    time: Duration,
) -> Figures {
    let threads = clients.min(std::thread::available_parallelism().map_or(1, usize::from));
    let requests = Arc::new(AtomicU64::new(0));
    let work = Arc::new(work.clone());
    let premade: Arc<Vec<Bytes>> = Arc::new(match bodies {
        Bodies::Premade => (0..16).map(|number| work.body(number)).collect(),
        Bodies::Built => Vec::new(),
    });
    let cpu = process_cpu_nanoseconds();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let mine = clients / threads + usize::from(thread < clients % threads);
            let (requests, work, premade) = (Arc::clone(&requests), Arc::clone(&work), Arc::clone(&premade));
            scope.spawn(move || {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().enable_io().build().expect("runtime");
                let local = tokio::task::LocalSet::new();
                let count = Rc::new(std::cell::Cell::new(0_u64));
                for client in 0..mine {
                    let (work, premade, count) = (Arc::clone(&work), Arc::clone(&premade), Rc::clone(&count));
                    local.spawn_local(async move {
                        let stream = tokio::net::TcpStream::connect(server).await.expect("stub listens");
                        stream.set_nodelay(true).expect("nodelay");
                        let (mut sender, connection) = http1::Builder::new()
                            .writev(!work.small())
                            .handshake(TokioIo::new(stream))
                            .await
                            .expect("handshake");
                        tokio::task::spawn_local(connection);
                        // Made once: a bare loop parses nothing for each request.
                        let template = hyper::Request::builder()
                            .method("POST")
                            .uri(work.path())
                            .header("host", "127.0.0.1")
                            .header("content-type", work.content_type())
                            .body(())
                            .expect("request");
                        let mut number = client * 1000;
                        while start.elapsed() < time {
                            let body = match premade.is_empty() {
                                true => work.body(number),
                                false => premade[number % premade.len()].clone(),
                            };
                            number += 1;
                            let mut request = hyper::Request::new(Full::new(body));
                            *request.method_mut() = template.method().clone();
                            *request.uri_mut() = template.uri().clone();
                            *request.headers_mut() = template.headers().clone();
                            let mut answer = sender.send_request(request).await.expect("answer");
                            while let Some(frame) = answer.frame().await {
                                frame.expect("body");
                            }
                            count.set(count.get() + 1);
                        }
                    });
                }
                runtime.block_on(local);
                requests.fetch_add(count.get(), Ordering::Relaxed);
            });
        }
    });
    let requests = requests.load(Ordering::Relaxed);
    Figures {
        requests,
        documents: requests * work.documents(),
        seconds: start.elapsed().as_secs_f64(),
        cpu_seconds: (process_cpu_nanoseconds() - cpu) as f64 / 1e9,
        ..Figures::default()
    }
}

/// One thread per client that sleeps until each due time, sends, and waits for the answer. Clients are spread over the
/// interval.
pub fn paced(server: SocketAddr, clients: usize, rate: f64, work: &Work, time: Duration) -> Figures {
    let interval = clients as f64 / rate;
    let each = (time.as_secs_f64() / interval) as u64;
    let cpu = process_cpu_nanoseconds();
    let begin = Instant::now();
    let origin = monotonic_nanoseconds() + 50_000_000;
    let body = work.body(0);
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n",
        work.path(),
        work.content_type(),
        body.len()
    );
    let request: Arc<Vec<u8>> = Arc::new([head.as_bytes(), &body].concat());
    std::thread::scope(|scope| {
        for client in 0..clients {
            let request = Arc::clone(&request);
            scope.spawn(move || {
                // One nanosecond of slack: the kernel's default is fifty microseconds.
                let _ = rustix::thread::set_current_timer_slack(std::num::NonZeroU64::new(1));
                let mut stream = TcpStream::connect(server).expect("stub listens");
                stream.set_nodelay(true).expect("nodelay");
                let mut answer = [0_u8; 4096];
                for number in 0..each {
                    let due = origin + ((client as f64 / rate + number as f64 * interval) * 1e9) as u64;
                    sleep_until(due);
                    stream.write_all(&request).expect("sent");
                    // The stub's answer is small and comes in one piece.
                    assert!(stream.read(&mut answer).expect("answer") > 0);
                }
            });
        }
    });
    Figures {
        requests: each * clients as u64,
        documents: each * clients as u64 * work.documents(),
        seconds: begin.elapsed().as_secs_f64(),
        cpu_seconds: (process_cpu_nanoseconds() - cpu) as f64 / 1e9,
        ..Figures::default()
    }
}

fn sleep_until(due: u64) {
    let at =
        rustix::time::Timespec { tv_sec: (due / 1_000_000_000) as i64, tv_nsec: (due % 1_000_000_000) as _ };
    while rustix::thread::clock_nanosleep_absolute(rustix::thread::ClockId::Monotonic, &at).is_err() {}
}
