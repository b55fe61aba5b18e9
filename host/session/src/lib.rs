//! A race from its specification to its record: what the `rally` command and a daemon both do.
//!
//! ```text
//! RaceSpec ─▶ prepare ─▶ PreparedRace ─▶ bind ─▶ ReadyRace ─▶ race ─▶ FinishedRace ─▶ record ─▶ RecordedRace
//!             spec, track,              target,              laps,                    race.json
//!             code, plan, data          performers           load driver
//! ```
//!
//! A [`RaceSpec`] is a value: it can be written as JSON, sent elsewhere and raced there. Passwords and keys are not in it
//! ([`Credentials`]). A [`Session`] says whose files are used, who is told what happens and who may end it; it prints nothing
//! and reads no command line.
//!
//! # In one process
//!
//! ```no_run
//! # use std::path::PathBuf;
//! use rally_race::{Cancel, LocalDriver};
//! use rally_session::{
//!     Credentials, Home, NoObserver, NodeProgram, RaceSpec, Session, SessionError, TrackSpec, bind, prepare, provider,
//!     race, record,
//! };
//!
//! # fn main() -> Result<(), SessionError> {
//! let spec = RaceSpec::new(TrackSpec::Folder(PathBuf::from("my-track")), 1_735_689_600.0, 42);
//! let home = Home::from_environment().map_err(SessionError::user)?;
//! let cancel = Cancel::new();
//! let session = Session::new(&home, Credentials::default(), &NoObserver, &cancel)?;
//! let node = NodeProgram { path: PathBuf::from("rally"), version: "7.10.2".to_owned() };
//! let target = provider(&spec.target, &node);
//! let ready = bind(&session, prepare(&session, spec, target)?)?;
//! let finished = race(&session, ready, &mut LocalDriver::default())?;
//! println!("{:?}", finished.summary());
//! let recorded = record(finished);
//! recorded.end.and(recorded.kept)
//! # }
//! ```
//!
//! # A load driver in another process
//!
//! [`race`] leads a race on any load driver: a [`LocalDriver`](rally_race::LocalDriver) of this process, a [`DriverProcess`], or a
//! [`DriverGroup`](rally_race::DriverGroup) of several. A driver elsewhere gets the specification of [`ReadyRace::driver_spec`], which names
//! the target that runs by now and the state of the track, the [`Credentials`] beside it, and which clients are its own. It calls
//! [`prepare`] and [`bind`] with them ([`serve_driver`]), and has to come to the same plan.

mod bind;
pub mod bundle;
mod check;
pub mod components;
mod documents;
mod driver;
pub mod embedded;
mod error;
mod find;
mod home;
mod lap;
mod observer;
mod prepare;
mod race;
mod record;
mod scratch;
mod session;
pub mod shipped;
mod spec;
mod target;

pub use bind::{ReadyRace, bind};
pub use check::check;
pub use driver::{DriverProcess, DriverProcessError, serve_driver};
pub use error::{ErrorKind, SessionError, TasksFailed, chain};
pub use find::{FoundTrack, SHIPPED, TrackFinder, TrackFolders};
pub use home::{Home, HomeError};
pub use observer::{Introduction, NoObserver, SessionEvent, SessionObserver};
pub use prepare::{PreparedRace, prepare};
pub use race::{FinishedRace, RecordedRace, race, record};
pub use scratch::ScratchFolder;
pub use session::{Session, cancelled};
pub use spec::{
    BundleSpec, ClientShare, Credentials, ExtensionLimits, NamedTrack, RaceSpec, RepositorySpec,
    SPEC_VERSION, SpecError, TargetSpec, TrackSpec, TrustLevel,
};
pub use target::{
    Connector, EmbeddedTarget, InterruptedEarly, NamedHosts, NodeProgram, RunningTarget, TargetFacts,
    TargetProvider, provider,
};
