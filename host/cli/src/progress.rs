//! The live progress of a race: one line per running task on a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use indicatif::{BinaryBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rally_race::{Kind, Recording, Unit};
use rally_support::numbers::grouped;
use rally_support::printable;

use crate::terminal::{self, Label};

/// Elsewhere than on a terminal a running task says this often how it goes.
const PLAIN_INTERVAL: Duration = Duration::from_secs(10);

/// Shows what the running tasks do.
pub struct ProgressBoard {
    output: Output,
    running: BTreeMap<usize, Line>,
}

enum Output {
    Silent,
    Plain,
    Terminal(MultiProgress),
}

/// What is shown of one task.
struct Line {
    name: String,
    unit: Unit,
    fraction: Option<f64>,
    remaining: Option<Duration>,
    errors: u64,
    /// Work and times since they were last shown.
    work: f64,
    times: Histogram<u64>,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl ProgressBoard {
    /// A board on standard error, where the report on standard output does not get mixed with it.
    pub fn new(quiet: bool) -> ProgressBoard {
        let output = if quiet {
            Output::Silent
        } else if std::io::stderr().is_terminal() {
            Output::Terminal(MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)))
        } else {
            Output::Plain
        };
        ProgressBoard { output, running: BTreeMap::new() }
    }

    /// Text above the running tasks.
    pub fn say(&self, text: &str) {
        self.show(&printable::lines(text));
    }

    /// A warning above the running tasks.
    pub fn warn(&self, text: impl Display) {
        self.show(&Label::Warning.before(text));
    }

    fn error(&self, text: impl Display) {
        self.show(&Label::Error.before(text));
    }

    /// Shows text that is fit for a terminal.
    fn show(&self, text: &str) {
        match &self.output {
            Output::Silent => {}
            Output::Plain => terminal::write_error(text),
            Output::Terminal(board) => {
                // Without a drawn bar there is nothing to keep the text out of.
                if self.running.is_empty() || board.println(text).is_err() {
                    terminal::write_error(text);
                }
            }
        }
    }

    /// A line for documents that are written.
    pub fn document_line(&self) -> DataLine {
        DataLine { counts: Counted::Documents, ..self.data_line() }
    }

    /// A line for data that is made ready.
    pub fn data_line(&self) -> DataLine {
        let bar = match &self.output {
            Output::Terminal(board) => Some(board.add(ProgressBar::no_length())),
            Output::Silent | Output::Plain => None,
        };
        let now = Instant::now();
        DataLine {
            bar,
            plain: matches!(self.output, Output::Plain),
            counts: Counted::Bytes,
            phase: None,
            begun: (now, 0),
            said: now,
        }
    }

    /// A task starts.
    pub fn started(&mut self, task: usize, name: &str) {
        let bar = match &self.output {
            Output::Silent => return,
            Output::Plain => {
                terminal::say(format_args!("{name}: started"));
                None
            }
            Output::Terminal(board) => {
                let bar = board.add(ProgressBar::new(1000));
                bar.set_style(style());
                bar.set_prefix(shortened(&printable::line(name), 20));
                Some(bar)
            }
        };
        let times = Histogram::new_with_max(rally_race::HIGHEST_NANOSECONDS, 2);
        let Ok(times) = times else { return };
        let line = Line {
            name: name.to_owned(),
            unit: Unit::default(),
            fraction: None,
            remaining: None,
            errors: 0,
            work: 0.0,
            times,
            since: Instant::now(),
            bar,
        };
        self.running.insert(task, line);
    }

    /// How far a task is.
    pub fn advanced(&mut self, task: usize, fraction: Option<f64>, remaining: Option<Duration>) {
        if let Some(line) = self.running.get_mut(&task) {
            line.fraction = fraction;
            line.remaining = remaining;
            line.show_when_due();
        }
    }

    /// What a task measured since the last time.
    pub fn recorded(&mut self, task: usize, recording: &Recording) {
        let Some(line) = self.running.get_mut(&task) else { return };
        if !recording.unit.is_empty() {
            line.unit = recording.unit.clone();
        }
        line.work +=
            recording.seconds.values().map(|second| second.warmup_weight + second.normal_weight).sum::<f64>();
        line.errors += recording.failures.values().sum::<u64>();
        for ((kind, _, _), times) in &recording.histograms {
            if *kind == Kind::ServiceTime {
                // Both hold up to the same highest value; a coarser copy cannot fail to take it.
                let _ = line.times.add(times);
            }
        }
    }

    /// A task has ended: by itself, or because the race did.
    pub fn finished(&mut self, task: usize, stopped: bool) {
        let Some(line) = self.running.remove(&task) else { return };
        let how = if stopped { "stopped" } else { "done" };
        match line.bar {
            Some(bar) => bar.finish_and_clear(),
            None => terminal::say(format_args!("{}: {how}{}", line.name, errors(line.errors))),
        }
    }

    /// A task cannot go on. Its end is none that is worth a further line.
    pub fn failed(&mut self, task: usize, reason: &str) {
        let line = self.running.remove(&task);
        let name = line.as_ref().map_or("?", |line| line.name.as_str());
        self.error(format_args!("task '{name}' failed: {reason}"));
        if let Some(bar) = line.and_then(|line| line.bar) {
            bar.finish_and_clear();
        }
    }

    /// Nothing runs any more; the terminal is free again.
    pub fn clear(&mut self) {
        self.running.clear();
        if let Output::Terminal(board) = &self.output {
            // A terminal that has gone away has nothing to clear.
            let _ = board.clear();
        }
    }
}

/// What a line counts.
enum Counted {
    Bytes,
    Documents,
}

/// Shows how far data is that is made ready.
pub struct DataLine {
    counts: Counted,
    bar: Option<ProgressBar>,
    plain: bool,
    phase: Option<&'static str>,
    /// When the phase began, and with how many bytes: a download may go on where an earlier one ended.
    begun: (Instant, u64),
    said: Instant,
}

impl DataLine {
    /// `done` of `total` bytes are through.
    pub fn show(&mut self, what: &'static str, name: &str, done: u64, total: Option<u64>) {
        let fresh = self.phase != Some(what);
        if fresh {
            self.phase = Some(what);
            self.begun = (Instant::now(), done);
        }
        if let Some(bar) = &self.bar {
            if fresh {
                bar.reset();
                bar.set_message(format!("{what} {}", printable::line(name)));
            }
            if fresh || bar.length() != total {
                bar.set_style(match self.counts {
                    Counted::Bytes => data_style(total.is_some()),
                    Counted::Documents => document_style(),
                });
            }
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
            bar.set_position(done);
            if fresh {
                bar.reset_eta();
            }
        } else if self.plain && fresh {
            self.said = Instant::now();
            terminal::say(format_args!("{what} {name}"));
        } else if self.plain && self.said.elapsed() >= PLAIN_INTERVAL {
            self.said = Instant::now();
            let (since, before) = self.begun;
            let figures = match self.counts {
                Counted::Bytes => data_figures(done, total, done.saturating_sub(before), since.elapsed()),
                Counted::Documents => {
                    format!(
                        "{} of {} documents",
                        grouped(done),
                        total.map_or_else(|| "?".to_owned(), grouped)
                    )
                }
            };
            terminal::say(format_args!("{what} {name}: {figures}"));
        }
    }

    /// It is ready.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Line {
    fn show_when_due(&mut self) {
        let elapsed = self.since.elapsed();
        let interval = if self.bar.is_some() { Duration::from_secs(1) } else { PLAIN_INTERVAL };
        if elapsed < interval {
            return;
        }
        let text = self.figures(elapsed);
        match &self.bar {
            Some(bar) => {
                bar.set_position((self.fraction.unwrap_or(0.0) * 1000.0) as u64);
                bar.set_message(text);
            }
            None => terminal::say(format_args!("{}: {text}", self.name)),
        }
        self.work = 0.0;
        self.times.reset();
        self.since = Instant::now();
    }

    fn figures(&self, elapsed: Duration) -> String {
        let mut text = match self.fraction {
            Some(fraction) => format!("{:3.0}%", fraction * 100.0),
            None => "  ? ".to_owned(),
        };
        let rate = self.work / elapsed.as_secs_f64();
        text.push_str(&format!(
            " {} {}/s",
            rounded(rate),
            if self.unit.is_empty() { "ops" } else { self.unit.as_str() }
        ));
        if !self.times.is_empty() {
            text.push_str(&format!(" p99 {}", milliseconds(self.times.value_at_quantile(0.99))));
        }
        text.push_str(&errors(self.errors));
        if let Some(remaining) = self.remaining {
            text.push_str(&format!(", {} left", clock(remaining)));
        }
        text
    }
}

fn style() -> ProgressStyle {
    // The template is fixed: where it could not be parsed, the plain default does as well.
    ProgressStyle::with_template("{prefix:20} [{bar:10}] {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

fn document_style() -> ProgressStyle {
    let template = "{msg} [{wide_bar}] {human_pos}/{human_len} documents, {per_sec}, {eta} left";
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

fn data_style(total_known: bool) -> ProgressStyle {
    let template = if total_known {
        "[{bar:16}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta} left  {wide_msg}"
    } else {
        "{binary_bytes} {binary_bytes_per_sec}  {wide_msg}"
    };
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

/// How far data are: bytes, rate and time left. `advanced` bytes took `elapsed`.
fn data_figures(done: u64, total: Option<u64>, advanced: u64, elapsed: Duration) -> String {
    let mut text = BinaryBytes(done).to_string();
    if let Some(total) = total {
        text.push_str(&format!(" of {}", BinaryBytes(total)));
    }
    let rate = advanced as f64 / elapsed.as_secs_f64();
    if rate >= 1.0 {
        text.push_str(&format!(", {}/s", BinaryBytes(rate as u64)));
        if let Some(left) = total.map(|total| total.saturating_sub(done) as f64 / rate) {
            text.push_str(&format!(", {} left", clock(Duration::from_secs_f64(left.min(1e9)))));
        }
    }
    text
}

fn errors(count: u64) -> String {
    match count {
        0 => String::new(),
        1 => ", 1 error".to_owned(),
        more => format!(", {more} errors"),
    }
}

fn rounded(rate: f64) -> String {
    if rate >= 100.0 { grouped(rate.round() as u64) } else { format!("{rate:.1}") }
}

fn milliseconds(nanoseconds: u64) -> String {
    let value = nanoseconds as f64 / 1e6;
    match value {
        100.0.. => format!("{value:.0} ms"),
        10.0.. => format!("{value:.1} ms"),
        _ => format!("{value:.2} ms"),
    }
}

fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    if seconds < 60 { format!("{seconds} s") } else { format!("{}:{:02} min", seconds / 60, seconds % 60) }
}

fn shortened(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_reads_as_people_say_it() {
        assert_eq!(clock(Duration::from_millis(300)), "1 s");
        assert_eq!(clock(Duration::from_secs(61)), "1:01 min");
    }

    #[test]
    fn data_are_shown_with_rate_and_time_left() {
        let elapsed = Duration::from_secs(10);
        // A download that went on at 1 GiB.
        let text = data_figures(2 << 30, Some(4 << 30), 1 << 30, elapsed);
        assert_eq!(text, "2.00 GiB of 4.00 GiB, 102.40 MiB/s, 20 s left");
        assert_eq!(data_figures(10 << 20, None, 10 << 20, elapsed), "10.00 MiB, 1.00 MiB/s");
        assert_eq!(data_figures(0, Some(1 << 20), 0, elapsed), "0 B of 1.00 MiB");
    }

    #[test]
    fn long_names_keep_their_beginning() {
        assert_eq!(shortened("a-very-long-task-name-that-goes-on", 10), "a-very-lo…");
    }
}
