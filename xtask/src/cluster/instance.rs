//! A running server: started, waited for, found again by its files, stopped.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::folder::Servers;
use super::java;
use super::launch::Launch;
use super::variant::Variant;
use crate::tool;

/// How often a server is asked whether it is there, or gone.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// How long a server may take to end by itself before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// A server by its name, running or not.
pub struct Instance {
    name: String,
    folder: PathBuf,
}

/// What `start` takes from the command line.
pub struct Options<'a> {
    /// The HTTP port; 0 for a free one.
    pub port: u16,
    /// The Java heap, as in `-Xmx`.
    pub heap: &'a str,
    /// How long to wait for health.
    pub timeout: Duration,
}

/// What is written down of an instance for the other commands.
#[derive(Serialize, Deserialize)]
struct Record {
    variant: String,
    address: String,
    marker: String,
}

impl Instance {
    /// The instance `name` of these servers.
    pub fn new(servers: &Servers, name: &str) -> Self {
        Self { name: name.to_owned(), folder: servers.run(name) }
    }

    /// Starts a server with empty data and waits until it is healthy; returns its `host:port`.
    ///
    /// # Errors
    /// When it is not fetched, no Java suits ([`tool::MissingTool`]), it already runs, the port is in use, or it
    /// ends or is not healthy in time (with the last lines of its log).
    pub fn start(&self, servers: &Servers, variant: Variant, options: &Options) -> anyhow::Result<String> {
        let tree = servers.tree(variant);
        let name = variant.name();
        if !tree.is_dir() {
            bail!("{name} is not fetched yet: run `cargo xtask cluster fetch {name}` first");
        }
        let java = java::find(variant)?;
        if let Some((_, address)) = self.running() {
            bail!(
                "{0} already runs at {address}: stop it, or start another with --name and --port",
                self.name
            );
        }
        let port = free_port(options.port)?;
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .with_context(|| format!("the old data in {} could not be removed", self.folder.display()))?;
        }
        let record = Record {
            variant: name.to_owned(),
            address: format!("127.0.0.1:{port}"),
            marker: format!("rally-{}-{port}", self.name),
        };
        let launch = Launch {
            variant,
            tree: &tree,
            run: &self.folder,
            marker: &record.marker,
            port,
            heap: options.heap,
            java: &java,
        };
        launch.prepare().with_context(|| format!("{} could not be prepared", self.folder.display()))?;
        fs::write(self.folder.join("instance.json"), serde_json::to_vec(&record)?)?;
        let output = File::create(self.output())?;
        let mut command = launch.command();
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let begin = Instant::now();
        let mut server = command.spawn().with_context(|| format!("{name} could not be started"))?;
        if let Err(error) = self.wait_for_health(&mut server, &record.address, options.timeout) {
            end(&mut server);
            return Err(error);
        }
        eprintln!(
            "{} is healthy after {:.1} s: {} {} on Java {}, pid {}, logs in {}",
            self.name,
            begin.elapsed().as_secs_f64(),
            variant.product().title(),
            variant.version(),
            java.version,
            self.pid().map_or_else(|| "unknown".to_owned(), |pid| pid.as_raw_nonzero().to_string()),
            self.folder.join("logs").display()
        );
        Ok(record.address)
    }

    /// Stops the server and removes its data; returns its process id, or `None` if it was not running.
    ///
    /// # Errors
    /// When the server cannot be ended or its data cannot be removed.
    pub fn stop(&self) -> anyhow::Result<Option<i32>> {
        let Some(pid) = self.running_pid() else { return Ok(None) };
        let signal = |signal: Signal| {
            // Gone in between is what was wanted.
            if let Err(error) = kill_process(pid, signal)
                && self.running_pid().is_some()
            {
                return Err(error).with_context(|| format!("{} could not be stopped", self.name));
            }
            Ok(())
        };
        signal(Signal::TERM)?;
        if !self.wait_for_end(STOP_PATIENCE) {
            eprintln!("{} did not stop within {} s: killing it", self.name, STOP_PATIENCE.as_secs());
            signal(Signal::KILL)?;
            if !self.wait_for_end(STOP_PATIENCE) {
                bail!("{} (pid {}) cannot be killed", self.name, pid.as_raw_nonzero());
            }
        }
        // The logs stay, for whoever wants to know why.
        for name in ["data", "tmp", "snapshots"] {
            let folder = self.folder.join(name);
            fs::remove_dir_all(&folder)
                .with_context(|| format!("{} could not be removed", folder.display()))?;
        }
        Ok(Some(pid.as_raw_nonzero().get()))
    }

    /// The variant and the address, if the server is running.
    pub fn running(&self) -> Option<(String, String)> {
        self.running_pid()?;
        let record = self.record()?;
        Some((record.variant, record.address))
    }

    /// The process of the server; `None` if there is none, or the id is meanwhile that of another program.
    fn running_pid(&self) -> Option<Pid> {
        let (pid, record) = (self.pid()?, self.record()?);
        is_alive(pid, &record.marker).then_some(pid)
    }

    fn record(&self) -> Option<Record> {
        serde_json::from_slice(&fs::read(self.folder.join("instance.json")).ok()?).ok()
    }

    fn pid(&self) -> Option<Pid> {
        let text = fs::read_to_string(self.folder.join("server.pid")).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }

    fn output(&self) -> PathBuf {
        self.folder.join("logs/output.log")
    }

    fn wait_for_health(&self, server: &mut Child, address: &str, timeout: Duration) -> anyhow::Result<()> {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(5)))
            .http_status_as_error(false)
            .proxy(None)
            .build()
            .new_agent();
        let url = format!("http://{address}/_cluster/health");
        let begin = Instant::now();
        let mut last = "no connection".to_owned();
        while begin.elapsed() < timeout {
            if let Some(status) = server.try_wait()? {
                bail!(
                    "{} ended while starting ({status}); its last lines:\n{}",
                    self.name,
                    self.last_lines()
                );
            }
            match agent.get(&url).call().and_then(|mut answer| answer.body_mut().read_to_string()) {
                Ok(body) if is_healthy(&body) => return Ok(()),
                Ok(body) => last = body.trim().to_owned(),
                Err(error) => last = error.to_string(),
            }
            sleep(POLL_INTERVAL);
        }
        bail!(
            "{} is not healthy after {} s (health: {last}); its last lines:\n{}",
            self.name,
            timeout.as_secs(),
            self.last_lines()
        )
    }

    fn last_lines(&self) -> String {
        let output = fs::read(self.output()).unwrap_or_default();
        // The frames of a stack trace would push out the message above them.
        let telling: Vec<&[u8]> = output
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().starts_with(b"at "))
            .collect();
        let mut lines = tool::last_lines(&telling.join(&b'\n'), 15);
        let _ = write!(lines, "\n(all of it: {})", self.output().display());
        lines
    }

    fn wait_for_end(&self, patience: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < patience {
            if self.running_pid().is_none() {
                return true;
            }
            sleep(POLL_INTERVAL);
        }
        false
    }
}

/// `port` if nobody listens there, a free one for 0.
fn free_port(port: u16) -> anyhow::Result<u16> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(listener) => Ok(listener.local_addr()?.port()),
        Err(error) => Err(error)
            .with_context(|| format!("port {port} of 127.0.0.1 is in use; choose another with --port")),
    }
}

fn is_healthy(body: &str) -> bool {
    let status = serde_json::from_str::<serde_json::Value>(body).ok();
    let status = status.as_ref().and_then(|health| health.get("status")?.as_str());
    matches!(status, Some("green" | "yellow"))
}

/// Ends a server that did not become healthy. The launchers of some releases pass the request to end on to the
/// server, so it is asked first.
fn end(server: &mut Child) {
    if let Ok(pid) = i32::try_from(server.id())
        && let Some(pid) = Pid::from_raw(pid)
    {
        let _ = kill_process(pid, Signal::TERM);
    }
    let begin = Instant::now();
    while begin.elapsed() < STOP_PATIENCE {
        if !matches!(server.try_wait(), Ok(None)) {
            return;
        }
        sleep(POLL_INTERVAL);
    }
    let _ = server.kill();
    let _ = server.wait();
}

/// Whether the process lives and has the marker on its command line. A process that ended but was not collected
/// (a zombie) has no command line any more.
#[cfg(target_os = "linux")]
fn is_alive(pid: Pid, marker: &str) -> bool {
    let wanted = format!("-Drally.instance={marker}");
    fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
        .is_ok_and(|line| line.split(|byte| *byte == 0).any(|argument| argument == wanted.as_bytes()))
}

#[cfg(not(target_os = "linux"))]
fn is_alive(pid: Pid, _marker: &str) -> bool {
    rustix::process::test_kill_process(pid).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_in_use_is_an_error_that_names_the_flag() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let error = free_port(port).unwrap_err().to_string();
        assert_eq!(error, format!("port {port} of 127.0.0.1 is in use; choose another with --port"));
        assert_ne!(free_port(0).unwrap(), 0);
    }

    #[test]
    fn only_a_green_or_yellow_cluster_is_healthy() {
        assert!(is_healthy(r#"{"cluster_name": "c", "status": "green"}"#));
        assert!(is_healthy(r#"{"status": "yellow"}"#));
        for not in [r#"{"status": "red"}"#, r#"{"error": {}, "status": 503}"#, "", "<html>"] {
            assert!(!is_healthy(not), "{not}");
        }
    }

    #[test]
    fn starting_what_is_not_fetched_says_how_to_fetch_it() {
        let root = tempfile::tempdir().unwrap();
        let servers = Servers::at(root.path());
        let options = Options { port: 0, heap: "64m", timeout: Duration::from_secs(1) };
        let error = Instance::new(&servers, "es7").start(&servers, Variant::Es7, &options).unwrap_err();
        assert!(error.to_string().contains("cargo xtask cluster fetch es7"), "{error}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_id_that_was_given_to_another_program_is_not_the_server() {
        let root = tempfile::tempdir().unwrap();
        let instance = Instance::new(&Servers::at(root.path()), "es7");
        fs::create_dir_all(&instance.folder).unwrap();
        fs::write(instance.folder.join("server.pid"), std::process::id().to_string()).unwrap();
        fs::write(
            instance.folder.join("instance.json"),
            r#"{"variant": "es7", "address": "127.0.0.1:1", "marker": "rally-es7-1"}"#,
        )
        .unwrap();
        assert!(instance.running().is_none());
        assert_eq!(instance.stop().unwrap(), None);
    }
}
