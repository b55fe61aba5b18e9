//! Challenges on the way to the model, each task with the place where it stands.

use std::sync::Arc;

use super::operations::Declared;
use crate::{Challenge, CompletedBy, Element, Parallel, Task};

/// A challenge whose schedule can still be changed.
#[derive(Debug)]
pub(super) struct DraftChallenge {
    /// Everything but the schedule.
    pub(super) challenge: Challenge,
    pub(super) elements: Vec<DraftElement>,
}

/// A task alone, or several in parallel.
#[derive(Debug)]
pub(super) struct DraftElement {
    pub(super) parallel: Option<DraftParallel>,
    pub(super) tasks: Vec<DraftTask>,
}

/// What is said of the tasks together.
#[derive(Debug)]
pub(super) struct DraftParallel {
    pub(super) clients: Option<u32>,
    pub(super) completed_by: Option<String>,
}

/// A task.
#[derive(Debug)]
pub(super) struct DraftTask {
    pub(super) task: Task,
    pub(super) declared: Declared,
    /// Where it stands.
    pub(super) pointer: String,
}

impl DraftTask {
    /// Whether the task is known by this name: a second task of an operation is also known by the operation's.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.task.name == name || (!self.task.params.contains_key("name") && self.task.operation.name == name)
    }
}

impl DraftChallenge {
    pub(super) fn tasks(&self) -> impl Iterator<Item = &DraftTask> {
        self.elements.iter().flat_map(|element| &element.tasks)
    }

    pub(super) fn into_challenge(self) -> Challenge {
        let schedule = self.elements.into_iter().map(DraftElement::into_element).collect();
        Challenge { schedule, ..self.challenge }
    }
}

impl DraftElement {
    fn into_element(self) -> Element {
        let mut tasks: Vec<Arc<Task>> = self.tasks.into_iter().map(|draft| Arc::new(draft.task)).collect();
        match self.parallel {
            None if tasks.len() == 1 => Element::Task(tasks.remove(0)),
            None => Element::Parallel(Parallel { tasks, clients: None, completed_by: None }),
            Some(parallel) => Element::Parallel(Parallel {
                tasks,
                clients: parallel.clients,
                completed_by: parallel.completed_by.map(CompletedBy::Task),
            }),
        }
    }
}
