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
//! The process that leads the race prepares and binds it as above. For each driver it makes a specification with
//! [`ReadyRace::driver_spec`], which names the target that runs by now, the state of the track, and the driver's share of the
//! clients; it sends that ([`RaceSpec::to_json`]) and, on a channel that is not recorded, the [`Credentials`]. The driver
//! reads it ([`RaceSpec::from_json`]) and calls [`prepare`] and [`bind`] with a [`provider`] for it. It then holds the same plan
//! ([`ReadyRace::race`]) with performers of its own, and runs those rows of [`rally_race::Step::clients`] that
//! [`ClientShare::contains`]. It does not call [`race`]: laps are prepared and figures are kept where the race is led. The
//! [`ReadyRace`] has to live as long as the driver works.

mod bind;
pub mod bundle;
pub mod components;
mod documents;
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
pub use error::{ErrorKind, SessionError, TasksFailed, chain};
pub use find::{FoundTrack, TrackFinder, TrackFolders};
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
