//! From a track to samples: the race plan, due times, clients, measuring.
//!
//! This crate knows nothing of HTTP or WebAssembly. It owns the traits at the seams ([`Runner`], [`ParamSource`],
//! [`Scheduler`]); whoever performs a task implements them, and a [`Recording`] comes out.
//!
//! A challenge becomes a [`RacePlan`]; [`run`] binds it to those who perform its tasks and has a [`LoadDriver`] perform its
//! steps: in this process the [`LocalDriver`], in another one the [`RemoteDriver`] and what it is connected to ([`serve`]),
//! and several of them as a [`DriverGroup`]. What happens reaches an [`Observer`].

pub mod allocation;
pub mod binding;
pub mod cancel;
pub mod completion;
pub mod driver;
pub mod error;
pub mod event;
pub mod figures;
mod group;
mod local;
pub mod metric;
pub mod plan;
pub mod planning;
pub mod recording;
mod remote;
mod run;
pub mod schedule;
pub mod schedulers;
pub mod seams;
pub mod seed;
pub mod unit_aware;
pub mod units;
pub mod verdict;
mod wire;

pub use binding::{BindError, BoundRace, bind};
pub use cancel::Cancel;
pub use driver::{
    ClientShare, DriverClock, DriverCommand, LoadDriver, LoadOrder, PlanDigest, RaceLoader, StopMode,
};
pub use error::RaceError;
pub use event::{DriverEvent, EndReason, FailedTask, Observer, RaceEnd, RaceEvent, TaskProgress};
pub use figures::{Figure, GivenThroughput, LONGEST_META_KEY, MOST_META_KEYS, RanOut, RequestMeta};
pub use group::DriverGroup;
pub use local::{DEFAULT_BUFFERED_BYTES, LocalDriver, LocalDriverOptions};
pub use metric::{Metric, names};
pub use plan::*;
pub use planning::{PlanError, PlanOptions};
pub use recording::*;
pub use remote::{Greeting, LONGEST_FRAME, PROTOCOL_VERSION, RemoteDriver, WireError, serve};
pub use run::{GRACE, run, run_bound, run_on};
pub use seams::*;
pub use unit_aware::UnitMismatch;
pub use units::{Unit, UnitError};
pub use verdict::{Evidence, LagAt, Reason, Verdict, verdict};
