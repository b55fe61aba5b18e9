//! A target that records all that it is asked and answers by a script.

#![allow(dead_code, reason = "two test binaries use parts of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

/// A request that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Which connection it came on.
    pub connection: usize,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Vec<u8>,
}

impl Seen {
    /// Its body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method and target.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers beside the length, each with its line end.
    pub headers: String,
    /// Body.
    pub body: String,
}

impl Reply {
    /// 200 with this JSON.
    pub fn json(body: impl Into<String>) -> Reply {
        Reply { status: 200, headers: "content-type: application/json\r\n".to_owned(), body: body.into() }
    }

    /// This status with an error as Elasticsearch writes it.
    pub fn error(status: u16, kind: &str, reason: &str) -> Reply {
        let body = format!(r#"{{"error":{{"type":"{kind}","reason":"{reason}"}},"status":{status}}}"#);
        Reply { status, ..Reply::json(body) }
    }
}

type Script = Box<dyn Fn(&Seen, &Recorder) -> Option<Reply> + Send + Sync>;

/// A running recorder.
pub struct Recorder {
    /// Where it listens.
    pub address: SocketAddr,
    version: String,
    script: Script,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    /// Requests that have come and not been answered.
    in_flight: usize,
    most_in_flight: usize,
    /// Targets that have been answered.
    answered: Vec<String>,
}

impl Recorder {
    /// One that answers as Elasticsearch 7.10.2 would, roughly.
    pub fn start() -> Arc<Recorder> {
        Recorder::scripted("7.10.2", |_, _| None)
    }

    /// One of this version that answers by a script first. It listens for as long as the process lives.
    pub fn scripted(
        version: &str,
        script: impl Fn(&Seen, &Recorder) -> Option<Reply> + Send + Sync + 'static,
    ) -> Arc<Recorder> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let recorder = Arc::new(Recorder {
            address: listener.local_addr().expect("an address"),
            version: version.to_owned(),
            script: Box::new(script),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&recorder);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let recorder = Arc::clone(&serving);
                std::thread::spawn(move || recorder.converse(connection, stream));
            }
        });
        recorder
    }

    /// What has come since the last time, in the order in which it came.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.lock().expect("no panic").seen)
    }

    /// Most requests that were under way at the same time.
    pub fn most_in_flight(&self) -> usize {
        self.state.lock().expect("no panic").most_in_flight
    }

    /// Waits until a request for this target has come. `false`: it does not come.
    pub fn until_seen(&self, target: &str) -> bool {
        self.until(|state| state.seen.iter().any(|seen| seen.target == target))
    }

    /// Waits until so many of these requests have come. `false`: they do not come.
    pub fn until_seen_often(&self, these: impl Fn(&Seen) -> bool, times: usize) -> bool {
        self.until(|state| state.seen.iter().filter(|seen| these(seen)).count() >= times)
    }

    /// Waits until a request for this target has been answered. `false`: it is not.
    pub fn until_answered(&self, target: &str) -> bool {
        self.until(|state| state.answered.iter().any(|answered| answered == target))
    }

    fn until(&self, reached: impl Fn(&State) -> bool) -> bool {
        let state = self.state.lock().expect("no panic");
        let long = Duration::from_secs(20);
        let waited = self.changed.wait_timeout_while(state, long, |state| !reached(state));
        !waited.expect("no panic").1.timed_out()
    }

    fn converse(&self, connection: usize, stream: TcpStream) -> Option<()> {
        let mut writer = stream.try_clone().ok()?;
        let mut reader = BufReader::new(stream);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let mut parts = line.split(' ').map(str::to_owned);
            let (method, target) = (parts.next()?, parts.next()?);
            let mut seen = Seen { connection, method, target, headers: Vec::new(), body: Vec::new() };
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).ok()?;
                let Some((name, value)) = line.trim_end().split_once(':') else { break };
                let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
                if name == "content-length" {
                    length = value.parse().ok()?;
                }
                seen.headers.push((name, value));
            }
            Read::by_ref(&mut reader).take(length).read_to_end(&mut seen.body).ok()?;
            {
                let mut state = self.state.lock().ok()?;
                state.seen.push(seen.clone());
                state.in_flight += 1;
                state.most_in_flight = state.most_in_flight.max(state.in_flight);
                self.changed.notify_all();
            }
            let reply = (self.script)(&seen, self).unwrap_or_else(|| self.usual(&seen));
            {
                let mut state = self.state.lock().ok()?;
                state.in_flight -= 1;
                state.answered.push(seen.target.clone());
            }
            let content = if seen.method == "HEAD" { "" } else { &reply.body };
            let answer = format!(
                "HTTP/1.1 {} Scripted\r\n{}content-length: {}\r\n\r\n{content}",
                reply.status,
                reply.headers,
                reply.body.len()
            );
            writer.write_all(answer.as_bytes()).ok()?;
            self.changed.notify_all();
        }
    }

    fn usual(&self, seen: &Seen) -> Reply {
        let target = seen.target.as_str();
        Reply::json(if seen.method == "HEAD" {
            return Reply { status: 404, headers: String::new(), body: String::new() };
        } else if target == "/" {
            return Reply::json(format!(
                r#"{{"name":"n","cluster_name":"recorder","version":{{"number":"{}","build_hash":"x","build_flavor":"oss"}},"tagline":"You Know, for Search"}}"#,
                self.version
            ));
        } else if target.contains("/_cluster/health") {
            r#"{"cluster_name":"recorder","status":"green","timed_out":false,"number_of_nodes":1,"relocating_shards":0}"#
        } else if target.contains("/_search") {
            r#"{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"failed":0},"hits":{"total":{"value":0,"relation":"eq"},"hits":[]}}"#
        } else if target.contains("/_bulk") {
            r#"{"took":1,"errors":false,"items":[]}"#
        } else if target.contains("_stats") {
            r#"{"_nodes":{"total":1},"cluster_name":"recorder","nodes":{},"_shards":{"total":1,"successful":1,"failed":0},"_all":{"primaries":{},"total":{}},"indices":{}}"#
        } else if target.contains("/_nodes") {
            r#"{"_nodes":{"total":1},"cluster_name":"recorder","nodes":{}}"#
        } else {
            r#"{"acknowledged":true,"_shards":{"total":1,"successful":1,"failed":0}}"#
        })
    }
}
