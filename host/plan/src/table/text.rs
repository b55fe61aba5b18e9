//! The whole text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rally_support::numbers::grouped;
use rally_track::{Challenge, Dialect};

use super::style::{counted, wrapped};
use super::{clients, documents, rates, tasks};
use crate::estimate::{self, StepEstimate};
use crate::param_sources::BulkKey;
use crate::plan::Made;
use crate::schedule::PlannedChallenge;
use crate::span::Span;

/// A plan as text, for a terminal of this width; without them lines are as long as they need to be. With the name of
/// a challenge only this one is shown.
pub fn text(made: &Made, challenge: Option<&str>, width: Option<u16>) -> String {
    let mut text = head(made, width);
    let planned = made.track.challenges.iter().zip(&made.plan.track.challenges);
    for (definition, planned) in
        planned.filter(|(definition, _)| challenge.is_none_or(|name| definition.name == name))
    {
        text.push('\n');
        text.push_str(&of_challenge(made, definition, planned, width));
    }
    text
}

/// Writing to a string cannot fail.
fn head(made: &Made, width: Option<u16>) -> String {
    let track = &made.plan.track;
    let mut text = format!("Track '{}'", track.name);
    if !track.description.is_empty() {
        let _ = write!(text, ": {}", one_line(&track.description));
    }
    let mut text = wrapped(&text, width);
    text.push('\n');
    let files: usize = track.corpora.iter().map(|corpus| corpus.documents.len()).sum();
    if files > 0 {
        let _ = writeln!(
            text,
            "{} in {}",
            counted(track.number_of_documents, "document", "documents"),
            counted(files as u64, "file", "files")
        );
    }
    if made.track.dialect == Dialect::Rally2017 {
        text.push_str("Written in the dialect of 2017: iterations are totals over all clients.\n");
    }
    text
}

fn of_challenge(
    made: &Made,
    challenge: &Challenge,
    planned: &PlannedChallenge,
    width: Option<u16>,
) -> String {
    let bulk = &made.param_sources.bulk;
    let mut documents_of: BTreeMap<BulkKey, Vec<&str>> = BTreeMap::new();
    let mut estimates: Vec<StepEstimate> = Vec::new();
    for (element, planned) in challenge.schedule.iter().zip(&planned.schedule) {
        let mut of_tasks = Vec::new();
        for task in &planned.tasks {
            let key = BulkKey { operation: task.op, clients: task.clients };
            let found = bulk.get(&key);
            if found.is_some() {
                documents_of.entry(key).or_default().push(&task.name);
            }
            of_tasks.push(found.and_then(|found| found.yields()));
        }
        estimates.push(estimate::step(made.track.dialect, element, &of_tasks));
    }
    let lasts = estimates.iter().fold(Span::NONE, |span, step| span.then(step.span));
    let summary = format!(
        "{}, {}, estimated duration: {lasts}{}",
        counted(u64::from(planned.allocation.clients), "client", "clients"),
        counted(challenge.schedule.len() as u64, "step", "steps"),
        unknown(&estimates)
    );
    let mut text = String::new();
    for line in [title(challenge), summary].iter().chain(&planned.serverless_info) {
        text.push_str(&wrapped(line, width));
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&tasks::tasks(challenge, &estimates, width));
    text.push_str("\nClients of each step\n");
    text.push_str(&clients::clients(challenge, width));
    for (key, tasks) in &documents_of {
        if let Some(bulk) = bulk.get(key) {
            text.push('\n');
            text.push_str(&documents::documents(*key, bulk, tasks, width));
        }
    }
    text.push('\n');
    text.push_str(&rates::rates(challenge, &estimates, width));
    text
}

fn title(challenge: &Challenge) -> String {
    let default = if challenge.default { " (default)" } else { "" };
    match challenge.description.as_deref().filter(|description| !description.is_empty()) {
        Some(description) => format!("Challenge '{}'{default}: {}", challenge.name, one_line(description)),
        None => format!("Challenge '{}'{default}", challenge.name),
    }
}

/// How many steps are of unknown duration, if any are.
fn unknown(estimates: &[StepEstimate]) -> String {
    let unknown = estimates.iter().filter(|step| step.span.seconds().is_none()).count();
    match unknown {
        0 => " where the target keeps up".to_owned(),
        1 => "; how long one step takes is up to the target".to_owned(),
        several => format!("; how long {} steps take is up to the target", grouped(several as u64)),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
