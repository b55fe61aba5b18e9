//! Which client performs which task when: the matrix that Elastic Rally's allocator makes.

use std::collections::{BTreeMap, BTreeSet};

use rally_race::allocation::allocate;
use rally_track::{CompletedBy, Element, Parallel, Task};
use serde::Serialize;
use serde::ser::{SerializeTuple, Serializer};

use crate::canonical;

/// The clients of a challenge and what they do, column by column.
#[derive(Debug, Clone, Serialize)]
pub struct Allocation {
    /// Number of clients of the whole challenge.
    pub clients: u32,
    /// Length of each row of the matrix.
    pub columns: usize,
    /// Which clients complete the element before a join point, by the number of the join point.
    pub completing: BTreeMap<usize, Completing>,
    /// For each client its cells; null where it has nothing to do.
    pub matrix: Vec<Vec<Option<Cell>>>,
    /// Digest of the canonical JSON of `matrix`.
    pub matrix_sha256: String,
    /// Number of steps: elements between join points that have tasks.
    pub steps: usize,
    /// Names of the tasks of each step, sorted.
    pub tasks_per_step: Vec<Vec<String>>,
}

/// Clients that complete an element before all its tasks are done. A client that performs several such tasks, or one task several times,
/// is there as often.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Completing {
    /// Clients any of which completes the element.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub any_task_completes_parent: Vec<u32>,
    /// Clients that complete the element once all of them are done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub task_completes_parent: Vec<u32>,
}

/// What a client does in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Waits for all clients: `["J", number]`.
    JoinPoint(usize),
    /// Performs a task: `["T", name, client in task, client of element, clients of element]`.
    Task {
        /// Name of the task.
        name: String,
        /// Index of the client within the task.
        client_in_task: u32,
        /// Index of the client within the element, as if each had a place of its own.
        client_of_element: u32,
        /// Clients of the element.
        clients_of_element: u32,
    },
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::JoinPoint(number) => ("J", number).serialize(serializer),
            Cell::Task { name, client_in_task, client_of_element, clients_of_element } => {
                let mut cell = serializer.serialize_tuple(5)?;
                cell.serialize_element("T")?;
                cell.serialize_element(name)?;
                cell.serialize_element(client_in_task)?;
                cell.serialize_element(client_of_element)?;
                cell.serialize_element(clients_of_element)?;
                cell.end()
            }
        }
    }
}

/// Clients of an element: what it says, or the sum over its tasks.
pub fn clients_of(element: &Element) -> u32 {
    match element {
        Element::Task(task) => task.clients,
        Element::Parallel(parallel) => parallel.effective_clients(),
    }
}

/// Whether a task completes its parallel element once all its clients are done.
pub fn completes_parent(parallel: &Parallel, task: &Task) -> bool {
    match &parallel.completed_by {
        Some(CompletedBy::Task(name)) => task.name == *name,
        Some(CompletedBy::Any) => task.name == "any",
        None => false,
    }
}

/// Whether a task completes its parallel element as soon as one of its clients is done.
pub fn any_completes_parent(parallel: &Parallel) -> bool {
    matches!(parallel.completed_by, Some(CompletedBy::Any))
}

/// Cells of the matrix of a schedule, before it is made: clients times columns.
pub fn cells(schedule: &[Element]) -> u64 {
    let clients = schedule.iter().map(clients_of).max().unwrap_or(1).max(1);
    let columns: u64 = schedule.iter().map(|element| 1 + columns_of(element)).sum();
    u64::from(clients).saturating_mul(columns + 1)
}

fn columns_of(element: &Element) -> u64 {
    let assignments: u64 = element.tasks().iter().map(|task| u64::from(task.clients)).sum();
    assignments.div_ceil(u64::from(clients_of(element).max(1)))
}

impl Allocation {
    /// The allocation of a schedule.
    ///
    /// # Errors
    /// Where the matrix cannot be JSON.
    pub fn of(schedule: &[Element]) -> serde_json::Result<Allocation> {
        let clients = schedule.iter().map(clients_of).max().unwrap_or(1).max(1);
        let mut matrix = vec![vec![Some(Cell::JoinPoint(0))]; clients as usize];
        let mut completing = BTreeMap::new();
        let mut tasks_per_step = Vec::new();
        for (join_point, element) in (1..).zip(schedule) {
            let told = add(element, &mut matrix);
            if told != Completing::default() {
                completing.insert(join_point, told);
            }
            for row in &mut matrix {
                row.push(Some(Cell::JoinPoint(join_point)));
            }
            let names: BTreeSet<String> = element.tasks().iter().map(|task| task.name.clone()).collect();
            if !names.is_empty() {
                tasks_per_step.push(names.into_iter().collect());
            }
        }
        Ok(Allocation {
            clients,
            columns: matrix.first().map_or(0, Vec::len),
            completing,
            matrix_sha256: canonical::sha256(&matrix)?,
            matrix,
            steps: tasks_per_step.len(),
            tasks_per_step,
        })
    }
}

/// Adds the columns of an element; returns the task that completes it.
fn add(element: &Element, matrix: &mut [Vec<Option<Cell>>]) -> Completing {
    let tasks = element.tasks();
    let clients_of_element = clients_of(element);
    // The first client of each task, counted over the element.
    let firsts: Vec<u32> = tasks
        .iter()
        .scan(0_u32, |next, task| {
            let first = *next;
            *next = next.saturating_add(task.clients);
            Some(first)
        })
        .collect();
    let rows = allocate(element);
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    for (client, row) in matrix.iter_mut().enumerate() {
        let assignments = rows.get(client).map(Vec::as_slice).unwrap_or_default();
        let cells = assignments.iter().map(|assignment| {
            Some(Cell::Task {
                name: tasks[assignment.task].name.clone(),
                client_in_task: assignment.client_index,
                client_of_element: firsts[assignment.task].saturating_add(assignment.client_index),
                clients_of_element,
            })
        });
        let length = row.len() + columns;
        row.extend(cells);
        row.resize(length, None);
    }
    let Element::Parallel(parallel) = element else { return Completing::default() };
    let mut told = Completing::default();
    for (task, first) in tasks.iter().zip(&firsts) {
        let clients =
            (0..task.clients).map(|client| first.saturating_add(client) % clients_of_element.max(1));
        if completes_parent(parallel, task) {
            told.task_completes_parent.extend(clients);
        } else if any_completes_parent(parallel) {
            told.any_task_completes_parent.extend(clients);
        }
    }
    told
}
