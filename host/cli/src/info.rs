//! `rally info`: what a track is about and what its challenges do.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rally_support::numbers::{grouped, human_size};
use rally_track::{Challenge, Element, Task, Track, TrackSummary};

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::TrackSelection;
use crate::track::args::{StrictArgs, TaskFilterArgs};

/// Options of `rally info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    #[command(flatten)]
    pub selection: TrackSelection,

    /// Show only this challenge.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = None::<&'static str>)]
    pub challenge: Option<String>,

    #[command(flatten)]
    pub strict: StrictArgs,

    #[command(flatten)]
    pub filters: TaskFilterArgs,
}

/// Tells about a track.
pub fn run(arguments: &InfoArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = arguments.selection.reading()?.strict(arguments.strict);
    let reading = reading.filtered(&arguments.filters)?.challenge(arguments.challenge.as_deref());
    let track = arguments.selection.open(&home, reading)?.load()?;
    terminal::print(describe(&track, arguments.challenge.as_deref())).map_err(CommandError::failure)
}

/// Writing to a string cannot fail.
fn describe(track: &Track, challenge: Option<&str>) -> String {
    let summary = TrackSummary::from(track);
    let mut text = format!("Showing details for track [{}]:\n\n", track.name);
    let _ = writeln!(text, "* Description: {}", track.description);
    if summary.documents > 0 {
        let _ = writeln!(text, "* Documents: {}", grouped(summary.documents));
        let _ = writeln!(text, "* Compressed Size: {}", human_size(summary.compressed_bytes));
        let _ = writeln!(text, "* Uncompressed Size: {}", human_size(summary.uncompressed_bytes));
    }
    text.push('\n');
    match challenge.and_then(|name| track.challenge(Some(name))) {
        Some(challenge) => describe_challenge(challenge, &mut text),
        None => {
            for challenge in &track.challenges {
                describe_challenge(challenge, &mut text);
                text.push('\n');
            }
        }
    }
    text
}

fn describe_challenge(challenge: &Challenge, text: &mut String) {
    if !challenge.auto_generated {
        let title = format!(
            "Challenge [{}]{}",
            challenge.name,
            if challenge.default { " (run by default)" } else { "" }
        );
        let line = "=".repeat(title.chars().count());
        let _ = writeln!(text, "{line}\n{title}\n{line}");
        if let Some(description) = challenge.description.as_deref().filter(|text| !text.is_empty()) {
            let _ = writeln!(text, "\n{description}");
        }
    }
    text.push_str("\nSchedule:\n---------\n\n");
    for (number, element) in (1..).zip(&challenge.schedule) {
        match element {
            Element::Task(task) => {
                let _ = writeln!(text, "{number}. {}{}", task.name, clients(task));
            }
            Element::Parallel(parallel) => {
                let clients = parallel.effective_clients();
                let _ =
                    writeln!(text, "{number}. {} parallel tasks ({clients} clients):", parallel.tasks.len());
                for (inner, task) in (1..).zip(&parallel.tasks) {
                    let _ = writeln!(text, "\t{number}.{inner} {}{}", task.name, self::clients(task));
                }
            }
        }
    }
}

fn clients(task: &Task) -> String {
    if task.clients > 1 { format!(" ({} clients)", task.clients) } else { String::new() }
}
