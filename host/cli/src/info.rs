//! `rally info`: what a track is about and what its challenges do.

use std::fmt::Write as _;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use rally_support::numbers::{grouped, human_size};
use rally_track::{Challenge, Element, Task, Track, TrackSummary};

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::args::{FlavorArgs, RepositoryArgs, StrictArgs, TaskFilterArgs, TrackArgs, TrackParamArgs};
use crate::track::{self, Reading};

/// Options of `rally info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    #[command(flatten)]
    pub track: TrackArgs,

    /// Show only this challenge.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub challenge: Option<String>,

    #[command(flatten)]
    pub params: TrackParamArgs,

    #[command(flatten)]
    pub strict: StrictArgs,

    #[command(flatten)]
    pub filters: TaskFilterArgs,

    #[command(flatten)]
    pub flavor: FlavorArgs,

    #[command(flatten)]
    pub repository: RepositoryArgs,
}

/// Tells about a track.
pub fn run(arguments: &InfoArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = Reading::with(&arguments.params)?
        .strict(arguments.strict)
        .filtered(&arguments.filters)?
        .flavor(&arguments.flavor)
        .challenge(arguments.challenge.as_deref());
    let found = track::find(&arguments.track, &arguments.repository, &home)?;
    let track = rally_track::load(&found.source, &reading.options()).map_err(CommandError::user)?;
    for warning in found.warnings.iter().chain(&track.warnings) {
        terminal::warn(warning);
    }
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
