//! The tasks of a challenge.

use rally_race::Extent;
use rally_support::numbers::grouped;
use rally_track::{Challenge, CompletedBy, Element, Target, Task};

use super::style::{Column, Sheet, counted, is_narrow, rate};
use crate::estimate::{StepEstimate, TaskEstimate};
use crate::span::seconds_in_words;

/// Columns where there is room.
const WIDE: [Column; 8] = [
    Column::Number("Step"),
    Column::Name("Task"),
    Column::Name("Operation type"),
    Column::Number("Clients"),
    Column::Whole("Runs"),
    Column::Number("Requests"),
    Column::Whole("Target rate"),
    Column::Whole("Duration"),
];

/// One row for each task.
pub fn tasks(challenge: &Challenge, estimates: &[StepEstimate], width: Option<u16>) -> String {
    let narrow = is_narrow(width);
    let columns: Vec<Column> = WIDE
        .into_iter()
        // The column would be too wide; the other columns show the same.
        .filter(|column| !(narrow && matches!(column, Column::Number("Requests"))))
        .map(|column| match column {
            Column::Whole("Target rate") if narrow => Column::Text("Target"),
            column => column,
        })
        .collect();
    let mut sheet = Sheet::new(&columns, width);
    for (number, (element, step)) in (1..).zip(challenge.schedule.iter().zip(estimates)) {
        for (index, (task, estimate)) in element.tasks().iter().zip(&step.tasks).enumerate() {
            let requests = estimate.requests.map_or_else(|| "unknown".to_owned(), grouped);
            let duration = if narrow { estimate.span.briefly() } else { estimate.span.to_string() };
            let first = [
                if index == 0 { grouped(number) } else { String::new() },
                format!("{}{}", task.name, completing(element, task)),
                task.operation.operation_type.clone(),
                grouped(u64::from(task.clients)),
                runs(estimate, narrow),
            ];
            let last = [target(task, estimate, narrow), duration];
            sheet.add(first.into_iter().chain((!narrow).then_some(requests)).chain(last));
        }
    }
    let legend = if narrow { "(–: as fast as possible, ?: up to the target)\n" } else { "" };
    format!("{sheet}{legend}")
}

fn completing(element: &Element, task: &Task) -> &'static str {
    let Element::Parallel(parallel) = element else { return "" };
    match &parallel.completed_by {
        Some(CompletedBy::Task(name)) if *name == task.name => " (ends the step)",
        Some(CompletedBy::Any) => " (may end the step)",
        Some(CompletedBy::Task(_)) | None => "",
    }
}

/// Warm-up and what is measured: iterations over all clients, or seconds. Narrow, without words, and with the requests
/// where they are not what is written.
fn runs(estimate: &TaskEstimate, narrow: bool) -> String {
    let to_the_end = |wide: &str| match estimate.requests.filter(|_| narrow) {
        Some(requests) => counted(requests, "bulk", "bulks"),
        None => wide.to_owned(),
    };
    match estimate.extent {
        None if narrow => "own code".to_owned(),
        None => "as its own code says".to_owned(),
        Some(Extent::Iterations { warmup, measured }) => {
            let measured = match measured {
                None => to_the_end("all documents"),
                Some(measured) if narrow => grouped(measured),
                Some(1) => "once".to_owned(),
                Some(measured) => format!("{} times", grouped(measured)),
            };
            if warmup > 0 { format!("{} + {measured}", grouped(warmup)) } else { measured }
        }
        Some(Extent::Time { measured: None, .. }) if narrow && estimate.requests.is_some() => to_the_end(""),
        Some(Extent::Time { warmup, measured }) => {
            let measured = measured.map_or_else(|| "the rest".to_owned(), seconds_in_words);
            if warmup > 0.0 { format!("{} + {measured}", seconds_in_words(warmup)) } else { measured }
        }
    }
}

fn target(task: &Task, estimate: &TaskEstimate, narrow: bool) -> String {
    let Some(target) = task.target.as_ref().filter(|_| estimate.throttled) else {
        return if narrow { "–" } else { "unthrottled" }.to_owned();
    };
    let declared = match target {
        Target::Throughput(per_second) => format!("{} ops/s", rate(*per_second)),
        Target::Interval(seconds) => format!("{} ops/s", rate(1.0 / seconds)),
        Target::Work { rate: per_second, unit } => format!("{} {unit}", rate(*per_second)),
    };
    if task.schedule == "deterministic" { declared } else { format!("{declared}, {}", task.schedule) }
}
