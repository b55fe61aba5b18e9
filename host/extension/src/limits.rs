//! What an instance may take. Every figure is a choice, not a law: each says why, and which flag raises it.

use std::fmt;
use std::time::Duration;

/// What instances of a component may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Computing time of one call. A source makes a request in microseconds; one that takes a second keeps its clients from
    /// their due times anyway.
    pub time_per_call: Duration,
    /// Computing time of one call that prepares: `describe`, `open`, processors. Loading a few megabytes of queries in an
    /// interpreter takes a second.
    pub time_to_open: Duration,
    /// How long one `run` may take, waiting included. A force-merge of a large index takes tens of minutes.
    pub time_to_run: Duration,
    /// Memory of one instance in bytes: its linear memories, and what the host keeps for it. An interpreter with its track
    /// takes about 30 MiB.
    pub memory: usize,
    /// Elements of all tables of one instance. Only function pointers are there.
    pub table_elements: usize,
    /// Handles to bodies, slices, contexts that one instance may hold.
    pub handles: usize,
    /// Bytes that one call may hand to the host: a batch with its bodies.
    pub host_call_bytes: usize,
    /// Lines that one instance may log; further ones are counted.
    pub log_lines: u32,
    /// Bytes of one answer that are kept for a runner that wants the whole of it, or values from it.
    pub response_bytes: usize,
    /// Requests of one runner that are under way at the same time.
    pub in_flight: u32,
    /// Bytes that one instance may write to the track's data folder. None by default: this is a grant.
    pub data_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            time_per_call: Duration::from_secs(1),
            time_to_open: Duration::from_secs(30),
            time_to_run: Duration::from_secs(3600),
            memory: 256 << 20,
            table_elements: 100_000,
            handles: 10_000,
            host_call_bytes: 64 << 20,
            log_lines: 1_000,
            response_bytes: 16 << 20,
            in_flight: 64,
            data_bytes: 0,
        }
    }
}

/// Longest line that is logged, bytes; the rest is cut off.
pub const LONGEST_LOG_LINE: usize = 4096;

/// A limit of [`Limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitKind {
    /// Computing time of a call.
    TimePerCall,
    /// Computing time of a call that prepares.
    TimeToOpen,
    /// Time of a `run`, waiting included.
    TimeToRun,
    /// Memory.
    Memory,
    /// Table elements.
    TableElements,
    /// Handles.
    Handles,
    /// Bytes handed to the host in one call.
    HostCallBytes,
    /// Bytes of an answer that are kept.
    ResponseBytes,
    /// Requests under way.
    InFlight,
    /// Bytes written to the data folder.
    DataBytes,
    /// Depth of calls. The size of the stack is fixed.
    Stack,
}

impl LimitKind {
    /// The flag of `rally run` that raises the limit.
    pub fn flag(self) -> Option<&'static str> {
        Some(match self {
            LimitKind::TimePerCall => "--extension-time-per-call",
            LimitKind::TimeToOpen => "--extension-time-to-open",
            LimitKind::TimeToRun => "--extension-time-to-run",
            LimitKind::Memory => "--extension-memory",
            LimitKind::TableElements => "--extension-table-elements",
            LimitKind::Handles => "--extension-handles",
            LimitKind::HostCallBytes => "--extension-host-call-bytes",
            LimitKind::ResponseBytes => "--extension-response-bytes",
            LimitKind::InFlight => "--extension-requests-in-flight",
            LimitKind::DataBytes => "--extension-data-bytes",
            LimitKind::Stack => return None,
        })
    }
}

/// A guest took more than it may.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it went over the limit of {allowed}{}", hint(*kind))]
pub struct LimitExceeded {
    /// Which limit.
    pub kind: LimitKind,
    /// What is allowed, in words.
    pub allowed: String,
}

fn hint(kind: LimitKind) -> String {
    kind.flag().map(|flag| format!(" ({flag} raises it)")).unwrap_or_default()
}

impl Limits {
    /// The error of going over a limit.
    pub fn exceeded(&self, kind: LimitKind) -> LimitExceeded {
        let allowed = match kind {
            LimitKind::TimePerCall => format!("{} of computing per call", Seconds(self.time_per_call)),
            LimitKind::TimeToOpen => format!("{} of computing to open", Seconds(self.time_to_open)),
            LimitKind::TimeToRun => format!("{} per run, waiting included", Seconds(self.time_to_run)),
            LimitKind::Memory => format!("{} of memory", Size(self.memory as u64)),
            LimitKind::TableElements => format!("{} table elements", self.table_elements),
            LimitKind::Handles => format!("{} handles", self.handles),
            LimitKind::HostCallBytes => {
                format!("{} handed to the host in one call", Size(self.host_call_bytes as u64))
            }
            LimitKind::ResponseBytes => format!("{} kept of an answer", Size(self.response_bytes as u64)),
            LimitKind::InFlight => format!("{} requests under way", self.in_flight),
            LimitKind::DataBytes if self.data_bytes == 0 => {
                "no bytes written to the data folder, which was not granted".to_owned()
            }
            LimitKind::DataBytes => format!("{} written to the data folder", Size(self.data_bytes)),
            LimitKind::Stack => format!("{} of stack", Size(crate::engine::STACK as u64)),
        };
        LimitExceeded { kind, allowed }
    }
}

/// Seconds without needless digits.
pub(crate) struct Seconds(pub(crate) Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} s", self.0.as_secs_f64())
    }
}

/// Bytes in the largest unit that leaves no rest, as flags take them.
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
        match units.iter().find(|(bits, _)| self.0 > 0 && self.0.trailing_zeros() >= *bits) {
            Some((bits, unit)) => write!(formatter, "{} {unit}", self.0 >> bits),
            None => write!(formatter, "{} bytes", self.0),
        }
    }
}
