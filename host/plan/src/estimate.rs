//! How many requests the tasks of a step send, how fast, and how long that takes, as far as the track says. What depends on the target is not
//! known: a task that is not throttled takes as long as it takes.

use rally_operations::reads_documents;
use rally_race::allocation::allocate;
use rally_race::{Assignment, Extent};
use rally_track::{CompletedBy, Dialect, Element, Operation, Target, Task};

use crate::param_sources::PlannedBulk;
use crate::schedule::AS_GOOD_AS_UNTHROTTLED;
use crate::span::Span;

/// What is known of a task before it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskEstimate {
    /// How long it runs according to the track; `None` where its own code decides.
    pub extent: Option<Extent>,
    /// Requests over all clients, warm-up included, where they are known.
    pub requests: Option<u64>,
    /// Requests per second over all clients, where it is throttled and its rate counts requests or can be counted in them.
    pub requests_per_second: Option<f64>,
    /// Whether it is throttled at all.
    pub throttled: bool,
    /// How long it takes from the start of its first client to the end of its last, if the target keeps up.
    pub span: Span,
}

/// What is known of a step before it runs.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEstimate {
    /// Its tasks, in the order of the element.
    pub tasks: Vec<TaskEstimate>,
    /// How long it takes, if the target keeps up.
    pub span: Span,
}

/// Estimates a step; `bulk` has the bulk requests of each of its tasks that sends documents.
pub fn step(dialect: Dialect, element: &Element, bulk: &[Option<&PlannedBulk>]) -> StepEstimate {
    let estimates: Vec<TaskEstimate> = element
        .tasks()
        .iter()
        .zip(bulk.iter().copied().chain(std::iter::repeat(None)))
        .map(|(definition, bulk)| task(dialect, definition, bulk))
        .collect();
    let span = match element {
        Element::Task(_) => estimates.first().map_or(Span::NONE, |estimate| estimate.span),
        Element::Parallel(parallel) => parallel_span(element, parallel.completed_by.as_ref(), &estimates),
    };
    StepEstimate { tasks: estimates, span }
}

/// How long a parallel element takes: its clients perform their tasks one after the other.
fn parallel_span(element: &Element, completed_by: Option<&CompletedBy>, estimates: &[TaskEstimate]) -> Span {
    let rows = allocate(element);
    let until = |row: &[Assignment]| {
        row.iter().fold(Span::NONE, |span, assignment| span.then(estimates[assignment.task].span))
    };
    let all = rows.iter().map(|row| until(row)).fold(Span::NONE, Span::longer);
    let names = |assignment: &Assignment| element.tasks()[assignment.task].name.as_str();
    match completed_by {
        None => all,
        Some(CompletedBy::Task(name)) => {
            let completing = rows.iter().filter_map(|row| {
                let last = row.iter().rposition(|assignment| names(assignment) == name)?;
                Some(until(&row[..=last]))
            });
            completing.reduce(Span::longer).unwrap_or(all)
        }
        Some(CompletedBy::Any) => {
            let firsts = rows.iter().filter(|row| !row.is_empty()).map(|row| until(&row[..1]));
            firsts.reduce(Span::shorter).unwrap_or(all)
        }
    }
}

/// Estimates a task.
pub fn task(dialect: Dialect, task: &Task, bulk: Option<&PlannedBulk>) -> TaskEstimate {
    let operation = task.operation.as_ref();
    let own_code = has_own_code(dialect, operation);
    let finite = bulk.is_some_and(|bulk| !bulk.loops);
    let says_nothing = task.iterations.is_none()
        && task.warmup_iterations.is_none()
        && task.warmup_time_period.is_none()
        && task.time_period.is_none();
    let extent = (!(own_code && says_nothing)).then(|| Extent::of(dialect, task, finite, false));
    let requests = extent.and_then(|extent| Requests::of(extent, task.clients, bulk.filter(|_| finite)));
    let target = task.target.as_ref().filter(|target| target.per_second() < AS_GOOD_AS_UNTHROTTLED);
    let requests_per_second = target.and_then(|target| match target {
        Target::Work { rate, unit } if unit == "docs/s" => {
            documents_per_request(bulk?).map(|size| rate / size)
        }
        Target::Work { .. } => None,
        plain => Some(plain.per_second()),
    });
    // Clients have equal shares of the rate: the task is over when the one with the most requests is done.
    let by_rate = requests.zip(requests_per_second).map(|(requests, rate)| {
        Span::exactly(requests.most_of_a_client as f64 * f64::from(task.clients.max(1)) / rate)
    });
    let by_requests = by_rate.or_else(|| asleep(operation, requests?)).unwrap_or(Span::UNKNOWN);
    let by_extent = match extent {
        None => Span::UNKNOWN,
        Some(Extent::Time { warmup, measured: Some(measured) }) => {
            let time = Span::exactly(warmup + measured);
            if finite { by_requests.shorter(time) } else { time }
        }
        Some(Extent::Time { measured: None, .. } | Extent::Iterations { .. }) => by_requests,
    };
    TaskEstimate {
        extent,
        // Code of the track may end sooner than the track says.
        requests: requests.filter(|_| !own_code).map(|requests| requests.total),
        requests_per_second,
        throttled: target.is_some(),
        span: if own_code { by_extent.shorter(Span::UNKNOWN) } else { by_extent },
    }
}

/// Requests of a task, warm-up included.
#[derive(Debug, Clone, Copy)]
struct Requests {
    total: u64,
    most_of_a_client: u64,
}

impl Requests {
    /// Of `clients` clients, where iterations or `documents` bound them.
    fn of(extent: Extent, clients: u32, documents: Option<&PlannedBulk>) -> Option<Requests> {
        let mut requests = Requests { total: 0, most_of_a_client: 0 };
        for client in 0..clients {
            let declared = match extent.share(client, clients) {
                Extent::Iterations { warmup, measured: Some(measured) } => {
                    Some(warmup.saturating_add(measured))
                }
                Extent::Iterations { measured: None, .. } | Extent::Time { .. } => None,
            };
            let of_documents =
                documents.map(|bulk| bulk.partitions.get(&client).map_or(0, |part| part.total_bulks));
            let of_client = match (declared, of_documents) {
                (Some(declared), Some(of_documents)) => declared.min(of_documents),
                (known, None) | (None, known) => known?,
            };
            requests.total = requests.total.saturating_add(of_client);
            requests.most_of_a_client = requests.most_of_a_client.max(of_client);
        }
        Some(requests)
    }
}

/// Whether code of the track says what an operation sends, or when it ends.
fn has_own_code(dialect: Dialect, operation: &Operation) -> bool {
    let built_in = dialect.operation_type(&operation.operation_type).is_some();
    !built_in || operation.param_source.is_some() && !reads_documents(dialect, operation)
}

/// Operations that sleep take the time that they say.
fn asleep(operation: &Operation, requests: Requests) -> Option<Span> {
    let sleeps = operation.operation_type == "sleep";
    let seconds = operation.params.get("duration").filter(|_| sleeps)?.as_f64()?;
    (seconds >= 0.0).then(|| Span::exactly(seconds * requests.most_of_a_client as f64))
}

/// Documents of a bulk request, on average.
fn documents_per_request(bulk: &PlannedBulk) -> Option<f64> {
    let partitions = bulk.partitions.values();
    let (requests, documents) = partitions.fold((0_u64, 0_u64), |(requests, documents), partition| {
        let read = partition.readers.iter().fold(0_u64, |sum, reader| sum.saturating_add(reader.documents));
        (requests.saturating_add(partition.total_bulks), documents.saturating_add(read))
    });
    let sent = documents as f64 * bulk.ingest_percentage / 100.0;
    (requests > 0 && sent > 0.0).then(|| sent / requests as f64)
}
