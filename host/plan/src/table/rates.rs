//! The request rate of a challenge over time.

use rally_race::allocation::allocate;
use rally_track::{Challenge, Element, Target};

use super::style::{Column, Sheet, counted, is_narrow, rate};
use crate::estimate::{StepEstimate, TaskEstimate};
use crate::span::Span;

const COLUMNS: [Column; 5] = [
    Column::Whole("From"),
    Column::Whole("Lasts"),
    Column::Text("Requests per second"),
    Column::Whole(""),
    Column::Text("Tasks"),
];
/// Cells of the widest bar, on a narrow terminal and elsewhere.
const NARROW_BAR: usize = 10;
const WIDE_BAR: usize = 30;
/// Eighths of a cell, from one to seven.
const PARTS: [char; 7] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// A time in which the rate stays the same.
#[derive(Debug, Clone, PartialEq)]
struct Phase {
    from: Span,
    lasts: Span,
    /// Requests per second of the tasks that are throttled.
    per_second: f64,
    /// Rates that are not of requests.
    others: Vec<String>,
    /// Number of tasks that are as fast as they can be.
    unthrottled: usize,
    tasks: Vec<String>,
}

/// One row for each time in which the rate stays the same.
pub fn rates(challenge: &Challenge, estimates: &[StepEstimate], width: Option<u16>) -> String {
    let phases = phases(challenge, estimates);
    if phases.iter().all(|phase| phase.per_second == 0.0 && phase.others.is_empty()) {
        return "Request rate over time: no task is throttled, so it is up to the target.\n".to_owned();
    }
    let highest = phases.iter().map(|phase| phase.per_second).fold(0.0, f64::max);
    let cells = if is_narrow(width) { NARROW_BAR } else { WIDE_BAR };
    let mut sheet = Sheet::new(&COLUMNS, width);
    for phase in merged(phases) {
        sheet.add([
            from(&phase.from),
            phase.lasts.to_string(),
            described(&phase),
            bar(phase.per_second / highest, cells),
            phase.tasks.join(", "),
        ]);
    }
    format!("Request rate over time\n{sheet}")
}

fn phases(challenge: &Challenge, estimates: &[StepEstimate]) -> Vec<Phase> {
    let mut phases = Vec::new();
    let mut now = Span::NONE;
    for (element, step) in challenge.schedule.iter().zip(estimates) {
        phases.extend(
            phases_of_step(element, step)
                .into_iter()
                .map(|phase| Phase { from: now.then(phase.from), ..phase }),
        );
        now = now.then(step.span);
    }
    phases
}

/// When a task of a step runs, in seconds since the start of the step. It has no end where that is not known.
struct Running<'step> {
    index: usize,
    start: f64,
    end: Option<f64>,
    estimate: &'step TaskEstimate,
}

fn phases_of_step(element: &Element, step: &StepEstimate) -> Vec<Phase> {
    let end_of_step = step.span.seconds();
    let starts = starts(element, step);
    let running: Vec<Running<'_>> = starts
        .iter()
        .copied()
        .zip(&step.tasks)
        .enumerate()
        .filter_map(|(index, (start, estimate))| {
            let start = start?;
            let end = estimate.span.seconds().map(|seconds| start + seconds);
            let end = match (end, end_of_step) {
                (Some(end), Some(of_step)) => Some(end.min(of_step)),
                (end, of_step) => end.or(of_step),
            };
            Some(Running { index, start, end, estimate })
        })
        .collect();
    let mut moments: Vec<f64> =
        running.iter().flat_map(|task| [Some(task.start), task.end]).flatten().chain([0.0]).collect();
    moments.extend(end_of_step);
    moments.sort_by(f64::total_cmp);
    moments.dedup();
    let ends = moments.iter().skip(1).map(|end| Some(*end)).chain([None]);
    // Tasks with an unknown start come after the others.
    let later = element.tasks().iter().zip(&starts).filter(|(_, start)| start.is_none());
    let later: Vec<String> = later.map(|(task, _)| format!("later {}", task.name)).collect();
    let mut phases: Vec<Phase> = moments
        .iter()
        .zip(ends)
        .filter_map(|(from, to)| {
            let active: Vec<&Running<'_>> = running
                .iter()
                .filter(|task| task.start <= *from && task.end.is_none_or(|end| end > *from))
                .collect();
            let lasts = match to {
                Some(to) => Span::exactly(to - from),
                None => Span::UNKNOWN,
            };
            (!active.is_empty()).then(|| phase(element, &active, Span::exactly(*from), lasts))
        })
        .collect();
    if let Some(last) = phases.last_mut() {
        last.tasks.extend(later);
    }
    phases
}

/// When each task starts, in seconds since the start of the step, where that is known.
fn starts(element: &Element, step: &StepEstimate) -> Vec<Option<f64>> {
    let mut starts: Vec<Option<f64>> = vec![None; step.tasks.len()];
    for row in allocate(element) {
        let mut now = Span::NONE;
        for assignment in row {
            if let Some(seconds) = now.seconds() {
                let start = &mut starts[assignment.task];
                *start = Some(start.map_or(seconds, |start| start.min(seconds)));
            }
            now = now.then(step.tasks[assignment.task].span);
        }
    }
    starts
}

fn phase(element: &Element, active: &[&Running<'_>], from: Span, lasts: Span) -> Phase {
    let tasks = element.tasks();
    let others =
        active.iter().filter(|task| task.estimate.requests_per_second.is_none()).filter_map(|task| {
            match &tasks[task.index].target {
                Some(Target::Work { rate: per_second, unit }) if task.estimate.throttled => {
                    Some(format!("{} {unit}", rate(*per_second)))
                }
                _ => None,
            }
        });
    Phase {
        from,
        lasts,
        per_second: active.iter().filter_map(|task| task.estimate.requests_per_second).sum(),
        others: others.collect(),
        unthrottled: active.iter().filter(|task| !task.estimate.throttled).count(),
        tasks: active.iter().map(|task| tasks[task.index].name.clone()).collect(),
    }
}

/// Phases of which nothing is known make one row where they follow each other.
fn merged(phases: Vec<Phase>) -> Vec<Phase> {
    let says_nothing =
        |phase: &Phase| phase.per_second == 0.0 && phase.others.is_empty() && phase.lasts == Span::UNKNOWN;
    let mut merged: Vec<(Phase, usize)> = Vec::new();
    for phase in phases {
        match merged.last_mut() {
            Some((last, number)) if says_nothing(last) && says_nothing(&phase) => {
                *number += phase.tasks.len();
                last.unthrottled += phase.unthrottled;
            }
            _ => {
                let number = phase.tasks.len();
                merged.push((phase, number));
            }
        }
    }
    let told = merged.into_iter().map(|(mut phase, number)| {
        if number > phase.tasks.len() {
            phase.tasks = vec![counted(number as u64, "task", "tasks")];
        }
        phase
    });
    told.collect()
}

fn described(phase: &Phase) -> String {
    let throttled = (phase.per_second > 0.0).then(|| rate(phase.per_second));
    let unthrottled = (phase.unthrottled > 0).then(|| "unthrottled".to_owned());
    throttled.into_iter().chain(phase.others.clone()).chain(unthrottled).collect::<Vec<_>>().join(" + ")
}

fn from(start: &Span) -> String {
    match start.seconds() {
        Some(seconds) => crate::span::seconds_in_words(seconds),
        None if start.least() > 0.0 => format!("after {}", crate::span::seconds_in_words(start.least())),
        None => "later".to_owned(),
    }
}

/// A bar as long as its part of the highest rate.
fn bar(part: f64, cells: usize) -> String {
    if part.is_nan() || part <= 0.0 {
        return String::new();
    }
    let eighths = ((part * cells as f64 * 8.0).round() as usize).clamp(1, cells * 8);
    let mut bar = "█".repeat(eighths / 8);
    if let Some(part) = (eighths % 8).checked_sub(1).and_then(|part| PARTS.get(part)) {
        bar.push(*part);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_part() {
        assert_eq!(bar(1.0, 4), "████");
        assert_eq!(bar(0.5, 4), "██");
        assert_eq!(bar(0.125, 4), "▌");
        assert_eq!(bar(0.0001, 4), "▏");
        assert_eq!(bar(0.0, 4), "");
    }
}
