//! The stub server in a process of its own. Used by more than one benchmark.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::stub;

/// The role of the process that serves.
pub const ROLE: &str = "stub";

/// Whether a stub keeps the arrival times of searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrivals {
    /// It does.
    Noted,
    /// It does not: they would grow with the requests of an unthrottled run.
    Forgotten,
}

/// A stub server in a process of its own; it goes when this is dropped.
pub struct Stub {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Stub {
    /// Starts one that answers at once.
    pub fn start(arrivals: Arrivals) -> Stub {
        Stub::computing(arrivals, Duration::ZERO)
    }

    /// Starts one that computes for so long before it answers a search.
    pub fn computing(arrivals: Arrivals, time: Duration) -> Stub {
        let mut process = this_program()
            .arg(format!("--role={ROLE}"))
            .arg(format!("{arrivals:?}"))
            .arg(time.as_micros().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("stub starts");
        let mut port = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut port).expect("port");
        let address = format!("127.0.0.1:{}", port.trim()).parse().expect("port");
        Stub { process, address }
    }

    /// The arrival times of searches since it was last asked, one list per connection.
    pub fn arrivals(&self) -> Vec<Vec<u64>> {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(self.address).expect("stub listens");
        stream.write_all(b"GET /__arrivals HTTP/1.1\r\nhost: x\r\n\r\n").expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("half closed");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("answer");
        let body = answer.split_once("\r\n\r\n").expect("head and body").1;
        serde_json::from_str(body).expect("lists of times")
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process of the stub does.
pub fn serve(arguments: &[String]) {
    let noted = arguments.first().is_some_and(|arrivals| *arrivals == format!("{:?}", Arrivals::Noted));
    let computing = arguments.get(1).map_or(0, |time| time.parse().expect("microseconds"));
    stub::serve(noted, Duration::from_micros(computing)).expect("stub serves");
}

/// This program, to play another role.
pub fn this_program() -> Command {
    Command::new(std::env::current_exe().expect("this program"))
}
