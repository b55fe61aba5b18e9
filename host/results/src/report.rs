//! The report as the user asked for it, on the terminal and in a file.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rally_support::whole_file;
use thiserror::Error;

use crate::rows::Compat;
use crate::summary::Summary;
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

/// A report file could not be written. What was in it before is still there.
#[derive(Debug, Error)]
#[error("cannot write the report to '{}': {source}; the figures are printed and stored with the race", path.display())]
pub struct WriteReportError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Writes the report to a file, creating its folder where needed. As in Rally a markdown or CSV report is appended to what
/// the file has; a JSON report takes its place, as two of them in a row are not JSON. The file is never half-written. The
/// width of a terminal does not matter here.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_report(path: &Path, summary: &Summary, options: &ReportOptions) -> Result<(), WriteReportError> {
    let report = render(summary, &ReportOptions { width: None, ..*options });
    write(path, &report, options.format).map_err(|source| WriteReportError { path: path.to_owned(), source })
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
