//! The processes of a measurement: each driver has one of its own, so that its CPU time and memory are its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::bare::{self, Bodies};
use crate::server::this_program;
use crate::work::{Figures, MemoryWatch, Work};
use crate::{rally, server};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// rally's load loop with its built-in operations.
    Rally,
    /// The bare hyper loop that builds its bulk bodies.
    Bare,
    /// The bare hyper loop with bodies made before.
    Premade,
}

/// How it sends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Number of clients.
    pub clients: usize,
    /// Documents per bulk; `None`: searches.
    pub bulk: Option<usize>,
    /// Requests per second over all clients; `None`: as fast as answers come.
    pub rate: Option<f64>,
    /// For how long.
    pub time: Duration,
}

/// Starts a driver; its figures come when it has ended.
pub fn start(driver: Driver, server: SocketAddr, load: Load, corpus: &Path) -> Child {
    let role = match driver {
        Driver::Rally => "rally",
        Driver::Bare => "bare",
        Driver::Premade => "premade",
    };
    this_program()
        .arg(format!("--role={role}"))
        .arg(server.to_string())
        .arg(load.clients.to_string())
        .arg(load.bulk.unwrap_or(0).to_string())
        .arg(load.rate.unwrap_or(0.0).to_string())
        .arg(load.time.as_secs_f64().to_string())
        .arg(corpus)
        .stdout(Stdio::piped())
        .spawn()
        .expect("driver starts")
}

/// Waits for a driver's figures.
pub fn finish(process: Child) -> Figures {
    let output = process.wait_with_output().expect("driver ends");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("no figures ({error}): {text}"))
}

/// Runs a driver to its end.
pub fn run(driver: Driver, server: SocketAddr, load: Load, corpus: &Path) -> Figures {
    finish(start(driver, server, load, corpus))
}

/// What this process does where it is one of the processes of a measurement.
pub fn play(role: &str, arguments: &[String]) {
    // Nothing of a measurement outlives it, however it ends.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if role == server::ROLE {
        server::serve(arguments);
        return;
    }
    let [server, clients, bulk, rate, time, corpus] = arguments else { panic!("roles take six arguments") };
    let server: SocketAddr = server.parse().expect("address");
    let bulk: usize = bulk.parse().expect("number");
    let rate: f64 = rate.parse().expect("number");
    let load = Load {
        clients: clients.parse().expect("number"),
        bulk: (bulk > 0).then_some(bulk),
        rate: (rate > 0.0).then_some(rate),
        time: Duration::from_secs_f64(time.parse().expect("seconds")),
    };
    let work = match load.bulk {
        Some(size) => Work::bulk(size, Path::new(corpus)),
        None => Work::Search,
    };
    let memory = MemoryWatch::start();
    let mut figures = match (role, load.rate) {
        ("rally", _) => rally::race(server, load, Path::new(corpus)),
        (_, Some(rate)) => bare::paced(server, load.clients, rate, &work, load.time),
        ("premade", None) => bare::closed_loop(server, load.clients, &work, Bodies::Premade, load.time),
        (_, None) => bare::closed_loop(server, load.clients, &work, Bodies::Built, load.time),
    };
    figures.resident_anonymous = memory.most();
    println!("{}", serde_json::to_string(&figures).expect("figures"));
}
