//! What all calls of a guest have in common: a name, a time, and how they fail.

use std::sync::Arc;
use std::time::Duration;

use rally_race::{BodyKind, More};
use rally_support::printable::quoted;

use crate::batch::{BatchError, BatchReader};
use crate::error::{CallError, CallErrorKind, ComponentName, ErrorClass, GuestError};
use crate::limits::{LimitKind, Limits};
use crate::since_0_1_0::bindings::imports::bodies::Kind;
use crate::since_0_1_0::bindings::imports::types;
use crate::since_0_1_0::state::HostState;

/// Bodies that one batch should have at most, bytes: a generator serves many clients.
pub(crate) const MOST_BYTES: u32 = 4 << 20;

/// A call of a guest.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Which function.
    pub(crate) name: &'a str,
    /// The name that it was registered under, or nothing.
    pub(crate) of: &'a str,
    /// The limit of its computing time.
    pub(crate) time: LimitKind,
}

impl<'a> Call<'a> {
    /// A call that prepares.
    pub(crate) fn opens(name: &'a str, of: &'a str) -> Call<'a> {
        Call { name, of, time: LimitKind::TimeToOpen }
    }

    /// A call of the race.
    pub(crate) fn works(name: &'a str, of: &'a str) -> Call<'a> {
        Call { name, of, time: LimitKind::TimePerCall }
    }
}

/// Whose calls they are, and whether there can be more.
pub(crate) struct Caller {
    component: ComponentName,
    pub(crate) limits: Arc<Limits>,
    /// A guest that trapped is over.
    pub(crate) ended: bool,
}

impl Caller {
    pub(crate) fn new(component: ComponentName, limits: &Arc<Limits>) -> Caller {
        Caller { component, limits: Arc::clone(limits), ended: false }
    }

    /// Computing time of a call.
    pub(crate) fn time(&self, call: Call<'_>) -> Duration {
        match call.time {
            LimitKind::TimePerCall => self.limits.time_per_call,
            _ => self.limits.time_to_open,
        }
    }

    /// Whether the guest can be called.
    pub(crate) fn begin(&self, call: Call<'_>) -> Result<(), CallError> {
        if self.ended { Err(self.error(call, CallErrorKind::Ended)) } else { Ok(()) }
    }

    /// The guest trapped, or the host had to end it.
    pub(crate) fn failed(
        &mut self,
        call: Call<'_>,
        state: &mut HostState,
        error: &wasmtime::Error,
    ) -> CallError {
        self.ended = true;
        let words = state.take_last_words();
        self.error(call, CallErrorKind::from_wasmtime(error, &self.limits, call.time, words))
    }

    /// What a call came to: `Err` with the panic where the host failed in the middle of it.
    pub(crate) fn finished<T>(
        &mut self,
        call: Call<'_>,
        state: &mut HostState,
        result: std::thread::Result<wasmtime::Result<T>>,
    ) -> Result<T, CallError> {
        match result {
            Ok(Ok(returned)) => Ok(returned),
            Ok(Err(error)) => Err(self.failed(call, state, &error)),
            Err(panic) => {
                self.ended = true;
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
                Err(self.error(call, CallErrorKind::Bug(text.to_owned())))
            }
        }
    }

    /// What the guest returned, or its own error.
    pub(crate) fn guest<T>(&self, call: Call<'_>, returned: Result<T, types::Error>) -> Result<T, CallError> {
        returned.map_err(|error| self.error(call, CallErrorKind::Guest(error.into())))
    }

    /// What the guest returned makes no sense.
    pub(crate) fn nonsense(&self, call: Call<'_>, problem: String) -> CallError {
        self.error(call, CallErrorKind::Nonsense(problem))
    }

    /// What came of reading a batch. An instance without room for its parameters is over, as one whose memory cannot grow.
    pub(crate) fn batch(
        &mut self,
        call: Call<'_>,
        read: Result<More, BatchError>,
    ) -> Result<More, CallError> {
        read.map_err(|error| match error {
            BatchError::Nonsense(problem) => self.nonsense(call, problem),
            BatchError::Memory => self.over_limit(call, LimitKind::Memory),
        })
    }

    /// The host needed more for the guest than it may take. It is over.
    pub(crate) fn over_limit(&mut self, call: Call<'_>, kind: LimitKind) -> CallError {
        self.ended = true;
        let limit = self.limits.exceeded(kind);
        self.error(call, CallErrorKind::Limit { limit, backtrace: None })
    }

    pub(crate) fn error(&self, call: Call<'_>, kind: CallErrorKind) -> CallError {
        let call = match call.of {
            "" => call.name.to_owned(),
            of => format!("{} of {}", call.name, quoted(of)),
        };
        CallError { component: self.component.clone(), call, kind: Box::new(kind) }
    }
}

/// Reads a batch with as much memory for its parameters as the instance has left, and charges it what they take.
pub(crate) fn read_charged(
    state: &mut HostState,
    reader: &mut BatchReader,
    charged: &mut usize,
    read: impl FnOnce(&mut BatchReader, usize) -> Result<More, BatchError>,
) -> Result<More, BatchError> {
    let read = read(reader, state.room().saturating_add(*charged));
    state.recharge(*charged, reader.memory());
    *charged = reader.memory();
    read
}

pub(crate) fn body_kind(kind: Kind) -> BodyKind {
    match kind {
        Kind::Json => BodyKind::Json,
        Kind::Text => BodyKind::Text,
        Kind::Bytes => BodyKind::Bytes,
    }
}

/// The error of a role that is called although the component does not have it.
pub(crate) fn missing(role: &str) -> wasmtime::Error {
    wasmtime::format_err!("the component does not export {role}")
}

/// An error of the guest in the words of any version.
impl From<types::Error> for GuestError {
    fn from(error: types::Error) -> Self {
        let class = match error.class {
            types::ErrorClass::Config => ErrorClass::Config,
            types::ErrorClass::NotFound => ErrorClass::NotFound,
            types::ErrorClass::Transport => ErrorClass::Transport,
            types::ErrorClass::Timeout => ErrorClass::Timeout,
            types::ErrorClass::Api => ErrorClass::Api,
            types::ErrorClass::Denied => ErrorClass::Denied,
            types::ErrorClass::Other => ErrorClass::Other,
        };
        GuestError {
            class,
            message: shorten(error.message),
            status: error.status,
            kind: error.kind.map(shorten),
            traceback: error.traceback.map(shorten),
        }
    }
}

/// Longest text that a guest's error is shown with, characters.
const LONGEST_TEXT: usize = 8 * 1024;

fn shorten(text: String) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use crate::environment::{Folder, HostEnvironment};

    use super::*;

    #[test]
    fn a_panic_of_the_host_ends_the_instance_and_says_that_it_is_a_bug() {
        let folder = Folder::open(std::env::temp_dir()).unwrap();
        let environment = Arc::new(HostEnvironment::before_race("track", folder));
        let name = ComponentName { name: "guest".to_owned(), version: String::new() };
        let limits = Arc::new(Limits::default());
        let mut caller = Caller::new(name.clone(), &limits);
        let mut state = HostState::new(name, limits, environment);
        let call = Call::works("runner.run", "own");
        let panicked = std::panic::catch_unwind(|| -> wasmtime::Result<()> { panic!("out of fingers") });
        let error = caller.finished(call, &mut state, panicked).unwrap_err().to_string();
        for part in ["'guest'", "runner.run of 'own'", "a bug of rally's: out of fingers"] {
            assert!(error.contains(part), "no {part} in {error}");
        }
        assert!(matches!(*caller.begin(call).unwrap_err().kind, CallErrorKind::Ended));
    }
}
