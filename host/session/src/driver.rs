//! A load driver in a process of its own: `rally driver`, and the end of the process that leads the race.
//!
//! The driver gets the specification of the race and loads, plans and binds it by the same code as `rally run`.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use rally_race::{
    BoundRace, Cancel, Cause, DriverClock, DriverCommand, DriverEvent, LoadDriver, LoadOrder, LocalDriver,
    LocalDriverOptions, RaceLoader, RemoteDriver, WireError, serve,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bind::{ReadyRace, bind};
use crate::error::SessionError;
use crate::home::Home;
use crate::observer::NoObserver;
use crate::prepare::prepare;
use crate::session::Session;
use crate::spec::{ClientShare, Credentials, RaceSpec, TargetSpec};
use crate::target::{NodeProgram, provider};

/// How long a driver may take to end once nobody commands it any more; then it is killed.
const LONGEST_END: Duration = Duration::from_secs(5);

/// What a load driver is asked to race. It goes through a pipe or an encrypted connection and is written nowhere.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct DriverRace {
    spec: Value,
    #[serde(default)]
    credentials: Credentials,
}

/// The target of a load driver has to run already.
#[derive(Debug, thiserror::Error)]
#[error("a load driver does not start an embedded node: the specification must name the hosts of the target")]
struct NoTarget;

/// What drivers are asked to race. Which clients are whose is not in it: that stands in each order.
pub(crate) fn driver_race(ready: &ReadyRace, credentials: &Credentials) -> Result<Value, SessionError> {
    let spec = serde_json::to_value(ready.driver_spec(ClientShare::All)).map_err(SessionError::failure)?;
    serde_json::to_value(DriverRace { spec, credentials: credentials.clone() }).map_err(SessionError::failure)
}

/// Performs races for the process at the other end, until that is gone.
///
/// # Errors
/// Where the other end is of another version, or sends what makes no sense.
pub fn serve_driver(home: Home, from: impl Read + Send + 'static, to: impl Write) -> Result<(), WireError> {
    let gone = Cancel::new();
    let loader = SpecLoader { home, gone: gone.clone(), ready: None };
    serve(from, to, LocalDriver::with_loader(LocalDriverOptions::default(), Box::new(loader)), &gone)
}

/// Loads races by their specifications.
struct SpecLoader {
    home: Home,
    /// The process that asked is gone.
    gone: Cancel,
    /// Its files are in use as long as the race is.
    ready: Option<ReadyRace>,
}

impl RaceLoader for SpecLoader {
    fn load(&mut self, order: &LoadOrder) -> Result<BoundRace, Cause> {
        self.ready = None;
        let DriverRace { spec, credentials } = serde_json::from_value(order.race.clone())?;
        let mut spec = RaceSpec::from_json(&spec.to_string())?;
        spec.clients = order.clients.clone();
        if spec.target == TargetSpec::Embedded {
            return Err(NoTarget.into());
        }
        let session = Session::new(&self.home, credentials, &NoObserver, &self.gone)?;
        let target = provider(&spec.target, &NodeProgram { path: PathBuf::new(), version: String::new() });
        let ready = bind(&session, prepare(&session, spec, target)?)?;
        Ok(self.ready.insert(ready).race().clone())
    }
}

/// A load driver that was started as a process. It ends when this is dropped.
pub struct DriverProcess {
    /// `None` once the driver is to end.
    driver: Option<RemoteDriver>,
    events: Receiver<DriverEvent>,
    clock: DriverClock,
    child: Child,
}

/// A load driver could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DriverProcessError {
    /// Its process cannot be started.
    #[error("cannot start the load driver '{program}'")]
    Start {
        /// What was to be started.
        program: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// It is not a load driver of this version.
    #[error("cannot work with the load driver '{program}'")]
    Connect {
        /// What was started.
        program: String,
        /// Why not.
        #[source]
        source: WireError,
    },
}

impl DriverProcess {
    /// Starts a driver: a command that does what `rally driver` does. Signals of the terminal do not reach it: it ends when the
    /// process that leads the race lets it.
    ///
    /// # Errors
    /// Where the command cannot be started, or is not a load driver of this version.
    pub fn start(mut command: Command) -> Result<DriverProcess, DriverProcessError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let start = |source| DriverProcessError::Start { program: program.clone(), source };
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child = command.spawn().map_err(start)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(start(io::ErrorKind::BrokenPipe.into()));
        };
        match RemoteDriver::connect(from, to) {
            Ok(driver) => {
                let (events, clock) = (driver.events().clone(), driver.clock());
                Ok(DriverProcess { driver: Some(driver), events, clock, child })
            }
            Err(source) => {
                end(&mut child);
                Err(DriverProcessError::Connect { program, source })
            }
        }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl LoadDriver for DriverProcess {
    fn send(&mut self, command: DriverCommand) -> Result<(), Cause> {
        self.driver.as_mut().ok_or("the load driver has ended")?.send(command)
    }

    fn events(&self) -> &Receiver<DriverEvent> {
        &self.events
    }

    fn clock(&self) -> DriverClock {
        self.clock
    }
}

impl Drop for DriverProcess {
    fn drop(&mut self) {
        // The end of its input is its end.
        self.driver = None;
        end(&mut self.child);
    }
}

/// Waits for a process that has no reason to go on, and ends it if it does.
fn end(child: &mut Child) {
    let deadline = Instant::now() + LONGEST_END;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => thread::sleep(Duration::from_millis(5)),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        tracing::warn!(%error, "cannot end a load driver");
    }
}
