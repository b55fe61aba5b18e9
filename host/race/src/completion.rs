//! When a step is over: who is still at work, and whether the task that completes the element is done.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::plan::{Completing, Step};

/// What follows from a client having finished its part in a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientDone {
    /// It was the last client of this task.
    pub task_done: bool,
    /// That completes the element: all other clients finish the request in flight and stop.
    pub completes_element: bool,
}

/// Counts the clients of a step's tasks that are at work or have yet to start, as far as they are this driver's. Shared by all
/// threads.
#[derive(Debug)]
pub struct Completion {
    clients_left: Vec<AtomicUsize>,
    completed_by: Option<Completing>,
    /// Whether these are all clients of the step: else others decide when a task is done.
    whole: bool,
}

impl Completion {
    /// No client has finished yet. `rows` are the clients of the step that are this driver's.
    pub fn new(step: &Step, rows: &[usize]) -> Completion {
        let clients_left: Vec<_> = step.tasks.iter().map(|_| AtomicUsize::new(0)).collect();
        for assignment in rows.iter().flat_map(|row| &step.clients[*row]) {
            clients_left[assignment.task].fetch_add(1, Ordering::Relaxed);
        }
        let busy = |row: &&usize| !step.clients[**row].is_empty();
        let whole =
            rows.iter().filter(busy).count() == step.clients.iter().filter(|row| !row.is_empty()).count();
        Completion { clients_left, completed_by: step.completed_by, whole }
    }

    /// Number of this driver's clients of a task that have not finished.
    pub fn clients_left(&self, task: usize) -> usize {
        self.clients_left[task].load(Ordering::Relaxed)
    }

    /// Whether the element is over once this task is.
    pub fn is_completed_by(&self, task: usize) -> bool {
        match self.completed_by {
            None => false,
            Some(Completing::Task(completing)) => completing == task,
            Some(Completing::FirstClient) => true,
        }
    }

    /// A client has finished its part in a task. To be called once for each assignment.
    pub fn client_done(&self, task: usize) -> ClientDone {
        let task_done = self.clients_left[task].fetch_sub(1, Ordering::AcqRel) == 1;
        let completes_element = match self.completed_by {
            None => false,
            Some(Completing::Task(completing)) => self.whole && task_done && completing == task,
            Some(Completing::FirstClient) => true,
        };
        ClientDone { task_done, completes_element }
    }
}
