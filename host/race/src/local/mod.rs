//! The load driver of this process: loop threads that send, generator threads that make what is sent.
//!
//! ```text
//! generator threads            loop threads (one current-thread runtime each)
//!   param source ──ring──▶ client ── runner ──▶ target
//!   param source ──ring──▶ client     │
//!                            ▲        ▼
//!                 timerfd + heap   recorder ──once per second──▶ events
//! ```
//! Everything that a request touches belongs to one thread: rings have one end here and one end there, histograms, heap and
//! clients are the loop thread's own. Threads live as long as the race; steps come and go.

mod client;
mod driver;
mod generator;
mod job;
mod observe;
mod recorder;
mod step;
mod supply;
mod thread;
mod timer;

pub use driver::{DEFAULT_BUFFERED_BYTES, LocalDriver, LocalDriverOptions};
