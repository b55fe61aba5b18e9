//! The processes of a measurement: each race, start and heap of instances has one of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::code::{Code, Load, Schedule};
use crate::instances::{self, Roles};
use crate::race::{self, Figures};
use crate::server::{self, this_program};

/// Starts a race; its figures come when it has ended.
pub fn start_race(code: Code, server: SocketAddr, load: Load, cache: &Path) -> Child {
    this_program()
        .arg("--role=race")
        .arg(code.name())
        .arg(server.to_string())
        .arg(cache)
        .arg(load.clients.to_string())
        .arg(load.rate.unwrap_or(0.0).to_string())
        .arg(load.time.as_secs_f64().to_string())
        .arg(format!("{:?}", load.schedule))
        .stdout(Stdio::piped())
        .spawn()
        .expect("race starts")
}

/// Runs a race to its end.
pub fn race(code: Code, server: SocketAddr, load: Load, cache: &Path) -> Figures {
    finish(start_race(code, server, load, cache))
}

/// Waits for the figures of a process.
pub fn finish<T: DeserializeOwned>(process: Child) -> T {
    let output = process.wait_with_output().expect("process ends");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.trim()).unwrap_or_else(|error| panic!("no figures ({error}): {text}"))
}

/// Starts the engine, loads a component and opens its first instances, in a process of its own.
pub fn start_instances(code: Code, server: SocketAddr, cache: &Path) -> instances::Start {
    let process = this_program()
        .arg("--role=start")
        .arg(code.name())
        .arg(server.to_string())
        .arg(cache)
        .stdout(Stdio::piped())
        .spawn();
    finish(process.expect("process starts"))
}

/// Opens many instances in a process of their own.
pub fn fill_memory(code: Code, roles: Roles, server: SocketAddr, cache: &Path) -> instances::Memory {
    let process = this_program()
        .arg("--role=memory")
        .arg(code.name())
        .arg(server.to_string())
        .arg(cache)
        .arg(format!("{roles:?}"))
        .stdout(Stdio::piped())
        .spawn();
    finish(process.expect("process starts"))
}

/// What this process does where it is one of the processes of a measurement.
pub fn play(role: &str, arguments: &[String]) {
    // Nothing of a measurement outlives it, however it ends.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if role == server::ROLE {
        server::serve(arguments);
        return;
    }
    let [code, server, cache, more @ ..] = arguments else { panic!("roles take three arguments or more") };
    let code = Code::named(code);
    let server: SocketAddr = server.parse().expect("address");
    let cache = Path::new(cache);
    match (role, more) {
        ("start", []) => tell(&instances::start(code, server, cache)),
        ("memory", [roles]) => tell(&instances::memory(code, Roles::named(roles), server, cache)),
        ("race", [clients, rate, time, schedule]) => {
            let rate: f64 = rate.parse().expect("number");
            let time = Duration::from_secs_f64(time.parse().expect("seconds"));
            let load = Load {
                rate: (rate > 0.0).then_some(rate),
                schedule: if schedule == "Own" { Schedule::Own } else { Schedule::BuiltIn },
                ..Load::searches(clients.parse().expect("number"), time)
            };
            tell(&race::race(code, server, load, cache));
        }
        _ => panic!("there is no role {role} with {} more arguments", more.len()),
    }
}

fn tell(figures: &impl Serialize) {
    println!("{}", serde_json::to_string(figures).expect("figures"));
}
