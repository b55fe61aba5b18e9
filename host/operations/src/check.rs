//! What a race would refuse of a track's operations and schedules, found with its place in the track before anything runs.
//!
//! The same code decides here and when a race binds its tasks: the built-in parameter sources, the plan of the race, the
//! schedulers. Only what runners find out by themselves is checked by the table of operations.

use rally_operation_table::{OperationType, Work};
use rally_race::schedulers::built_in_due_times;
use rally_race::{Partition, PlanError, PlanOptions, RacePlan, Timing};
use rally_track::{Challenge, Element, ExtensionNames, Operation, Places, Problem, Source, Task, Track};
use serde_json::{Map, Value};

use crate::error::ParamError;
use crate::{built_in_params, bulk_plan};

/// More problems than this help no user.
const MAX_PROBLEMS: usize = 20;

/// What is wrong with an operation: where, below the operation, and what.
type Finding = (String, String);

/// The problems that a race of these challenges would have with their operations and schedules. `names`: what extensions
/// register; rally knows nothing of what these read.
pub fn problems<'a>(
    track: &Track,
    challenges: impl IntoIterator<Item = &'a Challenge>,
    names: &ExtensionNames,
    places: &Places,
) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    for challenge in challenges {
        let mut add = |problem: Problem| {
            if problems.len() < MAX_PROBLEMS && !problems.contains(&problem) {
                problems.push(problem);
            }
        };
        let mut planned = true;
        for task in challenge.schedule.iter().flat_map(Element::tasks) {
            if let Some((property, message)) = unschedulable(track, task, names) {
                planned = false;
                add(places.task_problem(&challenge.name, &task.name, property, message, None));
            }
            for (below, message) in of_operation(track, task, names) {
                let message = format!("operation '{}': {message}", task.operation.name);
                add(places.operation_problem(&challenge.name, &task.name, &below, message, None));
            }
        }
        if planned && let Err(error) = RacePlan::new(track, challenge, PlanOptions::default()) {
            add(of_plan(&error, challenge, places));
        }
    }
    problems
}

/// The property of a task that its scheduler refuses, and why.
fn unschedulable(track: &Track, task: &Task, names: &ExtensionNames) -> Option<(&'static str, String)> {
    if task.clients == 0 {
        return Some(("clients", format!("task [{}] has no clients; give it at least 1", task.name)));
    }
    if names.schedulers.contains(&task.schedule) {
        return None;
    }
    let partition = Partition { index: 0, total: task.clients, seed: 0 };
    let error = built_in_due_times(track.dialect, task, Timing::Spread, partition, None).err()?;
    let is_known = rally_race::schedulers::BUILT_IN_SCHEDULERS.contains(&task.schedule.as_str());
    let property = match (is_known, task.params.contains_key("target-interval")) {
        // Python code beside the track may register it; the track's reader has looked for everything else.
        (false, _) => return None,
        (true, true) => "target-interval",
        (true, false) => "target-throughput",
    };
    Some((property, format!("task [{}]: {error}", task.name)))
}

fn of_plan(error: &PlanError, challenge: &Challenge, places: &Places) -> Problem {
    let message = error.to_string();
    let of_task = |task: &str, property: &str| {
        places.task_problem(&challenge.name, task, property, message.clone(), None)
    };
    match error {
        PlanError::NoClients { task } => of_task(task, "clients"),
        PlanError::NothingMeasured { task, property } => of_task(task, property),
        PlanError::InvalidTime { task, property, .. } => of_task(task, property),
        PlanError::NothingToDo { .. }
        | PlanError::NoLaps
        | PlanError::UnknownCompletedBy { .. }
        | PlanError::AmbiguousCompletedBy { .. } => {
            places.challenge_problem(&challenge.name, message.clone(), None)
        }
    }
}

fn of_operation(track: &Track, task: &Task, names: &ExtensionNames) -> Vec<Finding> {
    let operation = task.operation.as_ref();
    let kind = track.dialect.performed_type(&operation.operation_type);
    let is_foreign = names.operation_types.contains(&operation.operation_type);
    let Some(source) = track.dialect.built_in_source(operation) else { return Vec::new() };
    let of_error = |error: ParamError| vec![(below(&error, operation), error.problem)];
    if source.reads_documents() {
        return match bulk_plan(track, operation, task.clients) {
            Err(error) => of_error(error),
            Ok(_) => match kind.filter(|kind| !is_foreign && kind.work() == Work::Bulk) {
                Some(kind) => of_kinds(kind, &operation.params),
                None => Vec::new(),
            },
        };
    }
    let values = match built_in_params(track, operation) {
        Ok(params) => params.into_values(operation),
        Err(error) => return of_error(error),
    };
    let Some(kind) = kind.filter(|_| !is_foreign) else { return Vec::new() };
    if kind.needs_composite() {
        let message = format!("[{}] can only be a part of a composite operation", kind.name());
        return vec![("/operation-type".to_owned(), message)];
    }
    if source == Source::Generic && kind.work() == Work::Bulk {
        let message =
            "its bulks are cut from documents by \"bulk\", or come from a \"param-source\"".to_owned();
        return vec![("/operation-type".to_owned(), message)];
    }
    of_values(kind, &values)
}

/// What the runner of an operation type would refuse of its parameters.
fn of_values(kind: &OperationType, values: &Map<String, Value>) -> Vec<Finding> {
    let mut findings = of_kinds(kind, values);
    for parameter in kind.parameters().filter(|parameter| parameter.is_mandatory) {
        if values.get(parameter.name).is_none_or(Value::is_null) {
            findings.push((String::new(), format!("'{}' is mandatory and missing", parameter.name)));
        }
    }
    if !findings.is_empty() {
        return findings;
    }
    match kind.work() {
        Work::Composite => of_requests("/requests", values.get("requests"), &mut findings),
        Work::RawRequest | Work::RunUntil => {
            if let Some(path) = values["path"].as_str().filter(|path| !path.starts_with('/')) {
                let message = format!("'path' is '{path}' but must begin with a '/'");
                findings.push(("/path".to_owned(), message));
            }
        }
        _ => {}
    }
    findings
}

fn of_kinds(kind: &OperationType, values: &Map<String, Value>) -> Vec<Finding> {
    // A search or bulk without any time has that of the client.
    let has_time = !matches!(
        kind.work(),
        Work::Bulk | Work::Search | Work::Search2017 | Work::ScrollSearch | Work::Composite
    );
    let mut findings = Vec::new();
    for parameter in kind.parameters() {
        let Some(value) = values.get(parameter.name) else { continue };
        let pointer = format!("/{}", parameter.name);
        let seconds = || value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
        if let Some(wanted) = parameter.kind.refused(value) {
            findings
                .push((pointer, format!("'{}' is {} but must be {wanted}", parameter.name, shown(value))));
        } else if parameter.name == "request-timeout" && has_time && seconds() == Some(0.0) {
            findings.push((pointer, "'request-timeout' must be a number of seconds above 0".to_owned()));
        }
    }
    findings
}

/// The parts of a composite operation, below `pointer`.
fn of_requests(pointer: &str, requests: Option<&Value>, findings: &mut Vec<Finding>) {
    for (index, item) in requests.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let pointer = format!("{pointer}/{index}");
        let Some(values) = item.as_object() else {
            findings.push((pointer, "an operation or a stream must stand here".to_owned()));
            continue;
        };
        match values.get("stream") {
            Some(stream @ Value::Array(_)) => {
                of_requests(&format!("{pointer}/stream"), Some(stream), findings)
            }
            Some(other) => {
                let message = format!("'stream' is {} but must be a list", shown(other));
                findings.push((format!("{pointer}/stream"), message));
            }
            None => of_part(&pointer, values, findings),
        }
    }
}

fn of_part(pointer: &str, values: &Map<String, Value>, findings: &mut Vec<Finding>) {
    let Some(name) = values.get("operation-type").and_then(Value::as_str) else {
        let message = "each of the 'requests' must have a 'stream' or an 'operation-type'".to_owned();
        return findings.push((pointer.to_owned(), message));
    };
    let Some(kind) = OperationType::named(name).filter(|kind| kind.is_composable()) else {
        let parts: Vec<&str> =
            OperationType::all().filter(|kind| kind.is_composable()).map(OperationType::name).collect();
        let suggestion = rally_support::suggest::closest(name, parts.iter().copied());
        let hint = suggestion.map(|name| format!(", did you mean '{name}'?")).unwrap_or_default();
        let message = format!(
            "the operation type '{name}' cannot be a part of a composite operation{hint} Those that can are {}",
            parts.join(", ")
        );
        return findings.push((format!("{pointer}/operation-type"), message));
    };
    let below = |(below, message): Finding| (format!("{pointer}{below}"), format!("[{name}]: {message}"));
    findings.extend(of_values(kind, values).into_iter().map(below));
    if kind.work() == Work::Search {
        let problem = match (values.contains_key("body"), values.get("pages")) {
            (false, _) => Some(("", "'body' is mandatory and missing")),
            (_, Some(pages)) if !pages.is_null() => {
                Some(("/pages", "'pages' make a scroll, which cannot be a part of a composite operation"))
            }
            _ => None,
        };
        findings.extend(problem.map(|(at, message)| below((at.to_owned(), message.to_owned()))));
    }
}

/// Where a problem of an operation is: at the first parameter that the message names in quotes.
fn below(error: &ParamError, operation: &Operation) -> String {
    let mut quoted = error.problem.split('\'').skip(1).step_by(2);
    let named = quoted.find(|name| operation.params.contains_key(*name));
    named.map(|name| format!("/{name}")).unwrap_or_default()
}

/// A value in a message, not longer than a line.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
