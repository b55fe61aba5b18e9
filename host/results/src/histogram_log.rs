//! Every histogram of a race, second by second, in a file that survives a crash.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, IntervalLogWriterError, Tag};
use rally_race::{Ending, Key, Kind, Recording, SampleType};
use thiserror::Error;

const NANOSECONDS_PER_MILLISECOND: f64 = 1e6;

/// The histogram log could not be written. What was written before is still there, and the report does not depend on it.
#[derive(Debug, Error)]
#[error("cannot write the histogram log '{}': {source}; the race continues without it", path.display())]
pub struct HistogramLogError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Writes the histograms of a race while it runs: [`add`](Self::add) what comes in, and about once a second
/// [`write_interval`](Self::write_interval), which leaves a readable file.
///
/// The format is HdrHistogram's interval log (version 1.3) with histograms in the V2 format, compressed and in base64, as
/// HistogramLogReader, HistogramLogAnalyzer and hdr-plot read it. A line is one kind of time of one task in one interval:
/// `Tag=lap-1/index/service_time/normal/success,start,length,max,histogram`: start in seconds since the race's start
/// (`BaseTime`), length in seconds, max in milliseconds for the human eye, the histogram in nanoseconds. In a tag everything of
/// a task's name but letters, digits, `-`, `_` and `.` is percent-encoded. The intervals of one tag add up to the whole task.
pub struct HistogramLog {
    path: PathBuf,
    /// `None` after an error: the rest of the race is not logged, and one warning says so.
    writer: Option<Box<dyn Write + Send>>,
    serializer: V2DeflateSerializer,
    /// The writer of the library begins with its header every time.
    header: Vec<u8>,
    pending: BTreeMap<String, Histogram<u64>>,
    interval_start: Duration,
}

impl HistogramLog {
    /// Creates the file and writes its header.
    ///
    /// # Errors
    /// Where the file exists or cannot be written.
    pub fn create(path: &Path, race_start: SystemTime) -> Result<Self, HistogramLogError> {
        let failed = |source| HistogramLogError { path: path.to_owned(), source };
        let file = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
        Self::with_writer(path, Box::new(file), race_start)
    }

    /// A log that goes wherever `writer` takes it; `path` appears only in errors.
    ///
    /// # Errors
    /// Where the header cannot be written.
    pub fn with_writer(
        path: &Path,
        mut writer: Box<dyn Write + Send>,
        race_start: SystemTime,
    ) -> Result<Self, HistogramLogError> {
        let mut serializer = V2DeflateSerializer::new();
        let mut header = Vec::new();
        let mut text = Vec::new();
        let written = builder().begin_log_with(&mut header, &mut serializer).map(drop).and_then(|()| {
            builder()
                .add_comment("[Histogram log format version 1.3]")
                .add_comment("[rally: times in nanoseconds]")
                .with_start_time(race_start)
                .with_base_time(race_start)
                .begin_log_with(&mut text, &mut serializer)
                .map(drop)?;
            text.extend_from_slice(
                b"\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
            );
            writer.write_all(&text)?;
            writer.flush()
        });
        written.map_err(|source| HistogramLogError { path: path.to_owned(), source })?;
        Ok(HistogramLog {
            path: path.to_owned(),
            writer: Some(writer),
            serializer,
            header,
            pending: BTreeMap::new(),
            interval_start: Duration::ZERO,
        })
    }

    /// Takes a part of a task's recording into the current interval.
    pub fn add(&mut self, lap: u32, task: &str, recording: &Recording) {
        if self.writer.is_none() {
            return;
        }
        for (key, histogram) in recording.histograms.iter().filter(|(_, histogram)| !histogram.is_empty()) {
            let sum = self.pending.entry(tag(lap, task, key)).or_insert_with(|| {
                let mut empty = Histogram::new_from(histogram);
                empty.auto(true);
                empty
            });
            // Histograms of a race have the same bounds; one that resizes by itself takes in any other.
            let _ = sum.add(histogram);
        }
    }

    /// Writes what was added since the last interval, which ends `since_start` after the race's start, to the operating system.
    ///
    /// # Errors
    /// Where it cannot be written. From then on nothing more is: later calls do nothing and succeed.
    pub fn write_interval(&mut self, since_start: Duration) -> Result<(), HistogramLogError> {
        let start = std::mem::replace(&mut self.interval_start, since_start);
        let pending = std::mem::take(&mut self.pending);
        let Some(writer) = self.writer.as_mut().filter(|_| !pending.is_empty()) else { return Ok(()) };
        let length = since_start.saturating_sub(start);
        let written = interval(&pending, start, length, &mut self.serializer).and_then(|lines| {
            // In one piece, so that a reader never sees half a line.
            writer.write_all(&lines[self.header.len()..])?;
            writer.flush()
        });
        written.map_err(|source| {
            self.writer = None;
            HistogramLogError { path: self.path.clone(), source }
        })
    }
}

/// The lines of an interval after the header.
fn interval(
    histograms: &BTreeMap<String, Histogram<u64>>,
    start: Duration,
    length: Duration,
    serializer: &mut V2DeflateSerializer,
) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut writer = builder().begin_log_with(&mut lines, serializer)?;
    for (tag, histogram) in histograms {
        writer.write_histogram(histogram, start, length, Tag::new(tag)).map_err(|error| match error {
            IntervalLogWriterError::IoError(error) => error,
            IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
        })?;
    }
    Ok(lines)
}

fn builder() -> IntervalLogWriterBuilder {
    let mut builder = IntervalLogWriterBuilder::new();
    builder.with_max_value_divisor(NANOSECONDS_PER_MILLISECOND);
    builder
}

fn tag(lap: u32, task: &str, (kind, sample_type, ending): &Key) -> String {
    let kind = match kind {
        Kind::ServiceTime => "service_time",
        Kind::Latency => "latency",
        Kind::ProcessingTime => "processing_time",
        Kind::SendLateness => "send_lateness",
        Kind::DriverLag => "driver_lag",
    };
    let sample_type = match sample_type {
        SampleType::Warmup => "warmup",
        SampleType::Normal => "normal",
    };
    let ending = match ending {
        Ending::Success => "success",
        Ending::Failure => "failure",
    };
    format!("lap-{lap}/{}/{kind}/{sample_type}/{ending}", percent_encoded(task))
}

fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
