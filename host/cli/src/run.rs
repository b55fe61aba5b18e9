//! `rally run`: from options to a report.

use rally_race::{Cancel, LocalDriver};
use rally_results::{ReportFormat, ReportOptions, render, render_race, write_report};
use rally_session::{
    Credentials, FinishedRace, Home, NodeProgram, RaceSpec, Session, SessionObserver, bind, prepare,
    provider, race, record,
};

use crate::args::RunArgs;
use crate::ending::CommandError;
use crate::follow::TerminalObserver;
use crate::settings::{ReportSettings, Settings};
use crate::{interrupt, logging, terminal};

/// Races a track and prints the report.
pub fn run(arguments: &RunArgs) -> Result<(), CommandError> {
    let Settings { spec, credentials, report } = Settings::read(arguments)?;
    let home = Home::from_environment().map_err(CommandError::user)?;
    logging::start(&home);
    let cancel = Cancel::new();
    interrupt::watch(&cancel).map_err(CommandError::failure)?;
    let observer = TerminalObserver::new(arguments.quiet);
    let finished = finish(spec, credentials, &home, &observer, &cancel)?;
    // The report is printed first: a full disk must not keep it from the user.
    let printed = if arguments.quiet { Ok(()) } else { print(&finished, &report) };
    let recorded = record(finished);
    let written = match &report.file {
        Some(path) => {
            let options = ReportOptions { width: None, ..report.options };
            let text = render_race(&recorded.record, &recorded.summary, &options);
            write_report(path, &text, options.format).map_err(CommandError::failure)
        }
        None => Ok(()),
    };
    recorded.end?;
    printed.and(recorded.kept.map_err(CommandError::from)).and(written)
}

/// Races from the specification to the end of the last lap.
pub fn finish(
    spec: RaceSpec,
    credentials: Credentials,
    home: &Home,
    observer: &dyn SessionObserver,
    cancel: &Cancel,
) -> Result<FinishedRace, CommandError> {
    let session = Session::new(home, credentials, observer, cancel)?;
    let target = provider(&spec.target, &node_program()?);
    let ready = bind(&session, prepare(&session, spec, target)?)?;
    Ok(race(&session, ready, &mut LocalDriver::default())?)
}

/// This very program has the embedded node in it.
pub fn node_program() -> Result<NodeProgram, CommandError> {
    let path = std::env::current_exe().map_err(CommandError::failure)?;
    Ok(NodeProgram { path, version: rally_node::ELASTICSEARCH_VERSION.to_owned() })
}

/// Prints the report to standard output; what belongs to it but is no table follows, where it does not spoil the format.
fn print(finished: &FinishedRace, report: &ReportSettings) -> Result<(), CommandError> {
    let summary = finished.summary();
    let mut text = match report.options.format {
        // A table is for the eye: the rest has been shown when the race began, and warnings follow.
        ReportFormat::Markdown => render(summary, &report.options),
        ReportFormat::Csv | ReportFormat::Json => {
            render_race(finished.race_record(), summary, &report.options)
        }
    };
    let warnings = summary.warnings(report.options.compat);
    match report.options.format {
        ReportFormat::Markdown => {
            for warning in &warnings {
                text.push_str(&format!("\nwarning: {warning}"));
            }
            if !warnings.is_empty() {
                text.push('\n');
            }
        }
        ReportFormat::Csv => {
            for warning in &warnings {
                terminal::warn(warning);
            }
        }
        ReportFormat::Json => {}
    }
    match report.options.format {
        ReportFormat::Markdown => terminal::print(text),
        ReportFormat::Csv | ReportFormat::Json => terminal::print_data(text.as_bytes()),
    }
    .map_err(CommandError::failure)
}
