//! Warnings about the figures of a report.

use rally_race::{MOST_META_KEYS, Reason, Verdict};

use crate::percentiles::ordinal;
use crate::rows::Compat;
use crate::summary::{RaceStatus, Summary, TaskSummary};

/// Causes of failure that a warning names.
const MOST_CAUSES: usize = 3;

impl Summary {
    /// Warnings for below the table, the gravest first. With several laps they are about all laps together.
    pub fn warnings(&self, compat: Option<Compat>) -> Vec<String> {
        let mut warnings = Vec::new();
        match self.status {
            RaceStatus::Interrupted => {
                warnings.push("the race was interrupted; its figures are partial".to_owned())
            }
            RaceStatus::Failed => warnings.push("the race failed; its figures are partial".to_owned()),
            RaceStatus::Running => warnings.push("the race is not over; its figures are partial".to_owned()),
            RaceStatus::Killed => {
                warnings.push("the process of the race was killed; its figures are partial".to_owned())
            }
            // Each failed task has a warning of its own.
            RaceStatus::Complete | RaceStatus::TasksFailed => {}
        }
        let tasks = self.whole_race().map_or(&[][..], |race| &race.tasks);
        warnings.extend(tasks.iter().filter_map(failed));
        warnings.extend(not_run(tasks));
        for task in tasks.iter().filter(|task| task.was_run() && task.is_reported()) {
            warnings.extend(error_rate(task));
            if compat.is_none() {
                warnings.extend(split_times(task));
            }
            warnings.extend(ran_out(task));
            warnings.extend(no_throughput(task, compat));
            warnings.extend(driver_limited(task));
            warnings.extend(busy_machine(task));
            warnings.extend(stalls(task));
            warnings.extend(dropped_meta(task));
        }
        warnings.extend(self.missing.iter().map(|missing| headline(missing)));
        warnings
    }
}

/// A reason in one line: the error and its cause. Lines that end with a colon continue in the next one.
pub fn headline(reason: &str) -> String {
    let mut headline = String::new();
    for (number, line) in reason.lines().map(str::trim).enumerate() {
        if number >= 2 && !headline.ends_with(':') {
            break;
        }
        headline.push_str(if number > 0 { " " } else { "" });
        headline.push_str(line);
    }
    headline
}

fn failed(task: &TaskSummary) -> Option<String> {
    let reason = headline(task.failed.as_ref()?);
    let name = &task.info.name;
    Some(format!("task '{name}' failed and its figures are partial: {}", reason.trim_end_matches(['.', ':'])))
}

fn ran_out(task: &TaskSummary) -> Option<String> {
    let early = task.ran_out?;
    let name = &task.info.name;
    let seconds = |time: f64| if time < 10.0 { format!("{time:.2} s") } else { format!("{time:.0} s") };
    let (first, last, planned) = (seconds(early.first), seconds(early.last), seconds(early.planned));
    Some(if early.clients >= task.clients_of_all_laps {
        format!("task '{name}' ended after {last} of {planned}: its parameters ran out")
    } else {
        let when = if first == last {
            format!("after {last}")
        } else {
            format!("{first} to {last} after its start,")
        };
        format!(
            "{} of {} clients of task '{name}' ended {when} of {planned}: their parameters ran out",
            early.clients, task.clients_of_all_laps
        )
    })
}

fn dropped_meta(task: &TaskSummary) -> Option<String> {
    let (dropped, name) = (task.request_meta.dropped, &task.info.name);
    (dropped > 0).then(|| {
        format!(
            "the runner of task '{name}' reported {dropped} metadata values that no figure is made of: rally keeps numbers, under at \
             most {MOST_META_KEYS} keys (the first in alphabetical order)"
        )
    })
}

fn not_run(tasks: &[TaskSummary]) -> Option<String> {
    let names: Vec<String> =
        tasks.iter().filter(|task| !task.was_run()).map(|task| format!("'{}'", task.info.name)).collect();
    (!names.is_empty()).then(|| format!("no requests were sent for {}", names.join(", ")))
}

fn error_rate(task: &TaskSummary) -> Option<String> {
    if task.failures.is_empty() && task.error_rate == 0.0 {
        return None;
    }
    let mut causes: Vec<String> = task
        .failures
        .iter()
        .take(MOST_CAUSES)
        .map(|failure| match failure.status {
            Some(status) => format!("{} x HTTP {status} {}", failure.count, failure.description),
            None => format!("{} x {}", failure.count, failure.description),
        })
        .collect();
    if let further @ 1.. = task.failures.len().saturating_sub(MOST_CAUSES) {
        causes.push(format!("{further} further causes"));
    }
    let causes = if causes.is_empty() { String::new() } else { format!(": {}", causes.join("; ")) };
    let name = &task.info.name;
    let example = task.failures.iter().find_map(|failure| failure.example.as_deref());
    let example = example.map_or(String::new(), |example| format!("; for example: {example}"));
    if task.error_rate == 0.0 {
        return Some(format!("requests of task '{name}' failed during its warmup{causes}{example}"));
    }
    let documents = match task.failed_documents() {
        Some(documents) if documents > 0.0 => format!(", {documents} documents failed"),
        _ => String::new(),
    };
    let rate = task.error_rate * 100.0;
    Some(format!("the error rate of task '{name}' is {rate:.2} %{documents}{causes}{example}"))
}

fn split_times(task: &TaskSummary) -> Option<String> {
    let failed = task.service_time.failure.as_ref()?.count;
    let name = &task.info.name;
    Some(if task.service_time.success.is_some() {
        format!(
            "latency and service time of task '{name}' cover its {} successful requests; its {failed} failed requests have rows of \
             their own",
            task.requests - failed
        )
    } else {
        format!("all {failed} requests of task '{name}' failed")
    })
}

fn no_throughput(task: &TaskSummary, compat: Option<Compat>) -> Option<String> {
    if task.main_throughput(compat).is_some() {
        return None;
    }
    let name = &task.info.name;
    let cause = if task.error_rate > 0.0 {
        format!("its error rate is {:.1} %", task.error_rate * 100.0)
    } else if task.requests == 0 {
        "it ended during its warmup".to_owned()
    } else {
        "its requests did no work".to_owned()
    };
    Some(format!("task '{name}' has no throughput: {cause}"))
}

fn driver_limited(task: &TaskSummary) -> Option<String> {
    let verdict = task.driver?.verdict;
    let reason = verdict.driver_limited?;
    let (holds, remedy) = match reason {
        Reason::SaturatedThread { .. } => (
            "its throughput and percentiles may describe the load driver".to_owned(),
            "give the task fewer clients or a lower target throughput, or run rally on a faster machine",
        ),
        Reason::Lag { .. } => (
            holds(&verdict),
            "runners, param sources and schedulers that rally calls between requests must be fast",
        ),
        Reason::ParamSourceStalls { .. } => (
            "its service times hold, its throughput and latency do not".to_owned(),
            "its param source is slower than the target, so lower the target throughput or make its parameters cheaper",
        ),
    };
    let name = &task.info.name;
    Some(format!("task '{name}' is driver-limited ({reason}): {holds}; {remedy}"))
}

fn busy_machine(task: &TaskSummary) -> Option<String> {
    let verdict = task.driver?.verdict;
    let evidence = verdict.busy_machine?;
    let (name, holds) = (&task.info.name, holds(&verdict));
    Some(format!("task '{name}' ran on a busy machine ({evidence}): {holds}; run rally on an idle machine"))
}

/// Which percentiles are valid in spite of a verdict about lateness.
fn holds(verdict: &Verdict) -> String {
    match verdict.holds_up_to {
        Some(percentile) if percentile > 0.0 => {
            let percentile = ordinal(percentile);
            format!(
                "its latency holds up to the {percentile} percentile, higher ones may describe the load driver"
            )
        }
        _ => "none of its latency percentiles holds".to_owned(),
    }
}

/// Where the driver reports about itself, stalls are part of its verdict.
fn stalls(task: &TaskSummary) -> Option<String> {
    let stalls = task.param_source_stalls;
    let name = &task.info.name;
    (stalls > 0 && task.driver.is_none())
        .then(|| format!("the param source of task '{name}' was late for {stalls} requests"))
}
