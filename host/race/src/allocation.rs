//! Which client of a step performs which tasks.

use rally_track::{CompletedBy, Element};

use crate::plan::{Assignment, Completing};
use crate::planning::PlanError;

/// Number of clients of an element: what `parallel` says, else the sum over its tasks.
pub fn clients_of(element: &Element) -> u32 {
    let limit = match element {
        Element::Parallel(parallel) => parallel.clients,
        Element::Task(_) => None,
    };
    limit.unwrap_or_else(|| element.tasks().iter().map(|task| task.clients).sum()).max(1)
}

/// Deals the clients of the element's tasks out to its rows, one after the other and round and round. There are exactly
/// as many rows as the element has clients, whatever other elements need: that is what limits how many tasks of a
/// `parallel` run at the same time.
pub fn allocate(element: &Element) -> Vec<Vec<Assignment>> {
    let mut rows = vec![Vec::new(); clients_of(element) as usize];
    let mut row = 0;
    for (task, definition) in element.tasks().iter().enumerate() {
        for client_index in 0..definition.clients {
            rows[row].push(Assignment { task, client_index });
            row = (row + 1) % rows.len();
        }
    }
    rows
}

/// What completes the element before all its tasks are done, if anything does.
///
/// # Errors
/// Where a task is named that is not there, or that is there twice.
pub fn completing(element: &Element) -> Result<Option<Completing>, PlanError> {
    let Element::Parallel(parallel) = element else { return Ok(None) };
    let name = match &parallel.completed_by {
        None => return Ok(None),
        Some(CompletedBy::Any) => return Ok(Some(Completing::FirstClient)),
        Some(CompletedBy::Task(name)) => name,
    };
    let mut matches = parallel.tasks.iter().enumerate().filter(|(_, task)| task.name == *name);
    let found = matches.next().map(|(index, _)| index);
    match (found, matches.next()) {
        (None, _) => Err(PlanError::UnknownCompletedBy {
            name: name.clone(),
            tasks: parallel.tasks.iter().map(|task| task.name.clone()).collect(),
        }),
        (_, Some(_)) => Err(PlanError::AmbiguousCompletedBy { name: name.clone() }),
        (found, None) => Ok(found.map(Completing::Task)),
    }
}
