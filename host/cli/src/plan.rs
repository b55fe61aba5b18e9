//! `rally plan`: what a race would send, without sending it.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use rally_plan::{PlanError, RejectedTrack, table};

use rally_session::Home;

use crate::ending::CommandError;
use crate::terminal;
use crate::track::args::{StrictArgs, TaskFilterArgs};
use crate::track::{OpenedTrack, TrackSelection};

/// Options of `rally plan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  rally plan --track=tutorial\n  rally plan --track-path=./my-track --challenge=index-only --track-params=bulk_size:500\n  \
                  rally plan --track-path=./my-track --format=json --now=1735689600 --bodies=./bodies"
)]
pub struct PlanArgs {
    #[command(flatten)]
    pub selection: TrackSelection,

    /// Challenge to show; in JSON, the selected challenge.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new(), help_heading = None::<&'static str>)]
    pub challenge: Option<String>,

    /// Plan a race in test mode: each task briefly, with 1,000 documents.
    #[arg(long, help_heading = None::<&'static str>)]
    pub test_mode: bool,

    #[command(flatten)]
    pub strict: StrictArgs,

    #[command(flatten)]
    pub filters: TaskFilterArgs,

    /// Keep operations that a serverless target does not offer.
    #[arg(long, help_heading = "Track")]
    pub keep_unavailable: bool,

    /// Time that templates see as `now`, in seconds since 1970 [default: the current time].
    #[arg(long, value_name = "EPOCH", value_parser = seconds, allow_negative_numbers = true, help_heading = "Track")]
    pub now: Option<f64>,

    /// Output format; docs/plan.md describes the JSON.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub format: PlanFormat,

    /// Label for this set of inputs in the JSON.
    #[arg(long, value_name = "NAME", default_value = "default", help_heading = "Output")]
    pub variant: String,

    /// Write the index and template bodies that the JSON refers to into this directory, one file each.
    #[arg(long, value_name = "DIR", help_heading = "Output", value_parser = crate::paths::path())]
    pub bodies: Option<PathBuf>,
}

/// How a plan is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// Text.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// Seconds since the epoch: any number but NaN and infinities.
fn seconds(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(seconds) if seconds.is_finite() => Ok(seconds),
        _ => Err("must be a number of seconds since 1970, e.g. 1735689600".to_owned()),
    }
}

/// Plans a track. One that cannot be raced has a plan in JSON that says so; the exit code is that of wrong input.
pub fn run(arguments: &PlanArgs) -> Result<(), CommandError> {
    let home = Home::from_environment().map_err(CommandError::user)?;
    let reading = arguments
        .selection
        .reading()?
        .strict(arguments.strict)
        .filtered(&arguments.filters)?
        .challenge(arguments.challenge.as_deref())
        .test_mode(arguments.test_mode);
    let OpenedTrack { found, mut options } = arguments.selection.open(&home, reading)?;
    options.keep_unavailable = arguments.keep_unavailable;
    options.now = arguments.now.unwrap_or(options.now);
    let made = match rally_plan::plan(&found.source, &options, &arguments.variant) {
        Ok(made) => made,
        Err(error) => {
            if arguments.format == PlanFormat::Json {
                let rejected = RejectedTrack::new(&found.source, &options, &arguments.variant, &error);
                print(rejected.to_json())?;
            }
            return Err(refusal(error));
        }
    };
    for warning in &made.track.warnings {
        terminal::warn(warning);
    }
    if let Some(folder) = &arguments.bodies {
        made.bodies.write_to(folder).map_err(CommandError::failure)?;
    }
    match arguments.format {
        PlanFormat::Json => print(made.plan.to_json()),
        PlanFormat::Table => {
            let width = console::Term::stdout().size_checked().map(|(_, columns)| columns);
            terminal::print(table::text(&made, arguments.challenge.as_deref(), width))
                .map_err(CommandError::failure)
        }
    }
}

fn print(json: Result<Vec<u8>, PlanError>) -> Result<(), CommandError> {
    let mut json = json.map_err(refusal)?;
    json.push(b'\n');
    terminal::print_data(&json).map_err(CommandError::failure)
}

/// A track that cannot be raced is the user's; that a plan cannot be written is not.
fn refusal(error: PlanError) -> CommandError {
    match error {
        PlanError::Track(cause) => CommandError::user(cause),
        PlanError::Json(_) => CommandError::failure(error),
        too_large => CommandError::user(too_large),
    }
}
