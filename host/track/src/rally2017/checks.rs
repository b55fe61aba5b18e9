//! Contradictions that only show when a challenge is complete.

use crate::CompletedBy;
use crate::reading::{DraftChallenge, DraftElement, DraftTask, Reader};

impl Reader<'_> {
    /// Tasks that would never end.
    pub(super) fn check_endless_tasks(&mut self, challenges: &[DraftChallenge]) {
        for element in challenges.iter().flat_map(|challenge| &challenge.elements) {
            for draft in &element.tasks {
                if is_endless(draft) && !is_ended_by_another(draft, element) {
                    let message = format!(
                        "task '{}' would never end: it has a 'warmup-time-period' but no 'time-period', and its \
                         operation '{}' has no data that it could run to the end of",
                        draft.task.name, draft.task.operation.name
                    );
                    let help = "add a 'time-period', or let another task of a parallel element complete it"
                        .to_owned();
                    self.problem(&draft.pointer, message, Some(help));
                }
            }
        }
    }
}

fn is_endless(draft: &DraftTask) -> bool {
    draft.task.warmup_time_period.is_some() && draft.task.time_period.is_none() && !draft.declared.may_end()
}

fn is_ended_by_another(draft: &DraftTask, element: &DraftElement) -> bool {
    match element.parallel.as_ref().and_then(|parallel| parallel.completed_by.as_ref()) {
        Some(CompletedBy::Task(name)) => !draft.is_called(name),
        Some(CompletedBy::Any) => true,
        None => false,
    }
}
