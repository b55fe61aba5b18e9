//! What a load driver sends back: histograms and counters of about a second, which add up exactly over clients, threads and
//! machines. No sample is kept, none is dropped.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::figures::{GivenThroughput, RanOut, RequestMeta};
use crate::units::Unit;
use crate::wire::figures::{histograms, number, pairs};

/// Significant decimal digits of the times in a histogram.
pub const SIGNIFICANT_DIGITS: u8 = 3;

/// Longest time that a histogram resolves, in nanoseconds: 24 hours. Longer ones count as this.
pub const HIGHEST_NANOSECONDS: u64 = 24 * 3_600 * 1_000_000_000;

/// What is measured of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// First byte sent to last byte received.
    ServiceTime,
    /// Due time to last byte received, for throttled tasks; the service time for others.
    Latency,
    /// Around the whole runner.
    ProcessingTime,
    /// Due time to first byte sent, throttled tasks only: how late the request went out.
    SendLateness,
    /// The driver's own part of the send lateness: from when the request could have been sent (due, and the former answer
    /// received) to its first byte.
    DriverLag,
}

/// Whether a sample counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleType {
    /// Before the measurement: kept, not reported.
    Warmup,
    /// Part of the measurement.
    Normal,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// As it should.
    Success,
    /// With a failure of the request or of a part of it.
    Failure,
}

/// Key of a histogram within a task.
pub type Key = (Kind, SampleType, Ending);

/// What a task did in one second (of completion) since the task's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecondOfWork {
    /// Work done by warm-up requests.
    #[serde(with = "number")]
    pub warmup_weight: f64,
    /// Work of measured requests that succeeded: failed work is not throughput.
    #[serde(with = "number")]
    pub normal_weight: f64,
    /// Number of requests, both types.
    pub requests: u64,
    /// Number of failed requests, both types.
    pub failures: u64,
}

/// What Rally's running average needs of the requests that started in one [`start_slot`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StartedInSlot {
    /// Work of all requests that started in this slot, failed ones included, as in Rally.
    #[serde(with = "number")]
    pub weight: f64,
    /// Start of the earliest request, nanoseconds since the task's start.
    pub first_start: u64,
    /// End of that request, nanoseconds since the task's start: Rally's `time_period`.
    pub first_end: u64,
    /// Work of that request.
    #[serde(with = "number")]
    pub first_weight: f64,
    /// Type of that request.
    pub first_type: SampleType,
    /// Start of the latest request, nanoseconds since the task's start.
    pub last_start: u64,
}

/// Slots per second of [`start_slot`] at the beginning of a task.
const SLOTS_PER_SECOND: u64 = 64;

/// The slot of a request that started this number of nanoseconds after the task's start, in 64ths of a second: how far the slot's
/// beginning is from the task's start.
///
/// Rally's clock starts a request's length away from the task's start, which is known only after the first request, so
/// whole seconds are too coarse. Slots get wider as time passes (1/64 s until 16 s, 1/16 s until 64 s, 1/4 s until 256 s, then
/// 1 s), so that they never are wider than 1/256 of the time since the start, or 1/64 s, and an hour takes 6,000 of them.
pub fn start_slot(nanoseconds: u64) -> u32 {
    let fine = nanoseconds / (1_000_000_000 / SLOTS_PER_SECOND);
    let width = match fine / SLOTS_PER_SECOND {
        0..16 => 1,
        16..64 => 4,
        64..256 => 16,
        _ => SLOTS_PER_SECOND,
    };
    u32::try_from(fine - fine % width).unwrap_or(u32::MAX)
}

/// One kind of failure and how often it happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FailureKey {
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What happened.
    pub description: String,
}

/// A part of a task's recording: what one thread saw since it last reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recording {
    /// Histograms in nanoseconds, three significant digits; absent ones are empty.
    #[serde(with = "histograms")]
    pub histograms: BTreeMap<Key, Histogram<u64>>,
    /// Work by second of completion, counted from the task's start.
    pub seconds: BTreeMap<u32, SecondOfWork>,
    /// Work by [`start_slot`].
    pub started: BTreeMap<u32, StartedInSlot>,
    /// Failures by cause; at most [`MOST_FAILURE_KEYS`], the rest under one key.
    #[serde(with = "pairs")]
    pub failures: BTreeMap<FailureKey, u64>,
    /// For causes of failure one whole text of the target, at most [`LONGEST_EXAMPLE`] bytes: of several the one that sorts first.
    #[serde(with = "pairs")]
    pub examples: BTreeMap<FailureKey, String>,
    /// Work of measured requests that failed: documents of a bulk that the target rejected, or all documents of one that failed
    /// as a whole.
    #[serde(with = "number")]
    pub failed_work: f64,
    /// Unit of the work; empty before the first request.
    pub unit: Unit,
    /// When the measurement began and when the last measured request ended, nanoseconds since the task's start. It begins
    /// when the first measured request was due; in unthrottled tasks with the end of the warm-up time, else with the start of
    /// the first measured request.
    pub normal_span: Option<(u64, u64)>,
    /// Start of the first measured request, nanoseconds since the task's start.
    pub first_measured_start: Option<u64>,
    /// Sum of the mean intervals between two requests of one client, nanoseconds, one for each measured throttled request. Divided
    /// by the number of clients it is the time that the requests fill at their target rate.
    pub measured_intervals: u64,
    /// How often a request was due and the param source had none ready.
    pub param_source_stalls: u64,
    /// Throughput of measured requests as their runner gives it, which then counts instead of the measured one.
    pub given_throughput: GivenThroughput,
    /// Numbers that the runner reported for successful measured requests.
    pub request_meta: RequestMeta,
    /// Clients whose parameters ran out before the time of the task was up.
    pub ran_out: Option<RanOut>,
}

/// Longer texts of the target, in bytes, are cut.
pub const LONGEST_EXAMPLE: usize = 4096;

/// More different causes than this are counted together.
pub const MOST_FAILURE_KEYS: usize = 50;

/// What a load driver knows about itself over a task (or a part of it).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DriverLoad {
    /// Highest share of one CPU that a loop thread used, 0 to 1.
    pub busiest_thread: f64,
    /// Longest time in nanoseconds that a loop thread went without looking at its events.
    pub longest_burst: u64,
    /// CPU time of all threads of the driver, nanoseconds.
    pub cpu_time: u64,
    /// Time observed, nanoseconds.
    pub wall_time: u64,
    /// Time that loop threads waited for a CPU although they could run, nanoseconds; 0 where the operating system does not tell.
    pub run_queue_delay: u64,
    /// Highest share of the machine's CPU time that the hypervisor gave to others, 0 to 1.
    pub steal: f64,
    /// Highest load average (of one minute) per CPU of the machine.
    pub load_average: f64,
}
