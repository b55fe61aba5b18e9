//! Challenges on the way to the model, each task with the place where it stands.

use std::sync::Arc;

use crate::{Challenge, CompletedBy, Element, Operation, Parallel, Task};

/// An operation and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub(crate) operation: Arc<Operation>,
    pub(crate) pointer: String,
}

/// A challenge whose schedule can still be changed.
#[derive(Debug)]
pub(crate) struct DraftChallenge {
    /// Everything but the schedule.
    pub(crate) challenge: Challenge,
    /// Where it stands.
    pub(crate) pointer: String,
    pub(crate) elements: Vec<DraftElement>,
}

/// A task alone, or several in parallel.
#[derive(Debug)]
pub(crate) struct DraftElement {
    pub(crate) parallel: Option<DraftParallel>,
    pub(crate) tasks: Vec<DraftTask>,
}

/// What is said of the tasks together.
#[derive(Debug)]
pub(crate) struct DraftParallel {
    pub(crate) clients: Option<u32>,
    pub(crate) completed_by: Option<CompletedBy>,
}

/// A task.
#[derive(Debug)]
pub(crate) struct DraftTask {
    pub(crate) task: Task,
    pub(crate) declared: Declared,
    /// Where it stands.
    pub(crate) pointer: String,
}

impl DraftTask {
    /// Whether the task is known by this name: in 2017 a second task of an operation is also known by the operation's.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.task.name == name || (!self.task.params.contains_key("name") && self.task.operation.name == name)
    }
}

impl DraftChallenge {
    pub(crate) fn tasks(&self) -> impl Iterator<Item = &DraftTask> {
        self.elements.iter().flat_map(|element| &element.tasks)
    }

    pub(crate) fn tasks_mut(&mut self) -> impl Iterator<Item = &mut Task> {
        self.elements.iter_mut().flat_map(|element| &mut element.tasks).map(|draft| &mut draft.task)
    }

    pub(crate) fn into_challenge(self) -> Challenge {
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
                completed_by: parallel.completed_by,
            }),
        }
    }
}
