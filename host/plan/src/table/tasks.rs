//! The tasks of a challenge.

use rally_race::Extent;
use rally_track::{Challenge, CompletedBy, Element, Target, Task};

use super::style::{Column, grouped, rate, table};
use crate::estimate::{StepEstimate, TaskEstimate};
use crate::span::seconds_in_words;

/// One row for each task.
pub fn tasks(challenge: &Challenge, estimates: &[StepEstimate], width: Option<u16>) -> String {
    let mut table = table(
        &[
            Column::Number("Step"),
            Column::Name("Task"),
            Column::Name("Operation type"),
            Column::Number("Clients"),
            Column::Text("Runs"),
            Column::Number("Requests"),
            Column::Text("Target rate"),
            Column::Text("Duration"),
        ],
        width,
    );
    for (number, (element, step)) in (1..).zip(challenge.schedule.iter().zip(estimates)) {
        for (index, (task, estimate)) in element.tasks().iter().zip(&step.tasks).enumerate() {
            table.add_row([
                if index == 0 { grouped(number) } else { String::new() },
                format!("{}{}", task.name, completing(element, task)),
                task.operation.operation_type.clone(),
                grouped(u64::from(task.clients)),
                runs(estimate),
                estimate.requests.map_or_else(|| "unknown".to_owned(), grouped),
                target(task, estimate),
                estimate.span.to_string(),
            ]);
        }
    }
    format!("{table}\n")
}

fn completing(element: &Element, task: &Task) -> &'static str {
    let Element::Parallel(parallel) = element else { return "" };
    match &parallel.completed_by {
        Some(CompletedBy::Task(name)) if *name == task.name => " (ends the step)",
        Some(CompletedBy::Any) => " (may end the step)",
        Some(CompletedBy::Task(_)) | None => "",
    }
}

/// Warm-up and what is measured: iterations over all clients, or seconds.
fn runs(estimate: &TaskEstimate) -> String {
    match estimate.extent {
        None => "as its own code says".to_owned(),
        Some(Extent::Iterations { warmup, measured }) => {
            let measured = measured.map_or_else(|| "all documents".to_owned(), times);
            if warmup > 0 { format!("{} + {measured}", grouped(warmup)) } else { measured }
        }
        Some(Extent::Time { warmup, measured }) => {
            let measured = measured.map_or_else(|| "the rest".to_owned(), seconds_in_words);
            if warmup > 0.0 { format!("{} + {measured}", seconds_in_words(warmup)) } else { measured }
        }
    }
}

fn times(number: u64) -> String {
    if number == 1 { "once".to_owned() } else { format!("{} times", grouped(number)) }
}

fn target(task: &Task, estimate: &TaskEstimate) -> String {
    let Some(target) = task.target.as_ref().filter(|_| estimate.throttled) else {
        return "unthrottled".to_owned();
    };
    let declared = match target {
        Target::Throughput(per_second) => format!("{} ops/s", rate(*per_second)),
        Target::Interval(seconds) => format!("{} ops/s", rate(1.0 / seconds)),
        Target::Work { rate: per_second, unit } => format!("{} {unit}", rate(*per_second)),
    };
    if task.schedule == "deterministic" { declared } else { format!("{declared}, {}", task.schedule) }
}
