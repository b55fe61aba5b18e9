//! Parameter sources, runners and schedulers of a rally track, written in Rust and run as a WebAssembly component.
//!
//! An extension is a library crate (`crate-type = ["cdylib"]`) that implements traits of this crate and registers them with
//! [`track!`] under the names that track.json uses:
//!
//! ```
//! use rally_sdk::{Context, ParamSource, Random, Request, Result};
//! use serde_json::json;
//!
//! struct RandomProfession {
//!     professions: Vec<String>,
//!     random: Random,
//! }
//!
//! impl ParamSource for RandomProfession {
//!     fn open(context: &Context) -> Result<Self> {
//!         let professions = context.params().get("professions")?;
//!         Ok(RandomProfession { professions, random: context.random() })
//!     }
//!
//!     fn params(&mut self, request: &mut Request) -> Result<()> {
//!         let profession = self.random.pick(&self.professions);
//!         request.index("people").body(&json!({"query": {"term": {"profession": profession}}}));
//!         Ok(())
//!     }
//! }
//!
//! rally_sdk::track! {
//!     sources: ["random-profession" => RandomProfession],
//! }
//! # fn main() {}
//! ```
//!
//! * [`ParamSource`] makes requests: `params()` is called for one after the other, off the sending threads; the crate hands
//!   them to rally many at a time.
//! * [`Runner`] performs an operation of an own type with a [`Client`], which reaches the target of the race and nothing else.
//! * [`Scheduler`] gives due times; [`FeedbackScheduler`] sees what became of each request before.
//! * [`Context`] has the parameters, the track, the partition and the seed; [`Random`] makes the same choices on every machine.
//! * [`assets`] reads files of the track folder, [`Reader`] the track's documents; [`clock`] tells the time, and shows in the
//!   component's imports that it does.
//! * [`testing`](crate::testing) is for an author's own tests: `cargo test` needs neither rally nor WebAssembly.
//!
//! What is not used is not in the component: neither code nor imports. A panic's message reaches rally's log; the task fails.

// Exports are there in components only: natively, nobody calls what they call.
#![cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]

// The macros of the bindings name this crate from outside.
extern crate self as rally_sdk;

#[doc(hidden)]
pub mod bindings;
mod bodies;
mod client;
pub mod clock;
mod context;
mod corpora;
mod error;
#[cfg(target_arch = "wasm32")]
mod exports;
mod files;
mod handle;
mod held;
pub mod log;
mod macros;
mod parameter;
mod processor;
mod random;
mod registry;
mod runner;
mod scheduler;
mod source;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod track;
mod values;

pub use bodies::{Body, BodyKind, Builder, IntoBody, Slice};
pub use client::{BulkAnswer, Client, ClientRequest, Completion, Method, Response, SearchAnswer, Want};
pub use context::{Context, Partition};
pub use corpora::{Reader, ReaderOptions};
pub use error::{Error, ErrorClass, Result};
pub use files::{Entry, FileKind, Packing, Status, assets, data};
pub use parameter::Parameter;
pub use processor::{Processor, Validator};
pub use random::Random;
pub use registry::Sharing;
pub use runner::{Outcome, Params, Progress, Runner, RunnerFunction};
pub use scheduler::{FeedbackScheduler, Finished, Scheduler};
pub use source::{BodyBuffer, Extent, Form, ParamSource, Request, SourceFunction};
pub use track::{Challenge, Corpus, DataFile, Index, MappingType, Track};
pub use values::{FromValue, Values};

pub use serde_json;
pub use serde_json::json;

/// What the macros write into an extension. Not for authors: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::bindings;
    pub use crate::registry::{FeedbackEntry, Registered, Registry, SchedulerTag, SimpleEntry};
}
