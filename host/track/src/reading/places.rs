//! Where things stand in a track, for problems that only show after it is read.

use std::collections::HashMap;

use serde_json::Value;

use super::draft::DraftChallenge;
use crate::document::Document;
use crate::error::{Location, Problem};
use crate::json::{Part, child};

/// Where the tasks, operations and data files of a track stand in its text.
pub struct Places {
    document: Document,
    pointers: Pointers,
}

/// JSON pointers into a track.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pointers {
    /// By challenge: where it stands.
    challenges: HashMap<String, String>,
    /// By challenge and task: where the task and its operation stand.
    tasks: HashMap<(String, String), (String, String)>,
    /// Where the data files stand that rally races with, in the order of the track.
    documents: Vec<String>,
}

impl Pointers {
    pub(crate) fn of(challenges: &[DraftChallenge], documents: Vec<String>) -> Pointers {
        let mut pointers = Pointers { documents, ..Pointers::default() };
        for draft in challenges {
            let challenge = &draft.challenge.name;
            pointers.challenges.insert(challenge.clone(), draft.pointer.clone());
            for task in draft.tasks() {
                let key = (challenge.clone(), task.task.name.clone());
                pointers.tasks.insert(key, (task.pointer.clone(), task.declared.pointer.clone()));
            }
        }
        pointers
    }
}

impl Places {
    pub(crate) fn new(document: Document, pointers: Pointers) -> Places {
        Places { document, pointers }
    }

    /// A problem with a challenge.
    pub fn challenge_problem(&self, challenge: &str, message: String, help: Option<String>) -> Problem {
        self.problem(self.pointers.challenges.get(challenge), "", message, help)
    }

    /// A problem with a property of a task, or with the task where it does not have that property.
    pub fn task_problem(
        &self,
        challenge: &str,
        task: &str,
        property: &str,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let key = (challenge.to_owned(), task.to_owned());
        let pointer = self.pointers.tasks.get(&key).map(|(task, _)| task);
        self.problem(pointer, &child("", property), message, help)
    }

    /// A problem with the operation of a task. `below`: JSON pointer from the operation to what the problem is about.
    pub fn operation_problem(
        &self,
        challenge: &str,
        task: &str,
        below: &str,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let key = (challenge.to_owned(), task.to_owned());
        let pointer = self.pointers.tasks.get(&key).map(|(_, operation)| operation);
        self.problem(pointer, below, message, help)
    }

    /// A problem with a data file; `position` counts the files in the track's order.
    pub fn document_problem(&self, position: usize, message: String, help: Option<String>) -> Problem {
        let pointer = self.pointers.documents.get(position);
        self.problem(pointer, "", message, help)
    }

    /// The problem at the longest part of the path that the track has. Components may have added what it does not have.
    fn problem(
        &self,
        pointer: Option<&String>,
        below: &str,
        message: String,
        help: Option<String>,
    ) -> Problem {
        let Some(pointer) = pointer else {
            let location = Location { file: self.document.path().to_owned(), ..Location::default() };
            return Problem { message, help, location };
        };
        let mut below = below;
        while !below.is_empty() && self.value(&format!("{pointer}{below}")).is_none() {
            below = below.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        self.document.problem(&format!("{pointer}{below}"), Part::Value, message, help)
    }

    fn value(&self, pointer: &str) -> Option<&Value> {
        self.document.value.pointer(pointer)
    }
}
