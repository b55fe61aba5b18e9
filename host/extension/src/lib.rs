//! A track's own code: components that are loaded, limited, linked and called. The only crate that knows wasmtime.
//!
//! The way of a component: [`Extensions::discover`] finds the files beside a track; [`Extension::load`] reads one, has it
//! inspected without running anything ([`rally_component`]), compiles it or takes the compiled code from the
//! [`CompiledCache`], links it to what `rally:track` offers and asks it what it is. [`ExtensionBindings`] then binds the tasks of
//! a track to what its components register; the race knows sources, runners and schedulers only as its own traits.
//!
//! - [`limits`]: what an instance may take, [`error`]: what became of a call that took more or failed otherwise.
//! - [`instance`]: instances of components of any version; [`since_0_1_0`]: the WIT version 0.1.0, beside which a later one
//!   will stand.
//! - [`roles`]: instances as sources, runners, schedulers: each in an instance of its own, or sharing one.
//! - [`batch`]: the reader of what a source returned, which believes nothing.

pub mod batch;
mod bindings;
mod cache;
mod context;
mod due;
mod engine;
mod environment;
pub mod error;
mod extension;
mod extensions;
mod instance;
mod json_pointers;
mod json_size;
pub mod limits;
mod processing;
mod roles;
mod since_0_1_0;

pub use bindings::{ExtensionBindings, RaceInfo};
pub use cache::{CacheError, CompiledCache};
pub use engine::{Engine, EngineError};
pub use environment::{Clock, Folder, HostEnvironment, SystemClock, Target};
pub use error::{CallError, CallErrorKind, ComponentName, ErrorClass, GuestError};
pub use extension::{
    Description, Extension, Extent, Form, Host, LoadError, RunnerInfo, SchedulerInfo, Sharing, SourceInfo,
};
pub use extensions::{AmbiguousName, Extensions, ExtensionsError, components};
pub use limits::{LimitExceeded, LimitKind, Limits};
pub use processing::{ProcessingError, TrackChangeError};

/// A request that has finished, as a scheduler is told. Times are seconds since the client's start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Feedback {
    pub(crate) started: f64,
    pub(crate) finished: f64,
    pub(crate) weight: f64,
    pub(crate) unit: String,
    pub(crate) success: bool,
    pub(crate) meta: Option<String>,
}
