//! The report as the user asked for it, on the terminal and in a file.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rally_support::whole_file;
use thiserror::Error;

use crate::race_record::{RaceRecord, iso_basic};
use crate::rows::Compat;
use crate::summary::{RaceStatus, Summary};
use crate::table;

/// `--report-format`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReportFormat {
    /// The pipe table that Rally prints.
    #[default]
    Markdown,
    /// A header line and one line per row, numbers in full.
    Csv,
    /// Everything: [`Summary::to_json`].
    Json,
}

/// A report format that does not exist.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("unknown report format '{0}'; use markdown, csv or json")]
pub struct UnknownReportFormat(String);

impl FromStr for ReportFormat {
    type Err = UnknownReportFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "markdown" => Ok(ReportFormat::Markdown),
            "csv" => Ok(ReportFormat::Csv),
            "json" => Ok(ReportFormat::Json),
            _ => Err(UnknownReportFormat(name.to_owned())),
        }
    }
}

impl fmt::Display for ReportFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ReportFormat::Markdown => "markdown",
            ReportFormat::Csv => "csv",
            ReportFormat::Json => "json",
        })
    }
}

/// How the report looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReportOptions {
    /// Its format.
    pub format: ReportFormat,
    /// Whose rows and definitions; `None`: rally's own.
    pub compat: Option<Compat>,
    /// Columns of the terminal that a markdown table should fit in; `None`: no limit, as for files and pipes.
    pub width: Option<usize>,
}

/// The report in this format, ending with a newline. Warnings are part of it in JSON only; for other formats they are to be
/// shown after it ([`Summary::warnings`]).
pub fn render(summary: &Summary, options: &ReportOptions) -> String {
    let rows = || summary.rows(options.compat);
    match options.format {
        ReportFormat::Markdown => table::markdown(&rows(), summary.has_laps(), options.width),
        ReportFormat::Csv => table::csv(&rows(), summary.has_laps()),
        ReportFormat::Json => format!("{:#}\n", summary.to_json(options.compat)),
    }
}

/// The report of a race that has ended: as [`render`], and with what it is a report of, how the race ended and all warnings, so that a
/// file says for itself how far its figures go.
///
/// JSON has the names of `race.json` (`race-id`, `race-timestamp`, `track`, `challenge`, `cluster`, `seed`). CSV has rows at its end
/// whose metric is `race id`, `race status`, `warning` and so on, markdown lines below the table.
pub fn render_race(record: &RaceRecord, summary: &Summary, options: &ReportOptions) -> String {
    match options.format {
        ReportFormat::Json => {
            let mut report = summary.to_json(options.compat);
            for (name, value) in record.identity() {
                report[name] = value;
            }
            format!("{report:#}\n")
        }
        ReportFormat::Csv => {
            let facts = table::csv_facts(&facts(record, summary, options.compat), summary.has_laps());
            render(summary, options) + &facts
        }
        ReportFormat::Markdown => {
            let mut report = render(summary, options) + "\n";
            for (name, value) in facts(record, summary, options.compat) {
                report.push_str(&format!("{name}: {}\n", table::harmless(&value)));
            }
            report
        }
    }
}

/// What a report is of, by name.
fn facts(record: &RaceRecord, summary: &Summary, compat: Option<Compat>) -> Vec<(&'static str, String)> {
    let status = match summary.status {
        RaceStatus::Running => "running",
        RaceStatus::Complete => "complete",
        RaceStatus::Interrupted => "interrupted",
        RaceStatus::Failed => "failed",
        RaceStatus::TasksFailed => "tasks-failed",
        RaceStatus::Killed => "killed",
    };
    let mut facts = vec![
        ("race status", status.to_owned()),
        ("race id", record.race_id.clone()),
        ("race timestamp", iso_basic(record.race_timestamp)),
        ("track", record.track.clone()),
        ("challenge", record.challenge.clone().unwrap_or_default()),
        ("target", record.cluster.describe()),
        ("seed", record.seed.clone().unwrap_or_default()),
    ];
    facts.extend(summary.warnings(compat).into_iter().map(|warning| ("warning", warning)));
    facts
}

/// A report file could not be written. What was in it before is still there.
#[derive(Debug, Error)]
#[error("cannot write the report to '{}': {source}; the figures are printed and stored with the race", path.display())]
pub struct WriteReportError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Writes a report ([`render_race`]) to a file, creating its folder where needed. As in Rally a markdown or CSV report is appended to what
/// the file has; a JSON report takes its place, as two of them in a row are not JSON. The file is never half-written.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_report(path: &Path, report: &str, format: ReportFormat) -> Result<(), WriteReportError> {
    write(path, report, format).map_err(|source| WriteReportError { path: path.to_owned(), source })
}

fn write(path: &Path, report: &str, format: ReportFormat) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut content = match format {
        ReportFormat::Json => Vec::new(),
        // Only a file has content to keep: reading a device would not end.
        ReportFormat::Markdown | ReportFormat::Csv if path.is_file() => fs::read(path)?,
        ReportFormat::Markdown | ReportFormat::Csv => Vec::new(),
    };
    content.extend_from_slice(report.as_bytes());
    whole_file::write(path, |file| file.write_all(&content)).map_err(|error| error.cause)
}
