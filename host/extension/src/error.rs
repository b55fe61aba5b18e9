//! How a call of a component can go wrong.

use std::error::Error as StdError;
use std::fmt;

use rally_support::printable;
use wasmtime::{Trap, WasmBacktrace};

use crate::limits::{LimitExceeded, LimitKind, Limits};

/// Who a component is, for errors and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentName {
    /// As the component says, or its file name before it could say anything.
    pub name: String,
    /// As the component says; empty before.
    pub version: String,
}

impl fmt::Display for ComponentName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.version.is_empty() {
            formatter.write_str(&self.name)
        } else {
            write!(formatter, "{} {}", self.name, self.version)
        }
    }
}

/// A call of a component that failed.
#[derive(Debug, thiserror::Error)]
#[error("extension '{component}', call of {call}: {kind}")]
pub struct CallError {
    /// Whose.
    pub component: ComponentName,
    /// Which function, with the name that it was registered under.
    pub call: String,
    /// What happened.
    #[source]
    pub kind: Box<CallErrorKind>,
}

/// What happened to a call.
#[derive(Debug, thiserror::Error)]
pub enum CallErrorKind {
    /// The guest took more than it may. It is over.
    #[error("{limit}{}", shown(backtrace))]
    Limit {
        /// Which limit.
        limit: LimitExceeded,
        /// Where it was.
        backtrace: Option<String>,
    },
    /// The guest did what it cannot do, or gave up. It is over.
    #[error("it failed ({}){}", printable::lines(reason), shown(backtrace))]
    Fault {
        /// What it did.
        reason: String,
        /// What it said before, such as the message of a panic.
        last_words: Option<String>,
        /// Where it was.
        backtrace: Option<String>,
    },
    /// The guest says that it cannot do what it was asked for.
    #[error("{0}")]
    Guest(GuestError),
    /// What the guest gave makes no sense.
    #[error("it returned {}", printable::lines(.0))]
    Nonsense(String),
    /// The host itself failed while it served the guest. The instance is over; nothing else is.
    #[error("rally failed on it, which is a bug of rally's: {}; please report it with the component", printable::lines(.0))]
    Bug(String),
    /// The guest is over since an earlier call.
    #[error("its instance ended with an earlier failure")]
    Ended,
}

fn shown(backtrace: &Option<String>) -> String {
    backtrace.as_ref().map(|backtrace| format!("\n{backtrace}")).unwrap_or_default()
}

/// What kind of error a guest returned: decides what becomes of the race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The parameters in track.json make no sense.
    Config,
    /// A named asset, corpus, file or function does not exist.
    NotFound,
    /// No answer: the request counts as failed.
    Transport,
    /// No answer in time: the request counts as failed.
    Timeout,
    /// The target answered with a failure: the request counts as failed.
    Api,
    /// Not allowed to this role, or by the limits of this race.
    Denied,
    /// Anything else. The task cannot go on.
    Other,
}

/// An error that a guest returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestError {
    /// What kind.
    pub class: ErrorClass,
    /// In the guest's words.
    pub message: String,
    /// HTTP status, where the target answered.
    pub status: Option<u16>,
    /// Class of the exception in the guest's language.
    pub kind: Option<String>,
    /// Where it happened, as the guest's language shows it.
    pub traceback: Option<String>,
}

impl StdError for GuestError {}

impl fmt::Display for GuestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(kind) = &self.kind {
            write!(formatter, "{}: ", printable::lines(kind))?;
        }
        write!(formatter, "{}", printable::lines(&self.message))?;
        if let Some(traceback) = &self.traceback {
            write!(formatter, "\n{}", printable::lines(traceback))?;
        }
        Ok(())
    }
}

/// Longest backtrace that is shown, frames.
const MOST_FRAMES: usize = 16;

impl CallErrorKind {
    /// Sorts what wasmtime reports. `time` is the limit that an interrupt means.
    pub(crate) fn from_wasmtime(
        error: &wasmtime::Error,
        limits: &Limits,
        time: LimitKind,
        last_words: Option<String>,
    ) -> CallErrorKind {
        let backtrace = error.downcast_ref::<WasmBacktrace>().map(frames);
        let limit =
            |kind| CallErrorKind::Limit { limit: limits.exceeded(kind), backtrace: backtrace.clone() };
        if let Some(exceeded) = error.downcast_ref::<LimitExceeded>() {
            return CallErrorKind::Limit { limit: exceeded.clone(), backtrace };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => return limit(time),
            Some(Trap::StackOverflow) => return limit(LimitKind::Stack),
            _ => {}
        }
        let root = error.root_cause().to_string();
        // wasmtime has no types for these.
        if root.contains("fuel allocated for hostcalls") {
            return limit(LimitKind::HostCallBytes);
        }
        if root.contains("resource table has no free keys") || root.contains("store handle limit exceeded") {
            return limit(LimitKind::Handles);
        }
        let reason = match &last_words {
            Some(words) => words.clone(),
            None => root.strip_prefix("wasm trap: ").map_or_else(|| root.clone(), str::to_owned),
        };
        CallErrorKind::Fault { reason, last_words, backtrace }
    }
}

/// A backtrace as names, innermost first.
fn frames(backtrace: &WasmBacktrace) -> String {
    let mut text = String::from("backtrace of the component, innermost first:");
    let all = backtrace.frames();
    for (index, frame) in all.iter().take(MOST_FRAMES).enumerate() {
        let name = frame.func_name().map(|name| rustc_demangle::demangle(name).to_string());
        let name = name.unwrap_or_else(|| format!("function {}", frame.func_index()));
        text.push_str(&format!("\n  {index}: {}", printable::name(&name)));
    }
    if all.len() > MOST_FRAMES {
        text.push_str(&format!("\n  … {} more", all.len() - MOST_FRAMES));
    }
    text
}
