//! Compares plans that somebody else made with those that rally makes of the same tracks.
//!
//! A file of plans has the shape that `rally plan --format=json` prints (docs/plan.md), and says with which inputs it was made. The track
//! is looked for beside it or below `--tracks`; rally plans it with the same inputs, and what is different is shown as JSON pointers.

mod deliberate;
mod difference;
mod found;
mod replay;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use difference::Difference;
use found::{Expected, Layout};

/// Which plans, and where their tracks are.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder with plans, at any depth, or one plan
    #[arg(value_name = "DIR")]
    plans: PathBuf,

    /// Folder with the tracks; each is called as the plan calls it, or as the folder of the plan below DIR [default: DIR/track, or
    /// `track` beside the plan]
    #[arg(long, value_name = "ROOT")]
    tracks: Option<PathBuf>,

    /// List of plans with their tracks, and with inputs that plans do not tell of [default: DIR/index.json, if it is there]
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,

    /// Ask this rally instead of the one that this tool is built with
    #[arg(long, value_name = "PROGRAM")]
    rally: Option<PathBuf>,

    /// Show at most so many differences of a plan
    #[arg(long, value_name = "N", default_value_t = 20)]
    show: usize,

    /// Compare only plans whose file name or folder contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

/// What came of a plan.
enum Outcome {
    Equal,
    Differs(Vec<Difference>),
    /// There is nothing to compare it with, or it could not be read.
    Failed(anyhow::Error),
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let layout = Layout {
        plans: arguments.plans.clone(),
        tracks: arguments.tracks.clone(),
        index: arguments.index.clone(),
    };
    let mut files = layout.files()?;
    if let Some(only) = &arguments.only {
        files.retain(|file| file.to_string_lossy().contains(only.as_str()));
    }
    ensure!(!files.is_empty(), "there is no plan in {}", arguments.plans.display());
    let index = layout.index()?;
    let workers = thread::available_parallelism().map_or(1, usize::from).min(files.len());
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let mut outcomes: Vec<Option<Outcome>> = files.iter().map(|_| None).collect();
    thread::scope(|scope| {
        for _ in 0..workers {
            let (send, next, files, layout, index) = (send.clone(), &next, &files, &layout, &index);
            scope.spawn(move || {
                while let Some((position, file)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|position| Some((position, files.get(position)?)))
                {
                    let outcome = match layout.expected(file, index) {
                        // It is JSON of another kind.
                        Ok(None) => None,
                        Ok(Some(expected)) => {
                            Some(compare(&expected, arguments).unwrap_or_else(Outcome::Failed))
                        }
                        Err(error) => Some(Outcome::Failed(error)),
                    };
                    // The receiver is there until all are done.
                    let _ = send.send((position, outcome));
                }
            });
        }
        drop(send);
        for (position, outcome) in receive {
            outcomes[position] = outcome;
        }
    });
    report(&files, &outcomes, arguments.show)
}

fn compare(expected: &Expected, arguments: &Arguments) -> Result<Outcome> {
    let track = expected
        .track
        .as_ref()
        .context("there is no track for it; name the folder of tracks with --tracks")?;
    let mut actual: Value = match &arguments.rally {
        Some(program) => replay::with_program(program, track, expected)?,
        None => replay::in_process(track, expected)?,
    };
    let mut wanted = expected.plan.clone();
    deliberate::level(&mut wanted, &mut actual)?;
    let differences = difference::between(&wanted, &actual);
    Ok(if differences.is_empty() { Outcome::Equal } else { Outcome::Differs(differences) })
}

fn report(files: &[PathBuf], outcomes: &[Option<Outcome>], show: usize) -> Result<()> {
    let (mut equal, mut differ, mut failed) = (0, 0, 0);
    for (file, outcome) in files.iter().zip(outcomes) {
        match outcome {
            None => {}
            Some(Outcome::Equal) => equal += 1,
            Some(Outcome::Differs(differences)) => {
                differ += 1;
                println!("{}: {} differences", file.display(), differences.len());
                for difference in differences.iter().take(show) {
                    println!("  {difference}");
                }
                if differences.len() > show {
                    println!("  … and {} more", differences.len() - show);
                }
            }
            Some(Outcome::Failed(error)) => {
                failed += 1;
                println!("{}: {error:#}", file.display());
            }
        }
    }
    println!("{} plans: {equal} equal, {differ} different, {failed} not compared", equal + differ + failed);
    ensure!(equal + differ + failed > 0, "none of the files is a plan");
    if differ + failed > 0 {
        bail!("{} plans are not equal", differ + failed);
    }
    Ok(())
}
