//! What extensions may take, as a part of a specification.

use std::time::Duration;

use rally_component::Bounds;
use rally_extension::Limits;
use serde::{Deserialize, Serialize};

/// What the track's own code may take, as [`Limits`] has it. Times are in microseconds, sizes in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ExtensionLimits {
    /// Computing time of one call, microseconds.
    pub time_per_call: u64,
    /// Computing time of one call that prepares, microseconds.
    pub time_to_open: u64,
    /// How long one run of a runner may take, waiting included, microseconds.
    pub time_to_run: u64,
    /// Memory of one instance, bytes.
    pub memory: u64,
    /// Table elements of one instance.
    pub table_elements: usize,
    /// Handles of one instance.
    pub handles: usize,
    /// Bytes that one call may hand to the host.
    pub host_call_bytes: u64,
    /// Lines that one instance may log.
    pub log_lines: u32,
    /// Bytes that are kept of an answer.
    pub response_bytes: u64,
    /// Requests of one runner under way at the same time.
    pub requests_in_flight: u32,
    /// Bytes that one instance may write to the track's data folder.
    pub data_bytes: u64,
    /// Size of the largest component that is loaded, bytes; [`Bounds::default`] where it is `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u64>,
}

impl Default for ExtensionLimits {
    fn default() -> ExtensionLimits {
        ExtensionLimits::new(&Limits::default(), None)
    }
}

impl ExtensionLimits {
    /// These limits; components of at most `max_size` bytes.
    pub fn new(limits: &Limits, max_size: Option<u64>) -> ExtensionLimits {
        let microseconds = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        ExtensionLimits {
            time_per_call: microseconds(limits.time_per_call),
            time_to_open: microseconds(limits.time_to_open),
            time_to_run: microseconds(limits.time_to_run),
            memory: limits.memory as u64,
            table_elements: limits.table_elements,
            handles: limits.handles,
            host_call_bytes: limits.host_call_bytes as u64,
            log_lines: limits.log_lines,
            response_bytes: limits.response_bytes as u64,
            requests_in_flight: limits.in_flight,
            data_bytes: limits.data_bytes,
            max_size,
        }
    }

    /// As the host of extensions takes them.
    pub fn limits(&self) -> Limits {
        let bytes = |size: u64| usize::try_from(size).unwrap_or(usize::MAX);
        Limits {
            time_per_call: Duration::from_micros(self.time_per_call),
            time_to_open: Duration::from_micros(self.time_to_open),
            time_to_run: Duration::from_micros(self.time_to_run),
            memory: bytes(self.memory),
            table_elements: self.table_elements,
            handles: self.handles,
            host_call_bytes: bytes(self.host_call_bytes),
            log_lines: self.log_lines,
            response_bytes: bytes(self.response_bytes),
            in_flight: self.requests_in_flight,
            data_bytes: self.data_bytes,
        }
    }

    /// What a component's file may be.
    pub fn bounds(&self) -> Bounds {
        self.max_size.map_or_else(Bounds::default, Bounds::of_size)
    }
}
