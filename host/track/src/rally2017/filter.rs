//! `--include-tasks` and `--exclude-tasks`.

use super::draft::{DraftChallenge, DraftTask};
use super::reader::Reader;
use crate::error::did_you_mean;
use crate::suggest::{closest, listed};
use crate::{LoadOptions, TrackError};

/// What a task must be to be selected.
#[derive(Debug)]
enum Filter<'a> {
    Name(&'a str),
    OperationType(&'a str),
    Tag(&'a str),
}

impl Filter<'_> {
    fn selects(&self, draft: &DraftTask) -> bool {
        match self {
            Filter::Name(name) => draft.is_called(name),
            Filter::OperationType(kind) => draft.task.operation.operation_type == *kind,
            Filter::Tag(tag) => draft.task.tags.iter().any(|own| own == tag),
        }
    }
}

impl Reader<'_> {
    /// Removes the tasks that the user does not want, in all challenges.
    ///
    /// # Errors
    ///
    /// [`TrackError::Filter`] for a filter that cannot be read or that selects nothing in any challenge, and if the
    /// challenge that is to be raced has no tasks left.
    pub(super) fn filter(&mut self, challenges: &mut [DraftChallenge]) -> Result<(), TrackError> {
        let LoadOptions { include_tasks, exclude_tasks, .. } = self.options;
        let (option, written, include) = match (include_tasks.is_empty(), exclude_tasks.is_empty()) {
            (true, true) => return Ok(()),
            (false, true) => ("include-tasks", include_tasks, true),
            (true, false) => ("exclude-tasks", exclude_tasks, false),
            (false, false) => {
                let message = "cannot be used together with --exclude-tasks; give one of them".to_owned();
                return Err(TrackError::Filter { option: "include-tasks", message });
            }
        };
        let mut filters = Vec::new();
        for text in written {
            filters.push(parse(text, challenges).map_err(|message| TrackError::Filter { option, message })?);
        }
        for challenge in challenges.iter_mut() {
            let before = challenge.tasks().count();
            for element in &mut challenge.elements {
                element.tasks.retain(|draft| filters.iter().any(|filter| filter.selects(draft)) == include);
                let Some(parallel) = &mut element.parallel else { continue };
                let Some(name) = &parallel.completed_by else { continue };
                if !element.tasks.is_empty() && !element.tasks.iter().any(|draft| draft.is_called(name)) {
                    self.warn(&format!(
                        "--{option} leaves out the task [{name}] that completes an element of challenge [{}]; the element \
                         now ends when all its tasks are done",
                        challenge.challenge.name
                    ));
                    parallel.completed_by = None;
                }
            }
            challenge.elements.retain(|element| !element.tasks.is_empty());
            let wanted = match self.options.challenge.as_deref().filter(|name| !name.is_empty()) {
                Some(name) => challenge.challenge.name == name,
                None => challenge.challenge.default,
            };
            if wanted && before > 0 && challenge.elements.is_empty() {
                let message = format!("no task of challenge [{}] is left", challenge.challenge.name);
                return Err(TrackError::Filter { option, message });
            }
        }
        Ok(())
    }
}

fn parse<'a>(text: &'a str, challenges: &[DraftChallenge]) -> Result<Filter<'a>, String> {
    let tasks = || challenges.iter().flat_map(DraftChallenge::tasks);
    let selects_any = |filter: &Filter<'_>| tasks().any(|draft| filter.selects(draft));
    let by_name = Filter::Name(text);
    if selects_any(&by_name) {
        return Ok(by_name);
    }
    let (filter, candidates): (_, Vec<&str>) = match text.split_once(':') {
        Some(("type", kind)) => (
            Filter::OperationType(kind),
            tasks().map(|draft| draft.task.operation.operation_type.as_str()).collect(),
        ),
        Some(("tag", tag)) => {
            (Filter::Tag(tag), tasks().flat_map(|draft| &draft.task.tags).map(String::as_str).collect())
        }
        Some(_) => {
            return Err(format!(
                "[{text}] is no filter; write a task's name, type:<operation type> or tag:<tag>"
            ));
        }
        None => (by_name, tasks().map(|draft| draft.task.name.as_str()).collect()),
    };
    if selects_any(&filter) {
        return Ok(filter);
    }
    let value = text.split_once(':').map_or(text, |(_, value)| value);
    let mut candidates = candidates;
    candidates.sort_unstable();
    candidates.dedup();
    let suggestion = closest(value, candidates.iter().copied());
    let known = match candidates.is_empty() {
        true => String::new(),
        false => format!("; there are {}", listed(candidates.iter().copied())),
    };
    Err(format!("[{text}] matches no task{}{known}", did_you_mean(suggestion.as_deref())))
}
